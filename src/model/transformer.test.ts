import { expect, test } from "vitest";
import { TINY_LLAMA, trainingGolden } from "../../test/golden.ts";
import { GraphBuilder, interpret, ProgramCache } from "../engine/index.ts";
import { loadCheckpoint } from "./checkpoint.ts";
import { languageModelSpecs } from "./parameters.ts";
import { Sampler } from "./sampler.ts";
import { declareParameters, logitsOf, trunk } from "./transformer.ts";

/** Float32 in another order of operations; logits here are of order 1 to 10. */
const LOGIT_TOLERANCE = 1e-4;

async function logitsGraph(B: number, T: number) {
  const model = await loadCheckpoint(TINY_LLAMA);
  const graph = new GraphBuilder("logits");
  const weights = declareParameters(graph, languageModelSpecs(model.config));
  const hidden = trunk(graph, model.config, weights, graph.input("tokens", [B, T], "int32"));
  graph.output("logits", logitsOf(model.config, weights, hidden));
  return { model, graph: graph.build() };
}

function expectClose(found: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number) {
  expect(found.length).toBe(expected.length);
  let worst = 0;
  for (let i = 0; i < expected.length; i += 1) {
    worst = Math.max(worst, Math.abs((found[i] as number) - (expected[i] as number)));
  }
  expect(worst).toBeLessThan(tolerance);
}

test("logits of a checkpoint made by transformers equal its own, in interpreter and runtime", async () => {
  const row = trainingGolden.sequences[2] as number[];
  const T = row.length - 1;
  const { model, graph } = await logitsGraph(1, T);
  const feeds = { ...model.parameters.views, tokens: Int32Array.from(row.slice(0, T)) };
  const runtime = await (await new ProgramCache().get("logits", () => graph)).run(feeds);
  expectClose(runtime.logits as Float32Array, trainingGolden.logits_row2, LOGIT_TOLERANCE);
  const oracle = interpret(graph, feeds).logits as Float32Array;
  expectClose(oracle, trainingGolden.logits_row2, LOGIT_TOLERANCE);
});

test("padding on the right does not change the logits before it", async () => {
  const row = trainingGolden.sequences[2] as number[];
  const T = row.length + 4;
  const { model, graph } = await logitsGraph(1, T);
  const tokens = new Int32Array(T).fill(5);
  tokens.set(row.slice(0, -1));
  const out = interpret(graph, { ...model.parameters.views, tokens }).logits as Float32Array;
  const unpadded = out.subarray(0, trainingGolden.logits_row2.length);
  expectClose(unpadded, trainingGolden.logits_row2, LOGIT_TOLERANCE);
});

test("greedy decoding with the cache gives the text of transformers' generate", async () => {
  const model = await loadCheckpoint(TINY_LLAMA);
  const sampler = new Sampler(model.config);
  const prompt = (trainingGolden.sequences[0] as number[]).slice(0, trainingGolden.promptLength);
  const [sequence] = await sampler.sample(
    model.parameters,
    [{ promptIds: prompt, key: ["greedy"] }],
    { seed: 1, maxNewTokens: 12, temperature: 0, batchSize: 4 },
  );
  expect(sequence?.ids).toEqual(trainingGolden.greedy);
});

test("log-probabilities of sampled tokens equal those of one forward pass without a cache", async () => {
  const model = await loadCheckpoint(TINY_LLAMA);
  const sampler = new Sampler(model.config);
  // Prompts of different lengths; responses cross the cache's block of 32 positions and end at different times.
  const requests = [[3, 4], [5, 6, 7, 8, 9], [2], [11, 12, 13]].map((promptIds, i) => ({
    promptIds,
    key: [i],
  }));
  const options = { seed: 1, maxNewTokens: 45, temperature: 1, batchSize: 4 };
  const sequences = await sampler.sample(model.parameters, requests, options);
  for (const [i, sequence] of sequences.entries()) {
    const prompt = requests[i]?.promptIds as number[];
    const ids = [...prompt, ...sequence.ids];
    const { graph } = await logitsGraph(1, ids.length - 1);
    const feeds = { ...model.parameters.views, tokens: Int32Array.from(ids.slice(0, -1)) };
    const logits = interpret(graph, feeds).logits as Float32Array;
    const V = model.config.vocabSize;
    const expected = sequence.ids.map((id, k) => {
      const row = logits.subarray((prompt.length - 1 + k) * V, (prompt.length + k) * V);
      const most = Math.max(...row);
      const total = row.reduce((sum, x) => sum + Math.exp(x - most), 0);
      return (row[id] as number) - most - Math.log(total);
    });
    expectClose(sequence.logProbs, expected, LOGIT_TOLERANCE);
  }
  expect(sequences.some((s) => s.stopReason === "stop")).toBe(true);
  expect(sequences.some((s) => s.ids.length > 32)).toBe(true);
});

test("sampled tokens follow the model's distribution", async () => {
  const model = await loadCheckpoint(TINY_LLAMA);
  const sampler = new Sampler(model.config);
  const count = 4096;
  const requests = Array.from({ length: count }, (_, i) => ({
    promptIds: [3, 11, 5, 2],
    key: [i],
  }));
  const sequences = await sampler.sample(model.parameters, requests, {
    seed: 3,
    maxNewTokens: 1,
    temperature: 1,
    batchSize: 512,
  });
  const { graph } = await logitsGraph(1, 4);
  const feeds = { ...model.parameters.views, tokens: Int32Array.of(3, 11, 5, 2) };
  const logits = (interpret(graph, feeds).logits as Float32Array).slice(-model.config.vocabSize);
  const weights = [...logits].map((x) => Math.exp(x - Math.max(...logits)));
  const total = weights.reduce((a, b) => a + b);
  // Chi-square with V - 1 = 18 degrees of freedom: below 42.3 with probability 0.999.
  let chiSquare = 0;
  weights.forEach((w, id) => {
    const expected = (count * w) / total;
    const found = sequences.filter((s) => s.ids[0] === id).length;
    chiSquare += (found - expected) ** 2 / expected;
  });
  expect(chiSquare).toBeLessThan(42.3);
});

import path from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { TINY_LLAMA } from "../../test/golden.ts";
import { GraphBuilder, ProgramCache } from "../engine/index.ts";
import { type LanguageModel, loadCheckpoint } from "./checkpoint.ts";
import { languageModelSpecs } from "./parameters.ts";
import { type SampleOptions, type SampleRequest, Sampler } from "./sampler.ts";
import { Decoder, SharedPrompt } from "./sampling/decoder.ts";
import { sampleRequests } from "./sampling/requests.ts";
import { Sequence } from "./sampling/sequence.ts";
import { declareParameters, logitsOf, trunk } from "./transformer.ts";

/** Float32 in another order of operations; log-probabilities here are of order 1 to 10. */
const LOG_PROB_TOLERANCE = 2e-4;
const TINY_PLAIN = path.join(import.meta.dirname, "../../assets/models/tiny-plain");

let model: LanguageModel;
let sampler: Sampler;
beforeAll(async () => {
  model = await loadCheckpoint(TINY_LLAMA);
  sampler = new Sampler(model.config);
});

const options: SampleOptions = { seed: 1, maxNewTokens: 40, temperature: 1, batchSize: 8 };
const sample = (requests: readonly SampleRequest[], more: Partial<SampleOptions> = {}) =>
  sampler.sample(model.parameters, requests, { ...options, ...more });

/** The model's log-probabilities (T, V) of what follows each position, by one forward pass without a cache. */
async function forward(of: LanguageModel, ids: readonly number[]) {
  const { config, parameters } = of;
  const graph = new GraphBuilder("forward");
  const weights = declareParameters(graph, languageModelSpecs(config));
  const tokens = graph.input("tokens", [1, ids.length], "int32");
  graph.output("logits", logitsOf(config, weights, trunk(graph, config, weights, tokens)));
  const program = await new ProgramCache().compile(graph.build());
  const out = await program.run({ ...parameters.views, tokens: Int32Array.from(ids) });
  const V = config.vocabSize;
  return Array.from(ids, (_, t) => {
    const row = Array.from((out.logits as Float32Array).subarray(t * V, (t + 1) * V));
    const most = Math.max(...row);
    const total = Math.log(row.reduce((sum, x) => sum + Math.exp(x - most), 0)) + most;
    return row.map((x) => x - total);
  });
}

describe("the other sequences of a batch", () => {
  const requests = sampleRequests(
    [[3, 4], [5, 6, 7, 8, 9], [2], [11, 12, 13], [3, 4, 5, 6, 7, 8]],
    3,
  );

  test("change nothing, whatever their number and order, to the last bit", async () => {
    const together = await sample(requests, { batchSize: 64 });
    const reversed = await sample([...requests].reverse(), { batchSize: 64 });
    expect(reversed.reverse()).toEqual(together);
    for (const batchSize of [1, 3, 8]) {
      expect(await sample(requests, { batchSize })).toEqual(together);
    }
    for (const [i, request] of requests.entries()) {
      expect(await sample([request])).toEqual([together[i]]);
    }
    expect(new Set(together.map(({ ids }) => ids.join())).size).toBeGreaterThan(
      requests.length / 2,
    );
  });

  test("change nothing with filters either, and asking for log-probabilities does not", async () => {
    const filters = { temperature: 0.8, topK: 7, topP: 0.9, minP: 0.02 };
    const together = await sample(requests, { ...filters, batchSize: 64 });
    const recorded = await sample(requests, { ...filters, batchSize: 4, topLogProbs: 2 });
    expect(recorded.map(({ ids }) => ids)).toEqual(together.map(({ ids }) => ids));
    expect(recorded.map(({ logProbs }) => logProbs)).toEqual(
      together.map(({ logProbs }) => logProbs),
    );
  });
});

test("samples of one prompt differ, and a prompt that comes again goes on counting", () => {
  const keys = sampleRequests([[1, 2], [3], [1, 2]], 2).map(({ key }) => key);
  expect(keys[0]?.[0]).toBe(keys[4]?.[0]);
  expect(keys.map(([, sampleNumber]) => sampleNumber)).toEqual([0, 1, 0, 1, 2, 3]);
  expect(keys[2]?.[0]).not.toBe(keys[0]?.[0]);
});

test("each distinct prompt is read once, and its state is let go after its last sample", async () => {
  const decoder = new Decoder(model.config, new ProgramCache(), model.parameters.views);
  const prompts = [new SharedPrompt([3, 4], 3), new SharedPrompt([5, 6, 7], 1)];
  const start = (prompt: number, key: number) =>
    new Sequence(prompts[prompt] as SharedPrompt, { ...options, key: [key] });
  await decoder.admit([start(0, 0), start(1, 1), start(0, 2)]);
  expect(decoder.prefilledPrompts).toBe(2);
  expect(prompts.map(({ state }) => state === undefined)).toEqual([false, true]);
  await decoder.step();
  await decoder.admit([start(0, 3)]);
  expect(decoder.prefilledPrompts).toBe(2);
  expect(prompts[0]?.state).toBeUndefined();
});

test("sequences leave the batch when they end or are removed", async () => {
  const decoder = new Decoder(model.config, new ProgramCache(), model.parameters.views);
  const sequences = [2, 4, 6].map(
    (maxNewTokens, i) =>
      new Sequence(new SharedPrompt([3, 4 + i], 1), {
        ...options,
        maxNewTokens,
        temperature: 0,
        key: [i],
      }),
  );
  await decoder.admit(sequences);
  decoder.remove(sequences[2] as Sequence);
  const counts: number[] = [];
  while (decoder.sequences.length > 0) {
    counts.push(decoder.sequences.length);
    await decoder.step();
  }
  expect(counts.length).toBeLessThanOrEqual(3);
  expect(sequences[2]?.ids).toHaveLength(1);
  expect(sequences.slice(0, 2).every(({ stopReason }) => stopReason !== undefined)).toBe(true);
});

test("recorded log-probabilities are the model's own, whatever the temperature and the filters", async () => {
  const requests = sampleRequests(
    [
      [3, 4],
      [5, 6, 7, 8],
    ],
    2,
  );
  const found = await sample(requests, { temperature: 0.6, topK: 5, topLogProbs: 3 });
  for (const [i, { ids, records = [] }] of found.entries()) {
    const prompt = (requests[i] as SampleRequest).promptIds;
    const rows = await forward(model, [...prompt, ...ids]);
    records.forEach(({ id, logProb, top }, k) => {
      const row = rows[prompt.length - 1 + k] as number[];
      expect(Math.abs(logProb - (row[id] as number))).toBeLessThan(LOG_PROB_TOLERANCE);
      const likeliest = [...row].sort((a, b) => b - a).slice(0, 3);
      top.forEach((entry, j) => {
        expect(Math.abs(entry.logProb - (likeliest[j] as number))).toBeLessThan(LOG_PROB_TOLERANCE);
      });
    });
    expect(records.length).toBeGreaterThan(0);
  }
});

test("log-probabilities of the drawn distribution have its temperature and its filters", async () => {
  const [only] = await sample(sampleRequests([[3, 4]], 1), { topK: 1 });
  expect(only?.logProbs.every((logProb) => logProb === 0)).toBe(true);
  const requests = sampleRequests([[5, 6, 7]], 1);
  const [cool] = await sample(requests, { temperature: 0.5, maxNewTokens: 1 });
  const row = (await forward(model, [5, 6, 7]))[2] as number[];
  const sharpened = row.map((logProb) => Math.exp(2 * logProb)); // p^(1 / temperature), to be normalised
  const expected = Math.log(
    (sharpened[cool?.ids[0] as number] as number) / sharpened.reduce((a, b) => a + b),
  );
  expect(Math.abs((cool?.logProbs[0] as number) - expected)).toBeLessThan(LOG_PROB_TOLERANCE);
});

describe("long sequences of the shipped model", () => {
  test("are the same beside short ones, and follow the model past every size of the cache", async () => {
    const plain = await loadCheckpoint(TINY_PLAIN);
    // Without an end token every sequence runs on to its last token: past 256 positions caches are kept apart.
    const endless = { ...plain, config: { ...plain.config, eosTokenIds: [] } };
    const long = new Sampler(endless.config);
    const prompt = plain.tokenizer.encode("Use 9, 8, 6 to make 66.\n<think>");
    const requests = [prompt, prompt.slice(0, 5)].map((promptIds, i) => ({ promptIds, key: [i] }));
    const settings = { ...options, maxNewTokens: 290, topLogProbs: 0 };
    const together = await long.sample(endless.parameters, requests, settings);
    const alone = await long.sample(endless.parameters, requests.slice(1), settings);
    expect(alone[0]).toEqual(together[1]);
    const [{ ids, records = [] }] = together as [(typeof together)[number]];
    expect(ids).toHaveLength(290);
    const rows = await forward(endless, [...prompt, ...ids]);
    const worst = records.reduce((most, { id, logProb }, k) => {
      const expected = (rows[prompt.length - 1 + k] as number[])[id] as number;
      return Math.max(most, Math.abs(logProb - expected));
    }, 0);
    expect(worst).toBeLessThan(LOG_PROB_TOLERANCE);
    await long.dispose();
  });

  test("end exactly before a stop string, also one that begins and ends inside tokens", async () => {
    const plain = await loadCheckpoint(TINY_PLAIN);
    const texts = new Sampler(plain.config);
    const promptIds = plain.tokenizer.encode("Use 9, 8, 6 to make 66.\n<think>");
    const run = async (stop: string[]) => {
      const text = { stream: () => plain.tokenizer.stream(), stop };
      const [found] = await texts.sample(plain.parameters, [{ promptIds, key: [0] }], {
        ...options,
        text,
        topLogProbs: 0,
      });
      return found as NonNullable<typeof found>;
    };
    const whole = await run([]);
    const text = whole.text as string;
    expect(text).toBe(plain.tokenizer.decode(whole.ids));
    const border = whole.records?.[4]?.textOffset as number;
    const stop = text.slice(border - 1, border + 2); // around the border of two tokens
    const cut = await run(["not in the text", stop]);
    expect(cut.text).toBe(text.slice(0, text.indexOf(stop)));
    expect(cut.stopReason).toBe("stop");
    expect(cut.ids).toEqual(whole.ids.slice(0, cut.ids.length));
    expect(cut.ids.length).toBeLessThan(whole.ids.length);
    expect(cut.records?.every(({ textOffset }) => textOffset < (cut.text as string).length)).toBe(
      true,
    );
    await texts.dispose();
  });
});

test("prompts without tokens or without room are refused", async () => {
  await expect(sample([{ promptIds: [], key: [] }])).rejects.toThrow(/at least one token/);
  await expect(sample([{ promptIds: new Array(30).fill(3), key: [] }])).rejects.toThrow(
    /prompt of 30 tokens and 40 new tokens exceed the model's 64 positions/,
  );
});

/** Adapters against Python PEFT (test/golden/lora.py): logits, gradients, merging, files; dropout by its definition. */
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import "../../test/matchers.ts";
import { CHECKPOINTS, loraGolden as golden, LORA_ADAPTER } from "../../test/golden.ts";
import {
  differentiate,
  type Graph,
  GraphBuilder,
  gatherLast,
  interpret,
  logSoftmax,
  neg,
  reshape,
  slice,
  sum,
} from "../engine/index.ts";
import { Random } from "../random/random.ts";
import { type LanguageModel, loadCheckpoint } from "./checkpoint.ts";
import {
  adapterSpecs,
  declareAdapterInputs,
  declareFrozen,
  dropoutMasks,
  type LoraSpec,
  mergeAdapters,
} from "./lora.ts";
import { Parameters } from "./parameters.ts";
import { type Adapter, loadAdapter, saveAdapter } from "./peft.ts";
import { declareParameters, logitsOf, trunk } from "./transformer.ts";

const TOLERANCE = { relative: 0, absolute: 1e-4 };
const T = golden.tokens.length;

let model: LanguageModel;
let adapter: Adapter;
let scratch = "";
beforeAll(async () => {
  model = await loadCheckpoint(path.join(CHECKPOINTS, "qwen2"));
  adapter = await loadAdapter(LORA_ADAPTER, model.config);
  scratch = await mkdtemp(path.join(os.tmpdir(), "lora-"));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

/** Logits and loss of the golden tokens, with adapters and dropout as asked. */
function buildGraph(spec: LoraSpec | undefined, isTraining = false): Graph {
  const { config, parameters } = model;
  const graph = new GraphBuilder("adapted");
  const shape = { B: 1, T };
  const weights = {
    ...declareFrozen(graph, parameters.specs),
    ...(spec === undefined
      ? {}
      : {
          ...declareParameters(graph, adapterSpecs(config, spec)),
          ...declareAdapterInputs(graph, config, spec, isTraining ? shape : undefined),
        }),
  };
  const hidden = trunk(graph, config, weights, graph.input("tokens", [1, T], "int32"));
  const logits = logitsOf(config, weights, hidden);
  const before = reshape(slice(logits, { axis: 1, end: T - 1 }), [T - 1, config.vocabSize]);
  const targets = graph.constant(Int32Array.from(golden.tokens.slice(1)));
  graph.output("logits", logits);
  graph.output("loss", neg(sum(gatherLast(logSoftmax(before), targets))));
  return graph.build();
}

function feeds(base: Parameters = model.parameters) {
  return { ...base.views, ...adapter.parameters.views, tokens: Int32Array.from(golden.tokens) };
}

test("an adapter of PEFT gives the logits, the loss and the gradients of PEFT, and of adapters alone", () => {
  const graph = differentiate(buildGraph(adapter.spec), { loss: "loss" });
  const names = [...graph.outputs.keys()].filter((name) => name.startsWith("grad:"));
  expect(names).toEqual(adapter.parameters.specs.map(({ name }) => `grad:${name}`));
  const out = interpret(graph, feeds());
  expect(out.logits!).toBeAllClose(golden.logits, TOLERANCE);
  expect(out.loss![0]).toBeCloseTo(golden.loss, 3);
  for (const [name, expected] of Object.entries(golden.gradients)) {
    const [, layer, , projection, side] = name.split(".");
    const found = out[`grad:layers.${layer}.${projection}.${side!.toLowerCase()}`]!;
    expect(found, name).toBeAllClose(expected, { relative: 1e-4, absolute: 1e-4 });
  }
});

test("merged weights give the same logits without adapters, and leave the base as it is", () => {
  const before = model.parameters.flat.slice();
  const merged = model.parameters.zerosLike();
  mergeAdapters(model.config, adapter.spec, model.parameters, adapter.parameters, merged);
  expect(model.parameters.flat).toEqual(before);
  const plain = buildGraph(undefined);
  expect(interpret(plain, feeds(merged)).logits!).toBeAllClose(golden.logits, TOLERANCE);
});

test("fresh adapters change nothing, and start within PEFT's bounds", () => {
  const specs = adapterSpecs(model.config, adapter.spec);
  const fresh = new Parameters(specs).initialise(Random.of(1, "init"), model.config.layers);
  const base = interpret(buildGraph(undefined), feeds()).logits!;
  const adapted = interpret(buildGraph(adapter.spec), { ...feeds(), ...fresh.views }).logits!;
  expect(adapted).toEqual(base);
  const a = fresh.views["layers.0.down_proj.lora_a"]!;
  const bound = 1 / Math.sqrt(model.config.intermediateSize);
  const largest = Math.max(...a.map(Math.abs));
  expect(largest).toBeLessThanOrEqual(bound);
  expect(largest).toBeGreaterThan(0.9 * bound);
});

test("dropout zeroes the inputs of the adapters and scales the rest by 1 / (1 - p)", () => {
  const spec: LoraSpec = { ...adapter.spec, dropout: 0.25 };
  const masks = dropoutMasks(model.config, spec, { B: 1, T }, Random.of(1, "dropout"));
  const filled = (value: number) =>
    Object.fromEntries(Object.entries(masks).map(([k, m]) => [k, m.map(() => value)]));
  const graph = buildGraph(spec, true);
  const base = interpret(buildGraph(undefined), feeds()).logits!;
  const louder = interpret(buildGraph({ ...spec, alpha: spec.alpha / 0.75 }), feeds()).logits!;
  expect(interpret(graph, { ...feeds(), ...filled(0) }).logits!).toBeAllClose(base);
  expect(interpret(graph, { ...feeds(), ...filled(1) }).logits!).toBeAllClose(louder);
});

test("masks keep their share, and follow from the seed", () => {
  const spec: LoraSpec = { rank: 2, alpha: 2, dropout: 0.1, targets: ["q_proj", "down_proj"] };
  const masks = (seed: number) =>
    dropoutMasks(model.config, spec, { B: 20, T: 50 }, Random.of(seed, "dropout"));
  expect(masks(1)).toEqual(masks(1));
  expect(masks(1)).not.toEqual(masks(2));
  expect(Object.keys(masks(1)).length).toBe(2 * model.config.layers);
  for (const mask of Object.values(masks(1))) {
    const kept = mask.reduce((total, x) => total + x, 0) / mask.length;
    const deviation = Math.sqrt((0.1 * 0.9) / mask.length);
    expect(Math.abs(kept - 0.9)).toBeLessThan(4 * deviation);
  }
});

test("a saved adapter loads as the same adapter, some projections alone as well", async () => {
  const folder = path.join(scratch, "saved");
  await saveAdapter(folder, model.config, adapter);
  const loaded = await loadAdapter(folder, model.config);
  expect(loaded.spec).toEqual(adapter.spec);
  expect(loaded.baseModel).toBe("qwen2");
  expect(loaded.parameters.flat).toEqual(adapter.parameters.flat);

  const spec: LoraSpec = { rank: 2, alpha: 4, dropout: 0, targets: ["q_proj", "v_proj"] };
  const some = new Parameters(adapterSpecs(model.config, spec));
  some.initialise(Random.of(2, "init"), 2);
  await saveAdapter(folder, model.config, { spec, parameters: some }, { dtype: "bfloat16" });
  const half = await loadAdapter(folder, model.config);
  expect(half.spec).toEqual(spec);
  expect(half.parameters.flat).toBeAllClose(some.flat, { relative: 2 ** -8, absolute: 0 });
});

test("adapters of other kinds and of other models are refused by name", async () => {
  const folder = path.join(scratch, "changed");
  await cp(LORA_ADAPTER, folder, { recursive: true });
  const file = path.join(folder, "adapter_config.json");
  const config = JSON.parse(await readFile(file, "utf8")) as object;
  const changed = (change: object) => writeFile(file, JSON.stringify({ ...config, ...change }));
  await changed({ use_dora: true, modules_to_save: ["lm_head"] });
  await expect(loadAdapter(folder, model.config)).rejects.toThrow(
    /modules_to_save: .*lm_head.*use_dora: .*found true|use_dora: .*found true.*modules_to_save: .*lm_head/,
  );
  await changed({ r: 4 });
  await expect(loadAdapter(folder, model.config)).rejects.toThrow(
    /q_proj.lora_A.weight" is \[3, 24\], expected \[4, 24\].*; and 23 more/,
  );
});

/** Checkpoints made by Python transformers (test/golden/checkpoints.py): equal logits, equal greedy text, and refusals that say why. */
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import "../../test/matchers.ts";
import { CHECKPOINTS, checkpointGolden, type VariantGolden } from "../../test/golden.ts";
import { compile, GraphBuilder, interpret, type Program } from "../engine/index.ts";
import { type LanguageModel, loadCheckpoint, saveCheckpoint } from "./checkpoint.ts";
import { languageModelSpecs } from "./parameters.ts";
import { rotaryFrequencies } from "./rope.ts";
import { SafetensorsFile } from "./safetensors.ts";
import { Sampler } from "./sampler.ts";
import {
  declareParameters,
  decodeStep,
  type LayerKeyValues,
  logitsOf,
  MASKED,
  trunk,
} from "./transformer.ts";

const NAMES = ["llama", "llama-grouped", "qwen2", "qwen3"] as const;
type Name = (typeof NAMES)[number];
const golden = (name: Name) => checkpointGolden.variants[name] as VariantGolden;
const folderOf = (name: Name) => path.join(CHECKPOINTS, name);

/** Float32 in another order of operations; logits are of order 1 to 5. */
const LOGITS = { relative: 0, absolute: 1e-4 };
/** Arithmetic in the stored type, as transformers does it there, against float32 arithmetic on the same weights. */
const HALF_LOGITS = { float16: 0.02, bfloat16: 0.3 };

let scratch = "";
beforeAll(async () => {
  scratch = await mkdtemp(path.join(os.tmpdir(), "checkpoint-"));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

/** tokens (B, T) -> logits (B, T, V), with keys and values of each layer. */
function forwardGraph(model: LanguageModel, B: number, T: number) {
  const graph = new GraphBuilder("forward");
  const weights = declareParameters(graph, languageModelSpecs(model.config));
  const keyValues: LayerKeyValues[] = [];
  const tokens = graph.input("tokens", [B, T], "int32");
  const hidden = trunk(graph, model.config, weights, tokens, keyValues);
  graph.output("logits", logitsOf(model.config, weights, hidden));
  keyValues.forEach(({ key, value }, layer) => {
    graph.output(`new.key.${layer}`, key);
    graph.output(`new.value.${layer}`, value);
  });
  return graph.build();
}

/** One decoding step of one sequence over C cached positions. */
function decodeGraph({ config }: LanguageModel, C: number) {
  const graph = new GraphBuilder("decode");
  const weights = declareParameters(graph, languageModelSpecs(config));
  const shape = [1, config.kvHeads, C, config.headDim];
  const keyValues: LayerKeyValues[] = [];
  const inputs = {
    tokens: graph.input("tokens", [1], "int32"),
    positions: graph.input("positions", [1], "int32"),
    mask: graph.input("mask", [1, 1, 1, C]),
    cache: Array.from({ length: config.layers }, (_, layer) => ({
      key: graph.input(`key.${layer}`, shape),
      value: graph.input(`value.${layer}`, shape),
    })),
  };
  const hidden = decodeStep(graph, config, weights, inputs, keyValues);
  graph.output("logits", logitsOf(config, weights, hidden));
  keyValues.forEach(({ key, value }, layer) => {
    graph.output(`new.key.${layer}`, key);
    graph.output(`new.value.${layer}`, value);
  });
  return graph.build();
}

/** Logits after each token, every token read by a decoding step. */
async function decodeAll(model: LanguageModel, tokens: readonly number[]): Promise<Float32Array[]> {
  const { kvHeads: K, headDim: d, layers } = model.config;
  const C = 48;
  const program: Program = await compile(decodeGraph(model, C));
  const mask = new Float32Array(C).fill(MASKED);
  const names = Array.from({ length: layers }, (_, l) => [`key.${l}`, `value.${l}`]).flat();
  const cache = Object.fromEntries(names.map((name) => [name, new Float32Array(K * C * d)]));
  const results: Float32Array[] = [];
  for (const [position, token] of tokens.entries()) {
    const step = { tokens: Int32Array.of(token), positions: Int32Array.of(position), mask };
    const out = await program.run({ ...model.parameters.views, ...cache, ...step });
    for (const name of names) {
      const fresh = out[`new.${name}`] as Float32Array; // (1, K, 1, d)
      for (let k = 0; k < K; k += 1) {
        cache[name]!.set(fresh.subarray(k * d, (k + 1) * d), (k * C + position) * d);
      }
    }
    mask[position] = 0;
    results.push((out.logits as Float32Array).slice());
  }
  await program.dispose();
  return results;
}

describe.each(NAMES)("%s", (name) => {
  const { texts, logits, greedy, frequencies, dtype, half } = golden(name);
  const [short, long] = texts as [number[], number[]];
  const T = long.length;

  test("logits equal those of transformers, in a row with padding and a full one", async () => {
    const model = await loadCheckpoint(folderOf(name));
    const V = model.config.vocabSize;
    const tokens = new Int32Array(2 * T).fill(model.config.padTokenId);
    tokens.set(short, 0);
    tokens.set(long, T);
    const graph = forwardGraph(model, 2, T);
    const feeds = { ...model.parameters.views, tokens };
    const program = await compile(graph);
    const found = (await program.run(feeds)).logits as Float32Array;
    await program.dispose();
    for (const all of [found, interpret(graph, feeds).logits as Float32Array]) {
      expect(all.subarray(0, short.length * V)).toBeAllClose(logits[0]!, LOGITS);
      const shown = [0, 1, 20, 38, 39].map((t) => all.slice((T + t) * V, (T + t + 1) * V));
      expect(shown.flatMap((row) => [...row])).toBeAllClose(logits[1]!, LOGITS);
    }
    if (half !== undefined && dtype !== "float32") {
      const tolerance = { relative: 0, absolute: HALF_LOGITS[dtype] };
      expect(found.subarray(0, short.length * V)).toBeAllClose(half, tolerance);
    }
  });

  test("logits through the key-value cache equal those of transformers", async () => {
    const model = await loadCheckpoint(folderOf(name));
    const rows = await decodeAll(model, long);
    const shown = [0, 1, 20, 38, 39].flatMap((t) => [...rows[t]!]);
    expect(shown).toBeAllClose(logits[1]!, LOGITS);
  });

  test("greedy text equals that of generate", async () => {
    const model = await loadCheckpoint(folderOf(name));
    const sampler = new Sampler(model.config);
    const requests = texts.map((promptIds, i) => ({ promptIds, key: [i] }));
    const options = { seed: 1, maxNewTokens: 48, temperature: 0, batchSize: 2 };
    const found = await sampler.sample(model.parameters, requests, options);
    expect(found.map(({ ids }) => ids)).toEqual(greedy);
    await sampler.dispose();
  });

  test("angles turn as fast as those of transformers", async () => {
    const { config } = await loadCheckpoint(folderOf(name));
    expect(rotaryFrequencies(config)).toBeAllClose(frequencies, { relative: 2e-7, absolute: 0 });
  });

  test("a saved copy in the same type has the same tensors, in one file and in shards", async () => {
    const model = await loadCheckpoint(folderOf(name));
    const folder = path.join(scratch, name);
    await saveCheckpoint(folder, model, { dtype, maxShardBytes: 10_000 });
    const shards = (await readdir(folder)).filter((file) => file.startsWith("model-"));
    expect(shards.length).toBeGreaterThan(1);
    for (const shard of shards) {
      await using source = await SafetensorsFile.open(path.join(folder, shard));
      const places = [...source.entries.values()];
      const bytes = Math.max(...places.map((p) => p.end)) - Math.min(...places.map((p) => p.start));
      expect(bytes).toBeLessThanOrEqual(10_000);
    }
    const sharded = await loadCheckpoint(folder);
    expect(sharded.parameters.flat).toEqual(model.parameters.flat);
    expect(sharded.config).toEqual(model.config);
    await saveCheckpoint(folder, model, { dtype });
    const files = (await readdir(folder)).filter((file) => file.startsWith("model"));
    expect(files).toEqual(["model.safetensors"]);
    expect((await loadCheckpoint(folder)).parameters.flat).toEqual(model.parameters.flat);
  });
});

test("numbers are rounded to the saved type, and those beyond float16 refused by name", async () => {
  const model = await loadCheckpoint(folderOf("llama"));
  const folder = path.join(scratch, "rounded");
  const embed = model.parameters.views.embed as Float32Array;
  embed[7] = 1 + 2 ** -8; // halfway between two bfloat16 numbers, the even one below
  await saveCheckpoint(folder, model, { dtype: "bfloat16" });
  expect((await loadCheckpoint(folder)).parameters.views.embed?.[7]).toBe(1);
  embed[7] = 70_000;
  await expect(saveCheckpoint(folder, model, { dtype: "float16" })).rejects.toThrow(
    /tensor "model.embed_tokens.weight" holds 70000, float16 ends at 65504/,
  );
});

describe("refusals", () => {
  /** A copy of a fixture with a changed config.json. */
  async function changed(name: Name, change: Record<string, unknown>): Promise<string> {
    const folder = await mkdtemp(path.join(scratch, "changed-"));
    await cp(folderOf(name), folder, { recursive: true });
    const file = path.join(folder, "config.json");
    const config = JSON.parse(await readFile(file, "utf8")) as object;
    await writeFile(file, JSON.stringify({ ...config, ...change }));
    return folder;
  }

  test.each<[Name, Record<string, unknown>, RegExp]>([
    ["llama", { model_type: "mistral" }, /model_type: .*"llama"\|"qwen2"\|"qwen3".*"mistral"/],
    ["llama", { hidden_act: "gelu" }, /hidden_act: .*"silu".*"gelu"/],
    ["llama", { mlp_bias: true, attention_bias: true }, /attention_bias: .*; mlp_bias: /],
    ["qwen2", { use_sliding_window: true }, /use_sliding_window: .*found true/],
    ["qwen2", { layer_types: ["sliding_attention"] }, /layer_types.0: .*"sliding_attention"/],
    ["qwen3", { quantization_config: { quant_method: "fp8" } }, /quantization_config: .*fp8/],
    ["llama", { rope_parameters: { rope_type: "yarn" } }, /rope_parameters.rope_type: .*"yarn"/],
    ["llama", { num_key_value_heads: 3 }, /num_key_value_heads: expected a divisor of 4, found 3/],
    ["llama", { eos_token_id: null }, /eos_token_id: .*found null/],
  ])("%s with %o", async (name, change, message) => {
    await expect(loadCheckpoint(await changed(name, change))).rejects.toThrow(message);
  });

  test("tensors that are missing, of another shape, or of another model are named together", async () => {
    const folder = await changed("llama", { tie_word_embeddings: true, intermediate_size: 16 });
    await expect(loadCheckpoint(folder)).rejects.toThrow(
      /"model.layers.0.mlp.gate_proj.weight" is \[32, 24\], expected \[16, 24\].* and 1 more/,
    );
    const other = await changed("qwen2", { model_type: "llama" });
    await expect(loadCheckpoint(other)).rejects.toThrow(
      /"model.layers.0.self_attn.q_proj.bias" is not a tensor of a llama model/,
    );
    await expect(loadCheckpoint(await changed("qwen3", { model_type: "qwen2" }))).rejects.toThrow(
      /q_proj.bias" \[48\] is missing/,
    );
  });

  test("the head of a tied model is left aside, as transformers does", async () => {
    const folder = await changed("llama", { tie_word_embeddings: true });
    expect((await loadCheckpoint(folder)).parameters.views.head).toBeUndefined();
  });

  test("a folder without safetensors, a lost shard, a cut file and another number type", async () => {
    const folder = await changed("llama", {});
    await rm(path.join(folder, "model.safetensors"));
    await writeFile(path.join(folder, "pytorch_model.bin"), "");
    await expect(loadCheckpoint(folder)).rejects.toThrow(/found pytorch_model.bin/);

    const sharded = await changed("qwen3", {});
    await rm(path.join(sharded, "model-00002-of-00004.safetensors"));
    await expect(loadCheckpoint(sharded)).rejects.toThrow(/model-00002-of-00004.safetensors/);

    const cut = await changed("llama", {});
    const file = path.join(cut, "model.safetensors");
    const bytes = await readFile(file);
    await writeFile(file, bytes.subarray(0, bytes.length - 100));
    await expect(loadCheckpoint(cut)).rejects.toThrow(/the tensors end at byte \d+, the file at/);

    const integer = path.join(scratch, "integer.safetensors");
    const header = JSON.stringify({ x: { dtype: "I8", shape: [3], data_offsets: [0, 3] } });
    const prefix = Buffer.alloc(8);
    prefix.writeBigUInt64LE(BigInt(header.length));
    await writeFile(integer, Buffer.concat([prefix, Buffer.from(header), Buffer.from([1, 2, 3])]));
    await using source = await SafetensorsFile.open(integer);
    await expect(source.read("x", new Float32Array(3))).rejects.toThrow(
      /tensor "x" is I8, expected F32, F16, BF16/,
    );
  });
});

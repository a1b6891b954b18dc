/**
 * Fine-tuning and completions of checkpoints that are not ours: a Qwen 2 shape with the tokenizer of Qwen 2.5, and a Llama shape
 * with that of Llama 3, whose texts begin with a start token. The weights are random and small (152k x 16).
 */
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { puzzleId } from "../src/countdown/puzzle.ts";
import { readJsonl, writeJsonl } from "../src/data/jsonl.ts";
import { completionSchema } from "../src/data/rows.ts";
import { loadCheckpoint, saveCheckpoint } from "../src/model/checkpoint.ts";
import { parseModelConfig } from "../src/model/hub-config.ts";
import { languageModelSpecs, Parameters } from "../src/model/parameters.ts";
import { Tokenizer } from "../src/model/tokenizer.ts";
import { Random } from "../src/random/random.ts";
import { completeCheckpoint, completeConfigSchema } from "../src/sampling/complete.ts";
import { sftConfigSchema } from "../src/training/sft/config.ts";
import { loadSequences } from "../src/training/sft/sequences.ts";
import { runSft } from "../src/training/sft/sft.ts";
import { tokenizerFolder } from "./tokenization.ts";

const scratch = await mkdtemp(path.join(os.tmpdir(), "real-tokenizer-"));
afterAll(() => rm(scratch, { recursive: true, force: true }));

interface Family {
  readonly tokenizer: string;
  readonly config: { readonly model_type: string; readonly vocab_size: number };
  /** As instruct versions write it: several end tokens, settings of sampling. */
  readonly generation: { readonly eos_token_id: readonly number[] };
  readonly start: readonly number[];
  readonly end: number;
}

const FAMILIES: readonly Family[] = [
  {
    tokenizer: "qwen2_5",
    config: { model_type: "qwen2", vocab_size: 151_936 },
    generation: { eos_token_id: [151_643, 151_645] },
    start: [],
    end: 151_645,
  },
  {
    tokenizer: "llama3",
    config: { model_type: "llama", vocab_size: 128_256 },
    generation: { eos_token_id: [128_001, 128_009] },
    start: [128_000],
    end: 128_001,
  },
];

const TRACES = Array.from({ length: 4 }, (_, i) => ({
  query: `Use 9, 8, ${i + 2} to make 6${i}.\n<think>`,
  completion: ` 9 * 8 = 72, not 6${i}. <|im_end|> \u4f60\u597d</think>\n<answer> 9 * 8 - ${i + 2} </answer>`,
  condition: "all_strategies",
  puzzle_id: `p${i}`,
  numbers: [9, 8, i + 2],
  target: 60 + i,
  correct: true,
  answer: null,
  source: "teacher",
  tokens: 2,
  record: null,
}));

/** Source folder of a family: its tokenizer, with the post-processor of the official Llama 3 files, and random weights. */
async function makeModel({ tokenizer, config, generation, start }: Family): Promise<string> {
  const folder = path.join(scratch, tokenizer, "source");
  const from = tokenizerFolder(tokenizer);
  await mkdir(folder, { recursive: true });
  const json = JSON.parse(await readFile(path.join(from, "tokenizer.json"), "utf8"));
  const token = "<|begin_of_text|>";
  const first = { SpecialToken: { id: token, type_id: 0 } };
  const text = { Sequence: { id: "A", type_id: 0 } };
  if (start.length > 0) {
    json.post_processor = { type: "TemplateProcessing", single: [first, text], pair: [text] };
    json.post_processor.special_tokens = { [token]: { id: token, ids: start, tokens: [token] } };
  }
  await writeFile(path.join(folder, "tokenizer.json"), JSON.stringify(json));
  const name = "tokenizer_config.json";
  await copyFile(path.join(from, name), path.join(folder, name));
  await writeFile(path.join(folder, "generation_config.json"), JSON.stringify(generation));
  const hub = {
    ...config,
    hidden_size: 16,
    intermediate_size: 32,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    hidden_act: "silu",
    rms_norm_eps: 1e-6,
    rope_theta: 1e6,
    tie_word_embeddings: true,
    max_position_embeddings: 256,
    eos_token_id: generation.eos_token_id[0],
  };
  const shape = parseModelConfig(hub, "test");
  const parameters = new Parameters(languageModelSpecs(shape));
  parameters.initialise(Random.of(3, "init"), shape.layers);
  await saveCheckpoint(folder, {
    config: shape,
    parameters,
    tokenizer: await Tokenizer.load(folder),
  });
  return folder;
}

describe.each(FAMILIES)("$tokenizer", (family) => {
  const at = (name: string) => path.join(scratch, family.tokenizer, name);
  let source: string;

  beforeAll(async () => {
    source = await makeModel(family);
    await writeJsonl(at("train.jsonl"), TRACES);
    await writeJsonl(
      at("puzzles.jsonl"),
      TRACES.map(({ numbers, target }) => {
        return { id: puzzleId(numbers, target), numbers, target, split: "test" };
      }),
    );
  });

  it("trains on its own start and end tokens, once each", async () => {
    const model = await loadCheckpoint(source);
    const sequences = await loadSequences(at("train.jsonl"), model);
    sequences.forEach(({ ids, promptLength }, i) => {
      const { query, completion } = TRACES[i]!;
      expect(ids.slice(0, family.start.length)).toEqual(family.start);
      expect(ids.at(-1)).toBe(family.end);
      const special = ids.filter((id) => model.tokenizer.specialIds.has(id));
      expect(special).toEqual([...family.start, family.end]);
      expect(model.tokenizer.decode(ids.slice(0, promptLength))).toBe(query);
      expect(model.tokenizer.decode(ids.slice(promptLength))).toBe(completion);
    });
    expect([...model.config.eosTokenIds].sort()).toEqual(family.generation.eos_token_id);
  });

  it("is fine-tuned and completes puzzles, and keeps its files", async () => {
    const config = {
      epochs: 1,
      batchSize: 2,
      learningRate: 1e-2,
      warmupShare: 0,
      schedule: "constant",
    };
    const train = at("train.jsonl");
    const result = await runSft({
      model: source,
      train,
      validation: train,
      out: at("sft"),
      config: sftConfigSchema.parse(config),
      seed: 1,
    });
    const metrics = (await readFile(at("sft/metrics.jsonl"), "utf8")).trim().split("\n");
    // Small random weights know nothing: the loss is that of equal odds, until two updates have lowered it.
    const first = JSON.parse(metrics[0]!)["evaluation/loss"] as number;
    expect(Math.abs(first - Math.log(family.config.vocab_size))).toBeLessThan(0.1);
    expect(metrics).toHaveLength(3);
    expect(result.evaluationLoss!).toBeLessThan(first - 0.05);

    for (const name of ["tokenizer.json", "tokenizer_config.json", "generation_config.json"]) {
      const saved = await readFile(path.join(at("sft/model"), name));
      expect(saved.equals(await readFile(path.join(source, name))), name).toBe(true);
    }

    await completeCheckpoint({
      checkpoint: at("sft/model"),
      puzzles: at("puzzles.jsonl"),
      out: at("completions.jsonl"),
      step: 0,
      config: completeConfigSchema.parse({ samples: 2, maxNewTokens: 8 }),
      seed: 1,
    });
    const rows = await readJsonl(at("completions.jsonl"), completionSchema);
    expect(rows).toHaveLength(8);
    for (const { stop_reason, tokens } of rows) {
      if (stop_reason === "length") expect(tokens).toBe(8);
      else expect(tokens).toBeLessThanOrEqual(8);
    }
    expect(new Set(rows.map((row) => row.generated)).size).toBeGreaterThan(4);
  });
});

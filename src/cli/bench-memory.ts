/**
 * `habits bench memory`: what a model of real size takes. Writes a checkpoint of random weights in bfloat16, loads it, samples, and makes
 * LoRA updates; after each part the memory of the process and its highest value so far. The default shape is that of Qwen2 0.5B.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { z } from "zod";
import { type LanguageModel, loadCheckpoint, saveCheckpoint } from "../model/checkpoint.ts";
import { type ModelConfig, plainLlama } from "../model/config.ts";
import { adapterSpecs } from "../model/lora.ts";
import { languageModelSpecs, Parameters } from "../model/parameters.ts";
import { Sampler } from "../model/sampler.ts";
import { Tokenizer } from "../model/tokenizer.ts";
import { Random } from "../random/random.ts";
import { LanguageModelTrainer, trainerOptions } from "../training/language-model-trainer.ts";
import { localBackend } from "../training/local-backend.ts";
import { schemaCommand } from "./schema-command.ts";

const whole = z.number().int().positive();

const optionsSchema = z.object({
  dModel: whole.default(896).describe("hidden size"),
  layers: whole.default(24).describe("layers"),
  heads: whole.default(14).describe("query heads"),
  kvHeads: whole.default(2).describe("key/value heads"),
  dFf: whole.default(4864).describe("intermediate size"),
  vocab: whole.default(151_936).describe("entries of the vocabulary"),
  seq: whole.default(512).describe("tokens of the training text, half of them response"),
  rank: whole.default(16).describe("rank of the adapters"),
  prompt: whole.default(32).describe("tokens of the prompt"),
  new: whole.default(8).describe("tokens to sample"),
  steps: whole.default(2).describe("updates"),
  threads: whole.default(2).describe("threads inside an operator"),
});
type Options = z.infer<typeof optionsSchema>;

interface Part {
  readonly part: string;
  readonly seconds: number;
  /** Resident memory at the end of the part, and the most so far. */
  readonly residentGb: number;
  readonly peakGb: number;
}

/** `habits bench memory`. */
export const benchMemory = schemaCommand({
  name: "memory",
  summary:
    "memory to load, sample and fine-tune a model of real size (default: the shape of Qwen2 0.5B)",
  options: optionsSchema,
  async run(options, io) {
    const config = shapeOf(options);
    const parts: Part[] = [];
    const measure = async <T>(part: string, work: () => Promise<T>): Promise<T> => {
      io.signal.throwIfAborted();
      const start = performance.now();
      const result = await work();
      const seconds = (performance.now() - start) / 1000;
      const residentGb = process.memoryUsage.rss() / 1e9;
      parts.push({ part, seconds, residentGb, peakGb: process.resourceUsage().maxRSS / 1e6 });
      return result;
    };
    const folder = await mkdtemp(path.join(tmpdir(), "habits-memory-"));
    let model: LanguageModel;
    try {
      await measure("write", () => writeRandomModel(folder, config));
      model = await measure("load", () => loadCheckpoint(folder));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    await measure("sample", () => sampleFrom(model, options));
    await measure("train", () => trainAdapters(model, options, io.signal));
    const parameters = model.parameters.flat.length;
    io.result({ parameters, options, parts }, [
      `${(parameters / 1e6).toFixed(0)}M parameters, LoRA rank ${options.rank}, 1 x ${options.seq} tokens, ${options.threads} threads`,
      ...parts.map(
        ({ part, seconds, residentGb, peakGb }) =>
          `${part.padEnd(8)} ${seconds.toFixed(1).padStart(7)} s  ${residentGb.toFixed(2)} GB resident, ${peakGb.toFixed(2)} GB at most so far`,
      ),
    ]);
  },
});

function shapeOf(options: Options): ModelConfig {
  const plain = plainLlama({
    vocabSize: options.vocab,
    hiddenSize: options.dModel,
    intermediateSize: options.dFf,
    layers: options.layers,
    heads: options.heads,
    ropeTheta: 1e6,
    normEpsilon: 1e-6,
    tieEmbeddings: true,
    maxPositions: 32_768,
    padTokenId: 0,
    eosTokenId: 1,
  });
  return { ...plain, architecture: "qwen2", kvHeads: options.kvHeads, qkvBias: true };
}

/** Normal weights of standard deviation 0.02, drawn once and repeated: only their size matters here. */
async function writeRandomModel(folder: string, config: ModelConfig): Promise<void> {
  const random = Random.of(0, "init");
  const noise = Float32Array.from({ length: 65_537 }, () => 0.02 * random.normal());
  const parameters = new Parameters(languageModelSpecs(config));
  const { flat } = parameters;
  for (let at = 0; at < flat.length; at += noise.length) {
    flat.set(noise.subarray(0, flat.length - at), at);
  }
  for (const { name, init } of parameters.specs) {
    if (init === "ones") parameters.views[name]?.fill(1);
  }
  const vocab = { "<pad>": 0, "<eos>": 1 };
  const tokenizer = new Tokenizer({
    version: "1.0",
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: { type: "Whitespace" },
    post_processor: null,
    decoder: null,
    model: { type: "WordLevel", vocab, unk_token: "<pad>" },
  });
  await saveCheckpoint(folder, { config, parameters, tokenizer }, { dtype: "bfloat16" });
}

function randomTokens(options: Options, count: number): number[] {
  const random = Random.of(1, "tokens");
  return Array.from({ length: count }, () => random.integer(2, options.vocab - 1));
}

async function sampleFrom(model: LanguageModel, options: Options): Promise<void> {
  const sampler = new Sampler(model.config, { threads: options.threads });
  const requests = [{ promptIds: randomTokens(options, options.prompt), key: [0] }];
  const settings = { seed: 0, maxNewTokens: options.new, temperature: 1, batchSize: 1 };
  await sampler.sample(model.parameters, requests, settings);
  await sampler.dispose();
}

async function trainAdapters(
  model: LanguageModel,
  options: Options,
  signal: AbortSignal,
): Promise<void> {
  const { seq, rank, threads, layers } = options;
  const spec = { rank, alpha: 2 * rank, dropout: 0.05 };
  const parameters = new Parameters(adapterSpecs(model.config, spec));
  parameters.initialise(Random.of(0, "adapters"), layers);
  const adapter = { spec, parameters, seed: 0 };
  await using backend = localBackend({ threads });
  const settings = trainerOptions({ weightDecay: 0, maxGradNorm: 1, tokenBudget: seq });
  const trainer = new LanguageModelTrainer(model, { ...settings, adapter }, backend);
  const text = { ids: randomTokens(options, seq + 1), promptLength: Math.ceil(seq / 2) };
  for (let step = 0; step < options.steps; step += 1) {
    signal.throwIfAborted();
    await trainer.update([text], 1e-4);
  }
}

/**
 * Pretraining of a tiny model, from scratch or from a checkpoint: next-token loss on documents that are joined by the end-of-text token and cut into rows
 * of equal length (rows cross document borders, as in GPT-2 and nanoGPT).
 */

import path from "node:path";
import { z } from "zod";
import { writeJsonl } from "../../data/jsonl.ts";
import type { Device } from "../../engine/index.ts";
import { type LanguageModel, loadCheckpoint, saveCheckpoint } from "../../model/checkpoint.ts";
import { plainLlama } from "../../model/config.ts";
import { languageModelSpecs, Parameters } from "../../model/parameters.ts";
import type { Tokenizer } from "../../model/tokenizer.ts";
import { Random } from "../../random/random.ts";
import { DataError } from "../../util/errors.ts";
import { canonicalJson } from "../../util/hash.ts";
import type { StageContext } from "../../util/progress.ts";
import { LanguageModelTrainer, trainerOptions } from "../language-model-trainer.ts";
import type { MetricRow } from "../metrics-file.ts";
import type { TrainingSequence } from "../micro-batch.ts";
import { openBackend } from "../parallel/open-backend.ts";
import { scheduleFactor } from "../schedule.ts";

const positiveInteger = z.number().int().positive();

export const pretrainConfigSchema = z.strictObject({
  hiddenSize: positiveInteger.default(128).describe("width of the model"),
  layers: positiveInteger.default(3).describe("transformer blocks"),
  heads: positiveInteger.default(4).describe("attention heads"),
  intermediateSize: positiveInteger.default(352).describe("width inside the SwiGLU block"),
  maxPositions: positiveInteger.default(320).describe("longest sequence of the model in tokens"),
  updates: positiveInteger.default(2800).describe("optimizer updates"),
  batchSize: positiveInteger.default(16).describe("rows of one update"),
  sequenceLength: positiveInteger.default(256).describe("tokens of one row"),
  learningRate: z.number().positive().default(3e-3).describe("peak learning rate"),
  schedule: z
    .enum(["cosine", "linear", "constant"])
    .default("linear")
    .describe("decay after warm-up"),
  warmupShare: z.number().min(0).max(1).default(0.04).describe("share of updates that warm up"),
  weightDecay: z.number().min(0).default(0.05).describe("decoupled weight decay of matrices"),
  maxGradNorm: z.number().positive().default(1).describe("gradient norm to clip at"),
  tokenBudget: positiveInteger.default(2048).describe("tokens of a micro-batch"),
  workers: positiveInteger.default(1).describe("worker threads that share the micro-batches"),
  logEvery: positiveInteger.default(20).describe("updates between rows of metrics.jsonl"),
});
export type PretrainConfig = z.infer<typeof pretrainConfigSchema>;

export interface PretrainArguments extends StageContext {
  /** Checkpoint folder to continue from; a fresh model without it. The sizes in `config` are then not used. */
  readonly from?: string;
  /** Documents without end; read until the updates are done. */
  readonly documents: Iterable<string>;
  readonly tokenizer: Tokenizer;
  /** Encoder of documents; the tokenizer's own by default. */
  readonly encode?: (text: string) => readonly number[];
  readonly vocabSize: number;
  readonly eosTokenId: number;
  readonly padTokenId: number;
  /** Receives the checkpoint folder `model/` and `metrics.jsonl`. */
  readonly out: string;
  readonly config: PretrainConfig;
  readonly seed: number;
  readonly threads?: number;
  /** Default `cpu`. */
  readonly device?: Device;
}

/** Trains a model and saves it; returns the mean loss of the last `logEvery` updates. */
export async function runPretrain(args: PretrainArguments): Promise<{ readonly loss: number }> {
  const { config } = args;
  const model = args.from === undefined ? freshModel(args) : await continuedModel(args, args.from);
  await using backend = await openBackend({
    workers: config.workers,
    threads: args.threads ?? 1,
    device: args.device ?? "cpu",
  });
  const trainer = new LanguageModelTrainer(model, trainerOptions(config), backend);
  const rows = packRows(args);
  const warmup = Math.round(config.updates * config.warmupShare);
  const metrics: MetricRow[] = [];
  let recent = 0;
  let loss = Number.NaN;
  for (let update = 0; update < config.updates; update += 1) {
    args.signal?.throwIfAborted();
    const factor = scheduleFactor(config.schedule, update, { total: config.updates, warmup });
    const batch = Array.from(
      { length: config.batchSize },
      () => rows.next().value as TrainingSequence,
    );
    recent += (await trainer.update(batch, config.learningRate * factor)).loss;
    if ((update + 1) % config.logEvery === 0) {
      loss = recent / config.logEvery;
      recent = 0;
      metrics.push({ step: update + 1, "loss/train": loss });
      args.onProgress?.({
        done: update + 1,
        total: config.updates,
        unit: "updates",
        metrics: { loss },
      });
    }
  }
  await writeJsonl(path.join(args.out, "metrics.jsonl"), metrics);
  await saveCheckpoint(path.join(args.out, "model"), model);
  return { loss };
}

/** @throws DataError `pretrain.other_tokenizer` when the checkpoint's token ids mean something else. */
async function continuedModel(args: PretrainArguments, from: string): Promise<LanguageModel> {
  const model = await loadCheckpoint(from);
  if (canonicalJson(model.tokenizer.json) !== canonicalJson(args.tokenizer.json)) {
    throw new DataError(
      `continuing from "${from}": its tokenizer.json is not the one of the documents`,
      {
        code: "pretrain.other_tokenizer",
        hint: "continue from a checkpoint made by this version, or start with fresh weights",
      },
    );
  }
  return model;
}

function freshModel(args: PretrainArguments): LanguageModel {
  const { config } = args;
  const shape = plainLlama({
    vocabSize: args.vocabSize,
    hiddenSize: config.hiddenSize,
    intermediateSize: config.intermediateSize,
    layers: config.layers,
    heads: config.heads,
    ropeTheta: 10_000,
    normEpsilon: 1e-6,
    tieEmbeddings: true,
    maxPositions: config.maxPositions,
    padTokenId: args.padTokenId,
    eosTokenId: args.eosTokenId,
  });
  const parameters = new Parameters(languageModelSpecs(shape));
  parameters.initialise(Random.of(args.seed, "init"), config.layers);
  return { config: shape, parameters, tokenizer: args.tokenizer };
}

/** Rows of sequenceLength + 1 tokens; the first token of a row has no loss. */
function* packRows(args: PretrainArguments): Generator<TrainingSequence, never> {
  const encode = args.encode ?? ((text: string) => args.tokenizer.encode(text));
  const length = args.config.sequenceLength + 1;
  let buffer: number[] = [];
  for (const document of args.documents) {
    buffer.push(...encode(document), args.eosTokenId);
    while (buffer.length >= length) {
      yield { ids: buffer.slice(0, length), promptLength: 1 };
      buffer = buffer.slice(length - 1); // the last token is the first input of the next row
    }
  }
  throw new DataError("pretraining: the documents ended before the updates were done", {
    code: "pretrain.out_of_documents",
    hint: "lower `updates` or give more documents",
  });
}

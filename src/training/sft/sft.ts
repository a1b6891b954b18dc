/**
 * Supervised fine-tuning on priming traces: next-token loss on the completion and the end-of-text token only.
 * Published setting (paper.md of the study: batch 64, learning rate 1e-5, AdamW betas (.9, .95), weight decay .01, 10 % warm-up, cosine) is for
 * 3B parameters; the defaults here are for models below 1M, which need a learning rate about 100 times higher.
 */
import path from "node:path";
import { z } from "zod";
import { readJsonl, writeJsonl } from "../../data/jsonl.ts";
import { type Trace, traceSchema } from "../../data/rows.ts";
import { type LanguageModel, loadCheckpoint, saveCheckpoint } from "../../model/checkpoint.ts";
import type { Tokenizer } from "../../model/tokenizer.ts";
import { Random } from "../../random/random.ts";
import { DataError } from "../../util/errors.ts";
import type { StageContext } from "../../util/progress.ts";
import { LanguageModelTrainer, trainerOptions } from "../language-model-trainer.ts";
import type { MetricRow } from "../metrics-file.ts";
import type { TrainingSequence } from "../micro-batch.ts";
import { scheduleFactor } from "../schedule.ts";

export const sftConfigSchema = z.strictObject({
  epochs: z.number().int().positive().default(5).describe("passes over the traces"),
  batchSize: z.number().int().positive().default(32).describe("traces of one update"),
  learningRate: z.number().positive().default(1e-3).describe("peak learning rate"),
  schedule: z
    .enum(["cosine", "linear", "constant"])
    .default("cosine")
    .describe("decay after warm-up"),
  warmupShare: z.number().min(0).max(1).default(0.1).describe("share of updates that warm up"),
  weightDecay: z.number().min(0).default(0.01).describe("decoupled weight decay of matrices"),
  maxGradNorm: z.number().positive().default(1).describe("gradient norm to clip at"),
  tokenBudget: z.number().int().positive().default(2048).describe("tokens of a micro-batch"),
});
export type SftConfig = z.infer<typeof sftConfigSchema>;

export interface SftArguments extends StageContext {
  /** Checkpoint folder to start from. */
  readonly model: string;
  /** Trace rows (JSONL). */
  readonly train: string;
  /** Trace rows for the evaluation loss. */
  readonly validation?: string;
  /** Receives `model/` and `metrics.jsonl`. */
  readonly out: string;
  readonly config: SftConfig;
  readonly seed: number;
  readonly threads?: number;
}

export interface SftResult {
  /** Mean loss per completion token of the last update. */
  readonly finalLoss: number;
  /** Evaluation loss after the last epoch; null without validation traces. */
  readonly evaluationLoss: number | null;
}

/**
 * Fine-tunes a checkpoint on traces and saves it under `out/model`.
 * @throws DataError `sft.too_long` when a trace exceeds the positions of the model; `sft.no_traces` for an empty file.
 */
export async function runSft(args: SftArguments): Promise<SftResult> {
  const { config } = args;
  const model = await loadCheckpoint(args.model);
  const train = await loadSequences(args.train, model);
  const validation =
    args.validation === undefined ? [] : await loadSequences(args.validation, model);
  const trainer = new LanguageModelTrainer(model, trainerOptions(config, args.threads));
  const batchesPerEpoch = Math.max(1, Math.floor(train.length / config.batchSize));
  const total = config.epochs * batchesPerEpoch;
  const warmup = Math.round(total * config.warmupShare);
  const rows: MetricRow[] = [];
  let evaluationLoss: number | null =
    validation.length > 0 ? await trainer.evaluate(validation) : null;
  let finalLoss = Number.NaN;
  rows.push({ step: 0, "evaluation/loss": evaluationLoss });
  try {
    for (let epoch = 0; epoch < config.epochs; epoch += 1) {
      const order = Random.of(args.seed, "minibatch", epoch).shuffle(train);
      for (let batch = 0; batch < batchesPerEpoch; batch += 1) {
        args.signal?.throwIfAborted();
        const done = epoch * batchesPerEpoch + batch;
        const factor = scheduleFactor(config.schedule, done, { total, warmup });
        const sequences = order.slice(batch * config.batchSize, (batch + 1) * config.batchSize);
        const update = await trainer.update(sequences, config.learningRate * factor);
        finalLoss = update.loss;
        const isEpochEnd = batch === batchesPerEpoch - 1;
        if (isEpochEnd && validation.length > 0)
          evaluationLoss = await trainer.evaluate(validation);
        rows.push({
          step: done + 1,
          "loss/train": update.loss,
          "gradient_norm/model": update.gradientNorm,
          "schedule/learning_rate": config.learningRate * factor,
          ...(isEpochEnd ? { "evaluation/loss": evaluationLoss } : {}),
        });
        args.onProgress?.({
          done: done + 1,
          total,
          unit: "updates",
          metrics: { loss: update.loss },
        });
      }
    }
  } finally {
    await trainer.dispose();
  }
  await writeJsonl(path.join(args.out, "metrics.jsonl"), rows);
  await saveCheckpoint(path.join(args.out, "model"), model);
  return { finalLoss, evaluationLoss };
}

async function loadSequences(file: string, model: LanguageModel): Promise<TrainingSequence[]> {
  const traces = await readJsonl(file, traceSchema);
  if (traces.length === 0) {
    throw new DataError(`reading "${file}": expected at least one trace, found none`, {
      code: "sft.no_traces",
      hint: "make traces with `habits prime`",
    });
  }
  return traces.map((trace, i) => {
    const sequence = tokenizeTrace(trace, model.tokenizer, model.config.eosTokenId);
    if (sequence.ids.length > model.config.maxPositions) {
      throw new DataError(
        `reading "${file}", row ${i + 1}: ${sequence.ids.length} tokens, the model has ${model.config.maxPositions} positions`,
        {
          code: "sft.too_long",
          hint: "make shorter traces (maxTokens of the priming configuration)",
        },
      );
    }
    return sequence;
  });
}

/** Tokens of a trace: query, completion, end of text; the loss is on the last two. */
export function tokenizeTrace(
  trace: Pick<Trace, "query" | "completion">,
  tokenizer: Tokenizer,
  eosTokenId: number,
): TrainingSequence {
  const prompt = tokenizer.encode(trace.query);
  const ids = [...prompt, ...tokenizer.encode(trace.completion), eosTokenId];
  return { ids, promptLength: prompt.length };
}

/**
 * Supervised fine-tuning on priming traces: next-token loss on the completion and the end-of-text token only.
 * Published setting (paper.md of the study: batch 64, learning rate 1e-5, AdamW betas (.9, .95), weight decay .01, 10 % warm-up, cosine) is for
 * 3B parameters; the defaults here are for models below 1M, which need a learning rate about 100 times higher.
 */

import path from "node:path";
import type { Device } from "../../engine/index.ts";
import { loadCheckpoint } from "../../model/checkpoint.ts";
import { Random } from "../../random/random.ts";
import { UsageError } from "../../util/errors.ts";
import type { StageContext } from "../../util/progress.ts";
import { LanguageModelTrainer, trainerOptions } from "../language-model-trainer.ts";
import { appendMetrics, type MetricRow, truncateMetrics } from "../metrics-file.ts";
import { openBackend } from "../parallel/open-backend.ts";
import { saveWhole } from "../save-whole.ts";
import { scheduleFactor } from "../schedule.ts";
import { removeTrainerState, restoreTrainerState, saveTrainerState } from "../trainer-state.ts";
import type { SftConfig } from "./config.ts";
import { loadSequences } from "./sequences.ts";

export interface SftArguments extends StageContext {
  /** Checkpoint folder to start from. */
  readonly model: string;
  /** Trace rows (JSONL). */
  readonly train: string;
  /** Trace rows for the evaluation loss. */
  readonly validation?: string;
  /** Receives `model/`, `best/` (with validation traces), `metrics.jsonl`, and the trainer state while it is unfinished. */
  readonly out: string;
  readonly config: SftConfig;
  readonly seed: number;
  readonly threads?: number;
  /** Default `cpu`. */
  readonly device?: Device;
  /** Keeps the trainer state of a finished run. */
  readonly keepState?: boolean;
}

export interface SftResult {
  /** Checkpoint folder to go on from, by `use`. */
  readonly model: string;
  /** Mean loss per completion token of the last update. */
  readonly finalLoss: number;
  /** Evaluation loss after the last update, and the lowest; null without validation traces. */
  readonly evaluationLoss: number | null;
  readonly bestEvaluationLoss: number | null;
}

/**
 * Fine-tunes a checkpoint on traces: `out/model` is the model after the last update, `out/best` the one of the lowest evaluation loss.
 * A run that was cut off goes on from its last evaluation, to the same bytes as an uninterrupted one.
 * @throws DataError `sft.too_long` when a trace exceeds the positions of the model; `sft.no_traces` for an empty file.
 */
export async function runSft(args: SftArguments): Promise<SftResult> {
  const { config, out } = args;
  if (config.use === "best" && args.validation === undefined) {
    throw new UsageError("fine-tuning with `use: best` needs validation traces, found none", {
      code: "sft.no_validation",
      hint: "give --validation, or --use final",
    });
  }
  const model = await loadCheckpoint(args.model);
  const train = await loadSequences(args.train, model);
  const validation =
    args.validation === undefined ? [] : await loadSequences(args.validation, model);
  await using backend = await openBackend({
    workers: config.workers,
    threads: args.threads ?? 1,
    device: args.device ?? "cpu",
  });
  const longest = Math.max(...[...train, ...validation].map(({ ids }) => ids.length));
  // Longer rows would pack little better, and attention costs their length squared.
  const options = { ...trainerOptions(config), ...(config.packing ? { packTo: longest } : {}) };
  const trainer = new LanguageModelTrainer(model, options, backend);
  const batchesPerEpoch = Math.max(1, Math.floor(train.length / config.batchSize));
  const total = config.epochs * batchesPerEpoch;
  const warmup = Math.round(total * config.warmupShare);
  const evaluateEvery = config.evaluateEvery ?? batchesPerEpoch;

  const state = { sides: { model: trainer.optimizer }, settings: { ...config, seed: args.seed } };
  let done = await restoreTrainerState(out, state);
  const file = path.join(out, "metrics.jsonl");
  const rows = await truncateMetrics(file, done === 0 ? -1 : done);
  const log = async (row: MetricRow): Promise<void> => {
    rows.push(row);
    await appendMetrics(file, row);
  };
  const evaluate = async () => (validation.length > 0 ? await trainer.evaluate(validation) : null);
  if (done === 0) await log({ step: 0, "evaluation/loss": await evaluate() });
  while (done < total) {
    args.signal?.throwIfAborted();
    const epoch = Math.floor(done / batchesPerEpoch);
    const start = (done % batchesPerEpoch) * config.batchSize;
    const order = Random.of(args.seed, "minibatch", epoch).shuffle(train);
    const learningRate =
      config.learningRate * scheduleFactor(config.schedule, done, { total, warmup });
    const batch = order.slice(start, start + config.batchSize);
    const update = await trainer.update(batch, learningRate);
    done += 1;
    const isEvaluated = done % evaluateEvery === 0 || done === total;
    const previousBest = lowestEvaluation(rows);
    const evaluationLoss = isEvaluated ? await evaluate() : null;
    await log({
      step: done,
      "loss/train": update.loss,
      "gradient_norm/model": update.gradientNorm,
      "schedule/learning_rate": learningRate,
      ...(isEvaluated ? { "evaluation/loss": evaluationLoss } : {}),
    });
    if (evaluationLoss !== null && evaluationLoss < (previousBest ?? Number.POSITIVE_INFINITY)) {
      await saveWhole(path.join(out, "best"), model);
    }
    if (isEvaluated) await saveTrainerState(out, done, state);
    args.onProgress?.({ done, total, unit: "updates", metrics: { loss: update.loss } });
  }
  await saveWhole(path.join(out, "model"), model);
  if (args.keepState !== true) await removeTrainerState(out);
  const last = rows.at(-1);
  return {
    model: path.join(out, sftModelFolder(config)),
    finalLoss: last?.["loss/train"] ?? Number.NaN,
    evaluationLoss: last?.["evaluation/loss"] ?? null,
    bestEvaluationLoss: lowestEvaluation(rows),
  };
}

/** Folder, inside the output, of the checkpoint that later stages start from. */
export function sftModelFolder({ use }: Pick<SftConfig, "use">): "model" | "best" {
  return use === "best" ? "best" : "model";
}

/** Lowest evaluation loss after an update; null before there is one. */
function lowestEvaluation(rows: readonly MetricRow[]): number | null {
  const losses = rows.flatMap((row) => (row.step > 0 ? [row["evaluation/loss"] ?? []].flat() : []));
  return losses.length === 0 ? null : Math.min(...losses);
}

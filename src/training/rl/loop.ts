/**
 * The loop that every reinforcement-learning algorithm here runs in: sample, learn, log, save, and resume after a kill. What an
 * algorithm does with the rollouts of a step is its `Learner`.
 */

import { readPuzzles } from "../../countdown/index.ts";
import type { Puzzle } from "../../data/rows.ts";
import type { Device } from "../../engine/index.ts";
import { type LanguageModel, loadCheckpoint } from "../../model/checkpoint.ts";
import { DataError } from "../../util/errors.ts";
import type { StageContext } from "../../util/progress.ts";
import type { Backend } from "../backend.ts";
import { appendMetrics, type MetricRow } from "../metrics-file.ts";
import { openBackend } from "../parallel/open-backend.ts";
import { removeTrainerState, type Sides, saveTrainerState } from "../trainer-state.ts";
import type { RolloutConfig } from "./fields.ts";
import { collectRollouts, puzzlesOfStep, type Rollout } from "./rollout.ts";
import { checkpointFolder, restoreRun, runPaths, saveStep } from "./run-folder.ts";

export interface RlArguments<Config> extends StageContext {
  /** Checkpoint folder of the starting policy, which is also the reference. */
  readonly model: string;
  /** Puzzles to train on (JSONL or parquet). */
  readonly puzzles: string;
  /** Receives `checkpoints/step-*`, `metrics.jsonl`, `timings.jsonl`, and the trainer state while it is unfinished. */
  readonly out: string;
  readonly config: Config;
  readonly seed: number;
  readonly threads?: number;
  /** Default `cpu`. */
  readonly device?: Device;
  /** Keeps the trainer state of a finished run, so that it can go on for more steps. */
  readonly keepState?: boolean;
  /** Monotonic clock in milliseconds for timings.jsonl; without it no timings are written. */
  readonly clockMs?: () => number;
}

/** One algorithm with its optimizers and programs. */
export interface Learner {
  readonly sides: Sides;
  /** Learns from the rollouts of a step, from 1; returns the metrics. `hint` says where the last good checkpoint is. */
  learn(step: number, rollouts: readonly Rollout[], hint: string): Promise<MetricRow>;
}

/** Makes the learner of a run; called once, before any state is restored. */
export type CreateLearner = (policy: LanguageModel, backend: Backend) => Learner;

/**
 * Trains a policy; continues from its last state when an earlier run was cut off, to the same bytes as an uninterrupted run.
 * @throws RunError `rl.not_finite` naming the step, the term and the last good checkpoint.
 */
export async function trainPolicy(
  args: RlArguments<RolloutConfig>,
  createLearner: CreateLearner,
): Promise<void> {
  const { config, out } = args;
  const policy = await loadCheckpoint(args.model);
  const pool = await readPool(args.puzzles);
  await using backend = await openBackend({
    workers: config.workers,
    threads: args.threads ?? 1,
    device: args.device ?? "cpu",
  });
  const learner = createLearner(policy, backend);
  const { steps: _steps, ...settings } = { ...config, seed: args.seed };
  const state = { sides: learner.sides, settings };
  let done = await restoreRun(out, config.steps, { ...state, policy });
  while (done < config.steps) {
    args.signal?.throwIfAborted();
    const step = done + 1;
    const startedMs = args.clockMs?.() ?? 0;
    const puzzles = puzzlesOfStep(pool, step, {
      promptsPerStep: config.promptsPerStep,
      seed: args.seed,
    });
    const rollouts = await collectRollouts(policy, backend, puzzles, {
      config,
      seed: `${args.seed}/rollout/${step}`,
      ...(args.signal === undefined ? {} : { signal: args.signal }),
    });
    const sampledMs = args.clockMs?.() ?? 0;
    const hint = `the last good checkpoint is "${checkpointFolder(out, lastCheckpoint(done, config))}"; lower the learning rate or raise klCoef`;
    const row = await learner.learn(step, rollouts, hint);
    await appendMetrics(runPaths(out).metrics, row);
    if (args.clockMs !== undefined) {
      await appendMetrics(runPaths(out).timings, {
        step,
        "time/sample_s": (sampledMs - startedMs) / 1000,
        "time/step_s": (args.clockMs() - startedMs) / 1000,
      });
    }
    done = step;
    if (step % config.checkpointEvery === 0 || step === config.steps) {
      await saveTrainerState(out, step, state);
      await saveStep(out, step, policy);
    }
    const metrics = {
      accuracy: row["rollout/accuracy"] ?? 0,
      length: row["rollout/response_length"] ?? 0,
    };
    args.onProgress?.({ done, total: config.steps, unit: "steps", metrics });
  }
  if (args.keepState !== true) await removeTrainerState(out);
}

async function readPool(file: string): Promise<Puzzle[]> {
  const pool = await readPuzzles(file);
  if (pool.length > 0) return pool;
  throw new DataError(`reading "${file}": expected at least one puzzle, found none`, {
    code: "rl.no_puzzles",
    hint: "make puzzles with `habits countdown generate`",
  });
}

function lastCheckpoint(done: number, config: RolloutConfig): number {
  return done - (done % config.checkpointEvery);
}

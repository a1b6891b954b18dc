/**
 * PPO with a separate critic on Countdown (Schulman et al. 2017; the set-up of Gandhi et al. 2025 run by veRL): the critic starts as a copy
 * of the policy with a value head, the KL penalty to the starting policy is part of the reward, advantages are GAE.
 * Differences from that set-up, with reasons, are in docs/methods/ppo.md:
 * - old log-probabilities are those of the sampler, not recomputed by a training pass;
 * - the first steps update the critic only;
 * - learning rates, batch and lambda are scaled for models below 1M parameters.
 */
import { readPuzzles } from "../../countdown/index.ts";
import type { LanguageModel } from "../../model/checkpoint.ts";
import { loadCheckpoint } from "../../model/checkpoint.ts";
import { criticSpecs, Parameters } from "../../model/parameters.ts";
import { Sampler } from "../../model/sampler.ts";
import { DataError } from "../../util/errors.ts";
import type { StageContext } from "../../util/progress.ts";
import { AdamW } from "../adamw.ts";
import { ForwardRunner, GradientRunner } from "../gradient-runner.ts";
import { appendMetrics } from "../metrics-file.ts";
import { scheduleFactor } from "../schedule.ts";
import type { PpoConfig } from "./config.ts";
import { buildExperience, evaluatePerToken } from "./experience.ts";
import { logProbProgram, policyLoss, valueLoss, valueProgram } from "./loss.ts";
import { stepMetrics } from "./metrics.ts";
import { collectRollouts, puzzlesOfStep, type Rollout } from "./rollout.ts";
import { checkpointFolder, restoreState, runPaths, saveState, saveStep } from "./state.ts";
import { policyFeeds, updateOnExperience, valueFeeds } from "./updates.ts";

export interface PpoArguments extends StageContext {
  /** Checkpoint folder of the starting policy, which is also the reference. */
  readonly model: string;
  /** Puzzles to train on (JSONL or parquet). */
  readonly puzzles: string;
  /** Receives `checkpoints/step-*`, `metrics.jsonl`, `timings.jsonl`, and `state/` while it is unfinished. */
  readonly out: string;
  readonly config: PpoConfig;
  readonly seed: number;
  readonly threads?: number;
  /** Monotonic clock in milliseconds for timings.jsonl; without it no timings are written. */
  readonly clockMs?: () => number;
}

const BETAS = [0.9, 0.999] as const; // torch.optim.AdamW's default, which veRL keeps for PPO

/**
 * Trains a policy; continues from `out/state` when an earlier run was cut off, to the same bytes as an uninterrupted run.
 * @throws RunError `ppo.not_finite` naming the step, the term and the last good checkpoint.
 */
export async function runPpo(args: PpoArguments): Promise<void> {
  const { config, out } = args;
  const policy = await loadCheckpoint(args.model);
  const pool = await readPuzzles(args.puzzles);
  if (pool.length === 0) {
    throw new DataError(`reading "${args.puzzles}": expected at least one puzzle, found none`, {
      code: "ppo.no_puzzles",
      hint: "make puzzles with `habits countdown generate`",
    });
  }
  const reference = policy.parameters.clone();
  const machine = new PpoMachine(policy, config, args.threads ?? 1);
  const sides = { policy: machine.policyOptimizer, critic: machine.criticOptimizer };
  try {
    let done = await restoreState(out, sides);
    if (done === 0) await saveStep(out, 0, policy);
    while (done < config.steps) {
      args.signal?.throwIfAborted();
      const step = done + 1;
      const startedMs = args.clockMs?.();
      const puzzles = puzzlesOfStep(pool, step, {
        promptsPerStep: config.promptsPerStep,
        seed: args.seed,
      });
      const rollouts = await collectRollouts(policy, machine.sampler, puzzles, {
        config,
        seed: `${args.seed}/rollout/${step}`,
        ...(args.signal === undefined ? {} : { signal: args.signal }),
      });
      const sampledMs = args.clockMs?.();
      const values = await machine.values(rollouts);
      const referenceLogProbs =
        config.klCoef > 0 ? await machine.logProbs(reference, rollouts) : undefined;
      const { experience, summary } = buildExperience(rollouts, values, referenceLogProbs, config);

      const common = {
        epochs: config.ppoEpochs,
        maxGradNorm: config.maxGradNorm,
        tokenBudget: config.tokenBudget,
        padTokenId: policy.config.padTokenId,
        hint: `the last good checkpoint is "${checkpointFolder(out, lastCheckpoint(done, config))}"; lower the learning rates or raise klCoef`,
      };
      const criticUpdate = await updateOnExperience(
        machine.valueRunner,
        machine.criticOptimizer,
        experience,
        valueFeeds,
        {
          ...common,
          minibatches: config.criticMinibatches,
          learningRate: config.criticLearningRate,
          shuffleKey: `${args.seed}/critic/${step}`,
          where: `PPO step ${step}, critic`,
        },
      );
      const policyUpdate =
        step <= config.criticWarmupSteps
          ? undefined
          : await updateOnExperience(
              machine.policyRunner,
              machine.policyOptimizer,
              experience,
              policyFeeds,
              {
                ...common,
                minibatches: config.actorMinibatches,
                learningRate: config.actorLearningRate * rateFactor(step, config),
                shuffleKey: `${args.seed}/policy/${step}`,
                where: `PPO step ${step}, policy`,
              },
            );

      const row = stepMetrics(step, { rollouts, summary, criticUpdate, policyUpdate });
      await appendMetrics(runPaths(out).metrics, row);
      if (startedMs !== undefined && sampledMs !== undefined && args.clockMs !== undefined) {
        const [sampleS, stepS] = [
          (sampledMs - startedMs) / 1000,
          (args.clockMs() - startedMs) / 1000,
        ];
        await appendMetrics(runPaths(out).timings, {
          step,
          "time/sample_s": sampleS,
          "time/step_s": stepS,
        });
      }
      done = step;
      if (step % config.checkpointEvery === 0 || step === config.steps) {
        await saveStep(out, step, policy);
        await saveState(out, step, sides);
      }
      const metrics = {
        accuracy: row["rollout/accuracy"] ?? 0,
        length: row["rollout/response_length"] ?? 0,
      };
      args.onProgress?.({ done, total: config.steps, unit: "steps", metrics });
    }
  } finally {
    await machine.dispose();
  }
}

/** Factor of the policy's learning rate at a step, from 1. */
function rateFactor(step: number, config: PpoConfig): number {
  const { steps: total, warmupSteps: warmup } = config;
  return scheduleFactor(config.schedule, step - 1, { total, warmup });
}

function lastCheckpoint(done: number, config: PpoConfig): number {
  return done - (done % config.checkpointEvery);
}

/** Compiled programs, critic and optimizers of one run. */
class PpoMachine {
  readonly sampler: Sampler;
  readonly policyOptimizer: AdamW;
  readonly criticOptimizer: AdamW;
  readonly policyRunner: GradientRunner;
  readonly valueRunner: GradientRunner;
  readonly #logProbRunner: ForwardRunner;
  readonly #valueForward: ForwardRunner;
  readonly #perToken: { readonly padTokenId: number; readonly tokenBudget: number };

  constructor(policy: LanguageModel, config: PpoConfig, threads: number) {
    const model = policy.config;
    const optimizer = { betas: BETAS, epsilon: 1e-8, weightDecay: config.weightDecay };
    const critic = new Parameters(criticSpecs(model));
    critic.copyFrom(policy.parameters); // all but the value head, which starts at zero
    const policySpecs = policy.parameters.specs;
    this.sampler = new Sampler(model, { threads });
    this.policyOptimizer = new AdamW(policy.parameters, optimizer);
    this.criticOptimizer = new AdamW(critic, optimizer);
    const build = policyLoss(model, config);
    this.policyRunner = new GradientRunner(policy.parameters, {
      specs: policySpecs,
      build,
      threads,
    });
    this.valueRunner = new GradientRunner(critic, {
      specs: critic.specs,
      build: valueLoss(model, config),
      threads,
    });
    this.#logProbRunner = new ForwardRunner({
      specs: policySpecs,
      build: logProbProgram(model),
      threads,
    });
    this.#valueForward = new ForwardRunner({
      specs: critic.specs,
      build: valueProgram(model),
      threads,
    });
    this.#perToken = { padTokenId: model.padTokenId, tokenBudget: config.tokenBudget };
  }

  values(rollouts: readonly Rollout[]): Promise<Float32Array[]> {
    const critic = this.criticOptimizer.parameters;
    return evaluatePerToken(this.#valueForward, critic, rollouts, {
      ...this.#perToken,
      output: "value",
    });
  }

  logProbs(parameters: Parameters, rollouts: readonly Rollout[]): Promise<Float32Array[]> {
    return evaluatePerToken(this.#logProbRunner, parameters, rollouts, {
      ...this.#perToken,
      output: "log_prob",
    });
  }

  async dispose(): Promise<void> {
    await this.sampler.dispose();
    await this.policyRunner.dispose();
    await this.valueRunner.dispose();
    await this.#logProbRunner.dispose();
    await this.#valueForward.dispose();
  }
}

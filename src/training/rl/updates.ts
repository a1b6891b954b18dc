/** Minibatch updates of one side (policy or critic) from the experience of one step. */

import type { Parameters } from "../../model/parameters.ts";
import { Random } from "../../random/random.ts";
import { RunError } from "../../util/errors.ts";
import { type AdamW, clipScale, gradientNorm } from "../adamw.ts";
import type { ForwardRunner, GradientRunner, Job } from "../backend.ts";
import {
  collectResponseValues,
  fillBatch,
  type MicroBatch,
  planMicroBatches,
  responseLength,
  spreadResponseValues,
} from "../micro-batch.ts";
import type { Rollout } from "./rollout.ts";

/** A rollout with arrays over its response tokens, by the name of the program's input. */
export interface Experience {
  readonly rollout: Rollout;
  readonly perToken: Readonly<Record<string, ArrayLike<number>>>;
}

/** How rollouts are cut into micro-batches. */
export interface BatchOptions {
  readonly tokenBudget: number;
  readonly padTokenId: number;
  readonly workers: number;
  /** A slot at every position: for a side whose output is narrow. */
  readonly isGrid?: boolean;
}

/** Whether a loss is a mean over the tokens of a minibatch, or over its responses of the means over their tokens. */
export type LossMean = "token" | "response";

export interface UpdateOptions {
  readonly batching: BatchOptions;
  readonly minibatches: number;
  readonly epochs: number;
  readonly learningRate: number;
  readonly maxGradNorm: number;
  readonly lossMean: LossMean;
  /** Names the shuffle of rollouts into minibatches. */
  readonly shuffleKey: string;
  /** For the message of a failure: which side, which step, what to do next. */
  readonly where: string;
  readonly hint: string;
}

/**
 * Makes `epochs * minibatches` updates; returns each output of the program and `gradient_norm`, averaged over the updates.
 * @throws RunError `rl.not_finite` naming step and term, before the weights are touched.
 */
export async function updateOnExperience(
  runner: GradientRunner,
  optimizer: AdamW,
  experience: readonly Experience[],
  options: UpdateOptions,
): Promise<Record<string, number>> {
  const sums: Record<string, number> = {};
  for (let epoch = 0; epoch < options.epochs; epoch += 1) {
    const order = Random.of(options.shuffleKey, "minibatch", epoch).shuffle(experience);
    for (let m = 0; m < options.minibatches; m += 1) {
      const from = Math.floor((m * order.length) / options.minibatches);
      const to = Math.floor(((m + 1) * order.length) / options.minibatches);
      const jobs = experienceJobs(order.slice(from, to), options);
      const outputs = sumOutputs(await runner.run(optimizer.parameters, jobs));
      const norm = gradientNorm(runner.gradients);
      for (const [term, value] of Object.entries({ ...outputs, gradient_norm: norm })) {
        if (!Number.isFinite(value)) {
          throw new RunError(`${options.where}: ${term} is ${value}`, {
            code: "rl.not_finite",
            hint: options.hint,
          });
        }
        sums[term] = (sums[term] ?? 0) + value / (options.epochs * options.minibatches);
      }
      optimizer.step(runner.gradients, options.learningRate, clipScale(norm, options.maxGradNorm));
    }
  }
  return sums;
}

/** Micro-batches of one minibatch. */
export function experienceJobs(
  part: readonly Experience[],
  { batching, lossMean }: Pick<UpdateOptions, "batching" | "lossMean">,
): Job[] {
  const rollouts = part.map((e) => e.rollout);
  const tokens = rollouts.reduce((sum, rollout) => sum + responseLength(rollout), 0);
  const weight = (index: number): number =>
    lossMean === "token"
      ? 1 / tokens
      : 1 / (rollouts.length * responseLength(rollouts[index] as Rollout));
  return planMicroBatches(rollouts, batching).map((batch) => ({
    shape: batch,
    feeds: {
      ...fillBatch(batch, rollouts, { padTokenId: batching.padTokenId, weight }),
      ...spreadAll(batch, part),
    },
  }));
}

function spreadAll(batch: MicroBatch, part: readonly Experience[]): Record<string, Float32Array> {
  const names = Object.keys(part[0]?.perToken ?? {});
  return Object.fromEntries(
    names.map((name) => [
      name,
      spreadResponseValues(batch, (i) => part[i]?.perToken[name] as ArrayLike<number>),
    ]),
  );
}

function sumOutputs(
  outputs: readonly Readonly<Record<string, Float32Array>>[],
): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const output of outputs) {
    for (const [name, value] of Object.entries(output)) {
      sums[name] = (sums[name] ?? 0) + (value[0] ?? Number.NaN);
    }
  }
  return sums;
}

/** Evaluates a per-slot output on all rollouts; result `i` is over the response tokens of rollout `i`. */
export async function evaluatePerToken(
  runner: ForwardRunner,
  parameters: Parameters,
  rollouts: readonly Rollout[],
  { output, batching }: { readonly output: string; readonly batching: BatchOptions },
): Promise<Float32Array[]> {
  const plan = planMicroBatches(rollouts, batching);
  const jobs = plan.map((batch) => ({
    shape: batch,
    feeds: {
      ...fillBatch(batch, rollouts, { padTokenId: batching.padTokenId, weight: () => 1 }),
    },
  }));
  const outputs = await runner.run(parameters, jobs);
  const results = new Array<Float32Array>(rollouts.length);
  plan.forEach((batch, i) => {
    collectResponseValues(batch, rollouts, outputs[i]?.[output] as Float32Array, (index, own) => {
      results[index] = own;
    });
  });
  return results;
}

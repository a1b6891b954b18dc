/** Minibatch updates of policy and critic from the experience of one step. */
import { Random } from "../../random/random.ts";
import { RunError } from "../../util/errors.ts";
import { type AdamW, clipScale, gradientNorm } from "../adamw.ts";
import type { GradientRunner } from "../gradient-runner.ts";
import {
  type BatchArrays,
  fillBatch,
  type MicroBatch,
  planMicroBatches,
  responseLength,
  spreadResponseValues,
} from "../micro-batch.ts";
import type { Experience } from "./experience.ts";

export interface UpdateOptions {
  readonly minibatches: number;
  readonly epochs: number;
  readonly learningRate: number;
  readonly maxGradNorm: number;
  readonly tokenBudget: number;
  readonly padTokenId: number;
  /** Names the shuffle of rollouts into minibatches. */
  readonly shuffleKey: string;
  /** For the message of a failure: which side, which step, what to do next. */
  readonly where: string;
  readonly hint: string;
}

type Feeds = Record<string, Float32Array | Int32Array>;

/**
 * Makes `epochs * minibatches` updates; returns each output of the program and `gradient_norm`, averaged over the updates.
 * @throws RunError `ppo.not_finite` naming step and term, before the weights are touched.
 */
export async function updateOnExperience(
  runner: GradientRunner,
  optimizer: AdamW,
  experience: readonly Experience[],
  extraFeeds: (batch: MicroBatch, part: readonly Experience[]) => Feeds,
  options: UpdateOptions,
): Promise<Record<string, number>> {
  const sums: Record<string, number> = {};
  const add = (name: string, value: number): void => {
    sums[name] = (sums[name] ?? 0) + value;
  };
  for (let epoch = 0; epoch < options.epochs; epoch += 1) {
    const order = Random.of(options.shuffleKey, "minibatch", epoch).shuffle(experience);
    for (let m = 0; m < options.minibatches; m += 1) {
      const from = Math.floor((m * order.length) / options.minibatches);
      const to = Math.floor(((m + 1) * order.length) / options.minibatches);
      const outputs = await accumulate(
        runner,
        optimizer,
        order.slice(from, to),
        extraFeeds,
        options,
      );
      const norm = gradientNorm(runner.gradients);
      for (const [term, value] of Object.entries({ ...outputs, gradient_norm: norm })) {
        if (!Number.isFinite(value)) {
          throw new RunError(`${options.where}: ${term} is ${value}`, {
            code: "ppo.not_finite",
            hint: options.hint,
          });
        }
        add(term, value / (options.epochs * options.minibatches));
      }
      optimizer.step(runner.gradients, options.learningRate, clipScale(norm, options.maxGradNorm));
    }
  }
  return sums;
}

/** Gradient of one minibatch, summed over its micro-batches; returns the summed scalar outputs. */
async function accumulate(
  runner: GradientRunner,
  optimizer: AdamW,
  part: readonly Experience[],
  extraFeeds: (batch: MicroBatch, part: readonly Experience[]) => Feeds,
  options: UpdateOptions,
): Promise<Record<string, number>> {
  const rollouts = part.map((e) => e.rollout);
  const tokens = rollouts.reduce((sum, rollout) => sum + responseLength(rollout), 0);
  const lengths = rollouts.map((rollout) => rollout.ids.length - 1);
  const outputs: Record<string, number> = {};
  runner.reset();
  for (const batch of planMicroBatches(lengths, options.tokenBudget)) {
    const arrays: BatchArrays = fillBatch(batch, rollouts, {
      padTokenId: options.padTokenId,
      weight: 1 / tokens,
    });
    const feeds = { ...arrays, ...extraFeeds(batch, part) };
    for (const [name, value] of Object.entries(
      await runner.add(optimizer.parameters, batch, feeds),
    )) {
      if (!name.startsWith("grad:"))
        outputs[name] = (outputs[name] ?? 0) + (value[0] ?? Number.NaN);
    }
  }
  return outputs;
}

/** Feeds of the policy program besides tokens, targets and weights. */
export function policyFeeds(batch: MicroBatch, part: readonly Experience[]): Feeds {
  const rollouts = part.map((e) => e.rollout);
  return {
    old_log_prob: spreadResponseValues(batch, rollouts, (i) => part[i]!.rollout.logProbs),
    advantage: spreadResponseValues(batch, rollouts, (i) => part[i]!.advantages),
  };
}

/** Feeds of the critic program besides tokens and weights. */
export function valueFeeds(batch: MicroBatch, part: readonly Experience[]): Feeds {
  const rollouts = part.map((e) => e.rollout);
  return {
    old_value: spreadResponseValues(batch, rollouts, (i) => part[i]!.values),
    return: spreadResponseValues(batch, rollouts, (i) => part[i]!.returns),
  };
}

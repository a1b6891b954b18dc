/** What the updates of one PPO step need besides the rollouts: old values, rewards with the KL penalty, advantages, returns. */
import type { Rollout } from "../rl/rollout.ts";
import type { PpoConfig } from "./config.ts";
import { computeGae, explainedVariance, whitenAdvantages } from "./gae.ts";

/** Arrays of one rollout, each over its response tokens. */
export interface TokenExperience {
  readonly rollout: Rollout;
  readonly values: Float32Array;
  readonly advantages: Float32Array;
  readonly returns: Float32Array;
}

export interface ExperienceSummary {
  /** Mean over tokens of log-probability under the policy minus that under the reference (k1 estimator). */
  readonly referenceKl: number | null;
  readonly explainedVariance: number | null;
  readonly meanValue: number;
  readonly meanReturn: number;
}

/**
 * Rewards are the score at the last token and -klCoef times the log-probability difference to the reference at every token;
 * advantages are whitened over the whole step.
 */
export function buildExperience(
  rollouts: readonly Rollout[],
  values: readonly Float32Array[],
  referenceLogProbs: readonly Float32Array[] | undefined,
  config: PpoConfig,
): { readonly experience: TokenExperience[]; readonly summary: ExperienceSummary } {
  let [tokens, kl, valueSum, returnSum] = [0, 0, 0, 0];
  const experience = rollouts.map((rollout, i) => {
    const own = values[i] as Float32Array;
    const reference = referenceLogProbs?.[i];
    const rewards = new Float32Array(own.length);
    for (let t = 0; t < own.length; t += 1) {
      const difference = reference === undefined ? 0 : rollout.logProbs[t]! - reference[t]!;
      kl += difference;
      rewards[t] = -config.klCoef * difference;
    }
    rewards[own.length - 1]! += rollout.score;
    const { advantages, returns } = computeGae(rewards, own, config);
    tokens += own.length;
    for (let t = 0; t < own.length; t += 1) {
      valueSum += own[t]!;
      returnSum += returns[t]!;
    }
    return { rollout, values: own, advantages, returns };
  });
  const summary = {
    referenceKl: referenceLogProbs === undefined ? null : kl / tokens,
    explainedVariance: explainedVariance(
      experience.map((e) => e.returns),
      experience.map((e) => e.values),
    ),
    meanValue: valueSum / tokens,
    meanReturn: returnSum / tokens,
  };
  whitenAdvantages(experience.map((e) => e.advantages));
  return { experience, summary };
}

/** The metrics of a PPO step: every logged key with its definition, in one place (docs/methods/ppo.md shows this table). */
import type { MetricRow } from "../metrics-file.ts";
import { POLICY_METRICS, policyMetrics, ROLLOUT_METRICS, rolloutMetrics } from "../rl/metrics.ts";
import type { Rollout } from "../rl/rollout.ts";
import type { ExperienceSummary } from "./experience.ts";

const CRITIC_METRICS = {
  "value/explained_variance":
    "1 - Var(return - value) / Var(return) over tokens, values from before the update; null when returns do not vary",
  "value/mean": "mean value over tokens, before the update",
  "value/return": "mean return over tokens",
  "loss/value": "critic loss, mean over the updates of the step",
  "value/clip_fraction": "share of tokens whose clipped value error is the larger one",
  "gradient_norm/critic": "norm of the critic's gradient before clipping, mean over updates",
} as const;

export const PPO_METRICS = { ...ROLLOUT_METRICS, ...CRITIC_METRICS, ...POLICY_METRICS } as const;

interface StepParts {
  readonly rollouts: readonly Rollout[];
  readonly summary: ExperienceSummary;
  readonly criticUpdate: Readonly<Record<string, number>>;
  /** Absent while only the critic is updated. */
  readonly policyUpdate: Readonly<Record<string, number>> | undefined;
  readonly learningRate: number;
}

/** Metric row of one step. */
export function ppoMetrics(step: number, parts: StepParts): MetricRow {
  const { summary, criticUpdate } = parts;
  const metrics: Record<keyof typeof PPO_METRICS, number | null> = {
    ...rolloutMetrics(parts.rollouts, summary.referenceKl),
    "value/explained_variance": summary.explainedVariance,
    "value/mean": summary.meanValue,
    "value/return": summary.meanReturn,
    "loss/value": criticUpdate.loss ?? null,
    "value/clip_fraction": criticUpdate.value_clip_fraction ?? null,
    "gradient_norm/critic": criticUpdate.gradient_norm ?? null,
    ...policyMetrics(parts.policyUpdate, parts.learningRate),
  };
  return { step, ...metrics };
}

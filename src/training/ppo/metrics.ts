/** The metrics of a PPO step: every logged key with its definition, in one place (docs/methods/ppo.md shows this table). */
import type { MetricRow } from "../metrics-file.ts";
import { responseLength } from "../micro-batch.ts";
import type { ExperienceSummary } from "./experience.ts";
import type { Rollout } from "./rollout.ts";

export const PPO_METRICS = {
  "rollout/score": "mean score of the rollouts, before the KL penalty",
  "rollout/accuracy": "share of rollouts with a correct answer",
  "rollout/answer_share": "share of rollouts with a complete answer tag",
  "rollout/truncated": "share of rollouts that reached the length limit",
  "rollout/response_length": "mean tokens of a response, end of text included",
  "kl/reference":
    "mean over tokens of log-probability under policy minus reference (k1); null without a KL penalty",
  "value/explained_variance":
    "1 - Var(return - value) / Var(return) over tokens, values from before the update; null when returns do not vary",
  "value/mean": "mean value over tokens, before the update",
  "value/return": "mean return over tokens",
  "loss/value": "critic loss, mean over the updates of the step",
  "value/clip_fraction": "share of tokens whose clipped value error is the larger one",
  "gradient_norm/critic": "norm of the critic's gradient before clipping, mean over updates",
  "loss/policy": "clipped policy loss, mean over updates; null while only the critic is updated",
  "policy/entropy": "mean entropy of the next-token distribution at response positions, in nats",
  "policy/approx_kl": "mean of ratio - 1 - log ratio between policy and sampling policy",
  "policy/clip_fraction": "share of tokens where the clipped objective is the smaller one",
  "gradient_norm/policy": "norm of the policy's gradient before clipping, mean over updates",
} as const;

type PpoMetric = keyof typeof PPO_METRICS;

interface StepParts {
  readonly rollouts: readonly Rollout[];
  readonly summary: ExperienceSummary;
  readonly criticUpdate: Readonly<Record<string, number>>;
  /** Absent while only the critic is updated. */
  readonly policyUpdate: Readonly<Record<string, number>> | undefined;
}

/** Metric row of one step. */
export function stepMetrics(step: number, parts: StepParts): MetricRow {
  const { rollouts, summary, criticUpdate, policyUpdate } = parts;
  const mean = (of: (rollout: Rollout) => number): number =>
    rollouts.reduce((sum, rollout) => sum + of(rollout), 0) / rollouts.length;
  const metrics: Record<PpoMetric, number | null> = {
    "rollout/score": mean((r) => r.score),
    "rollout/accuracy": mean((r) => Number(r.isCorrect)),
    "rollout/answer_share": mean((r) => Number(r.hasAnswer)),
    "rollout/truncated": mean((r) => Number(r.isTruncated)),
    "rollout/response_length": mean(responseLength),
    "kl/reference": summary.referenceKl,
    "value/explained_variance": summary.explainedVariance,
    "value/mean": summary.meanValue,
    "value/return": summary.meanReturn,
    "loss/value": criticUpdate.loss ?? null,
    "value/clip_fraction": criticUpdate.value_clip_fraction ?? null,
    "gradient_norm/critic": criticUpdate.gradient_norm ?? null,
    "loss/policy": policyUpdate?.policy_loss ?? null,
    "policy/entropy": policyUpdate?.entropy ?? null,
    "policy/approx_kl": policyUpdate?.approx_kl ?? null,
    "policy/clip_fraction": policyUpdate?.clip_fraction ?? null,
    "gradient_norm/policy": policyUpdate?.gradient_norm ?? null,
  };
  return { step, ...metrics };
}

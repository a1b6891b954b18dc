/** The metrics that every algorithm logs: each key with its definition (the tables of docs/methods/ppo.md and grpo.md show them). */
import { responseLength } from "../micro-batch.ts";
import type { Rollout } from "./rollout.ts";

export const ROLLOUT_METRICS = {
  "rollout/score": "mean score of the rollouts, before any KL penalty",
  "rollout/accuracy": "share of rollouts with a correct answer",
  "rollout/answer_share": "share of rollouts with a complete answer tag",
  "rollout/truncated": "share of rollouts that reached the length limit",
  "rollout/response_length": "mean tokens of a response, end of text included",
  "kl/reference":
    "mean over tokens of log-probability under policy minus reference (k1); null without a KL penalty",
} as const;

export const POLICY_METRICS = {
  "loss/policy": "clipped policy loss, mean over updates; null while only the critic is updated",
  "policy/entropy": "mean entropy of the next-token distribution at response positions, in nats",
  "policy/approx_kl": "mean of ratio - 1 - log ratio between policy and sampling policy",
  "policy/clip_fraction": "share of tokens where the clipped objective is the smaller one",
  "gradient_norm/policy": "norm of the policy's gradient before clipping, mean over updates",
  "schedule/learning_rate": "learning rate of the policy; null while only the critic is updated",
} as const;

type Metrics<Table> = Record<keyof Table & string, number | null>;

/** Metrics of the rollouts of a step. */
export function rolloutMetrics(
  rollouts: readonly Rollout[],
  referenceKl: number | null,
): Metrics<typeof ROLLOUT_METRICS> {
  const mean = (of: (rollout: Rollout) => number): number =>
    rollouts.reduce((sum, rollout) => sum + of(rollout), 0) / rollouts.length;
  return {
    "rollout/score": mean((r) => r.score),
    "rollout/accuracy": mean((r) => Number(r.isCorrect)),
    "rollout/answer_share": mean((r) => Number(r.hasAnswer)),
    "rollout/truncated": mean((r) => Number(r.isTruncated)),
    "rollout/response_length": mean(responseLength),
    "kl/reference": referenceKl,
  };
}

/** Metrics of the updates of the policy; all null where there were none. */
export function policyMetrics(
  update: Readonly<Record<string, number>> | undefined,
  learningRate: number,
): Metrics<typeof POLICY_METRICS> {
  return {
    "loss/policy": update?.policy_loss ?? null,
    "policy/entropy": update?.entropy ?? null,
    "policy/approx_kl": update?.approx_kl ?? null,
    "policy/clip_fraction": update?.clip_fraction ?? null,
    "gradient_norm/policy": update?.gradient_norm ?? null,
    "schedule/learning_rate": update === undefined ? null : learningRate,
  };
}

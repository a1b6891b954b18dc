/** The metrics of a GRPO step: every logged key with its definition, in one place (docs/methods/grpo.md shows this table). */
import { POLICY_METRICS, ROLLOUT_METRICS } from "../rl/metrics.ts";

export const GRPO_METRICS = {
  ...ROLLOUT_METRICS,
  "rollout/uniform_groups": "share of groups whose scores are all equal, and which teach nothing",
  ...POLICY_METRICS,
  "loss/kl":
    "KL term of the loss before klCoef: mean of the estimator k3 to the reference; null where the KL term is in the reward or absent",
} as const;

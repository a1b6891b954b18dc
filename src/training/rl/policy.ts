/** What the learners of PPO and GRPO share: the reference policy, and options of optimizer, schedule and policy loss. */
import type { LanguageModel } from "../../model/checkpoint.ts";
import type { Parameters } from "../../model/parameters.ts";
import type { AdamWOptions } from "../adamw.ts";
import type { Backend, ForwardRunner } from "../backend.ts";
import { type ScheduleKind, scheduleFactor } from "../schedule.ts";
import type { PolicyLossOptions } from "./policy-loss.ts";
import type { Rollout } from "./rollout.ts";
import { type BatchOptions, evaluatePerToken } from "./updates.ts";

/** The starting policy, whose log-probabilities of a response are computed once a step. */
export class ReferencePolicy {
  readonly #parameters: Parameters;
  readonly #runner: ForwardRunner;
  readonly #batching: BatchOptions;

  constructor(policy: LanguageModel, backend: Backend, batching: BatchOptions) {
    this.#parameters = policy.parameters.clone();
    this.#runner = backend.forwardRunner(
      { kind: "log_prob", model: policy.config },
      policy.parameters.specs,
    );
    this.#batching = batching;
  }

  /** Log-probability of every response token of each rollout. */
  logProbs(rollouts: readonly Rollout[]): Promise<Float32Array[]> {
    return evaluatePerToken(this.#runner, this.#parameters, rollouts, {
      output: "log_prob",
      batching: this.#batching,
    });
  }
}

/** AdamW with the betas that torch.optim.AdamW defaults to, which veRL keeps. */
export function optimizerOptions({ weightDecay }: { readonly weightDecay: number }): AdamWOptions {
  return { betas: [0.9, 0.999], epsilon: 1e-8, weightDecay };
}

/** Factor of the policy's learning rate at a step, from 1. */
export function rateFactor(
  step: number,
  config: {
    readonly schedule: ScheduleKind;
    readonly steps: number;
    readonly warmupSteps: number;
  },
): number {
  const { steps: total, warmupSteps: warmup } = config;
  return scheduleFactor(config.schedule, step - 1, { total, warmup });
}

/** Options of the policy loss; `klCoef` is that of a KL term in the loss. */
export function policyLossOptions(
  config: {
    readonly clipRatio: number;
    readonly clipRatioHigh?: number | undefined;
    readonly entropyCoef: number;
  },
  klCoef: number,
): PolicyLossOptions {
  const { clipRatio: clipLow, clipRatioHigh: clipHigh = clipLow, entropyCoef } = config;
  return { clipLow, clipHigh, entropyCoef, klCoef };
}

/**
 * GRPO on Countdown (Shao et al. 2024, section 4.1): several responses a puzzle, whose mean score is the baseline, so that there is no
 * critic. Rollouts, policy loss, updates and the loop are those of PPO. Equations and options are in docs/methods/grpo.md.
 * Old log-probabilities are those of the sampler.
 */
import type { LanguageModel } from "../../model/checkpoint.ts";
import { AdamW } from "../adamw.ts";
import type { Backend } from "../backend.ts";
import type { MetricRow } from "../metrics-file.ts";
import { type Learner, type RlArguments, trainPolicy } from "../rl/loop.ts";
import { policyMetrics, rolloutMetrics } from "../rl/metrics.ts";
import { optimizerOptions, policyLossOptions, ReferencePolicy, rateFactor } from "../rl/policy.ts";
import type { Rollout } from "../rl/rollout.ts";
import { type Experience, updateOnExperience } from "../rl/updates.ts";
import { groupAdvantages, uniformGroupShare } from "./advantage.ts";
import type { GrpoConfig } from "./config.ts";
import type { GRPO_METRICS } from "./metrics.ts";

export type GrpoArguments = RlArguments<GrpoConfig>;

/** Trains a policy by GRPO; see `trainPolicy` for resumption and errors. */
export async function runGrpo(args: GrpoArguments): Promise<void> {
  await trainPolicy(args, (policy, backend) => grpoLearner(policy, backend, args));
}

/** The learner of GRPO; the policy as it is now becomes the reference. */
export function grpoLearner(
  policy: LanguageModel,
  backend: Backend,
  { config, seed }: Pick<GrpoArguments, "config" | "seed">,
): Learner {
  const model = policy.config;
  const optimizer = new AdamW(policy.parameters, optimizerOptions(config));
  const lossKl = config.klIn === "loss" ? config.klCoef : 0;
  const runner = backend.gradientRunner(
    { kind: "policy", model, options: policyLossOptions(config, lossKl) },
    policy.parameters.specs,
  );
  const { tokenBudget } = config;
  const batching = { tokenBudget, padTokenId: model.padTokenId, workers: backend.workers };
  const reference = config.klCoef > 0 ? new ReferencePolicy(policy, backend, batching) : undefined;

  return {
    sides: { policy: optimizer },
    async learn(step, rollouts, hint) {
      const referenceLogProbs = await reference?.logProbs(rollouts);
      const { experience, referenceKl } = groupExperience(rollouts, referenceLogProbs, config);
      const learningRate = config.learningRate * rateFactor(step, config);
      const update = await updateOnExperience(runner, optimizer, experience, {
        batching,
        minibatches: config.minibatches,
        epochs: config.epochs,
        learningRate,
        maxGradNorm: config.maxGradNorm,
        lossMean: config.lossMean,
        shuffleKey: `${seed}/policy/${step}`,
        where: `GRPO step ${step}, policy`,
        hint,
      });
      const scores = rollouts.map((rollout) => rollout.score);
      const metrics: Record<keyof typeof GRPO_METRICS, number | null> = {
        ...rolloutMetrics(rollouts, referenceKl),
        "rollout/uniform_groups": uniformGroupShare(scores, config.samplesPerPrompt),
        ...policyMetrics(update, learningRate),
        "loss/kl": update.kl_loss ?? null,
      };
      return { step, ...metrics } satisfies MetricRow;
    },
  };
}

/** Rollouts with their advantage at every token, and the reference's log-probabilities where the loss reads them. */
export function groupExperience(
  rollouts: readonly Rollout[],
  referenceLogProbs: readonly Float32Array[] | undefined,
  config: Pick<GrpoConfig, "klCoef" | "klIn" | "samplesPerPrompt" | "normalizeByStd">,
): { readonly experience: Experience[]; readonly referenceKl: number | null } {
  const differences = rollouts.map((rollout, i) =>
    rollout.logProbs.reduce((sum, own, t) => sum + own - (referenceLogProbs?.[i]?.[t] ?? own), 0),
  );
  const tokens = rollouts.reduce((sum, rollout) => sum + rollout.logProbs.length, 0);
  const penalty = config.klIn === "reward" ? config.klCoef : 0;
  const advantages = groupAdvantages(
    rollouts.map((rollout, i) => rollout.score - penalty * (differences[i] as number)),
    { groupSize: config.samplesPerPrompt, normalizeByStd: config.normalizeByStd },
  );
  const needsReference = config.klIn === "loss" && config.klCoef > 0;
  const experience = rollouts.map((rollout, i): Experience => {
    const advantage = new Float32Array(rollout.logProbs.length).fill(advantages[i] as number);
    const perToken = { old_log_prob: rollout.logProbs, advantage };
    const reference = referenceLogProbs?.[i];
    return needsReference && reference !== undefined
      ? { rollout, perToken: { ...perToken, reference_log_prob: reference } }
      : { rollout, perToken };
  });
  const total = differences.reduce((sum, difference) => sum + difference, 0);
  return { experience, referenceKl: referenceLogProbs === undefined ? null : total / tokens };
}

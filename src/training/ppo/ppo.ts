/**
 * PPO with a separate critic on Countdown (Schulman et al. 2017; the set-up of Gandhi et al. 2025 run by veRL): the critic starts as a copy
 * of the policy with a value head, the KL penalty to the starting policy is part of the reward, advantages are GAE.
 * Differences from that set-up, with reasons, are in docs/methods/ppo.md:
 * - old log-probabilities are those of the sampler, not recomputed by a training pass;
 * - the first steps update the critic only;
 * - learning rates, batch and lambda are scaled for models below 1M parameters.
 */
import type { LanguageModel } from "../../model/checkpoint.ts";
import { criticSpecs, Parameters } from "../../model/parameters.ts";
import { AdamW } from "../adamw.ts";
import type { Backend } from "../backend.ts";
import { type Learner, type RlArguments, trainPolicy } from "../rl/loop.ts";
import { optimizerOptions, policyLossOptions, ReferencePolicy, rateFactor } from "../rl/policy.ts";
import { type BatchOptions, evaluatePerToken, updateOnExperience } from "../rl/updates.ts";
import type { PpoConfig } from "./config.ts";
import { buildExperience } from "./experience.ts";
import { ppoMetrics } from "./metrics.ts";

export type PpoArguments = RlArguments<PpoConfig>;

/** Trains a policy by PPO; see `trainPolicy` for resumption and errors. */
export async function runPpo(args: PpoArguments): Promise<void> {
  await trainPolicy(args, (policy, backend) => ppoLearner(policy, backend, args));
}

/** The learner of PPO; the policy as it is now becomes the reference and the critic. */
export function ppoLearner(
  policy: LanguageModel,
  backend: Backend,
  { config, seed }: Pick<PpoArguments, "config" | "seed">,
): Learner {
  const model = policy.config;
  const critic = new Parameters(criticSpecs(model));
  critic.copyFrom(policy.parameters); // all but the value head, which starts at zero
  const sides = {
    policy: new AdamW(policy.parameters, optimizerOptions(config)),
    critic: new AdamW(critic, optimizerOptions(config)),
  };
  const policyRunner = backend.gradientRunner(
    { kind: "policy", model, options: policyLossOptions(config, 0) },
    policy.parameters.specs,
  );
  const valueRunner = backend.gradientRunner(
    { kind: "value_loss", model, options: { valueClip: config.valueClip } },
    critic.specs,
  );
  const valueForward = backend.forwardRunner({ kind: "value", model }, critic.specs);
  const { tokenBudget } = config;
  const batching = { tokenBudget, padTokenId: model.padTokenId, workers: backend.workers };
  const criticBatching: BatchOptions = { ...batching, isGrid: true };
  const reference = config.klCoef > 0 ? new ReferencePolicy(policy, backend, batching) : undefined;

  return {
    sides,
    async learn(step, rollouts, hint) {
      const values = await evaluatePerToken(valueForward, critic, rollouts, {
        output: "value",
        batching: criticBatching,
      });
      const referenceLogProbs = await reference?.logProbs(rollouts);
      const { experience, summary } = buildExperience(rollouts, values, referenceLogProbs, config);
      const common = {
        epochs: config.ppoEpochs,
        maxGradNorm: config.maxGradNorm,
        lossMean: "token",
        hint,
      } as const;
      const criticUpdate = await updateOnExperience(
        valueRunner,
        sides.critic,
        experience.map(({ rollout, values: old, returns }) => ({
          rollout,
          perToken: { old_value: old, return: returns },
        })),
        {
          ...common,
          batching: criticBatching,
          minibatches: config.criticMinibatches,
          learningRate: config.criticLearningRate,
          shuffleKey: `${seed}/critic/${step}`,
          where: `PPO step ${step}, critic`,
        },
      );
      const learningRate = config.actorLearningRate * rateFactor(step, config);
      const policyUpdate =
        step <= config.criticWarmupSteps
          ? undefined
          : await updateOnExperience(
              policyRunner,
              sides.policy,
              experience.map(({ rollout, advantages }) => ({
                rollout,
                perToken: { old_log_prob: rollout.logProbs, advantage: advantages },
              })),
              {
                ...common,
                batching,
                minibatches: config.actorMinibatches,
                learningRate,
                shuffleKey: `${seed}/policy/${step}`,
                where: `PPO step ${step}, policy`,
              },
            );
      return ppoMetrics(step, { rollouts, summary, criticUpdate, policyUpdate, learningRate });
    },
  };
}

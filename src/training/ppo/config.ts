/** Settings of PPO with their defaults; docs/methods/ppo.md gives the published value and the reason for each difference. */
import { z } from "zod";
import {
  nonNegative,
  positiveInteger,
  rolloutFields,
  scheduleFields,
  updateFields,
} from "../rl/fields.ts";

export const ppoConfigSchema = z.strictObject({
  algorithm: z.literal("ppo").default("ppo").describe("PPO with a critic"),
  steps: positiveInteger.default(50).describe("PPO steps (rollout and update)"),
  promptsPerStep: positiveInteger.default(256).describe("puzzles of one step"),
  samplesPerPrompt: positiveInteger.default(1).describe("rollouts of each puzzle in a step"),
  ...rolloutFields,
  actorLearningRate: z.number().positive().default(4e-4).describe("learning rate of the policy"),
  criticLearningRate: z.number().positive().default(5e-4).describe("learning rate of the critic"),
  ...scheduleFields,
  criticWarmupSteps: z
    .number()
    .int()
    .min(0)
    .default(2)
    .describe("first steps that update the critic only"),
  actorMinibatches: positiveInteger.default(2).describe("policy updates of one epoch"),
  criticMinibatches: positiveInteger.default(8).describe("critic updates of one epoch"),
  ppoEpochs: positiveInteger.default(1).describe("passes over the rollouts of a step"),
  gamma: nonNegative.max(1).default(1).describe("discount"),
  gaeLambda: nonNegative.max(1).default(1).describe("lambda of generalised advantage estimation"),
  valueClip: z
    .number()
    .positive()
    .default(0.5)
    .describe("clip range of the value around its old value"),
  klCoef: nonNegative.default(0.01).describe("weight of the KL penalty in the reward"),
  ...updateFields,
});
export type PpoConfig = z.infer<typeof ppoConfigSchema>;

/** Settings of PPO with their defaults; docs/methods/ppo.md gives the published value and the reason for each difference. */
import { z } from "zod";

const positiveInteger = z.number().int().positive();

export const ppoConfigSchema = z.strictObject({
  steps: positiveInteger.default(50).describe("PPO steps (rollout and update)"),
  promptsPerStep: positiveInteger.default(256).describe("puzzles of one step"),
  samplesPerPrompt: positiveInteger.default(1).describe("rollouts of each puzzle in a step"),
  maxNewTokens: positiveInteger.default(200).describe("longest response in tokens"),
  decodeBatchSize: positiveInteger.default(256).describe("sequences sampled side by side"),
  formatScore: z
    .number()
    .min(0)
    .max(1)
    .default(0.1)
    .describe("reward of a complete but wrong answer"),
  actorLearningRate: z.number().positive().default(4e-4).describe("learning rate of the policy"),
  criticLearningRate: z.number().positive().default(5e-4).describe("learning rate of the critic"),
  schedule: z
    .enum(["constant", "linear", "cosine"])
    .default("constant")
    .describe("decay of the policy's rate over the steps"),
  warmupSteps: z
    .number()
    .int()
    .min(0)
    .default(0)
    .describe("steps over which the policy's rate rises"),
  criticWarmupSteps: z
    .number()
    .int()
    .min(0)
    .default(2)
    .describe("first steps that update the critic only"),
  actorMinibatches: positiveInteger.default(2).describe("policy updates of one epoch"),
  criticMinibatches: positiveInteger.default(8).describe("critic updates of one epoch"),
  ppoEpochs: positiveInteger.default(1).describe("passes over the rollouts of a step"),
  gamma: z.number().min(0).max(1).default(1).describe("discount"),
  gaeLambda: z
    .number()
    .min(0)
    .max(1)
    .default(1)
    .describe("lambda of generalised advantage estimation"),
  clipRatio: z.number().positive().default(0.2).describe("clip range of the probability ratio"),
  valueClip: z
    .number()
    .positive()
    .default(0.5)
    .describe("clip range of the value around its old value"),
  klCoef: z.number().min(0).default(0.01).describe("weight of the KL penalty in the reward"),
  entropyCoef: z.number().min(0).default(0).describe("weight of the entropy bonus"),
  maxGradNorm: z.number().positive().default(1).describe("gradient norm to clip at"),
  weightDecay: z.number().min(0).default(0.01).describe("decoupled weight decay of matrices"),
  tokenBudget: positiveInteger.default(2048).describe("tokens of a micro-batch"),
  checkpointEvery: positiveInteger.default(10).describe("steps between checkpoints"),
});
export type PpoConfig = z.infer<typeof ppoConfigSchema>;

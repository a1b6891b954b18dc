/** Settings that PPO and GRPO share; the defaults of an algorithm are in its own configuration. */
import { z } from "zod";

export const positiveInteger = z.number().int().positive();
export const nonNegative = z.number().min(0);

export const rolloutFields = {
  maxNewTokens: positiveInteger.default(200).describe("longest response in tokens"),
  decodeBatchSize: positiveInteger.default(256).describe("sequences sampled side by side"),
  formatScore: nonNegative.max(1).default(0.1).describe("reward of a complete but wrong answer"),
};

export const updateFields = {
  clipRatio: z.number().positive().default(0.2).describe("clip range of the probability ratio"),
  clipRatioHigh: z
    .number()
    .positive()
    .optional()
    .describe("clip range above 1, if it differs from the one below"),
  entropyCoef: nonNegative.default(0).describe("weight of the entropy bonus"),
  maxGradNorm: z.number().positive().default(1).describe("gradient norm to clip at"),
  weightDecay: nonNegative.default(0.01).describe("decoupled weight decay of matrices"),
  tokenBudget: positiveInteger.default(2048).describe("tokens of a micro-batch"),
  workers: positiveInteger
    .default(1)
    .describe("worker threads that share sampling and micro-batches"),
  checkpointEvery: positiveInteger.default(10).describe("steps between checkpoints"),
};

export const scheduleFields = {
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
};

/** What the loop reads of an algorithm's configuration. */
export interface RolloutConfig {
  readonly steps: number;
  readonly promptsPerStep: number;
  readonly samplesPerPrompt: number;
  readonly maxNewTokens: number;
  readonly decodeBatchSize: number;
  readonly formatScore: number;
  readonly workers: number;
  readonly checkpointEvery: number;
}

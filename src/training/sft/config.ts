/** Settings of supervised fine-tuning with their defaults; docs/methods/sft.md gives the published values. */
import { z } from "zod";

const positiveInteger = z.number().int().positive();

export const sftConfigSchema = z.strictObject({
  epochs: positiveInteger.default(5).describe("passes over the traces"),
  batchSize: positiveInteger.default(32).describe("traces of one update"),
  learningRate: z.number().positive().default(1e-3).describe("peak learning rate"),
  schedule: z
    .enum(["cosine", "linear", "constant"])
    .default("cosine")
    .describe("decay after warm-up"),
  warmupShare: z.number().min(0).max(1).default(0.1).describe("share of updates that warm up"),
  weightDecay: z.number().min(0).default(0.01).describe("decoupled weight decay of matrices"),
  maxGradNorm: z.number().positive().default(1).describe("gradient norm to clip at"),
  tokenBudget: positiveInteger.default(2048).describe("tokens of a micro-batch"),
  packing: z
    .boolean()
    .default(false)
    .describe("several traces in a row of a micro-batch, which do not see each other"),
  evaluateEvery: positiveInteger
    .optional()
    .describe("updates between evaluations; at the end of each epoch without it"),
  use: z
    .enum(["final", "best"])
    .default("final")
    .describe("checkpoint to go on from: the last, or that of the lowest evaluation loss"),
  workers: positiveInteger.default(1).describe("worker threads that share the micro-batches"),
});
export type SftConfig = z.infer<typeof sftConfigSchema>;

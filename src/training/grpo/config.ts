/** Settings of GRPO with their defaults; docs/methods/grpo.md gives the published values and the reasons for differences. */
import { z } from "zod";
import {
  nonNegative,
  positiveInteger,
  rolloutFields,
  scheduleFields,
  updateFields,
} from "../rl/fields.ts";

export const grpoConfigSchema = z.strictObject({
  algorithm: z.literal("grpo").default("grpo").describe("GRPO, without a critic"),
  steps: positiveInteger.default(50).describe("GRPO steps (rollout and update)"),
  promptsPerStep: positiveInteger.default(32).describe("puzzles of one step"),
  samplesPerPrompt: z
    .number()
    .int()
    .min(2)
    .default(8)
    .describe("rollouts of each puzzle in a step: its group"),
  ...rolloutFields,
  learningRate: z.number().positive().default(4e-4).describe("learning rate of the policy"),
  ...scheduleFields,
  minibatches: positiveInteger.default(2).describe("updates of one epoch"),
  epochs: positiveInteger.default(1).describe("passes over the rollouts of a step"),
  normalizeByStd: z
    .boolean()
    .default(true)
    .describe("divide advantages by the standard deviation of their group"),
  lossMean: z
    .enum(["token", "response"])
    .default("token")
    .describe("mean over all tokens, or over responses of the means over their tokens"),
  klCoef: nonNegative.default(0.01).describe("weight of the KL term"),
  klIn: z.enum(["loss", "reward"]).default("loss").describe("where the KL term is"),
  ...updateFields,
});
export type GrpoConfig = z.infer<typeof grpoConfigSchema>;

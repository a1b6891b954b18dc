/** Settings of reinforcement learning, `rl` in a study file: those of the algorithm that `algorithm` names, PPO without it. */
import { z } from "zod";
import { grpoConfigSchema } from "../grpo/config.ts";
import { ppoConfigSchema } from "../ppo/config.ts";

const byAlgorithm = z.discriminatedUnion("algorithm", [
  ppoConfigSchema.extend({ algorithm: z.literal("ppo") }),
  grpoConfigSchema.extend({ algorithm: z.literal("grpo") }),
]);

export const rlConfigSchema = z.preprocess(
  (value) =>
    value !== null && typeof value === "object" && !("algorithm" in value)
      ? { algorithm: "ppo", ...value }
      : value,
  byAlgorithm,
);
export type RlConfig = z.infer<typeof rlConfigSchema>;

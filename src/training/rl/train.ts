/** Reinforcement learning by the algorithm that the configuration names. */
import { runGrpo } from "../grpo/grpo.ts";
import { runPpo } from "../ppo/ppo.ts";
import type { RlConfig } from "./config.ts";
import type { RlArguments } from "./loop.ts";

/** Trains a policy on puzzles by PPO or GRPO; see `runPpo` and `runGrpo`. */
export async function runRl(args: RlArguments<RlConfig>): Promise<void> {
  const { config } = args;
  if (config.algorithm === "grpo") await runGrpo({ ...args, config });
  else await runPpo({ ...args, config });
}

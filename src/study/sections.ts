/** The schemas of the sections of a study file, from the rooms of their stages. */
import { primingConfigSchema } from "../priming/generate.ts";
import { completeConfigSchema } from "../sampling/complete.ts";
import { rlConfigSchema } from "../training/rl/config.ts";
import { sftConfigSchema } from "../training/sft/config.ts";
import type { SectionSchemas } from "./schema.ts";
import { taskSchema } from "./task.ts";

export const STUDY_SECTIONS: SectionSchemas = {
  task: taskSchema,
  priming: primingConfigSchema,
  sft: sftConfigSchema,
  rl: rlConfigSchema,
  completions: completeConfigSchema,
};

/** Settings of the symbolic teacher. */
import { z } from "zod";

const share = z.number().min(0).max(1);
const weight = z.number().min(0);

/** How `incorrect_only` comes to its wrong answer. */
export const FAILURES = ["give_up", "misread", "slip"] as const;
export type Failure = (typeof FAILURES)[number];

export const teacherOptionsSchema = z.strictObject({
  smallestValue: z.number().int().min(1).default(1).describe("smallest value of a step"),
  largestValue: z.number().int().max(199).default(99).describe("largest value of a step"),
  maxTokens: z.number().int().min(20).default(200).describe("longest completion, in tokens"),
  tooLong: z
    .enum(["reject", "give_up"])
    .default("reject")
    .describe(
      "what becomes of a puzzle whose search does not fit: no trace, or a trace that ends early",
    ),
  giveUpShare: share
    .default(0)
    .describe("share of traces that end the search early and answer with the nearest value seen"),
  giveUpAfter: z
    .strictObject({ min: z.number().int().min(1), max: z.number().int().min(1) })
    .default({ min: 2, max: 10 })
    .describe("attempts after which such a trace ends, at the end of the branch it is in"),
  failures: z
    .strictObject({ give_up: weight, misread: weight, slip: weight })
    .default({ give_up: 0.5, misread: 0.3, slip: 0.2 })
    .describe("weights of the ways in which incorrect_only fails"),
});
export type TeacherOptions = z.infer<typeof teacherOptionsSchema>;

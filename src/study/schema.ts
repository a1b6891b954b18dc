/**
 * The study file: YAML in, a resolved study out. Every problem is reported at once, with its path; unknown keys are
 * errors. The sections `task`, `priming`, `sft`, `rl` and `completions` belong to the stages, which give their schemas.
 */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { parseDocument, stringify } from "yaml";
import { z } from "zod";
import { CONDITIONS } from "../data/rows.ts";
import { hasErrorCode, messageOf, UsageError } from "../util/errors.ts";

/** Sections of a study file that are handed to a stage as they are. */
export const STAGE_SECTIONS = ["task", "priming", "sft", "rl", "completions"] as const;
export type StageSection = (typeof STAGE_SECTIONS)[number];

/** One schema a section. */
export type SectionSchemas = Readonly<Record<StageSection, z.ZodType>>;

/** Folders of a run that are not arms. */
const RESERVED_IDS = ["puzzles", "analysis", "report"];

const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]*$/i, "expected letters, digits, dots, dashes or underscores");

/** Also a folder name; the id that is made for an arm holds an `@`. */
const armId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._@-]*$/i, "expected letters, digits, dots, dashes, underscores or @")
  .refine((id) => !RESERVED_IDS.includes(id), { error: "this name is a folder of the run" });

const conditionSchema = z
  .string()
  .refine((text) => (CONDITIONS as readonly string[]).includes(text), {
    error: `expected one of ${CONDITIONS.join(", ")}`,
  });

const armSchema = z.union([
  conditionSchema.transform((condition) => ({ condition })),
  z.strictObject({
    condition: conditionSchema,
    base: name.optional(),
    id: armId.optional(),
  }),
]);

/** One line of an experiment: a condition on a base. */
export interface Arm {
  readonly id: string;
  readonly condition: string;
  /** Key of `bases`. */
  readonly base: string;
}

/** A study with every default filled in and every path absolute. */
export interface Study {
  readonly name: string;
  readonly seeds: readonly number[];
  /** Checkpoint folder of each base, or `builtin` for the one of that name in the package. */
  readonly bases: Readonly<Record<string, string>>;
  readonly arms: readonly Arm[];
  readonly judges: readonly string[];
  readonly sections: Readonly<Record<StageSection, Readonly<Record<string, unknown>>>>;
}

function fileSchema(sections: SectionSchemas) {
  return z.strictObject({
    name,
    seeds: z.array(z.int().min(0)).min(1),
    bases: z.record(name, z.string().min(1)),
    arms: z.array(armSchema).min(1),
    judges: z
      .array(z.enum(["exact"]))
      .min(1)
      .default(["exact"]),
    task: sections.task,
    priming: sections.priming,
    sft: sections.sft,
    rl: sections.rl,
    completions: sections.completions,
  });
}

/**
 * Validates the text of a study file.
 * @param file named in messages; relative base paths are resolved against its folder
 * @throws UsageError `study.bad_file` with every problem.
 */
export function parseStudy(text: string, file: string, sections: SectionSchemas): Study {
  const document = parseDocument(text);
  if (document.errors.length > 0) {
    throw badFile(
      file,
      document.errors.map((error) => error.message.split("\n")[0] ?? ""),
    );
  }
  const value: unknown = document.toJS();
  // A section that is left out is an empty one: its own defaults decide.
  const filled =
    value !== null && typeof value === "object" && !Array.isArray(value)
      ? { ...Object.fromEntries(STAGE_SECTIONS.map((key) => [key, {}])), ...value }
      : value;
  const result = fileSchema(sections).safeParse(filled);
  if (!result.success) throw badFile(file, result.error.issues.flatMap(describeIssue));
  const parsed = result.data;
  const baseNames = Object.keys(parsed.bases);
  const arms = parsed.arms.map((arm) => resolveArm(arm, baseNames[0]));
  const problems = crossProblems(arms, baseNames, parsed.seeds);
  if (problems.length > 0) throw badFile(file, problems);
  const folder = path.dirname(path.resolve(file));
  const sectionValues = parsed as unknown as Study["sections"];
  return {
    name: parsed.name,
    seeds: parsed.seeds,
    bases: Object.fromEntries(
      Object.entries(parsed.bases).map(([key, target]) => [
        key,
        target === "builtin" ? target : path.resolve(folder, target),
      ]),
    ),
    arms,
    judges: parsed.judges,
    sections: {
      task: sectionValues.task,
      priming: sectionValues.priming,
      sft: sectionValues.sft,
      rl: sectionValues.rl,
      completions: sectionValues.completions,
    },
  };
}

/** Reads and validates a study file. */
export async function readStudy(file: string, sections: SectionSchemas): Promise<Study> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw new UsageError(
      hasErrorCode(cause, "ENOENT")
        ? `no study file "${file}"`
        : `reading the study "${file}": ${messageOf(cause)}`,
      { code: "study.no_file", hint: "give a YAML file, or a preset: quick, mini", cause },
    );
  }
  return parseStudy(text, file, sections);
}

/** YAML of a resolved study; `parseStudy` of it gives the same study. */
export function formatStudy(study: Study): string {
  const { sections, ...head } = study;
  return stringify({ ...head, ...sections }, { aliasDuplicateObjects: false });
}

function resolveArm(arm: z.infer<typeof armSchema>, firstBase: string | undefined): Arm {
  const {
    condition,
    base = firstBase ?? "",
    id,
  } = {
    base: undefined,
    id: undefined,
    ...arm,
  };
  return {
    id: id ?? (base === firstBase ? condition : `${condition}@${base}`),
    condition,
    base,
  };
}

/** Problems that involve several keys. */
function crossProblems(
  arms: readonly Arm[],
  baseNames: readonly string[],
  seeds: readonly number[],
): string[] {
  const problems: string[] = [];
  if (baseNames.length === 0) problems.push("bases: expected at least one base");
  arms.forEach((arm, at) => {
    if (baseNames.length > 0 && !baseNames.includes(arm.base)) {
      problems.push(
        `arms.${at}.base: "${arm.base}" is not a key of bases (${baseNames.join(", ")})`,
      );
    }
    if (arms.findIndex((other) => other.id === arm.id) !== at) {
      problems.push(`arms.${at}: a second arm with the id "${arm.id}"`);
    }
  });
  if (new Set(seeds).size !== seeds.length) problems.push("seeds: a seed is listed twice");
  return problems;
}

function describeIssue(issue: z.core.$ZodIssue): string[] {
  const where = issue.path.join(".");
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => `${where === "" ? key : `${where}.${key}`}: unknown key`);
  }
  if (issue.code === "invalid_union") {
    // The branch that got furthest is the one that was meant.
    const branch = issue.errors.toSorted((a, b) => depth(b) - depth(a))[0] ?? [];
    return branch.flatMap((inner) =>
      describeIssue({ ...inner, path: [...issue.path, ...inner.path] }),
    );
  }
  return [`${where || "study"}: ${issue.message}`];
}

function depth(issues: readonly z.core.$ZodIssue[]): number {
  return Math.max(
    ...issues.map((issue) => issue.path.length + (issue.code === "unrecognized_keys" ? 1 : 0)),
  );
}

function badFile(file: string, problems: readonly string[]): UsageError {
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return new UsageError(
    `the study "${file}" has ${count}:${problems.map((problem) => `\n  - ${problem}`).join("")}`,
    { code: "study.bad_file", hint: "docs/methods/study.md lists every key with its meaning" },
  );
}

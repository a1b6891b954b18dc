/**
 * The comparison stage: reads the rows of a finished or unfinished run and writes analysis/comparison.json. Depends
 * only on the artefacts and the seed; the same inputs give the same bytes.
 */
import path from "node:path";
import { writeFileAtomic } from "../data/atomic.ts";
import { Random } from "../random/random.ts";
import type { StageContext } from "../util/progress.ts";
import { compareAtEqualTokens, passCurves } from "./best-of-n.ts";
import { judgeClaims } from "./claims.ts";
import { type Comparison, comparisonSchema } from "./comparison-schema.ts";
import { compareArms } from "./differences.ts";
import { findEmergence } from "./emergence.ts";
import { type MeasuredArm, measureArm } from "./measure.ts";
import { judgeOutcomes } from "./outcomes.ts";
import { summarizePriming } from "./priming-match.ts";
import { readRunFolder } from "./run-folder.ts";
import { DEFAULT_LEVEL } from "./stats/index.ts";

export interface CompareOptions extends StageContext {
  /** Run folder. */
  readonly run: string;
  /** Seed of the bootstrap; default 1. */
  readonly seed?: number;
  /** Output file; default analysis/comparison.json in the run folder. */
  readonly out?: string;
}

/** Compares the arms of a run and writes the result; arguments and errors as in `buildComparison`. */
export async function compareRun(options: CompareOptions): Promise<Comparison> {
  const comparison = await buildComparison(options);
  const out = options.out ?? path.join(options.run, "analysis", "comparison.json");
  await writeFileAtomic(out, `${JSON.stringify(comparison)}\n`);
  return comparison;
}

/**
 * Compares the arms of a run without writing anything.
 * @throws RunError for a folder that is not a run, DataError for a row that does not fit its schema.
 */
export async function buildComparison(options: CompareOptions): Promise<Comparison> {
  const run = await readRunFolder(options.run);
  const total = run.arms.reduce(
    (sum, arm) => sum + arm.seeds.reduce((steps, seed) => steps + seed.steps.length, 0),
    0,
  );
  let done = 0;
  const onStep = (): void => {
    done += 1;
    options.onProgress?.({ done, total, unit: "checkpoints" });
  };
  const arms: MeasuredArm[] = [];
  for (const arm of run.arms) arms.push(await measureArm(arm, onStep, options.signal));
  const mainBase = run.arms[0]?.base ?? "base"; // arms come with the base of most conditions first
  const random = Random.of(options.seed ?? 1, "bootstrap");
  return comparisonSchema.parse({
    format: 1,
    study: run.study,
    level: DEFAULT_LEVEL,
    mainBase,
    arms: arms.map((arm) => arm.summary),
    priming: await summarizePriming(run.arms),
    claims: judgeClaims({ arms, mainBase, random }),
    differences: compareArms(arms, random),
    emergence: findEmergence(arms.map((arm) => arm.summary)),
    outcomes: judgeOutcomes(arms, mainBase),
    validity: arms.map((arm) => ({ arm: arm.summary.id, steps: [...arm.validity] })),
    passCurves: passCurves(arms),
    equalTokens: compareAtEqualTokens(arms, random),
  } satisfies Comparison);
}

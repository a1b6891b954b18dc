/**
 * Every condition against the unprimed arm of its base, at their final steps: accuracy, tokens and the four habits,
 * paired by seed and puzzle. P-values are adjusted by Holm within three families: accuracy, tokens, and habits, each
 * over all conditions, so that the habits are one family of conditions times four.
 */
import { BEHAVIOURS } from "../data/rows.ts";
import type { Random } from "../random/random.ts";
import type { MeasuredArm, StepMeasures } from "./measure.ts";
import type { Difference } from "./outcome-schema.ts";
import { estimateDifference, holmAdjust, pairedTest, type SeedSample } from "./stats/index.ts";

const QUANTITIES = ["accuracy", "tokens", ...BEHAVIOURS] as const;
type Quantity = (typeof QUANTITIES)[number];

/** Differences of all arms whose base has an unprimed arm. */
export function compareArms(arms: readonly MeasuredArm[], random: Random): Difference[] {
  const rows = arms.flatMap((arm) => {
    const reference = referenceOf(arm, arms);
    if (reference === undefined || arm.final.length === 0 || reference.final.length === 0)
      return [];
    return QUANTITIES.map((quantity) => differenceOf(arm, reference, quantity, random));
  });
  const adjusted = new Map<Draft, { adjusted: number | null; familySize: number }>();
  for (const family of ["accuracy", "tokens", "habits"] as const) {
    const members = rows.filter((row) => row.family === family);
    const familySize = members.filter((row) => row.pValue !== null).length;
    holmAdjust(members.map((row) => row.pValue)).forEach((p, at) => {
      adjusted.set(members[at] as Draft, { adjusted: p, familySize });
    });
  }
  return rows.map((row) => ({ ...row, adjusted: null, familySize: 0, ...adjusted.get(row) }));
}

type Draft = Omit<Difference, "adjusted" | "familySize">;

/** The unprimed arm of the same base; none for that arm itself. */
function referenceOf(arm: MeasuredArm, arms: readonly MeasuredArm[]): MeasuredArm | undefined {
  const { base, condition } = arm.summary;
  if (condition === "none") return undefined;
  return arms.find((one) => one.summary.base === base && one.summary.condition === "none");
}

function differenceOf(
  arm: MeasuredArm,
  reference: MeasuredArm,
  quantity: Quantity,
  random: Random,
): Draft {
  const a = arm.final.map((one) => sampleOf(one, quantity));
  const b = reference.final.map((one) => sampleOf(one, quantity));
  const stream = random.stream("difference", arm.summary.id, quantity);
  return {
    arm: arm.summary.id,
    reference: reference.summary.id,
    quantity,
    family: quantity === "accuracy" || quantity === "tokens" ? quantity : "habits",
    estimate: estimateDifference(a, b, { random: stream }),
    ...pairedTest(a, b),
  };
}

function sampleOf(measures: StepMeasures, quantity: Quantity): SeedSample {
  return quantity === "accuracy" || quantity === "tokens"
    ? measures[quantity]
    : measures.habits[quantity].mean;
}

/**
 * When something begins to happen: the first step at which accuracy, or the share of completions with a habit, lies
 * outside the interval of the arm's first step, and the first from which it stays outside. Shares are used in place of
 * counts because a share of 0 has an interval (Wilson) and a mean count of 0 has none.
 */
import { BEHAVIOURS } from "../data/rows.ts";
import type { ArmSummary, StepSummary } from "./comparison-schema.ts";
import type { Emergence } from "./outcome-schema.ts";
import type { Estimate } from "./stats/index.ts";

const QUANTITIES = ["accuracy", ...BEHAVIOURS] as const;

/** One row an arm and quantity that was measured at the first step. */
export function findEmergence(arms: readonly ArmSummary[]): Emergence[] {
  return arms.flatMap((arm) =>
    QUANTITIES.flatMap((quantity) => {
      const points = arm.steps.map((step) => ({ step: step.step, ...estimateOf(step, quantity) }));
      const start = points.find((point) => point.value !== null);
      if (start === undefined || start.value === null) return [];
      const { step, value, interval } = start;
      return [
        { arm: arm.id, quantity, start: { step, value, interval }, ...leaving(start, points) },
      ];
    }),
  );
}

function estimateOf(step: StepSummary, quantity: (typeof QUANTITIES)[number]): Estimate {
  return quantity === "accuracy" ? step.accuracy : step.habits[quantity].share;
}

type Point = Estimate & { readonly step: number };

/** Where the values leave the interval of `start`, and where they leave it for good. */
function leaving(
  start: Point,
  points: readonly Point[],
): Pick<Emergence, "first" | "lasting" | "direction"> {
  const { interval } = start;
  if (interval.kind === "undefined") return { first: null, lasting: null, direction: null };
  const sides = points.flatMap(({ step, value }) => {
    if (step <= start.step || value === null) return [];
    return [{ step, side: value > interval.upper ? 1 : value < interval.lower ? -1 : 0 }];
  });
  const first = sides.find(({ side }) => side !== 0);
  const end = sides.at(-1)?.side ?? 0;
  const lastOther = sides.findLastIndex(({ side }) => side !== end);
  const lasting = end === 0 ? undefined : sides[lastOther + 1];
  const side = lasting?.side ?? first?.side;
  return {
    first: first?.step ?? null,
    lasting: lasting?.step ?? null,
    direction: side === undefined ? null : side > 0 ? "up" : "down",
  };
}

/** What every section of the report is made from. */
import type { ArmSummary, Comparison, StepSummary } from "../analysis/comparison-schema.ts";
import type { Estimate } from "../analysis/stats/index.ts";
import type { ArmStyle } from "./arm-style.ts";
import type { Series } from "./chart.ts";

export interface ReportContext {
  readonly comparison: Comparison;
  /** One style an arm, in the order of `comparison.arms`. */
  readonly styles: readonly ArmStyle[];
}

/** One section of the page; `body` left out means that there is nothing to show. */
export interface Section {
  readonly id: string;
  readonly title: string;
  readonly body: import("./html.ts").Html;
}

/** A series an arm from an estimate at each step; steps without a value are left out. */
export function seriesOf(
  context: ReportContext,
  estimate: (step: StepSummary) => Estimate,
): Series[] {
  return context.comparison.arms.map((arm, at) => ({
    style: context.styles[at] as ArmStyle,
    points: arm.steps.flatMap((step) => {
      const { value, interval } = estimate(step);
      if (value === null) return [];
      const band =
        interval.kind === "interval" ? { lower: interval.lower, upper: interval.upper } : {};
      return [{ x: step.step, y: value, ...band }];
    }),
  }));
}

/** The steps at which any arm was measured. */
export function allSteps(arms: readonly ArmSummary[]): number[] {
  const steps = new Set(arms.flatMap((arm) => arm.steps.map((one) => one.step)));
  return [...steps].sort((a, b) => a - b);
}

/** At most `limit` of the steps, the first and the last always among them. */
export function someSteps(steps: readonly number[], limit: number): number[] {
  if (steps.length <= limit) return [...steps];
  const picked = Array.from({ length: limit }, (_, i) =>
    Math.round((i * (steps.length - 1)) / (limit - 1)),
  );
  return picked.map((at) => steps[at] as number);
}

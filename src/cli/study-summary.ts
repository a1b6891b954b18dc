/** The outcome of a study as a small table for the terminal; the report has the whole of it. */
import {
  type Comparison,
  comparisonSchema,
  type StepSummary,
} from "../analysis/comparison-schema.ts";
import { percent, plain, range } from "../analysis/format.ts";
import { armLabel, HABIT_LABELS } from "../analysis/labels.ts";
import { readJsonFile } from "../data/json.ts";
import { BEHAVIOURS } from "../data/rows.ts";

/** Reads `analysis/comparison.json`. */
export function readComparison(file: string): Promise<Comparison> {
  return readJsonFile(file, comparisonSchema);
}

/** One line an arm: accuracy before and after reinforcement learning with its interval, then habits a completion. */
export function summaryLines(comparison: Comparison): string[] {
  const heading = [
    "accuracy on held-out puzzles",
    "before RL",
    "after RL (95 %)",
    ...BEHAVIOURS.map((habit) => HABIT_LABELS[habit].toLowerCase()),
  ];
  const rows = comparison.arms.flatMap((arm) => {
    const first = arm.steps[0];
    const last = arm.steps.find(({ step }) => step === arm.finalStep);
    if (first === undefined || last === undefined) return [];
    return [[armLabel(arm, comparison.mainBase), ...cellsOf(first, last)]];
  });
  const widths = heading.map((_, at) =>
    Math.max(...[heading, ...rows].map((row) => (row[at] ?? "").length)),
  );
  return [heading, ...rows].map((row) =>
    row
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join("  "),
  );
}

function cellsOf(first: StepSummary, last: StepSummary): string[] {
  const shown = (value: number | null, format: (value: number) => string): string =>
    value === null ? "-" : format(value).replace("\u00a0", " ");
  const interval = range(last.accuracy.interval, (value) => (100 * value).toFixed(1));
  return [
    shown(first.accuracy.value, percent),
    `${shown(last.accuracy.value, percent)} (${interval})`,
    ...BEHAVIOURS.map((habit) => {
      const before = shown(first.habits[habit].mean.value, plain);
      return `${before} -> ${shown(last.habits[habit].mean.value, plain)}`;
    }),
  ];
}

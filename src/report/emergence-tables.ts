/** When accuracy and habits leave where they started, and whether the habits of the texts are real. */
import { percent, range } from "../analysis/format.ts";
import { HABIT_LABELS } from "../analysis/labels.ts";
import type { Emergence, StepValidity } from "../analysis/outcome-schema.ts";
import type { Estimate } from "../analysis/stats/index.ts";
import { BEHAVIOURS } from "../data/rows.ts";
import type { ArmStyle } from "./arm-style.ts";
import type { ReportContext } from "./context.ts";
import { type Html, html } from "./html.ts";
import { armHead, foldedTables, plainTable, valueCell } from "./table.ts";

const QUANTITIES = ["accuracy", ...BEHAVIOURS] as const;

/** Steps of first departure, an arm a row. */
export function emergenceSection({ comparison, styles }: ReportContext): Html {
  const arms = styles.filter(({ id }) => comparison.emergence.some((one) => one.arm === id));
  return html`<p>The first step at which the value lies outside the 95 % interval of the first step, and with ↑ or ↓ which way.
In brackets the step from which it stays outside, where that is later or never. Habits: share of completions with at least one.
Small: the value at the start and its interval.</p>
${plainTable({
  stacked: true,
  caption: "First step outside of the starting interval",
  columns: ["condition", ...QUANTITIES.map(quantityName)],
  rows: arms.map((style) => ({
    head: armHead(style),
    cells: QUANTITIES.map((quantity) =>
      emergenceCell(
        comparison.emergence.find((one) => one.arm === style.id && one.quantity === quantity),
      ),
    ),
  })),
})}`;
}

function quantityName(quantity: Emergence["quantity"]): string {
  return quantity === "accuracy" ? "accuracy" : HABIT_LABELS[quantity].toLowerCase();
}

function emergenceCell(found: Emergence | undefined): Html {
  if (found === undefined) return html`<span class="none">–</span>`;
  const { value, interval } = found.start;
  const start = html`<small>${percent(value)}, ${range(interval, (one) => (100 * one).toFixed(1))}</small>`;
  if (interval.kind === "undefined") return html`<span class="none">?</span> ${start}`;
  if (found.first === null) return html`<span class="none">stays</span> ${start}`;
  const arrow = found.direction === "up" ? "↑" : "↓";
  const lasting =
    found.lasting === found.first
      ? ""
      : ` (${found.lasting === null ? "not for good" : `from ${found.lasting}`})`;
  return html`${found.first} ${arrow}${lasting} ${start}`;
}

/** Shares of true checks, real backtracks and true computations at the last step; the first step is folded away. */
export function validitySection(context: ReportContext): Html {
  const last = context.comparison.arms.map((arm) => arm.finalStep);
  const first = context.comparison.arms.map((arm) => arm.steps[0]?.step ?? null);
  return html`<p>Checks are true when their verdict is (“17, not 66”), and sound when the computation before the verdict is true
as well. A backtrack changes the attempt when the steps after it are not those before it, and is fresh when
one of them was tried nowhere before. Computations are written sums such as 9 * 8 = 72.</p>
${plainTable(validityTable(context, "At the last step: share, 95 % interval and number of instances", last))}
${foldedTables([validityTable(context, "At the first step", first)])}`;
}

function validityTable(
  { comparison, styles }: ReportContext,
  caption: string,
  stepOf: readonly (number | null)[],
) {
  const rows = styles.flatMap((style) => {
    const steps = comparison.validity.find((one) => one.arm === style.id)?.steps ?? [];
    const found = steps.find(({ step }) => step === stepOf[style.index]);
    if (found === undefined || found.checks + found.backtracks + found.computations === 0)
      return [];
    return [validityRow(style, found)];
  });
  return {
    stacked: true,
    caption,
    columns: [
      "condition",
      "checks true",
      "and sound",
      "backtracks that change",
      "fresh",
      "computations true",
    ],
    rows,
  };
}

function validityRow(style: ArmStyle, step: StepValidity) {
  const checks = sizeNote(step.checks, step.checksUndecided, "undecided");
  const backtracks = sizeNote(step.backtracks, step.backtracksOpen, "open");
  return {
    head: armHead(style),
    cells: [
      html`${shareCell(step.checksTrue)}${checks}`,
      shareCell(step.checksSound),
      html`${shareCell(step.changed)}${backtracks}`,
      shareCell(step.fresh),
      html`${shareCell(step.computationsTrue)}${sizeNote(step.computations, 0, "")}`,
    ],
  };
}

function shareCell({ value, interval }: Estimate): Html {
  return valueCell(value, interval, (share) => (100 * share).toFixed(1));
}

function sizeNote(n: number, apart: number, what: string): Html {
  const more = apart > 0 ? `, ${apart.toLocaleString("en")} ${what}` : "";
  return html`<small class="size">n ${n.toLocaleString("en")}${more}</small>`;
}

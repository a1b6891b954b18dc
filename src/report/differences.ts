/** Every condition against the unprimed arm of its base: differences with intervals, p-values adjusted by Holm. */
import { plain, points, range } from "../analysis/format.ts";
import { HABIT_LABELS } from "../analysis/labels.ts";
import type { Difference } from "../analysis/outcome-schema.ts";
import { BEHAVIOURS } from "../data/rows.ts";
import type { ReportContext } from "./context.ts";
import { type Html, html } from "./html.ts";
import { armHead, foldedTables, plainTable } from "./table.ts";

const QUANTITIES = ["accuracy", ...BEHAVIOURS, "tokens"] as const;

/** Largest adjusted p-value that is set in bold. */
const LEVEL = 0.05;

/** The table of differences, and folded below it the tests and the bootstrap. */
export function differencesSection(context: ReportContext): Html {
  const { differences } = context.comparison;
  const arms = context.styles.filter(({ id }) => differences.some((one) => one.arm === id));
  const rows = arms.map((style) => {
    const own = differences.filter((one) => one.arm === style.id);
    const first = own[0] as Difference;
    return {
      head: armHead(style),
      cells: [
        ...QUANTITIES.map((quantity) => cell(own.find((one) => one.quantity === quantity))),
        `${first.seeds} × ${first.puzzles}`,
      ],
    };
  });
  return html`<p>Each condition minus the unprimed arm of its base, both at their last step, paired by seed and puzzle.
Bold: differs from 0 with a p-value below ${LEVEL} after Holm's adjustment, which holds the chance of any false finding in a family
at 5 %. ${familySizes(differences)}</p>
${plainTable({
  stacked: true,
  caption: "Difference from unprimed: accuracy in points, habits in instances per completion",
  columns: ["condition", ...QUANTITIES.map(columnName), "seeds × puzzles"],
  rows,
})}
${foldedTables([testTable(context)])}`;
}

function columnName(quantity: Difference["quantity"]): string {
  if (quantity === "accuracy" || quantity === "tokens") return quantity;
  return HABIT_LABELS[quantity].toLowerCase();
}

function familySizes(differences: readonly Difference[]): string {
  const sizes = (["accuracy", "habits", "tokens"] as const).flatMap((family) => {
    const member = differences.find((one) => one.family === family);
    return member === undefined ? [] : [`${family} ${member.familySize}`];
  });
  return `Tests in each family: ${sizes.join(", ")}.`;
}

function cell(difference: Difference | undefined): Html {
  if (difference === undefined || difference.estimate.value === null) {
    return html`<span class="none">–</span>`;
  }
  const { estimate, quantity, adjusted } = difference;
  const format = formatOf(quantity);
  const value = format(estimate.value as number);
  const shown = adjusted !== null && adjusted < LEVEL ? html`<b>${value}</b>` : html`${value}`;
  const { interval } = estimate;
  const mark = interval.kind === "interval" && interval.over === "puzzles" && html`<sup>p</sup>`;
  return html`${shown} <small>${range(interval, format)}${mark}</small>`;
}

function formatOf(quantity: Difference["quantity"]): (value: number) => string {
  return quantity === "accuracy" ? points : signed;
}

function signed(value: number): string {
  const text = plain(Math.abs(value));
  return `${value < 0 ? "−" : "+"}${text}`;
}

function testTable({ comparison, styles }: ReportContext) {
  return {
    caption: "Paired t tests, and the hierarchical bootstrap beside each difference",
    columns: ["condition", "quantity", "difference", "bootstrap", "p", "p adjusted", "tested over"],
    rows: comparison.differences.map((one) => {
      const format = formatOf(one.quantity);
      const { value, bootstrap } = one.estimate;
      return {
        head: styles.find(({ id }) => id === one.arm)?.label ?? one.arm,
        cells: [
          columnName(one.quantity),
          value === null ? "–" : format(value),
          bootstrap === undefined ? "–" : range(bootstrap, format),
          probability(one.pValue),
          probability(one.adjusted),
          one.over ?? "nothing: no spread",
        ],
      };
    }),
  };
}

function probability(p: number | null): string {
  if (p === null) return "–";
  return p < 0.0001 ? "< 0.0001" : p.toFixed(4);
}

/** Habit and outcome: odds of a right answer with and without a habit, at equal difficulty and length. */
import { percent, points, range, times } from "../analysis/format.ts";
import { HABIT_LABELS } from "../analysis/labels.ts";
import type { HabitOutcome } from "../analysis/outcome-schema.ts";
import type { Interval } from "../analysis/stats/index.ts";
import type { ReportContext } from "./context.ts";
import { type Html, html, trusted } from "./html.ts";
import { foldedTables, plainTable } from "./table.ts";

const MOMENTS = {
  final: "After reinforcement learning",
  first: "Before reinforcement learning",
} as const;

/** A table a moment, and the strata behind it. */
export function outcomesSection({ comparison }: ReportContext): Html {
  const { outcomes } = comparison;
  return html`<p>Completions with a habit against completions without it, inside the conditions that write both. The odds ratio
is above 1 where those with the habit are solved more often. It is given as it is, at equal difficulty of the puzzle, and at
equal difficulty and length. Length comes after the habit, since a habit takes words: the last column asks what the
habit does beyond the words it takes. These are associations, not effects.</p>
${(["final", "first"] as const).map((moment) => {
  const rows = outcomes.filter((one) => one.moment === moment);
  return rows.length > 0 && html`<h3>${MOMENTS[moment]}</h3>${plainTable(oddsTable(rows))}`;
})}
${foldedTables(outcomes.filter(({ moment }) => moment === "final").map(strataTable))}`;
}

function oddsTable(rows: readonly HabitOutcome[]) {
  return {
    stacked: true,
    caption:
      "Share solved, and odds ratios with 95 % intervals (logistic regression, clusters: puzzles)",
    columns: [
      "habit",
      "solved with it",
      "without it",
      "points, equal difficulty and length",
      "odds ratio",
      "equal difficulty",
      "and equal length",
      "Mantel-Haenszel",
    ],
    rows: rows.map((row) => ({
      head: html`${HABIT_LABELS[row.habit]} <small>${row.arms.length} conditions${row.unjudged > 0 && `, ${row.unjudged} unjudged`}</small>`,
      cells: [
        solved(row.with),
        solved(row.without),
        row.mantelHaenszel.difference === null ? "–" : points(row.mantelHaenszel.difference),
        ...row.regressions.map(odds),
        odds(row.mantelHaenszel),
      ],
    })),
  };
}

function solved({ completions, solved: right }: HabitOutcome["with"]): Html {
  if (completions === 0) return html`<span class="none">–</span>`;
  return html`${percent(right / completions)} <small>of ${completions.toLocaleString("en")}</small>`;
}

function odds({ oddsRatio, interval }: { oddsRatio: number | null; interval: Interval }): Html {
  if (oddsRatio === null) {
    const reason = interval.kind === "undefined" ? interval.reason : "";
    return html`<span class="none" title="${reason}">–</span> <small>${reason}</small>`;
  }
  return html`${times(oddsRatio)} <small>${range(interval, times)}</small>${oddsGlyph(oddsRatio, interval)}`;
}

const WIDTH_PX = 92;
const LARGEST_LOG = Math.log(16);

/** The interval on a log axis from 1/16 to 16, with a rule at 1. */
function oddsGlyph(value: number, interval: Interval): Html {
  const at = (one: number): string => {
    const share = (Math.log(Math.max(one, 1e-9)) / LARGEST_LOG + 1) / 2;
    return (4 + (WIDTH_PX - 8) * Math.min(1, Math.max(0, share))).toFixed(1);
  };
  const span =
    interval.kind === "interval"
      ? `<line x1="${at(interval.lower)}" x2="${at(interval.upper)}" y1="7" y2="7" class="span"/>`
      : "";
  return trusted(
    `<svg class="glyph odds" viewBox="0 0 ${WIDTH_PX} 14" width="${WIDTH_PX}" height="14" aria-hidden="true">` +
      `<line x1="0" x2="${WIDTH_PX}" y1="7" y2="7" class="axis"/>` +
      `<line x1="${at(1)}" x2="${at(1)}" y1="1" y2="13" class="threshold"/>${span}` +
      `<circle cx="${at(value)}" cy="7" r="3"/></svg>`,
  );
}

const DIFFICULTY = ["easy third", "middle third", "hard third"];
const LENGTH = ["short", "middle", "long"];

function strataTable(row: HabitOutcome) {
  return {
    caption: `${HABIT_LABELS[row.habit]}: share solved with / without it, by thirds of difficulty and of length`,
    columns: ["puzzles", ...LENGTH],
    rows: DIFFICULTY.map((name, difficulty) => ({
      head: name,
      cells: LENGTH.map((_, length) => {
        const found = row.table.find(
          (one) => one.difficulty === difficulty && one.length === length,
        );
        if (found === undefined) return "–";
        return html`${solved(found.with)} / ${solved(found.without)}`;
      }),
    })),
  };
}

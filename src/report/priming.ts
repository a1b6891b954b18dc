/** The control-match proof: what the priming traces were and how each arm's match those of all_strategies. */
import * as Plot from "@observablehq/plot";
import type { PrimingSummary } from "../analysis/comparison-schema.ts";
import { percent, plain } from "../analysis/format.ts";
import { HABIT_LABELS } from "../analysis/labels.ts";
import { BEHAVIOURS, type Behaviour } from "../data/rows.ts";
import { type ArmStyle, colourOf } from "./arm-style.ts";
import { plotSvg } from "./chart.ts";
import type { ReportContext } from "./context.ts";
import { HABIT_LETTERS } from "./highlight.ts";
import { type Html, html } from "./html.ts";
import { swatch } from "./outcomes.ts";
import { plainTable } from "./table.ts";

/** Histograms of trace lengths and the table of matches. */
export function primingSection(context: ReportContext): Html {
  const { comparison } = context;
  const longest = Math.max(
    1,
    ...comparison.priming.flatMap((one) => one.lengths.map(([tokens]) => tokens)),
  );
  const reference = comparison.priming.find((one) => isReference(context, one));
  const panels = comparison.priming.map((one) => lengthPanel(context, one, reference, longest));
  return html`${matchSentence(context)}
<div class="panels">${panels}</div>
<p class="note">Token lengths of the priming traces: share of traces a bin, all panels on one scale. The outline is all
strategies.</p>
${matchTable(context)}`;
}

function isReference({ comparison }: ReportContext, one: PrimingSummary): boolean {
  const arm = comparison.arms.find((candidate) => candidate.id === one.arm);
  return arm?.condition === "all_strategies" && arm.base === comparison.mainBase;
}

/** Letter of a habit on its colour. */
function habitKey(habit: Behaviour): Html {
  const letter = HABIT_LETTERS[habit];
  return html`<span class="key h-${letter}" title="${HABIT_LABELS[habit]}">${letter}</span>`;
}

/** What the length-matched and the empty control share with all_strategies, in words. */
function matchSentence({ comparison, styles }: ReportContext): Html {
  const sentences = comparison.priming.flatMap((one) => {
    const arm = comparison.arms.find((candidate) => candidate.id === one.arm);
    if (one.match === null || arm === undefined) return [];
    if (arm.condition !== "length_matched" && arm.condition !== "empty_cot") return [];
    const { shared, unshared, equalTokens, equalAnswers } = one.match;
    const name = styles.find((style) => style.id === one.arm)?.label ?? one.arm;
    const puzzles =
      unshared === 0 ? "the same puzzles" : `${shared} common puzzles (${unshared} not shared)`;
    const tokens =
      arm.condition === "length_matched"
        ? ` and ${part(equalTokens, shared)} have exactly the same number of tokens`
        : "";
    return [
      html`<p><b>${name}</b> and all strategies use ${puzzles}: of ${shared} pairs of traces, ${part(equalAnswers, shared)} give the same answer${tokens}.</p>`,
    ];
  });
  return html`${sentences}`;
}

function part(n: number, all: number): string {
  if (n === all && all > 0) return "all";
  return n === 0 ? "none" : `${n} (${percent(n / all)})`;
}

const BINS = 30;

function lengthPanel(
  context: ReportContext,
  one: PrimingSummary,
  reference: PrimingSummary | undefined,
  longest: number,
): Html {
  const style = context.styles.find((candidate) => candidate.id === one.arm) as ArmStyle;
  const width = Math.max(1, Math.ceil((longest + 1) / BINS));
  const own = bins(one, width);
  const outline = reference === undefined ? [] : bins(reference, width);
  const chart = plotSvg(
    {
      width: 300,
      height: 110,
      marginLeft: 14,
      marginRight: 14,
      marginTop: 6,
      marginBottom: 22,
      x: { domain: [0, BINS * width] },
      y: { domain: [0, 1], type: "sqrt", axis: null },
      marks: [
        Plot.rectY(own, {
          x1: "from",
          x2: "to",
          y: "share",
          fill: colourOf(style),
          fillOpacity: 0.75,
          insetRight: 0.5,
        }),
        Plot.lineY(outline, {
          x: "from",
          y: "share",
          curve: "step-after",
          stroke: "var(--ink)",
          strokeWidth: 1,
        }),
        Plot.ruleY([0], { stroke: "var(--rule)" }),
        Plot.axisX({
          ticks: 4,
          tickSize: 3,
          fill: "var(--ink-2)",
          stroke: "var(--rule)",
          label: null,
        }),
      ],
    },
    `Token lengths of the traces of ${style.label}`,
  );
  return html`<figure class="panel"><h4>${swatch(style)} ${style.label}</h4>${chart}</figure>`;
}

function bins(one: PrimingSummary, width: number): { from: number; to: number; share: number }[] {
  const counts = new Array<number>(BINS).fill(0);
  for (const [tokens, n] of one.lengths) {
    const bin = Math.min(BINS - 1, Math.floor(tokens / width));
    counts[bin] = (counts[bin] as number) + n;
  }
  return counts.map((n, bin) => ({
    from: bin * width,
    to: (bin + 1) * width,
    share: n / Math.max(1, one.traces),
  }));
}

function matchTable({ comparison, styles }: ReportContext): Html {
  return plainTable({
    caption:
      "Priming traces: habits by the writer’s own record, mean per trace; on the right, the share with the same puzzle, answer and number of tokens as all strategies",
    columns: [
      "",
      "traces",
      "right",
      "mean tokens",
      ...BEHAVIOURS.map((habit) => habitKey(habit)),
      "puzzle",
      "answer",
      "tokens",
    ],
    rows: comparison.priming.map((one) => ({
      head: styles.find((style) => style.id === one.arm)?.label ?? one.arm,
      cells: [
        one.traces.toLocaleString("en"),
        percent(one.correct),
        plain(one.meanTokens),
        ...BEHAVIOURS.map((habit) => (one.habits === null ? "–" : plain(one.habits[habit] ?? 0))),
        ...matchCells(one),
      ],
    })),
  });
}

function matchCells({ match }: PrimingSummary): string[] {
  if (match === null) return ["–", "–", "–"];
  const all = match.shared + match.unshared;
  const share = (n: number, of: number): string => (of === 0 ? "–" : percent(n / of));
  return [
    share(match.shared, all),
    share(match.equalAnswers, match.shared),
    share(match.equalTokens, match.shared),
  ];
}

/** Best of n at equal tokens: pass@k against the tokens of k completions, and one long against several short. */
import { percent, points, range } from "../analysis/format.ts";
import type { EqualTokens } from "../analysis/outcome-schema.ts";
import type { ArmStyle } from "./arm-style.ts";
import { lineChart, type Series } from "./chart.ts";
import type { ReportContext } from "./context.ts";
import { type Html, html } from "./html.ts";
import { percentTick } from "./outcomes.ts";
import { armHead, foldedTables, plainTable, valueCell } from "./table.ts";

/** Figure and tables, or what is missing for them. */
export function bestOfNSection(context: ReportContext): Html {
  const { passCurves, equalTokens } = context.comparison;
  const samples = Math.max(0, ...passCurves.map((curve) => curve.samples));
  if (samples < 2) {
    return html`<p>Not measured. This study has one completion for each puzzle and checkpoint, which says nothing about the best of
several. With <code>completions.samples</code> of 8 or more in the study file, this section sets one long search against as
many short completions as the same tokens pay for.</p>`;
  }
  return html`<p>Chance that at least one of k completions is right (unbiased from ${samples} samples a puzzle), against the tokens of k
completions. Choosing the right one takes a check of the answer, which this task has.</p>
${passFigure(context)}
${equalTokens.length > 0 && plainTable(equalTokensTable(context, equalTokens))}
${foldedTables([passTable(context)])}`;
}

/** pass@k by tokens; also a file of its own. */
export function passFigure(context: ReportContext): Html {
  const series = passSeries(context);
  const common = {
    series,
    format: percentTick,
    xLabel: "generated tokens per puzzle",
    ceiling: 1,
    bandOpacity: 0.07,
    description: "Chance that one of k completions is right, by tokens",
  };
  return html`<figure>
<div class="wide">${lineChart({ ...common, width: 980, height: 400, endLabels: "long" })}</div>
<div class="narrow">${lineChart({ ...common, width: 390, height: 320, endLabels: "short" })}</div>
<figcaption>pass@k at the last step, per cent; each marker is one k.</figcaption></figure>`;
}

/** One series an arm with two samples or more. */
export function passSeries({ comparison, styles }: ReportContext): Series[] {
  return comparison.passCurves.flatMap((curve) => {
    const style = styles.find(({ id }) => id === curve.arm);
    if (style === undefined || curve.samples < 2) return [];
    const points = curve.points.flatMap(({ tokens, estimate: { value, interval } }) => {
      if (value === null) return [];
      const band =
        interval.kind === "interval" ? { lower: interval.lower, upper: interval.upper } : {};
      return [{ x: tokens, y: value, ...band }];
    });
    return [{ style, points }];
  });
}

function equalTokensTable({ styles }: ReportContext, rows: readonly EqualTokens[]) {
  const styleOf = (id: string) => styles.find((one) => one.id === id) as ArmStyle;
  return {
    caption: "One long completion against several short ones for the same tokens",
    columns: ["long", "against", "tokens", "samples", "long", "parallel", "difference in points"],
    rows: rows.map((row) => {
      const { value, interval } = row.difference;
      return {
        head: armHead(styleOf(row.long)),
        cells: [
          styleOf(row.parallel).label,
          row.tokens.toFixed(0),
          row.k.toFixed(1),
          row.longPass === null ? "–" : percent(row.longPass),
          row.parallelPass === null ? "–" : percent(row.parallelPass),
          value === null
            ? html`<small>${interval.kind === "undefined" && interval.reason}</small>`
            : html`${points(value)} <small>${range(interval, points)}</small>`,
        ],
      };
    }),
  };
}

function passTable({ comparison, styles }: ReportContext) {
  const ks = [...new Set(comparison.passCurves.flatMap((one) => one.points.map(({ k }) => k)))];
  return {
    caption: "pass@k, per cent",
    columns: ["condition", "tokens each", ...ks.map((k) => `k = ${k}`)],
    rows: comparison.passCurves.flatMap((curve) => {
      const style = styles.find(({ id }) => id === curve.arm);
      if (style === undefined) return [];
      const cells = ks.map((k) => {
        const point = curve.points.find((one) => one.k === k)?.estimate;
        if (point === undefined) return "–";
        return valueCell(point.value, point.interval, (share) => (100 * share).toFixed(1));
      });
      return [
        { head: armHead(style), cells: [(curve.points[0]?.tokens ?? 0).toFixed(0), ...cells] },
      ];
    }),
  };
}

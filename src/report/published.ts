/** Published results beside ours: curves by share of training, start and end, and the faults of the published files. */
import { percent, range } from "../analysis/format.ts";
import type { PublishedPoint, PublishedResult } from "../analysis/published/schema.ts";
import type { Interval } from "../analysis/stats/index.ts";
import type { ArmStyle } from "./arm-style.ts";
import { lineChart, type Series } from "./chart.ts";
import type { ReportContext } from "./context.ts";
import { type Html, html } from "./html.ts";
import { finalOf, percentTick } from "./outcomes.ts";
import { armHead, plainTable } from "./table.ts";

/** Number of the colour of published curves; `report.css` defines `--arm-900`. */
const PUBLISHED_COLOUR = 900;

/** A block for each file: panels, table, faults. */
export function publishedSection(
  context: ReportContext,
  results: readonly PublishedResult[],
): Html {
  return html`<p>Ours in colour, published values dashed grey, both against the share of the training that each had, since neither models nor
steps are alike. Published points have one seed; their bands are Wilson intervals over puzzles. Points with a fault are
left out, not averaged.</p>
${results.map((result) => resultBlock(context, result))}`;
}

function resultBlock(context: ReportContext, result: PublishedResult): Html {
  const matched = context.styles.flatMap((style) => {
    const arm = context.comparison.arms[style.index];
    if (arm === undefined || arm.base !== context.comparison.mainBase) return [];
    const points = result.points.filter((one) => one.condition === arm.condition && one.usable);
    return points.length > 0 ? [{ style, arm, points }] : [];
  });
  const panels = matched.map(({ style, arm, points }) => {
    const last = Math.max(1, ...arm.steps.map((one) => one.step));
    const own: Series = {
      style,
      points: arm.steps.flatMap(({ step, accuracy: { value, interval } }) =>
        value === null ? [] : [{ x: step / last, y: value, ...ends(interval) }],
      ),
    };
    const chart = lineChart({
      series: [publishedSeries(style, points), own],
      width: 300,
      height: 190,
      format: percentTick,
      include: [0, 0.8],
      ceiling: 1,
      dots: false,
      xLabel: "share of training",
      description: `Accuracy of ${style.label}, ours and published`,
    });
    return html`<figure class="panel arm-${style.index}"><h4>${armHead(style)}</h4>${chart}</figure>`;
  });
  return html`<h3>${result.source}</h3>
<div class="panels">${panels}</div>
${plainTable({
  stacked: true,
  caption: "Accuracy at the first and last step, with 95 % intervals",
  columns: ["condition", "ours, first", "ours, last", "published, first", "published, last"],
  rows: matched.map(({ style, arm, points }) => ({
    head: armHead(style),
    cells: [
      cell(arm.steps[0]?.accuracy),
      cell(finalOf(arm)?.accuracy),
      publishedCell(points.find((one) => one.step === 0)),
      publishedCell(points.at(-1)),
    ],
  })),
})}
${faultList(result)}`;
}

function publishedSeries(style: ArmStyle, points: readonly PublishedPoint[]): Series {
  const last = Math.max(1, ...points.map((one) => one.step));
  return {
    style: { ...style, index: PUBLISHED_COLOUR, dash: "4 3", width: 1.5 },
    points: points.flatMap(({ step, accuracy, interval }) =>
      accuracy === null ? [] : [{ x: step / last, y: accuracy, ...ends(interval) }],
    ),
  };
}

function ends(interval: Interval): { lower?: number; upper?: number } {
  return interval.kind === "interval" ? { lower: interval.lower, upper: interval.upper } : {};
}

function cell(estimate: { value: number | null; interval: Interval } | undefined, note = ""): Html {
  if (estimate === undefined || estimate.value === null) return html`<span class="none">–</span>`;
  const text = range(estimate.interval, (value) => (100 * value).toFixed(1));
  return html`${percent(estimate.value)} <small>${text}${note}</small>`;
}

function publishedCell(point: PublishedPoint | undefined): Html {
  if (point === undefined) return html`<span class="none">–</span>`;
  const note = `, step ${point.step}, n ${point.puzzles ?? "unknown"}`;
  return cell({ value: point.accuracy, interval: point.interval }, note);
}

function faultList({ faults }: PublishedResult): Html {
  if (faults.length === 0) return html`<p class="note">No fault was found in the file.</p>`;
  return html`<details class="numbers"><summary>${faults.length} faults of the file</summary>
<ul class="faults">${faults.map((fault) => html`<li>${fault.text}.</li>`)}</ul></details>`;
}

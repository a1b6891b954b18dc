/** Accuracy: the dot plot of before and after, the curves by step, and one small panel an arm with its seeds. */
import * as Plot from "@observablehq/plot";
import type { ArmSummary, StepSummary } from "../analysis/comparison-schema.ts";
import { percent } from "../analysis/format.ts";
import type { Estimate } from "../analysis/stats/index.ts";
import { type ArmStyle, colourOf } from "./arm-style.ts";
import { lineChart, plotSvg } from "./chart.ts";
import { allSteps, type ReportContext, seriesOf, someSteps } from "./context.ts";
import { type Html, html } from "./html.ts";
import { foldedTables, type NumberTable, valueCell } from "./table.ts";

/** `61` for 0.61: axis labels in percent. */
export function percentTick(share: number): string {
  return `${Math.round(100 * share)}`;
}

interface OutcomeRow {
  readonly style: ArmStyle;
  readonly before: Estimate | undefined;
  readonly after: Estimate | undefined;
}

function outcomeRows({ comparison, styles }: ReportContext): OutcomeRow[] {
  return comparison.arms.map((arm, at) => ({
    style: styles[at] as ArmStyle,
    before: arm.steps[0]?.accuracy,
    after: finalOf(arm)?.accuracy,
  }));
}

/** The summary of an arm at the last step that all its seeds have. */
export function finalOf(arm: ArmSummary): StepSummary | undefined {
  return arm.steps.find((step) => step.step === arm.finalStep);
}

/** Accuracy before and after reinforcement learning, one row an arm. */
export function outcomeFigure(context: ReportContext): Html {
  const rows = outcomeRows(context);
  return html`<figure>
<div class="wide">${outcomePlot(rows, 980, 262, "long")}</div>
<div class="narrow">${outcomePlot(rows, 390, 78, "short")}</div>
<figcaption>Accuracy on the same held-out puzzles at temperature 1, per cent. Hollow: before reinforcement learning;
filled: after, with its 95 % interval; ticks: single seeds.</figcaption>
</figure>`;
}

/** The dot plot alone, as SVG. */
export function outcomeSvg(context: ReportContext): Html {
  return outcomePlot(outcomeRows(context), 980, 262, "long");
}

function outcomePlot(
  rows: readonly OutcomeRow[],
  width: number,
  marginLeft: number,
  names: "short" | "long",
): Html {
  const name = (row: OutcomeRow): string => (names === "long" ? row.style.label : row.style.short);
  const high = Math.max(0.1, ...rows.flatMap((row) => upperEnds(row)));
  const marks: Plot.Markish[] = [
    Plot.gridX({ ticks: 6, stroke: "var(--grid)", strokeOpacity: 1 }),
    Plot.axisX({
      ticks: 6,
      tickSize: 0,
      tickFormat: percentTick,
      fill: "var(--ink-2)",
      label: null,
    }),
    Plot.axisY({
      tickSize: 0,
      label: null,
      fill: "var(--ink)",
      fontSize: names === "long" ? 13 : 11,
    }),
    ...rows.flatMap((row) => outcomeMarks(row, name(row))),
  ];
  return plotSvg(
    {
      width,
      height: 26 * rows.length + 34,
      marginLeft,
      marginRight: 52,
      marginTop: 6,
      marginBottom: 26,
      x: { domain: [0, Math.min(1, high * 1.02)] },
      y: { type: "band", domain: rows.map(name), padding: 0.1, label: null },
      marks,
    },
    "Accuracy of every condition before and after reinforcement learning",
  );
}

function upperEnds(row: OutcomeRow): number[] {
  const { before, after } = row;
  const upper = after?.interval.kind === "interval" ? after.interval.upper : 0;
  return [before?.value ?? 0, after?.value ?? 0, upper];
}

function outcomeMarks({ style, before, after }: OutcomeRow, name: string): Plot.Markish[] {
  const stroke = colourOf(style);
  const className = `arm-${style.index}`;
  const y = (): string => name;
  const from = before?.value ?? null;
  const to = after?.value ?? null;
  const interval = after?.interval.kind === "interval" ? after.interval : undefined;
  const seeds = after?.bySeed ?? [];
  const marks: Plot.Markish[] = [];
  if (from !== null && to !== null) {
    const ends = { x1: () => from, x2: () => to };
    marks.push(Plot.ruleY([0], { ...ends, y, stroke: "var(--rule)", className }));
  }
  if (interval !== undefined) {
    const ends = { x1: () => interval.lower, x2: () => interval.upper };
    marks.push(
      Plot.ruleY([0], { ...ends, y, stroke, strokeWidth: 6, strokeOpacity: 0.28, className }),
    );
  }
  if (seeds.length > 1) {
    marks.push(
      Plot.tickX(seeds, { x: "value", y, stroke, strokeWidth: 1.25, inset: 5, className }),
    );
  }
  if (from !== null) {
    const hollow = { r: 3.5, stroke, fill: "var(--paper)", strokeWidth: 1.5, className };
    marks.push(Plot.dot([0], { x: () => from, y, ...hollow }));
  }
  if (to !== null) {
    const right = Math.max(interval?.upper ?? to, to, from ?? 0);
    marks.push(
      Plot.dot([0], { x: () => to, y, r: 4.5, fill: stroke, className }),
      Plot.text([(100 * to).toFixed(1)], {
        x: () => right,
        y,
        dx: 9,
        textAnchor: "start",
        fill: "var(--ink)",
        fontSize: 12,
        className,
      }),
    );
  }
  return marks;
}

/** Curves of all arms in one chart, the legend that shows and hides them, panels by arm, and the numbers. */
export function accuracySection(context: ReportContext): Html {
  const series = seriesOf(context, (step) => step.accuracy);
  const common = {
    series,
    format: percentTick,
    xLabel: "step",
    ceiling: 1,
    bandOpacity: 0.07,
    readout: percent,
    description: "Accuracy by training step for every condition",
  };
  return html`${legend(context)}
<figure>
<div class="wide">${lineChart({ ...common, width: 980, height: 430, endLabels: "long" })}</div>
<div class="narrow">${lineChart({ ...common, width: 390, height: 330, endLabels: "short" })}</div>
<figcaption>Accuracy by step of reinforcement learning, per cent; bands are 95 % intervals${levelNote(context)}.</figcaption>
</figure>
<h3>Condition by condition</h3>
<div class="panels">${series.map((_, at) => armPanel(context, at, series))}</div>
${foldedTables([accuracyTable(context)])}`;
}

function levelNote({ comparison }: ReportContext): Html {
  const oneSeed = comparison.arms.every((arm) => arm.seeds.length === 1);
  return oneSeed
    ? html` over puzzles for the one seed that was run; they say nothing about other seeds`
    : html` over seeds where there are two or more, over puzzles otherwise`;
}

function armPanel(context: ReportContext, at: number, series: ReturnType<typeof seriesOf>): Html {
  const own = series[at];
  const arm = context.comparison.arms[at];
  if (own === undefined || arm === undefined) return html``;
  const seeds = arm.seeds.length > 1 ? seedLines(arm, own.style) : [];
  const description = `Accuracy by step: ${own.style.label}`;
  const chart = lineChart({
    series: [...seeds, own],
    backdrop: series.filter((_, other) => other !== at),
    width: 300,
    height: 150,
    format: percentTick,
    ceiling: 1,
    dots: false,
    description,
  });
  return html`<figure class="panel arm-${own.style.index}"><h4>${swatch(own.style)} ${own.style.label}</h4>${chart}</figure>`;
}

/** Each seed as a hairline in the colour of the arm. */
function seedLines(arm: ArmSummary, style: ArmStyle): ReturnType<typeof seriesOf> {
  return arm.seeds.map((seed) => ({
    style: { ...style, width: 0.75, dash: undefined },
    points: arm.steps.flatMap((step) => {
      const found = step.accuracy.bySeed.find((one) => one.seed === seed);
      return found === undefined ? [] : [{ x: step.step, y: found.value }];
    }),
  }));
}

/** Boxes that show and hide an arm in every figure; they work without a script. */
function legend({ styles }: ReportContext): Html {
  return html`<fieldset class="legend"><legend>Conditions shown in all figures</legend>${styles.map(
    (style) =>
      html`<label><input type="checkbox" id="show-${style.index}" checked>${swatch(style)}<span>${style.label}</span></label>`,
  )}</fieldset>`;
}

/** A short piece of the arm's line with its marker. */
export function swatch(style: ArmStyle): Html {
  const chart = plotSvg(
    {
      width: 30,
      height: 12,
      margin: 0,
      axis: null,
      x: { domain: [0, 2] },
      y: { domain: [-1, 1] },
      marks: [
        Plot.ruleY([0], {
          x1: 0,
          x2: 2,
          stroke: colourOf(style),
          strokeWidth: style.width,
          ...(style.dash === undefined ? {} : { strokeDasharray: style.dash }),
        }),
        Plot.dot([0], {
          x: 1,
          y: 0,
          symbol: style.marker,
          r: 3,
          fill: "var(--paper)",
          stroke: colourOf(style),
          strokeWidth: 1.5,
        }),
      ],
    },
    "",
  );
  return html`<span class="swatch" aria-hidden="true">${chart}</span>`;
}

function accuracyTable(context: ReportContext): NumberTable {
  return stepTable(
    context,
    "Accuracy by step, per cent",
    (step) => step.accuracy,
    (value) => (100 * value).toFixed(1),
  );
}

/** Rows are arms, columns at most eight steps. */
export function stepTable(
  { comparison, styles }: ReportContext,
  caption: string,
  estimate: (step: StepSummary) => Estimate,
  format: (value: number) => string,
): NumberTable {
  const steps = someSteps(allSteps(comparison.arms), 8);
  return {
    caption,
    columns: ["", ...steps.map((step) => `step ${step}`)],
    rows: comparison.arms.map((arm, at) => ({
      head: (styles[at] as ArmStyle).label,
      cells: steps.map((step) => {
        const found = arm.steps.find((one) => one.step === step);
        if (found === undefined) return html`<span class="none">–</span>`;
        const { value, interval } = estimate(found);
        return valueCell(value, interval, format);
      }),
    })),
  };
}

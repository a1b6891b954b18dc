/**
 * Charts as inline SVG, drawn by Observable Plot into a linkedom document: no browser, no network. Every series has the
 * class of its arm, colours are custom properties, so that schemes and the legend's boxes work by style sheet alone.
 */
import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import { type ArmStyle, colourOf } from "./arm-style.ts";
import { endLabels } from "./end-labels.ts";
import { type Html, html, trusted } from "./html.ts";

const { document } = parseHTML("<html><body></body></html>");

/** A point of a series; `lower` and `upper` span the band where both are given. */
export interface Point {
  readonly x: number;
  readonly y: number;
  readonly lower?: number;
  readonly upper?: number;
}

export interface Series {
  readonly style: ArmStyle;
  readonly points: readonly Point[];
}

export interface LineChartOptions {
  readonly series: readonly Series[];
  readonly width: number;
  readonly height: number;
  readonly format: (value: number) => string;
  readonly xLabel?: string;
  /** Values that the vertical axis must include. */
  readonly include?: readonly number[];
  /** Upper end that bands may not push the axis beyond. */
  readonly ceiling?: number;
  /** Whether each line is named at its right end. */
  readonly endLabels?: "short" | "long" | "none";
  readonly bands?: boolean;
  readonly bandOpacity?: number;
  readonly dots?: boolean;
  /** Series drawn thin and without colour behind the others. */
  readonly backdrop?: readonly Series[];
  readonly description: string;
  /** Format of the values in the read-out under the pointer; none without it. */
  readonly readout?: (value: number) => string;
}

/** Serialised SVG of a Plot specification; the library's own style element is dropped, ours replaces it. */
export function plotSvg(
  options: Plot.PlotOptions,
  description: string,
  attributes: Html = html``,
): Html {
  const svg = Plot.plot({
    document,
    className: "plot",
    ...options,
  } as Plot.PlotOptions) as unknown as {
    outerHTML: string;
  };
  const markup = svg.outerHTML
    .replace(/<style>[\s\S]*?<\/style>/g, "")
    .replace(/="[^"]*"/g, (attribute) => attribute.replace(/\d+\.\d{3,}/g, roundCoordinate));
  const label = html`<svg role="img" aria-label="${description}"${attributes}`;
  return trusted(markup.replace("<svg", label.text));
}

const MARGIN_BOTTOM_PX = 34;
const MARGIN_TOP_PX = 14;
const MARGIN_LEFT_PX = 40;

function roundCoordinate(digits: string): string {
  return String(Math.round(Number(digits) * 100) / 100);
}

/** Lines by step with bands, markers and names at the right end. */
export function lineChart(options: LineChartOptions): Html {
  const { series, width, height, format } = options;
  const backdrop = options.backdrop ?? [];
  const labels = options.endLabels ?? "none";
  const marginRight = labels === "none" ? 14 : labels === "long" ? 262 : 76;
  const domain = verticalDomain(options);
  const xs = [...series, ...backdrop].flatMap((one) => one.points.map((point) => point.x));
  const x: [number, number] = [Math.min(0, ...xs), Math.max(1, ...xs)];
  const innerWidthPx = width - MARGIN_LEFT_PX - marginRight;
  const innerHeightPx = height - MARGIN_TOP_PX - MARGIN_BOTTOM_PX;
  const marks: Plot.Markish[] = [
    Plot.gridY({ ticks: 4, stroke: "var(--grid)", strokeOpacity: 1 }),
    Plot.axisY({ ticks: 4, tickSize: 0, tickFormat: format, fill: "var(--ink-2)", label: null }),
    Plot.axisX({
      ticks: width > 500 ? 8 : 4,
      tickSize: 3,
      tickFormat: (value: number) => String(value),
      fill: "var(--ink-2)",
      stroke: "var(--rule)",
      label: options.xLabel ?? null,
      labelArrow: "none",
      labelAnchor: "center",
      labelOffset: 30,
    }),
    ...backdrop.map((one) =>
      Plot.lineY(one.points, { x: "x", y: "y", stroke: "var(--backdrop)", strokeWidth: 1 }),
    ),
    ...(options.bands === false
      ? []
      : series.flatMap((one) => band(one, options.bandOpacity ?? 0.13, domain))),
    ...series.flatMap((one) => lineMarks(one, options.dots !== false)),
    ...(labels === "none"
      ? []
      : endLabels({ series, long: labels === "long", x, y: domain, innerWidthPx, innerHeightPx })),
  ];
  return plotSvg(
    {
      width,
      height,
      marginLeft: MARGIN_LEFT_PX,
      marginRight,
      marginTop: MARGIN_TOP_PX,
      marginBottom: MARGIN_BOTTOM_PX,
      x: { domain: x },
      y: { domain },
      marks,
    },
    options.description,
    hoverData(options, { left: MARGIN_LEFT_PX, right: width - marginRight, x }),
  );
}

/** What the script needs for its read-out: the plot area and the values, already formatted. */
function hoverData(
  { series, readout }: LineChartOptions,
  area: { left: number; right: number; x: readonly [number, number] },
): Html | undefined {
  if (readout === undefined) return undefined;
  const lines = series.map(({ style, points }) => ({
    arm: style.index,
    name: style.label,
    at: points.map((point) => [point.x, point.y, readout(point.y)]),
  }));
  return html` data-hover="${JSON.stringify({ ...area, lines })}"`;
}

/** Band of a series, cut at the ends of the axis here, because clip paths would need page-wide ids. */
function band(
  one: Series,
  fillOpacity: number,
  [low, high]: readonly [number, number],
): Plot.Markish[] {
  const points = one.points.flatMap(({ x, lower, upper }) =>
    lower === undefined || upper === undefined
      ? []
      : [{ x, lower: Math.max(lower, low), upper: Math.min(upper, high) }],
  );
  if (points.length < 2) return [];
  const fill = colourOf(one.style);
  const className = `arm-${one.style.index}`;
  return [Plot.areaY(points, { x: "x", y1: "lower", y2: "upper", fill, fillOpacity, className })];
}

function lineMarks(one: Series, dots: boolean): Plot.Markish[] {
  const stroke = colourOf(one.style);
  const className = `arm-${one.style.index}`;
  const line = Plot.lineY(one.points, {
    x: "x",
    y: "y",
    stroke,
    strokeWidth: one.style.width,
    ...(one.style.dash === undefined ? {} : { strokeDasharray: one.style.dash }),
    className,
  });
  if (!dots && one.points.length > 1) return [line];
  const dot = Plot.dot(one.points, {
    x: "x",
    y: "y",
    symbol: one.style.marker,
    r: 2.9,
    fill: "var(--paper)",
    stroke,
    strokeWidth: 1.5,
    className,
  });
  return [line, dot];
}

/** Range of the vertical axis: all values and, up to the ceiling, all bands, with a little room. */
function verticalDomain(options: LineChartOptions): [number, number] {
  const all = [...options.series, ...(options.backdrop ?? [])].flatMap((one) => one.points);
  const values = [...all.map((point) => point.y), ...(options.include ?? [])];
  const bands = options.bands === false ? [] : all;
  const ceiling = options.ceiling ?? Number.POSITIVE_INFINITY;
  const high = Math.max(
    ...values,
    ...bands.map((point) => Math.min(point.upper ?? Number.NEGATIVE_INFINITY, ceiling)),
  );
  const low = Math.min(...values);
  if (!Number.isFinite(high) || !Number.isFinite(low)) return [0, 1];
  const room = 0.04 * (high - low || Math.abs(high) || 1);
  return [low < 0 ? low - room : Math.min(low, 0), high + room];
}

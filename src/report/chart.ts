/**
 * Charts as inline SVG, drawn by Observable Plot into a linkedom document: no browser, no network. Every series has the
 * class of its arm, colours are custom properties, so that schemes and the legend's boxes work by style sheet alone.
 */
import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import { type ArmStyle, colourOf } from "./arm-style.ts";
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
  readonly dots?: boolean;
  /** Series drawn thin and without colour behind the others. */
  readonly backdrop?: readonly Series[];
  readonly description: string;
}

/** Serialised SVG of a Plot specification; the library's own style element is dropped, ours replaces it. */
export function plotSvg(options: Plot.PlotOptions, description: string): Html {
  const svg = Plot.plot({
    document,
    className: "plot",
    ...options,
  } as Plot.PlotOptions) as unknown as {
    outerHTML: string;
  };
  const markup = svg.outerHTML
    .replace(/<style>[\s\S]*?<\/style>/g, "")
    .replace(/\d+\.\d{3,}/g, (digits) => String(Math.round(Number(digits) * 100) / 100));
  const label = html`<svg role="img" aria-label="${description}"`;
  return trusted(markup.replace("<svg", label.text));
}

const LABEL_SPACING_PX = 12;
const MARGIN_BOTTOM_PX = 30;
const MARGIN_TOP_PX = 14;
const MARGIN_LEFT_PX = 40;

/** Lines by step with bands, markers and names at the right end. */
export function lineChart(options: LineChartOptions): Html {
  const { series, width, height, format } = options;
  const backdrop = options.backdrop ?? [];
  const labels = options.endLabels ?? "none";
  const marginRight = labels === "none" ? 14 : labels === "long" ? 216 : 72;
  const domain = verticalDomain(options);
  const xs = [...series, ...backdrop].flatMap((one) => one.points.map((point) => point.x));
  const x: [number, number] = [Math.min(0, ...xs), Math.max(1, ...xs)];
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
    }),
    ...backdrop.map((one) =>
      Plot.lineY(one.points, { x: "x", y: "y", stroke: "var(--backdrop)", strokeWidth: 1 }),
    ),
    ...(options.bands === false ? [] : series.flatMap(band)),
    ...series.flatMap((one) => lineMarks(one, options.dots !== false)),
    ...(labels === "none"
      ? []
      : endLabels(options, domain, x, width - MARGIN_LEFT_PX - marginRight)),
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
  );
}

function band(one: Series): Plot.Markish[] {
  const points = one.points.filter((p) => p.lower !== undefined && p.upper !== undefined);
  if (points.length < 2) return [];
  return [
    Plot.areaY(points, {
      x: "x",
      y1: "lower",
      y2: "upper",
      fill: colourOf(one.style),
      fillOpacity: 0.11,
      className: `arm-${one.style.index}`,
      clip: true,
    }),
  ];
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

/** Names at the line ends, moved apart so that none overlaps, each joined to its line by a hairline. */
function endLabels(
  options: LineChartOptions,
  domain: readonly [number, number],
  [xStart, xEnd]: readonly [number, number],
  innerWidthPx: number,
): Plot.Markish[] {
  const innerPx = options.height - MARGIN_TOP_PX - MARGIN_BOTTOM_PX;
  const perPx = (domain[1] - domain[0]) / innerPx;
  const perPxX = (xEnd - xStart) / innerWidthPx;
  const ends = options.series.flatMap((one) => {
    const last = one.points.at(-1);
    return last === undefined ? [] : [{ one, y: last.y, x: last.x }];
  });
  const placed = spread(
    ends.map((end) => (end.y - domain[0]) / perPx),
    LABEL_SPACING_PX,
    innerPx,
  ).map((px) => domain[0] + px * perPx);
  return ends.flatMap((end, i) => {
    const className = `arm-${end.one.style.index}`;
    const at = placed[i] as number;
    const text = options.endLabels === "long" ? end.one.style.label : end.one.style.short;
    return [
      Plot.link([end], {
        x1: end.x + 5 * perPxX,
        x2: xEnd + 9 * perPxX,
        y1: end.y,
        y2: at,
        stroke: colourOf(end.one.style),
        strokeWidth: 0.75,
        strokeOpacity: 0.6,
        className,
      }),
      Plot.text([text], {
        x: xEnd,
        y: at,
        dx: 11,
        textAnchor: "start",
        fill: colourOf(end.one.style),
        fontWeight: 600,
        className,
      }),
    ];
  });
}

/**
 * Positions at least `gap` apart, as near as possible to the wanted ones, inside [0, length] where they fit.
 * Neighbours that collide are merged into a block that is centred on the mean of what its members wanted.
 */
export function spread(wanted: readonly number[], gap: number, length: number): number[] {
  const order = wanted
    .map((_, i) => i)
    .sort((a, b) => (wanted[a] as number) - (wanted[b] as number));
  const blocks: { members: number[]; start: number }[] = [];
  const startOf = (members: readonly number[]): number => {
    const offsets = members.map((member, k) => (wanted[member] as number) - k * gap);
    const middle = offsets.reduce((sum, value) => sum + value, 0) / members.length;
    return Math.max(0, Math.min(middle, length - (members.length - 1) * gap));
  };
  for (const member of order) {
    let block = { members: [member], start: startOf([member]) };
    for (let last = blocks.at(-1); last !== undefined; last = blocks.at(-1)) {
      if (last.start + last.members.length * gap <= block.start) break;
      blocks.pop();
      const members = [...last.members, ...block.members];
      block = { members, start: startOf(members) };
    }
    blocks.push(block);
  }
  const result = wanted.map(() => 0);
  for (const block of blocks) {
    block.members.forEach((member, k) => {
      result[member] = block.start + k * gap;
    });
  }
  return result;
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

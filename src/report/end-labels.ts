/** Names at the right ends of lines, moved apart so that none covers another, each joined to its line by a hairline. */
import * as Plot from "@observablehq/plot";
import { colourOf } from "./arm-style.ts";
import type { Series } from "./chart.ts";

export interface EndLabelOptions {
  readonly series: readonly Series[];
  /** Full names, in larger type. */
  readonly long: boolean;
  readonly x: readonly [number, number];
  readonly y: readonly [number, number];
  readonly innerWidthPx: number;
  readonly innerHeightPx: number;
}

interface End {
  readonly x: number;
  readonly y: number;
  readonly text: string;
  readonly colour: string;
  readonly className: string;
}

/** Arms that end at 0 share one name from this many on; their names would fill the panel. */
const SHARED_FROM = 4;

/** Marks for the names; the right margin must have room for them. */
export function endLabels(options: EndLabelOptions): Plot.Markish[] {
  const { x, y, innerHeightPx } = options;
  const perPxY = (y[1] - y[0]) / innerHeightPx;
  const perPxX = (x[1] - x[0]) / options.innerWidthPx;
  const ends = shareZero(endsOf(options), perPxY);
  const placedPx = spread(
    ends.map((end) => (end.y - y[0]) / perPxY),
    options.long ? 15 : 11.5,
    innerHeightPx,
  );
  return ends.flatMap((end, i) => {
    const at = y[0] + (placedPx[i] as number) * perPxY;
    const line = { x1: end.x + 5 * perPxX, x2: x[1] + 9 * perPxX, y1: end.y, y2: at };
    const { className, colour } = end;
    return [
      Plot.link([0], { ...line, stroke: colour, strokeWidth: 0.75, strokeOpacity: 0.6, className }),
      Plot.text([end.text], {
        x: x[1],
        y: at,
        dx: 11,
        textAnchor: "start",
        fill: colour,
        fontWeight: 600,
        fontSize: options.long ? 12.5 : 11,
        className,
      }),
    ];
  });
}

function endsOf({ series, long }: EndLabelOptions): End[] {
  return series.flatMap(({ style, points }) => {
    const last = points.at(-1);
    if (last === undefined) return [];
    const text = long ? style.label : style.short;
    return [
      { x: last.x, y: last.y, text, colour: colourOf(style), className: `arm-${style.index}` },
    ];
  });
}

function shareZero(ends: readonly End[], perPxY: number): End[] {
  const zeros = ends.filter((end) => Math.abs(end.y) < perPxY);
  const first = zeros[0];
  if (first === undefined || zeros.length < SHARED_FROM) return [...ends];
  const text = zeros.length === ends.length ? `all ${zeros.length}` : `${zeros.length} others`;
  const shared = { ...first, text, colour: "var(--ink-2)", className: "shared" };
  return [...ends.filter((end) => !zeros.includes(end)), shared];
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

/** Numbers as people read them; the same in the readings of claims and in the report. */
import type { Interval } from "./stats/index.ts";

/** A share as a percentage with one decimal and a space that does not break: `61.2 %`. */
export function percent(share: number): string {
  return `${(100 * share).toFixed(1)}\u00a0%`;
}

/** A difference of shares in percentage points with its sign: `+3.1` or `−0.4`. */
export function points(difference: number): string {
  const text = Math.abs(100 * difference).toFixed(1);
  if (text === "0.0") return text;
  return `${difference < 0 ? "−" : "+"}${text}`;
}

/** A ratio: two digits below ten, one above. */
export function times(ratio: number): string {
  return ratio < 10 ? ratio.toFixed(2) : ratio.toFixed(1);
}

/** A count or a length: two digits below ten, one below a hundred, none above. */
export function plain(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size < 10) return value.toFixed(2);
  return size < 100 ? value.toFixed(1) : value.toFixed(0);
}

/** Interval ends joined by `to`; an undefined interval gives `no interval`. */
export function range(interval: Interval, format: (value: number) => string): string {
  if (interval.kind === "undefined") return "no interval";
  return `${format(interval.lower)} to ${format(interval.upper)}`;
}

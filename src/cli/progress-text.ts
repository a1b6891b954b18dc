/** Text of durations, rates and progress lines; pure, so that the same numbers always read the same. */
import type { Progress } from "../util/progress.ts";

/** Seconds as `42 s`, `3 min 05 s` or `2 h 10 min`; negative and non-finite values as `?`. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return "?";
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} min`;
}

/** Bytes as `512 B`, `3.4 MB`, in powers of 1000. */
export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  // 999.5 would be rounded up to 1.00e+3
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toPrecision(3)} ${units[unit]}`;
}

/** A number with about three significant digits, without an exponent for everyday sizes. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size >= 1000 || Number.isInteger(value)) return Math.round(value).toLocaleString("en-US");
  if (size >= 100) return value.toFixed(0);
  if (size >= 10) return value.toFixed(1);
  return size >= 0.01 || size === 0 ? value.toFixed(3).replace(/0$/, "") : value.toExponential(1);
}

/** Rate in units a second since `startedAt`, counting only work done since then; undefined before any. */
export function progressRate(
  first: Progress,
  latest: Progress,
  elapsedS: number,
): number | undefined {
  const done = latest.done - first.done;
  return done > 0 && elapsedS > 0 ? done / elapsedS : undefined;
}

/** `label  12/50 steps, 0.40/s, 1 min 35 s left  reward 0.42`. */
export function formatProgress(
  label: string,
  progress: Progress,
  rate: number | undefined,
): string {
  const parts = [`${progress.done}/${progress.total} ${progress.unit}`];
  if (rate !== undefined) {
    parts.push(`${formatNumber(rate)}/s`);
    const left = progress.total - progress.done;
    if (left > 0) parts.push(`${formatDuration(left / rate)} left`);
  }
  return `${label}  ${parts.join(", ")}${formatMetrics(progress)}`;
}

/** `  reward 0.42  length 80`; empty without metrics. */
export function formatMetrics(progress: Progress | undefined): string {
  return Object.entries(progress?.metrics ?? {})
    .map(([name, value]) => `  ${name} ${formatNumber(value)}`)
    .join("");
}

function pad(value: number): string {
  return String(value).padStart(2, "0");
}

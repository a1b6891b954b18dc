/** Moments and quantiles of plain lists of numbers. Undefined results are `undefined` or an error, never a number. */

/**
 * Arithmetic mean.
 * @throws RangeError for an empty list.
 */
export function mean(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("the mean of no values is not defined");
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

/** Sample variance (divisor n - 1); `undefined` for fewer than two values. */
export function variance(values: readonly number[]): number | undefined {
  if (values.length < 2) return undefined;
  const center = mean(values);
  let sum = 0;
  for (const value of values) sum += (value - center) ** 2;
  return sum / (values.length - 1);
}

/** Standard error of the mean, sqrt(variance / n); `undefined` for fewer than two values. */
export function standardError(values: readonly number[]): number | undefined {
  const spread = variance(values);
  return spread === undefined ? undefined : Math.sqrt(spread / values.length);
}

/**
 * Quantile of an ascending list with linear interpolation between order statistics (type 7, the NumPy default).
 * @throws RangeError for an empty list or a probability outside [0, 1].
 */
export function quantileSorted(sorted: ArrayLike<number>, probability: number): number {
  if (sorted.length === 0 || !(probability >= 0 && probability <= 1)) {
    throw new RangeError(`quantile ${probability} of ${sorted.length} values is not defined`);
  }
  const position = (sorted.length - 1) * probability;
  const below = Math.floor(position);
  const low = sorted[below] as number;
  const high = sorted[Math.min(below + 1, sorted.length - 1)] as number;
  return low + (high - low) * (position - below);
}

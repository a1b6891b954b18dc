/**
 * The distribution that a token is drawn from. The filters stand in the order of Python transformers: temperature, top-k,
 * top-p, min-p, each on what the one before left over. Probabilities come with the temperature applied; the filters keep a
 * set of tokens and what they keep is scaled to sum to 1.
 */

/** Filters of a distribution; an absent one keeps everything. */
export interface Filters {
  /** Tokens that are at least as likely as the k-th likeliest. */
  readonly topK?: number | undefined;
  /** The likeliest tokens until their probabilities sum to this; at least one. */
  readonly topP?: number | undefined;
  /** Tokens at least this share as likely as the likeliest. */
  readonly minP?: number | undefined;
}

/** Tokens that may be drawn, by ascending id, with probabilities that sum to 1. */
export interface Candidates {
  readonly ids: readonly number[];
  readonly probabilities: readonly number[];
}

/** True when some filter may remove a token of a vocabulary of this size. */
export function hasFilter({ topK, topP, minP }: Filters, vocabSize: number): boolean {
  return (
    (topK !== undefined && topK < vocabSize) ||
    (topP !== undefined && topP < 1) ||
    (minP !== undefined && minP > 0)
  );
}

/** Probabilities of `count` logits from `at` on, divided by a temperature. */
export function softmaxOf(
  logits: Float32Array,
  at: number,
  count: number,
  inverseTemperature: number,
): Float32Array {
  const largest = logits[at + indexOfMaximum(logits, at, count)] as number;
  const result = new Float32Array(count);
  let total = 0;
  for (let i = 0; i < count; i += 1) {
    total += Math.exp(((logits[at + i] as number) - largest) * inverseTemperature);
  }
  for (let i = 0; i < count; i += 1) {
    result[i] = Math.exp(((logits[at + i] as number) - largest) * inverseTemperature) / total;
  }
  return result;
}

/** Logarithm of the sum of the exponentials of `count` logits from `at` on. */
export function logSumExp(logits: Float32Array, at: number, count: number): number {
  const largest = logits[at + indexOfMaximum(logits, at, count)] as number;
  let total = 0;
  for (let i = 0; i < count; i += 1) total += Math.exp((logits[at + i] as number) - largest);
  return largest + Math.log(total);
}

/** Keeps the tokens that pass top-k, top-p and min-p, and scales their probabilities. */
export function filterDistribution(
  probabilities: Float32Array,
  at: number,
  count: number,
  { topK, topP, minP }: Filters,
): Candidates {
  let lowest = 0;
  if (topK !== undefined && topK < count) {
    lowest = largestValues(probabilities, at, count, Math.max(1, topK))[0] as number;
  }
  let ids = topPSet(probabilities, at, count, lowest, topP ?? 1);
  if (minP !== undefined && minP > 0) {
    const largest = probabilities[at + indexOfMaximum(probabilities, at, count)] as number;
    ids = ids.filter((id) => (probabilities[at + id] as number) >= minP * largest);
  }
  const mass = massOf(probabilities, at, ids);
  return { ids, probabilities: ids.map((id) => (probabilities[at + id] as number) / mass) };
}

function massOf(probabilities: Float32Array, at: number, ids: readonly number[]): number {
  return ids.reduce((sum, id) => sum + (probabilities[at + id] as number), 0);
}

/** Ids with probability `lowest` or more, cut to the likeliest whose predecessors sum to less than the share `topP`. */
function topPSet(
  probabilities: Float32Array,
  at: number,
  count: number,
  lowest: number,
  topP: number,
): number[] {
  const collect = (least: number): number[] => {
    const ids: number[] = [];
    for (let i = 0; i < count; i += 1) if ((probabilities[at + i] as number) >= least) ids.push(i);
    return ids;
  };
  const all = collect(lowest);
  if (topP >= 1) return all;
  const wanted = topP * massOf(probabilities, at, all);
  // Sorting a whole vocabulary for each token is slow: only tokens above a level that holds the wanted mass are sorted.
  const largest = probabilities[at + indexOfMaximum(probabilities, at, count)] as number;
  let share = 1 / 8;
  let likely = collect(Math.max(share * largest, lowest));
  while (likely.length < all.length && massOf(probabilities, at, likely) < wanted) {
    share *= share;
    likely = collect(Math.max(share * largest, lowest));
  }
  likely.sort(
    (a, b) => (probabilities[at + b] as number) - (probabilities[at + a] as number) || a - b,
  );
  const kept: number[] = [];
  let before = 0;
  for (const id of likely) {
    if (kept.length > 0 && before >= wanted) break;
    kept.push(id);
    before += probabilities[at + id] as number;
  }
  return kept.sort((a, b) => a - b);
}

/** The k largest values in ascending order. */
function largestValues(values: Float32Array, at: number, count: number, k: number): number[] {
  const heap = Array.from(values.subarray(at, at + k)).sort((a, b) => a - b);
  for (let i = k; i < count; i += 1) {
    const value = values[at + i] as number;
    if (value <= (heap[0] as number)) continue;
    // Insertion into the sorted list: k is small, and few values pass the test above.
    let to = 0;
    while (to + 1 < k && (heap[to + 1] as number) < value) {
      heap[to] = heap[to + 1] as number;
      to += 1;
    }
    heap[to] = value;
  }
  return heap;
}

/** Index of the largest of `count` values from `at` on; the first of equals. */
export function indexOfMaximum(values: Float32Array, at: number, count: number): number {
  let best = 0;
  for (let i = 1; i < count; i += 1) {
    if ((values[at + i] as number) > (values[at + best] as number)) best = i;
  }
  return best;
}

/** First index whose cumulative probability exceeds `u`; rounding at the end of the sum falls to the likeliest token. */
export function drawIndex(values: Float32Array, at: number, count: number, u: number): number {
  let cumulative = 0;
  for (let i = 0; i < count; i += 1) {
    cumulative += values[at + i] as number;
    if (u < cumulative) return i;
  }
  return indexOfMaximum(values, at, count);
}

/** Position of the drawn candidate; rounding at the end of the sum falls to the last one. */
export function drawCandidate({ probabilities }: Candidates, u: number): number {
  let cumulative = 0;
  for (let i = 0; i < probabilities.length; i += 1) {
    cumulative += probabilities[i] as number;
    if (u < cumulative) return i;
  }
  return probabilities.length - 1;
}

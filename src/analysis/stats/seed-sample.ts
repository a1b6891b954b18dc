/**
 * The shape of every comparison: some seeds, and within each seed one value a puzzle (the mean over its samples).
 * The seed is the unit of inference; puzzles are clusters within it.
 */
import { mean } from "./moments.ts";

/** Values of one training seed; `values[i]` belongs to `puzzles[i]`. */
export interface SeedSample {
  readonly seed: number;
  readonly puzzles: readonly string[];
  readonly values: readonly number[];
}

/** Mean of each seed, each puzzle counted once; seeds without values are left out. */
export function seedMeans(samples: readonly SeedSample[]): { seed: number; mean: number }[] {
  return samples
    .filter((sample) => sample.values.length > 0)
    .map((sample) => ({ seed: sample.seed, mean: mean(sample.values) }));
}

/** Mean of each puzzle over the seeds that have it, as one pooled sample, in order of first appearance. */
export function poolPuzzles(samples: readonly SeedSample[]): SeedSample {
  const sums = new Map<string, { sum: number; n: number }>();
  for (const sample of samples) {
    sample.puzzles.forEach((puzzle, at) => {
      const entry = sums.get(puzzle) ?? { sum: 0, n: 0 };
      entry.sum += sample.values[at] as number;
      entry.n += 1;
      sums.set(puzzle, entry);
    });
  }
  return {
    seed: samples[0]?.seed ?? 0,
    puzzles: [...sums.keys()],
    values: [...sums.values()].map((entry) => entry.sum / entry.n),
  };
}

/** The two arms cut down to the seeds and puzzles that both have, in equal order. */
export function pairSamples(
  a: readonly SeedSample[],
  b: readonly SeedSample[],
): { readonly a: SeedSample[]; readonly b: SeedSample[] } {
  const paired = { a: [] as SeedSample[], b: [] as SeedSample[] };
  const bySeed = new Map(b.map((sample) => [sample.seed, sample]));
  for (const left of a) {
    const right = bySeed.get(left.seed);
    if (right === undefined) continue;
    const rightAt = new Map(right.puzzles.map((puzzle, at) => [puzzle, at]));
    const kept = left.puzzles.flatMap((puzzle, at) => {
      const other = rightAt.get(puzzle);
      return other === undefined ? [] : [{ puzzle, at, other }];
    });
    if (kept.length === 0) continue;
    const puzzles = kept.map((entry) => entry.puzzle);
    paired.a.push({ ...left, puzzles, values: kept.map((e) => left.values[e.at] as number) });
    paired.b.push({ ...right, puzzles, values: kept.map((e) => right.values[e.other] as number) });
  }
  return paired;
}

/** Puzzle by puzzle difference a - b of paired samples. */
export function differences(a: readonly SeedSample[], b: readonly SeedSample[]): SeedSample[] {
  return a.map((left, s) => ({
    ...left,
    values: left.values.map((value, at) => value - ((b[s] as SeedSample).values[at] as number)),
  }));
}

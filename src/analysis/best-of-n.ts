/**
 * Long search against parallel samples. pass@k (unbiased) of every arm at its final step against the tokens of k
 * completions, and each arm's single completion against as many completions of a shorter arm as its mean tokens pay for.
 * Between whole numbers of samples the budget buys k for some puzzles and k + 1 for the others, so the two are mixed.
 * Picking the right one of k samples takes a check of the answer, which this task has.
 */
import type { Random } from "../random/random.ts";
import type { MeasuredArm, StepMeasures } from "./measure.ts";
import type { EqualTokens, PassCurve } from "./outcome-schema.ts";
import {
  estimateDifference,
  estimateMean,
  mean,
  passAtK,
  type SeedSample,
  undefinedInterval,
} from "./stats/index.ts";

/** Conditions whose short completions are the parallel side. */
const PARALLEL = ["none", "negative_control", "empty_cot"] as const;

/** Samples and solved samples of each puzzle of one seed. */
interface SeedCounts {
  readonly seed: number;
  readonly puzzles: readonly string[];
  readonly n: readonly number[];
  readonly c: readonly number[];
}

interface ArmCounts {
  readonly arm: MeasuredArm;
  readonly seeds: readonly SeedCounts[];
  readonly samples: number;
  readonly tokens: number;
}

/** Curves of every arm that was sampled, in the order of the arms. */
export function passCurves(arms: readonly MeasuredArm[]): PassCurve[] {
  return arms.flatMap((arm) => {
    const counts = countsOf(arm);
    if (counts === undefined) return [];
    const points = numbersOfSamples(counts.samples).map((k) => ({
      k,
      tokens: k * counts.tokens,
      estimate: estimateMean(passSamples(counts, k), "share"),
    }));
    const puzzles = Math.max(...counts.seeds.map((seed) => seed.puzzles.length));
    return [{ arm: arm.summary.id, samples: counts.samples, puzzles, points }];
  });
}

/** Every arm of a base against each shorter arm of the parallel conditions; empty where no arm has two samples. */
export function compareAtEqualTokens(arms: readonly MeasuredArm[], random: Random): EqualTokens[] {
  const all = arms.flatMap((arm) => countsOf(arm) ?? []);
  if (all.every((one) => one.samples < 2)) return [];
  return all.flatMap((long) =>
    all.flatMap((parallel) => {
      const isParallel = (PARALLEL as readonly string[]).includes(parallel.arm.summary.condition);
      const sameBase = long.arm.summary.base === parallel.arm.summary.base;
      if (!isParallel || !sameBase || !(long.tokens > parallel.tokens)) return [];
      return [equalTokens(long, parallel, random)];
    }),
  );
}

function equalTokens(long: ArmCounts, parallel: ArmCounts, random: Random): EqualTokens {
  const k = long.tokens / parallel.tokens;
  const names = { long: long.arm.summary.id, parallel: parallel.arm.summary.id };
  const a = passSamples(long, 1);
  const longPass = estimateMean(a, "share").value;
  if (Math.ceil(k) > parallel.samples) {
    const reason = `the tokens pay for ${k.toFixed(1)} samples, and a puzzle has ${parallel.samples}`;
    const interval = undefinedInterval(reason);
    const difference = { value: null, bySeed: [], interval, seedLevelMissing: reason };
    return { ...names, tokens: long.tokens, k, longPass, parallelPass: null, difference };
  }
  const b = mixedSamples(parallel, k);
  const stream = random.stream("equal tokens", names.long, names.parallel);
  return {
    ...names,
    tokens: long.tokens,
    k,
    longPass,
    parallelPass: estimateMean(b, "share").value,
    difference: estimateDifference(a, b, { random: stream }),
  };
}

/** pass@k of each puzzle. */
function passSamples({ seeds }: ArmCounts, k: number): SeedSample[] {
  return seeds.map(({ seed, puzzles, n, c }) => ({
    seed,
    puzzles,
    values: n.map((total, at) => passAtK(total, c[at] as number, k)),
  }));
}

/** pass@k of each puzzle for a k that need not be whole. */
function mixedSamples(counts: ArmCounts, k: number): SeedSample[] {
  const below = passSamples(counts, Math.floor(k));
  const above = passSamples(counts, Math.ceil(k));
  const share = k - Math.floor(k);
  return below.map((sample, s) => ({
    ...sample,
    values: sample.values.map((value, at) => {
      const other = (above[s] as SeedSample).values[at] as number;
      return (1 - share) * value + share * other;
    }),
  }));
}

/** 1, 2, 3, 4, then powers of two and the largest number. */
function numbersOfSamples(samples: number): number[] {
  const powers = Array.from({ length: 12 }, (_, i) => 2 ** i);
  const all = [...powers, 3, samples].filter((k) => k <= samples);
  return [...new Set(all)].sort((a, b) => a - b);
}

function countsOf(arm: MeasuredArm): ArmCounts | undefined {
  if (arm.final.length === 0) return undefined;
  const seeds = arm.final.map((one) => seedCounts(one));
  const rows = arm.final.flatMap((one) => one.rows);
  if (rows.length === 0) return undefined;
  const samples = seeds.flatMap((seed) => seed.n).reduce((a, b) => Math.min(a, b));
  return { arm, seeds, samples, tokens: mean(rows.map((row) => row.tokens)) };
}

function seedCounts({ seed, rows }: StepMeasures): SeedCounts {
  const byPuzzle = new Map<string, { n: number; c: number }>();
  for (const { puzzle, correct } of rows) {
    const entry = byPuzzle.get(puzzle) ?? { n: 0, c: 0 };
    entry.n += 1;
    entry.c += Number(correct);
    byPuzzle.set(puzzle, entry);
  }
  const entries = [...byPuzzle.values()];
  return {
    seed,
    puzzles: [...byPuzzle.keys()],
    n: entries.map((entry) => entry.n),
    c: entries.map((entry) => entry.c),
  };
}

/**
 * Seeded puzzles. The count of numbers is drawn first, then the numbers uniformly from their range, then the target
 * uniformly from the whole values in its range that these numbers can make in a wanted way; numbers without such a
 * value are drawn again. Unsolvable puzzles, when asked for, draw the target from the whole range. No puzzle (equal up to
 * the order of its numbers) comes twice, in one split or in two.
 */
import type { Puzzle } from "../data/rows.ts";
import { Random } from "../random/random.ts";
import { UsageError } from "../util/errors.ts";
import { puzzleId } from "./puzzle.ts";
import { reachableTargets } from "./reachable.ts";
import { type NumbersProfile, profileNumbers } from "./solver.ts";

export interface GeneratorOptions {
  /** Puzzles wanted. */
  readonly count: number;
  /** How many numbers a puzzle has; repeat an entry to weight it. Default [3, 4]. */
  readonly numberCounts?: readonly number[] | undefined;
  /** Range of each number, both included. Default 1 to 100. */
  readonly minNumber?: number | undefined;
  readonly maxNumber?: number | undefined;
  /** Range of the target, both included. Default 1 to 100. */
  readonly minTarget?: number | undefined;
  readonly maxTarget?: number | undefined;
  /** Keep only puzzles with a solution. Default true. */
  readonly solvable?: boolean | undefined;
  /** Only expressions whose every intermediate value is a whole number from 1 to this count. Default: any rational. */
  readonly maxIntermediate?: number | undefined;
  /** Drop puzzles where more than this share of the distinct expressions reaches the target. Default: none. */
  readonly maxHitShare?: number | undefined;
  /** Adds `solutions` and `difficulty` to every row. Default false. */
  readonly annotate?: boolean | undefined;
  /** Name of the split in the rows. Default `train`. */
  readonly split?: string | undefined;
  /** Ids that must not come again. */
  readonly exclude?: Iterable<string> | undefined;
}

export type SplitSizes = Readonly<Record<string, number>>;

/** Draws in a row without a new puzzle after which the space counts as used up. Chosen by us. */
const MAX_FRUITLESS_DRAWS = 200_000;
/** Profiles kept at once, so that small spaces are enumerated only once. */
const MAX_CACHED_PROFILES = 20_000;

/**
 * Draws puzzles; equal options and seed give equal puzzles.
 * @throws UsageError `countdown.bad_options` for empty ranges; `countdown.space_exhausted` when the options allow too few puzzles
 */
export function generatePuzzles(options: GeneratorOptions, seed: number | string): Puzzle[] {
  const split = options.split ?? "train";
  return draw(options, Random.of(seed, "puzzle", split), split, new Set(options.exclude));
}

/** Draws several splits that have no puzzle in common; each has its own stream of the seed. */
export function generateSplits<Sizes extends SplitSizes>(
  options: Omit<GeneratorOptions, "count" | "split">,
  sizes: Sizes,
  seed: number | string,
): { [Split in keyof Sizes]: Puzzle[] } {
  const seen = new Set(options.exclude);
  const splits: Record<string, Puzzle[]> = {};
  for (const [split, count] of Object.entries(sizes)) {
    splits[split] = draw({ ...options, count }, Random.of(seed, "puzzle", split), split, seen);
  }
  return splits as { [Split in keyof Sizes]: Puzzle[] };
}

interface Space {
  readonly numberCounts: readonly number[];
  readonly minNumber: number;
  readonly maxNumber: number;
  readonly minTarget: number;
  readonly maxTarget: number;
}

/** Draws into `seen` and returns the new puzzles. */
function draw(
  options: GeneratorOptions,
  random: Random,
  split: string,
  seen: Set<string>,
): Puzzle[] {
  const space = spaceOf(options);
  const targetsOf = targetFinder(options, space);
  const puzzles: Puzzle[] = [];
  let fruitless = 0;
  while (puzzles.length < options.count) {
    fruitless += 1;
    if (fruitless > MAX_FRUITLESS_DRAWS) throw exhausted(options, split, puzzles.length);
    const size = random.pick(space.numberCounts);
    const numbers: number[] = [];
    for (let i = 0; i < size; i += 1) {
      numbers.push(random.integer(space.minNumber, space.maxNumber));
    }
    const found = targetsOf(numbers, random);
    if (found === undefined) continue;
    const { target, ...extra } = found;
    const id = puzzleId(numbers, target);
    if (seen.has(id)) continue;
    seen.add(id);
    puzzles.push({ id, numbers, target, split, ...extra });
    fruitless = 0;
  }
  return puzzles;
}

type Target = Pick<Puzzle, "target" | "solutions" | "difficulty">;
type TargetFinder = (numbers: readonly number[], random: Random) => Target | undefined;

/** How a target is found for drawn numbers: undefined when they have none that is wanted. */
function targetFinder(options: GeneratorOptions, space: Space): TargetFinder {
  const solvable = options.solvable ?? true;
  const annotate = options.annotate ?? false;
  const limit = options.maxHitShare ?? 1;
  if (options.maxIntermediate === undefined && limit >= 1 && !annotate) {
    if (!solvable)
      return (_, random) => ({ target: random.integer(space.minTarget, space.maxTarget) });
    return (numbers, random) => {
      const targets = reachableTargets(numbers, space);
      return targets.length === 0 ? undefined : { target: random.pick(targets) };
    };
  }
  const profileOf = profileCache(options.maxIntermediate);
  const describe = ({ hits, expressions }: NumbersProfile, target: number): Target => {
    if (!annotate) return { target };
    const solutions = hits.get(target) ?? 0;
    return { target, solutions, difficulty: expressions === 0 ? 0 : solutions / expressions };
  };
  return (numbers, random) => {
    const profile = profileOf(numbers);
    if (!solvable) {
      const target = random.integer(space.minTarget, space.maxTarget);
      const isFrequent = (profile.hits.get(target) ?? 0) > limit * profile.expressions;
      return isFrequent ? undefined : describe(profile, target);
    }
    const targets: number[] = [];
    for (const [value, hits] of profile.hits) {
      const isInRange = value >= space.minTarget && value <= space.maxTarget;
      if (isInRange && hits <= limit * profile.expressions) targets.push(value);
    }
    return targets.length === 0 ? undefined : describe(profile, random.pick(targets));
  };
}

function profileCache(
  maxIntermediate: number | undefined,
): (numbers: readonly number[]) => NumbersProfile {
  const cache = new Map<string, NumbersProfile>();
  return (numbers) => {
    const sorted = [...numbers].sort((a, b) => a - b);
    const key = sorted.join(",");
    let profile = cache.get(key);
    if (profile === undefined) {
      profile = profileNumbers(sorted, { maxIntermediate });
      if (cache.size >= MAX_CACHED_PROFILES) cache.clear();
      cache.set(key, profile);
    }
    return profile;
  };
}

function spaceOf(options: GeneratorOptions): Space {
  const space: Space = {
    numberCounts: options.numberCounts ?? [3, 4],
    minNumber: options.minNumber ?? 1,
    maxNumber: options.maxNumber ?? 100,
    minTarget: options.minTarget ?? 1,
    maxTarget: options.maxTarget ?? 100,
  };
  const problems: string[] = [];
  const whole = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
  if (space.numberCounts.length === 0) problems.push("numberCounts is empty");
  if (!space.numberCounts.every((size) => Number.isInteger(size) && size >= 1 && size <= 6)) {
    problems.push(`numberCounts must be from 1 to 6, found ${space.numberCounts.join(", ")}`);
  }
  for (const [low, high, name] of [
    [space.minNumber, space.maxNumber, "number"],
    [space.minTarget, space.maxTarget, "target"],
  ] as const) {
    if (!whole(low) || !whole(high) || low > high || high >= 2 ** 32) {
      problems.push(`the ${name} range ${low} to ${high} is empty or not whole`);
    }
  }
  if (!whole(options.count)) problems.push(`count must be a whole number, found ${options.count}`);
  if (problems.length === 0) return space;
  throw new UsageError(`generating puzzles: ${problems.join("; ")}`, {
    code: "countdown.bad_options",
    hint: "give whole ranges with the lower end first",
  });
}

function exhausted(options: GeneratorOptions, split: string, found: number): UsageError {
  return new UsageError(
    `generating puzzles of split "${split}": expected ${options.count}, found ${found} before ${MAX_FRUITLESS_DRAWS} draws in a row gave no new one`,
    {
      code: "countdown.space_exhausted",
      hint: "ask for fewer puzzles or widen the ranges of numbers and target",
    },
  );
}

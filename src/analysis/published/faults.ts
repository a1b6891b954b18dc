/**
 * Finds what is wrong in published points and says so. A point that cannot be trusted is kept and marked unusable;
 * nothing is averaged. What is sought: rows twice, two values for one step, two conditions with the very same accuracy
 * and length (one of them is then another's checkpoint), sample sizes that change within a run, steps that are missing.
 */
import { undefinedInterval, wilsonInterval } from "../stats/index.ts";
import { conditionOf, type Fault, type PublishedPoint, type RawPoint } from "./schema.ts";

/** Points in the order of condition and step with their sample sizes, and every fault. */
export function checkPoints(raw: readonly RawPoint[]): {
  points: PublishedPoint[];
  faults: Fault[];
} {
  const faults: Fault[] = [];
  const { kept, conflicting } = dropRepeats(raw, faults);
  const shared = findShared(kept, faults);
  const sizes = withSizes(kept, faults);
  findMissing(kept, faults);
  const points = sizes.map(({ point, puzzles }): PublishedPoint => {
    const { name, step, accuracy, characters, habits, judged } = point;
    const interval =
      accuracy === null || puzzles === null
        ? undefinedInterval("the number of puzzles is not known")
        : wilsonInterval(Math.round(accuracy * puzzles), puzzles, { over: "puzzles" });
    const key = keyOf(point);
    const usable = !conflicting.has(key) && !shared.has(key) && accuracy !== null;
    const condition = conditionOf(name);
    return {
      name,
      condition,
      step,
      accuracy,
      puzzles,
      interval,
      characters,
      habits,
      judged,
      usable,
    };
  });
  return { points, faults };
}

function keyOf({ name, step }: RawPoint): string {
  return `${name}/${step}`;
}

/** One row a condition and step; equal rows are one, different rows are a conflict. */
function dropRepeats(raw: readonly RawPoint[], faults: Fault[]) {
  const groups = new Map<string, RawPoint[]>();
  for (const point of raw) {
    const group = groups.get(keyOf(point));
    if (group === undefined) groups.set(keyOf(point), [point]);
    else group.push(point);
  }
  const conflicting = new Set<string>();
  const repeated = new Map<string, number[]>();
  for (const [key, group] of groups) {
    const [first, ...others] = group as [RawPoint, ...RawPoint[]];
    if (others.length === 0) continue;
    if (others.every((other) => sameValues(first, other))) {
      repeated.set(first.name, [...(repeated.get(first.name) ?? []), first.step]);
      continue;
    }
    conflicting.add(key);
    faults.push({
      code: "conflicting_rows",
      conditions: [first.name],
      steps: [first.step],
      text: `${first.name}, step ${first.step}: ${group.length} different rows (${group.map((one) => one.where).join(", ")}); none is used`,
    });
  }
  for (const [name, steps] of repeated) {
    faults.push({
      code: "duplicate_row",
      conditions: [name],
      steps,
      text: `${name}: the same row more than once at ${steps.length} steps (${listed(steps)}); counted once`,
    });
  }
  const kept = [...groups.values()].map((group) => group[0] as RawPoint);
  kept.sort((a, b) => (a.name === b.name ? a.step - b.step : a.name < b.name ? -1 : 1));
  return { kept, conflicting };
}

function sameValues(a: RawPoint, b: RawPoint): boolean {
  const values = ({ where: _, ...rest }: RawPoint): string => JSON.stringify(rest);
  return values(a) === values(b);
}

/** Conditions that agree in accuracy and mean length to the last digit at one step. */
function findShared(points: readonly RawPoint[], faults: Fault[]): Set<string> {
  const groups = new Map<string, RawPoint[]>();
  for (const point of points) {
    const { step, accuracy, characters } = point;
    if (accuracy === null || characters === null) continue;
    const key = `${step}/${accuracy}/${characters}`;
    groups.set(key, [...(groups.get(key) ?? []), point]);
  }
  const shared = new Set<string>();
  for (const group of groups.values()) {
    if (group.length < 2) continue;
    const { step, accuracy, characters } = group[0] as RawPoint;
    const names = group.map((one) => one.name);
    for (const one of group) shared.add(keyOf(one));
    faults.push({
      code: "shared_point",
      conditions: names,
      steps: [step],
      text: `${names.join(" and ")}: the very same accuracy (${accuracy}) and length (${characters}) at step ${step}, so at least one is of another model; neither is used`,
    });
  }
  return shared;
}

/** Largest sample size that is sought in the digits of a mean. */
const LARGEST_SAMPLE = 4096;

/**
 * Sample size of each point. Where the files do not say it: the smallest n that makes accuracy and mean length whole
 * numbers of n-ths, raised to the smallest size of the file that it divides (512ths are 1,024 with an even count).
 */
function withSizes(points: readonly RawPoint[], faults: Fault[]) {
  const smallest = points.map((point) => {
    if (point.puzzles !== null) return point.puzzles;
    const together = smallestSample(point.accuracy, point.characters);
    if (together !== null || point.accuracy === null) return together;
    const alone = smallestSample(point.accuracy, null);
    faults.push({
      code: "mixed_sample_sizes",
      conditions: [point.name],
      steps: [point.step],
      text: `${point.name}, step ${point.step}: no one number of completions gives both the accuracy (${point.accuracy}) and the length (${point.characters}); the accuracy alone allows ${alone ?? "none"}`,
    });
    return alone;
  });
  const all = [...new Set(smallest.filter((n) => n !== null))];
  const sizes = all.filter((n) => all.every((other) => other === n || other % n !== 0));
  sizes.sort((a, b) => a - b);
  const found = points.map((point, at) => {
    const n = smallest[at] as number | null;
    if (point.puzzles !== null || n === null) return { point, puzzles: n };
    return { point, puzzles: sizes.find((size) => size % n === 0) ?? n };
  });
  for (const name of new Set(points.map((point) => point.name))) {
    const own = found.filter((one) => one.point.name === name && one.puzzles !== null);
    const used = [...new Set(own.map((one) => one.puzzles as number))].sort((a, b) => a - b);
    if (used.length < 2) continue;
    const parts = used.map((n) => {
      const steps = own.filter((one) => one.puzzles === n).map((one) => one.point.step);
      return `${n} at ${steps.length} steps (${listed(steps)})`;
    });
    faults.push({
      code: "mixed_sample_sizes",
      conditions: [name],
      steps: own.map((one) => one.point.step),
      text: `${name}: puzzles by step ${parts.join(", ")}; each point has the interval of its own size`,
    });
  }
  return found;
}

function smallestSample(accuracy: number | null, characters: number | null): number | null {
  if (accuracy === null) return null;
  for (let n = 1; n <= LARGEST_SAMPLE; n += 1) {
    if (isWhole(accuracy * n) && (characters === null || isWhole(characters * n))) return n;
  }
  return null;
}

/** Digits of a mean of 4,096 lengths are exact to about 1e-9. */
function isWhole(value: number): boolean {
  return Math.abs(value - Math.round(value)) < 1e-6;
}

/** Steps that at least half of the other runs have. */
function findMissing(points: readonly RawPoint[], faults: Fault[]): void {
  const steps = new Map<string, Set<number>>();
  for (const { name, step } of points) steps.set(name, (steps.get(name) ?? new Set()).add(step));
  const runs = [...steps].filter(([, own]) => own.size > 1);
  const all = [...new Set(points.map((point) => point.step))].sort((a, b) => a - b);
  const usual = all.filter(
    (step) => 2 * runs.filter(([, own]) => own.has(step)).length > runs.length,
  );
  for (const [name, own] of steps) {
    const missing = usual.filter((step) => !own.has(step));
    if (missing.length === 0) continue;
    const text =
      own.size === 1
        ? `${name}: one step only (${[...own][0]}), so it has no curve`
        : `${name}: no row for step ${listed(missing)}`;
    faults.push({ code: "missing_step", conditions: [name], steps: missing, text });
  }
}

/** At most eight numbers, then how many more. */
function listed(numbers: readonly number[]): string {
  const shown = numbers.slice(0, 8).join(", ");
  return numbers.length > 8 ? `${shown} and ${numbers.length - 8} more` : shown;
}

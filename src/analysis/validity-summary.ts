/** Sums of validity tallies: by puzzle within a seed, then as shares over seeds. */
import type { StepValidity } from "./comparison-schema.ts";
import { estimateShareOfSums } from "./stats/index.ts";
import type { ValidityTally } from "./validity.ts";

/** Sums of one seed at one step, one entry a puzzle. */
export interface ValiditySample {
  readonly seed: number;
  readonly sums: readonly ValidityTally[];
}

type Key = keyof ValidityTally;

/** Sums the tallies of the samples of each puzzle. */
export function validitySample(
  seed: number,
  rows: readonly { readonly puzzle: string; readonly tally: ValidityTally }[],
): ValiditySample {
  const byPuzzle = new Map<string, Record<Key, number>>();
  for (const { puzzle, tally } of rows) {
    const sums = byPuzzle.get(puzzle);
    if (sums === undefined) byPuzzle.set(puzzle, { ...tally });
    else for (const key of Object.keys(tally) as Key[]) sums[key] += tally[key];
  }
  return { seed, sums: [...byPuzzle.values()] };
}

/** Shares over seeds with the number of instances that each rests on. */
export function summarizeValidity(step: number, samples: readonly ValiditySample[]): StepValidity {
  const total = (key: Key): number =>
    samples.reduce((all, { sums }) => all + sums.reduce((one, tally) => one + tally[key], 0), 0);
  const share = (hits: Key, totals: Key) =>
    estimateShareOfSums(
      samples.map(({ seed, sums }) => ({
        seed,
        hits: sums.map((one) => one[hits]),
        totals: sums.map((one) => one[totals]),
      })),
    );
  return {
    step,
    checks: total("checks"),
    checksUndecided: total("checksUndecided"),
    checksTrue: share("checksTrue", "checks"),
    checksSound: share("checksSound", "checks"),
    backtracks: total("backtracks"),
    backtracksOpen: total("backtracksOpen"),
    changed: share("changed", "backtracks"),
    fresh: share("fresh", "backtracks"),
    computations: total("computations"),
    computationsTrue: share("computationsTrue", "computations"),
  };
}

/**
 * Coverage of the hierarchical bootstrap. Where seeds differ more than puzzles are noisy it is too narrow with three
 * seeds and near nominal with twelve; where the noise of single answers dominates it is conservative, because that
 * noise enters once with the seeds and once with the puzzles. docs/methods/statistics.md quotes these numbers.
 */
import { expect, it } from "vitest";
import { Random } from "../../random/random.ts";
import { bootstrapInterval, type SeedSample } from "./index.ts";

const RUNS = 1000;
const PUZZLES = 60;
const TRUTH = 0.5;

/** Share of runs whose interval covers the mean; puzzles vary by 10 points, an answer is a biased coin. */
function coverage(seeds: number, seedSpread: number): number {
  const draw = Random.of(3, "coverage", seeds, String(seedSpread));
  let covered = 0;
  for (let run = 0; run < RUNS; run += 1) {
    const difficulty = Array.from({ length: PUZZLES }, () => 0.1 * draw.normal());
    const puzzles = difficulty.map((_, at) => `p${at}`);
    const arm: SeedSample[] = Array.from({ length: seeds }, (_, seed) => {
      const level = TRUTH + seedSpread * draw.normal();
      const values = difficulty.map((d) => Number(draw.uniform() < level + d));
      return { seed, puzzles, values };
    });
    const interval = bootstrapInterval(
      { arms: [arm], paired: false, statistic: ([m]) => m as number },
      { random: draw.stream(run), resamples: 400 },
    );
    const isCovered =
      interval.kind === "interval" && interval.lower <= TRUTH && TRUTH <= interval.upper;
    covered += Number(isCovered);
  }
  return covered / RUNS;
}

it.each([
  { seeds: 3, spread: 0.2, low: 0.75, high: 0.9 },
  { seeds: 12, spread: 0.2, low: 0.9, high: 0.965 },
  { seeds: 3, spread: 0.04, low: 0.96, high: 1 },
])("covers as documented: $seeds seeds, spread $spread", ({ seeds, spread, low, high }) => {
  const found = coverage(seeds, spread);
  console.log(`coverage with ${seeds} seeds and spread ${spread}: ${found}`);
  expect(found).toBeGreaterThan(low);
  expect(found).toBeLessThan(high);
});

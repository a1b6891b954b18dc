/**
 * Coverage of the nominal 95 %, simulated with fixed seeds; docs/methods/statistics.md quotes these numbers. Each seed
 * has its own level, each puzzle its own difficulty, shared by the seeds, and an answer is a biased coin.
 *
 * The hierarchical bootstrap is too narrow with three seeds that differ much, near nominal with twelve, and conservative
 * where the noise of single answers dominates, because that noise enters once with the seeds and once with the puzzles.
 */
import { expect, it } from "vitest";
import { Random } from "../../random/random.ts";
import {
  bootstrapInterval,
  estimateDifference,
  estimateMean,
  estimateRatio,
  type Interval,
  type SeedSample,
  wilsonInterval,
} from "./index.ts";

const PUZZLES = 60;
const DIFFICULTY_SPREAD = 0.1;
/** Four Monte Carlo standard errors at 2,000 runs: 4 sqrt(0.95 * 0.05 / 2000). */
const SLACK = 0.0195;

interface Setting {
  readonly mean: number;
  readonly seeds: number;
  readonly spread: number;
}

function simulate(draw: Random, { mean, seeds, spread }: Setting): SeedSample[] {
  const difficulty = Array.from({ length: PUZZLES }, () => DIFFICULTY_SPREAD * draw.normal());
  const puzzles = difficulty.map((_, at) => `p${at}`);
  return Array.from({ length: seeds }, (_, seed) => {
    const level = mean + spread * draw.normal();
    const values = difficulty.map((d) => Number(draw.uniform() < level + d));
    return { seed, puzzles, values };
  });
}

/** Share of runs whose interval covers the truth; an undefined interval covers nothing. */
function coverage(
  name: string,
  runs: number,
  truth: number,
  interval: (draw: Random, run: number) => Interval,
): number {
  const draw = Random.of(11, "coverage", name);
  let covered = 0;
  for (let run = 0; run < runs; run += 1) {
    const found = interval(draw, run);
    covered += Number(found.kind === "interval" && found.lower <= truth && truth <= found.upper);
  }
  console.log(`coverage of ${name}: ${covered / runs}`);
  return covered / runs;
}

const three = { seeds: 3, spread: 0.04 };
const noBootstrap = { random: Random.of(1, "bootstrap"), resamples: 1 };

it("Wilson over the puzzles of one seed: within Monte Carlo error of its exact coverage", () => {
  const found = coverage("Wilson, 200 puzzles at 0.12", 2000, 0.12, (draw) => {
    const successes = Array.from({ length: 200 }).filter(() => draw.chance(0.12)).length;
    return wilsonInterval(successes, 200, { over: "puzzles" });
  });
  expect(Math.abs(found - 0.9622)).toBeLessThan(SLACK); // exact value: binomial sum with SciPy
});

it("t over three seeds", () => {
  const found = coverage("t", 2000, 0.5, (draw) => {
    return estimateMean(simulate(draw, { mean: 0.5, ...three }), "share").interval;
  });
  expect(Math.abs(found - 0.95)).toBeLessThan(SLACK);
});

it("log ratio t over three seeds, against a base with a third of the accuracy", () => {
  const found = coverage("log ratio t", 2000, 3, (draw) => {
    const a = simulate(draw, { mean: 0.6, ...three });
    return estimateRatio(a, simulate(draw, { mean: 0.2, ...three }), noBootstrap).interval;
  });
  expect(Math.abs(found - 0.95)).toBeLessThan(SLACK);
});

it("paired t of a difference over three seeds", () => {
  const found = coverage("paired t", 2000, 0.05, (draw) => {
    const a = simulate(draw, { mean: 0.6, ...three });
    return estimateDifference(a, simulate(draw, { mean: 0.55, ...three }), noBootstrap).interval;
  });
  expect(Math.abs(found - 0.95)).toBeLessThan(SLACK);
});

it.each([
  { seeds: 3, spread: 0.2, low: 0.75, high: 0.9 },
  { seeds: 12, spread: 0.2, low: 0.9, high: 0.965 },
  { seeds: 3, spread: 0.04, low: 0.96, high: 1 },
])("bootstrap with $seeds seeds that vary by $spread", ({ seeds, spread, low, high }) => {
  const name = `the bootstrap, ${seeds} seeds, spread ${spread}`;
  const found = coverage(name, 1000, 0.5, (draw, run) =>
    bootstrapInterval(
      {
        arms: [simulate(draw, { mean: 0.5, seeds, spread })],
        paired: false,
        statistic: ([m]) => m as number,
      },
      { random: draw.stream(run), resamples: 400 },
    ),
  );
  expect(found).toBeGreaterThan(low);
  expect(found).toBeLessThan(high);
});

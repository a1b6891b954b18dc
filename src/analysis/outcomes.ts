/**
 * Does a completion with a habit solve more? Compared within arms only, since arms differ in more than habits, and at
 * equal difficulty and length: Mantel-Haenszel over strata of arm, thirds of difficulty and thirds of length, and
 * logistic regressions with a constant for each arm, difficulty and log tokens, clustered by puzzle.
 *
 * Difficulty of a puzzle for a run (arm and seed) is the share of completions that fail it in all other runs on the same
 * base at the same moment: measured, and without the run's own answers. Length comes after the habit (a habit takes
 * words), so the estimate that adjusts for it answers a narrower question; all three are given.
 */
import { BEHAVIOURS, type Behaviour } from "../data/rows.ts";
import type { MeasuredArm, OutcomeRow } from "./measure.ts";
import type { HabitOutcome } from "./outcome-schema.ts";
import {
  fitLogistic,
  mantelHaenszel,
  oddsRatioOf,
  quantileSorted,
  type StratumTable,
  undefinedInterval,
} from "./stats/index.ts";

/** Fewest completions with, and without, the habit for an arm to take part; chosen by us. */
const FEWEST = 10;
/** Difficulty and length are cut in thirds. */
const PARTS = 3;

/** A completion with its arm, its difficulty and the parts that it falls into. */
interface Case {
  readonly row: OutcomeRow;
  readonly arm: number;
  readonly difficulty: number;
  readonly difficultyPart: number;
  readonly lengthPart: number;
}

/** Outcome of every habit at the arms' first and final steps, over the arms of the main base. */
export function judgeOutcomes(arms: readonly MeasuredArm[], mainBase: string): HabitOutcome[] {
  const own = arms.filter(({ summary }) => summary.base === mainBase);
  return (["first", "final"] as const).flatMap((moment) => {
    const cases = casesOf(own.map((arm) => arm[moment].flatMap((one) => one.rows)));
    return BEHAVIOURS.flatMap((habit) => {
      const outcome = outcomeOf(cases, own, habit, moment);
      return outcome === undefined ? [] : [outcome];
    });
  });
}

function casesOf(rowsByArm: readonly (readonly OutcomeRow[])[]): Case[] {
  const difficultyOf = leaveOneRunOut(rowsByArm);
  const difficulties = rowsByArm.map((rows, arm) => rows.map((row) => difficultyOf(arm, row)));
  const difficultyCuts = cutsOf(difficulties.flat());
  return rowsByArm.flatMap((rows, arm) => {
    const lengthCuts = cutsOf(rows.map((row) => row.tokens));
    return rows.map((row, at) => {
      const difficulty = difficulties[arm]?.[at] as number;
      return {
        row,
        arm,
        difficulty,
        difficultyPart: partOf(difficulty, difficultyCuts),
        lengthPart: partOf(row.tokens, lengthCuts),
      };
    });
  });
}

/** Share of failures on a puzzle outside of one run; the overall share where no other run has the puzzle. */
function leaveOneRunOut(rowsByArm: readonly (readonly OutcomeRow[])[]) {
  const all = new Map<string, { n: number; failed: number }>();
  const byRun = new Map<string, { n: number; failed: number }>();
  const whole = { n: 0, failed: 0 };
  const add = (to: { n: number; failed: number }, row: OutcomeRow): void => {
    to.n += 1;
    to.failed += Number(!row.correct);
  };
  const at = (map: typeof all, key: string) => {
    const found = map.get(key) ?? { n: 0, failed: 0 };
    map.set(key, found);
    return found;
  };
  rowsByArm.forEach((rows, arm) => {
    for (const row of rows) {
      add(whole, row);
      add(at(all, row.puzzle), row);
      add(at(byRun, `${arm}/${row.seed}/${row.puzzle}`), row);
    }
  });
  return (arm: number, row: OutcomeRow): number => {
    const puzzle = at(all, row.puzzle);
    const run = at(byRun, `${arm}/${row.seed}/${row.puzzle}`);
    const others = puzzle.n - run.n;
    return others === 0 ? whole.failed / whole.n : (puzzle.failed - run.failed) / others;
  };
}

function cutsOf(values: readonly number[]): number[] {
  if (values.length === 0) return [];
  const sorted = Float64Array.from(values).sort();
  return Array.from({ length: PARTS - 1 }, (_, i) => quantileSorted(sorted, (i + 1) / PARTS));
}

function partOf(value: number, cuts: readonly number[]): number {
  return cuts.filter((cut) => value > cut).length;
}

function outcomeOf(
  cases: readonly Case[],
  arms: readonly MeasuredArm[],
  habit: Behaviour,
  moment: HabitOutcome["moment"],
): HabitOutcome | undefined {
  const judged = cases.filter(({ row }) => row.habits[habit] !== null);
  const shows = ({ row }: Case): boolean => (row.habits[habit] as number) > 0;
  const taking = arms.flatMap((_, arm) => {
    const own = judged.filter((one) => one.arm === arm);
    const shown = own.filter(shows).length;
    return shown >= FEWEST && own.length - shown >= FEWEST ? [arm] : [];
  });
  const used = judged.filter(({ arm }) => taking.includes(arm));
  if (used.length === 0) return undefined;
  const solved = (some: readonly Case[]) => ({
    completions: some.length,
    solved: some.filter(({ row }) => row.correct).length,
  });
  const both = (some: readonly Case[]) => ({
    with: solved(some.filter(shows)),
    without: solved(some.filter((one) => !shows(one))),
  });
  return {
    moment,
    habit,
    arms: taking.map((arm) => (arms[arm] as MeasuredArm).summary.id),
    ...both(used),
    unjudged: cases.length - judged.length,
    mantelHaenszel: mantelHaenszel(strataOf(used, shows)),
    regressions: [
      regress(used, shows, taking, "arm"),
      regress(used, shows, taking, "arm, difficulty"),
      regress(used, shows, taking, "arm, difficulty, length"),
    ],
    table: Array.from({ length: PARTS * PARTS }, (_, at) => {
      const [difficulty, length] = [Math.floor(at / PARTS), at % PARTS];
      const inside = used.filter(
        (one) => one.difficultyPart === difficulty && one.lengthPart === length,
      );
      return { difficulty, length, ...both(inside) };
    }),
  };
}

function strataOf(cases: readonly Case[], shows: (one: Case) => boolean): StratumTable[] {
  const strata = new Map<number, Record<keyof StratumTable, number>>();
  for (const one of cases) {
    const key = (one.arm * PARTS + one.difficultyPart) * PARTS + one.lengthPart;
    const table = strata.get(key) ?? {
      withSolved: 0,
      withUnsolved: 0,
      withoutSolved: 0,
      withoutUnsolved: 0,
    };
    const { correct } = one.row;
    if (shows(one)) table[correct ? "withSolved" : "withUnsolved"] += 1;
    else table[correct ? "withoutSolved" : "withoutUnsolved"] += 1;
    strata.set(key, table);
  }
  return [...strata.values()];
}

type Regression = HabitOutcome["regressions"][number];

/** Odds ratio of the habit: columns are the habit, one constant an arm, and what `adjusts` names besides. */
function regress(
  cases: readonly Case[],
  shows: (one: Case) => boolean,
  arms: readonly number[],
  adjusts: Regression["adjusts"],
): Regression {
  const covariates: ((one: Case) => number)[] = [];
  if (adjusts !== "arm") covariates.push((one) => one.difficulty);
  if (adjusts === "arm, difficulty, length") covariates.push((one) => Math.log(one.row.tokens + 1));
  const columns = 1 + arms.length + covariates.length;
  const design = new Float64Array(cases.length * columns);
  const outcome = new Uint8Array(cases.length);
  const clusters = new Int32Array(cases.length);
  const puzzles = new Map<string, number>();
  cases.forEach((one, row) => {
    const at = row * columns;
    design[at] = Number(shows(one));
    design[at + 1 + arms.indexOf(one.arm)] = 1;
    covariates.forEach((value, i) => {
      design[at + 1 + arms.length + i] = value(one);
    });
    outcome[row] = Number(one.row.correct);
    const cluster = puzzles.get(one.row.puzzle) ?? puzzles.size;
    puzzles.set(one.row.puzzle, cluster);
    clusters[row] = cluster;
  });
  const size = { adjusts, rows: cases.length, clusters: puzzles.size };
  const fit = fitLogistic({ design, columns, outcome, clusters });
  if (fit.kind === "undefined") {
    return { ...size, oddsRatio: null, interval: undefinedInterval(fit.reason) };
  }
  return { ...size, ...oddsRatioOf(fit, 0) };
}

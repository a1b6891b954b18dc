/**
 * From the rows of one arm to its summary by step: completions joined with their behaviour rows, averaged by puzzle,
 * then over seeds. A habit that could not be judged is counted as unjudged and enters no mean.
 */
import { access } from "node:fs/promises";
import { readJsonl } from "../data/jsonl.ts";
import {
  BEHAVIOURS,
  type Behaviour,
  type BehaviourRow,
  behaviourRowSchema,
  type Completion,
  completionSchema,
} from "../data/rows.ts";
import type { ArmSummary, HabitSummary, StepSummary, StepValidity } from "./comparison-schema.ts";
import { type ArmFolder, finalStep, type SeedFolder, stepFile } from "./run-folder.ts";
import { estimateMean, type SeedSample } from "./stats/index.ts";
import { tallyValidity } from "./validity.ts";
import { summarizeValidity, type ValiditySample, validitySample } from "./validity-summary.ts";

/** One completion, reduced to what the analysis of outcomes needs. */
export interface OutcomeRow {
  readonly seed: number;
  readonly puzzle: string;
  readonly correct: boolean;
  readonly tokens: number;
  /** Instances of each habit; null where it was not judged. */
  readonly habits: Readonly<Record<Behaviour, number | null>>;
}

/** Numbers of one seed at one step, one value a puzzle. */
export interface StepMeasures {
  readonly seed: number;
  readonly rows: readonly OutcomeRow[];
  readonly validity: ValiditySample;
  readonly completions: number;
  readonly accuracy: SeedSample;
  readonly tokens: SeedSample;
  readonly truncated: SeedSample;
  readonly format: SeedSample;
  readonly habits: Readonly<
    Record<Behaviour, { mean: SeedSample; share: SeedSample; unjudged: number }>
  >;
}

/** Summary of an arm, and the measures of its first and its final step, from which the rest is judged. */
export interface MeasuredArm {
  readonly summary: ArmSummary;
  readonly validity: readonly StepValidity[];
  readonly finalAccuracy: readonly SeedSample[];
  /** One entry a seed; empty when nothing was sampled. */
  readonly first: readonly StepMeasures[];
  readonly final: readonly StepMeasures[];
}

/** Reads and summarises every step of an arm; `onStep` is called after each file of completions. */
export async function measureArm(
  arm: ArmFolder,
  onStep: () => void,
  signal?: AbortSignal,
): Promise<MeasuredArm> {
  const last = finalStep(arm);
  const steps = [...new Set(arm.seeds.flatMap((seed) => seed.steps))].sort((a, b) => a - b);
  const summaries: StepSummary[] = [];
  const validity: StepValidity[] = [];
  let first: readonly StepMeasures[] = [];
  let final: readonly StepMeasures[] = [];
  for (const step of steps) {
    const measures: StepMeasures[] = [];
    for (const seed of arm.seeds) {
      if (!seed.steps.includes(step)) continue;
      signal?.throwIfAborted();
      measures.push(await measureStep(seed, step));
      onStep();
    }
    if (step === steps[0]) first = measures;
    if (step === last) final = measures;
    summaries.push(summarizeStep(step, measures));
    validity.push(
      summarizeValidity(
        step,
        measures.map((one) => one.validity),
      ),
    );
  }
  const { id, condition, base } = arm;
  const seeds = arm.seeds.map((seed) => seed.seed);
  return {
    summary: { id, condition, base, seeds, steps: summaries, finalStep: last ?? null },
    validity,
    finalAccuracy: final.map((one) => one.accuracy),
    first,
    final,
  };
}

/** Reads one seed's completions and behaviour rows at one step; without a behaviours file no habit is measured. */
async function measureStep(seed: SeedFolder, step: number): Promise<StepMeasures> {
  const completions = await readJsonl(stepFile(seed, "completions", step), completionSchema);
  const behaviourFile = stepFile(seed, "behaviours", step);
  const judged = await access(behaviourFile).then(
    () => true,
    () => false,
  );
  const rows = judged ? await readJsonl(behaviourFile, behaviourRowSchema) : undefined;
  return measureRows(seed.seed, completions, rows);
}

/** The same from rows in memory; `behaviours` undefined means that nothing was judged. */
export function measureRows(
  seed: number,
  completions: readonly Completion[],
  behaviours: readonly BehaviourRow[] | undefined,
): StepMeasures {
  const byKey = new Map((behaviours ?? []).map((row) => [`${row.puzzle_id}/${row.sample}`, row]));
  const judgementOf = (row: Completion) => byKey.get(`${row.puzzle_id}/${row.sample}`);
  const average = (value: (row: Completion) => number | null): SeedSample =>
    averageByPuzzle(seed, completions, value);
  const habit = (name: Behaviour) => {
    const counts = (row: Completion): number | null => judgementOf(row)?.[name].count ?? null;
    const share = (row: Completion): number | null => {
      const found = counts(row);
      return found === null ? null : Number(found > 0);
    };
    const unjudged =
      behaviours === undefined ? 0 : completions.filter((row) => counts(row) === null).length;
    return { mean: average(counts), share: average(share), unjudged };
  };
  return {
    seed,
    rows: completions.map((row) => ({
      seed,
      puzzle: row.puzzle_id,
      correct: row.correct,
      tokens: row.tokens,
      habits: mapHabits((name) => judgementOf(row)?.[name].count ?? null),
    })),
    validity: validitySample(
      seed,
      completions.map((row) => ({
        puzzle: row.puzzle_id,
        tally: tallyValidity(row, judgementOf(row)),
      })),
    ),
    completions: completions.length,
    accuracy: average((row) => Number(row.correct)),
    tokens: average((row) => row.tokens),
    truncated: average((row) => Number(row.stop_reason === "length")),
    format: average((row) => Number(row.answer !== null)),
    habits: mapHabits(habit),
  };
}

function averageByPuzzle(
  seed: number,
  rows: readonly Completion[],
  value: (row: Completion) => number | null,
): SeedSample {
  const sums = new Map<string, { sum: number; n: number }>();
  for (const row of rows) {
    const one = value(row);
    if (one === null) continue;
    const entry = sums.get(row.puzzle_id) ?? { sum: 0, n: 0 };
    entry.sum += one;
    entry.n += 1;
    sums.set(row.puzzle_id, entry);
  }
  return {
    seed,
    puzzles: [...sums.keys()],
    values: [...sums.values()].map((entry) => entry.sum / entry.n),
  };
}

function summarizeStep(step: number, measures: readonly StepMeasures[]): StepSummary {
  const habit = (name: Behaviour): HabitSummary => ({
    mean: estimateMean(
      measures.map((one) => one.habits[name].mean),
      "count",
    ),
    share: estimateMean(
      measures.map((one) => one.habits[name].share),
      "share",
    ),
    unjudged: measures.reduce((sum, one) => sum + one.habits[name].unjudged, 0),
  });
  const of = (key: "accuracy" | "tokens" | "truncated" | "format") =>
    estimateMean(
      measures.map((one) => one[key]),
      key === "tokens" ? "count" : "share",
    );
  return {
    step,
    seeds: measures.map((one) => ({
      seed: one.seed,
      puzzles: one.accuracy.puzzles.length,
      completions: one.completions,
    })),
    accuracy: of("accuracy"),
    tokens: of("tokens"),
    truncated: of("truncated"),
    format: of("format"),
    habits: mapHabits(habit),
  };
}

/** A value for each habit. */
export function mapHabits<T>(value: (name: Behaviour) => T): Record<Behaviour, T> {
  return Object.fromEntries(BEHAVIOURS.map((name) => [name, value(name)])) as Record<Behaviour, T>;
}

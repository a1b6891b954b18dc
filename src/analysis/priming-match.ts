/**
 * What the priming traces of each arm were, from the traces themselves: lengths, right answers, habits, and the match
 * of every arm with all_strategies on the same base, puzzle by puzzle. This is the proof that a control differs from
 * all_strategies in the thought alone.
 */
import { access } from "node:fs/promises";
import path from "node:path";
import { readJsonl } from "../data/jsonl.ts";
import { BEHAVIOURS, type Trace, traceSchema } from "../data/rows.ts";
import type { PrimingSummary } from "./comparison-schema.ts";
import type { ArmFolder } from "./run-folder.ts";

interface ArmTraces {
  readonly arm: ArmFolder;
  readonly bySeed: ReadonlyMap<number, readonly Trace[]>;
}

/** Summaries of the arms that have training traces, in the order of the arms. */
export async function summarizePriming(arms: readonly ArmFolder[]): Promise<PrimingSummary[]> {
  const read: ArmTraces[] = [];
  for (const arm of arms) {
    const bySeed = new Map<number, readonly Trace[]>();
    for (const seed of arm.seeds) {
      const file = path.join(seed.folder, "priming", "train.jsonl");
      const exists = await access(file).then(
        () => true,
        () => false,
      );
      if (exists) bySeed.set(seed.seed, await readJsonl(file, traceSchema));
    }
    if (bySeed.size > 0) read.push({ arm, bySeed });
  }
  return read.map((one) => {
    const reference = read.find(
      (other) =>
        other !== one &&
        other.arm.base === one.arm.base &&
        other.arm.condition === "all_strategies",
    );
    return summarize(one, reference);
  });
}

function summarize(one: ArmTraces, reference: ArmTraces | undefined): PrimingSummary {
  const traces = [...one.bySeed.values()].flat();
  const lengths = new Map<number, number>();
  for (const trace of traces) lengths.set(trace.tokens, (lengths.get(trace.tokens) ?? 0) + 1);
  const n = Math.max(1, traces.length);
  return {
    arm: one.arm.id,
    traces: traces.length,
    correct: traces.filter((trace) => trace.correct).length / n,
    meanTokens: traces.reduce((sum, trace) => sum + trace.tokens, 0) / n,
    lengths: [...lengths].sort(([a], [b]) => a - b),
    habits: habitMeans(traces),
    match: reference === undefined ? null : matchOf(one, reference),
  };
}

function habitMeans(traces: readonly Trace[]): Record<string, number> | null {
  const kept = traces.flatMap((trace) => (trace.record === null ? [] : [trace.record]));
  if (kept.length === 0) return null;
  return Object.fromEntries(
    BEHAVIOURS.map((name) => [
      name,
      kept.reduce((sum, record) => sum + (record[name].count ?? 0), 0) / kept.length,
    ]),
  );
}

function matchOf(one: ArmTraces, reference: ArmTraces): NonNullable<PrimingSummary["match"]> {
  const match = { arm: reference.arm.id, shared: 0, unshared: 0, equalTokens: 0, equalAnswers: 0 };
  for (const [seed, traces] of one.bySeed) {
    const others = new Map(
      (reference.bySeed.get(seed) ?? []).map((trace) => [trace.puzzle_id, trace]),
    );
    for (const trace of traces) {
      const other = others.get(trace.puzzle_id);
      others.delete(trace.puzzle_id);
      if (other === undefined) {
        match.unshared += 1;
        continue;
      }
      match.shared += 1;
      if (trace.tokens === other.tokens) match.equalTokens += 1;
      if (trace.answer !== null && trace.answer === other.answer) match.equalAnswers += 1;
    }
    match.unshared += others.size;
  }
  return match;
}

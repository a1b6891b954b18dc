/**
 * Training metrics of each arm as curves: rl/metrics.jsonl averaged over seeds and thinned to at most `MAX_POINTS`
 * points by averaging neighbouring steps. Keys are data: whatever numbers the rows hold can be asked for.
 */
import { access } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { readJsonl } from "../data/jsonl.ts";
import type { ArmFolder } from "./run-folder.ts";

const metricRowSchema = z.looseObject({ step: z.number() });

/** Longest curve; a longer one is averaged in blocks. */
export const MAX_POINTS = 60;

export interface CurvePoint {
  readonly step: number;
  readonly value: number;
}

/** Curves of one arm by metric key; a key that no row has is absent. */
export interface TrainingCurves {
  readonly arm: string;
  readonly seeds: number;
  readonly curves: Readonly<Record<string, readonly CurvePoint[]>>;
}

/** Reads the wanted keys of every arm; arms without a metrics file are left out. */
export async function readTrainingCurves(
  arms: readonly ArmFolder[],
  keys: readonly string[],
): Promise<TrainingCurves[]> {
  const result: TrainingCurves[] = [];
  for (const arm of arms) {
    const perSeed: z.infer<typeof metricRowSchema>[][] = [];
    for (const seed of arm.seeds) {
      const file = path.join(seed.folder, "rl", "metrics.jsonl");
      const exists = await access(file).then(
        () => true,
        () => false,
      );
      if (exists) perSeed.push(await readJsonl(file, metricRowSchema));
    }
    if (perSeed.length === 0) continue;
    const curves: Record<string, CurvePoint[]> = {};
    for (const key of keys) {
      const points = thin(meanByStep(perSeed.flat(), key), MAX_POINTS);
      if (points.length > 0) curves[key] = points;
    }
    result.push({ arm: arm.id, seeds: perSeed.length, curves });
  }
  return result;
}

/** Mean of a key at each step over the rows that have it as a finite number, ascending in step. */
export function meanByStep(
  rows: readonly (Readonly<Record<string, unknown>> & { readonly step: number })[],
  key: string,
): CurvePoint[] {
  const sums = new Map<number, { sum: number; n: number }>();
  for (const row of rows) {
    const value = row[key];
    if (typeof value !== "number" || !Number.isFinite(value)) continue;
    const entry = sums.get(row.step) ?? { sum: 0, n: 0 };
    entry.sum += value;
    entry.n += 1;
    sums.set(row.step, entry);
  }
  return [...sums]
    .sort(([a], [b]) => a - b)
    .map(([step, { sum, n }]) => ({ step, value: sum / n }));
}

/** Averages neighbouring points in equal blocks so that at most `limit` remain. */
export function thin(points: readonly CurvePoint[], limit: number): CurvePoint[] {
  const block = Math.max(1, Math.ceil(points.length / limit));
  const result: CurvePoint[] = [];
  for (let at = 0; at < points.length; at += block) {
    const part = points.slice(at, at + block);
    const total = part.reduce(
      (sum, point) => ({ step: sum.step + point.step, value: sum.value + point.value }),
      { step: 0, value: 0 },
    );
    result.push({ step: total.step / part.length, value: total.value / part.length });
  }
  return result;
}

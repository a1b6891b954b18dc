/**
 * How long stages take: seconds a unit of work as measured earlier in the same run, else from the stage table; and the
 * time of a whole study, by playing the scheduler with these durations.
 */
import { dependenciesOf, type Stage } from "./plan.ts";
import type { CostContext, StageTable } from "./stage-table.ts";

/** Seconds that finished stages took, by stage id. */
export type MeasuredSeconds = Readonly<Record<string, number>>;

/** Expected seconds of each stage on one core, by id. */
export function estimateSeconds(
  stages: readonly Stage[],
  table: StageTable,
  context: CostContext,
  measured: MeasuredSeconds,
): Map<string, number> {
  const units = new Map(
    stages.map((stage) => [stage.id, table[stage.kind].cost(stage, context).units]),
  );
  return new Map(
    stages.map((stage) => {
      const alike = (sameCondition: boolean): number | undefined =>
        secondsAUnit(
          stages.filter(
            (other) =>
              other.kind === stage.kind && (!sameCondition || other.condition === stage.condition),
          ),
          units,
          measured,
        );
      const { secondsPerUnit } = table[stage.kind];
      const rate = alike(true) ?? alike(false) ?? secondsPerUnit;
      return [stage.id, (units.get(stage.id) ?? 0) * rate];
    }),
  );
}

function secondsAUnit(
  stages: readonly Stage[],
  unitsOf: ReadonlyMap<string, number>,
  measured: MeasuredSeconds,
): number | undefined {
  let seconds = 0;
  let units = 0;
  for (const stage of stages) {
    const time = measured[stage.id];
    if (time === undefined) continue;
    seconds += time;
    units += unitsOf.get(stage.id) ?? 0;
  }
  return units > 0 ? seconds / units : undefined;
}

/** Seconds from the start of each stage to the end of the study along its longest chain, by id. */
export function criticalPaths(
  stages: readonly Stage[],
  seconds: ReadonlyMap<string, number>,
): Map<string, number> {
  const paths = new Map<string, number>();
  for (const stage of stages.toReversed()) {
    const after = stages
      .filter((other) => dependenciesOf(other).includes(stage.id))
      .map((other) => paths.get(other.id) ?? 0);
    paths.set(stage.id, (seconds.get(stage.id) ?? 0) + Math.max(0, ...after));
  }
  return paths;
}

/** Of the stages that are ready, the one at the head of the longest chain. */
export function nextStage(
  ready: readonly Stage[],
  paths: ReadonlyMap<string, number>,
): Stage | undefined {
  const length = (stage: Stage): number => paths.get(stage.id) ?? 0;
  return ready.reduce<Stage | undefined>(
    (best, stage) => (best === undefined || length(stage) > length(best) ? stage : best),
    undefined,
  );
}

/**
 * Seconds until every stage is done, with `workers` stages at a time.
 * @param seconds what is still to be done of each stage; 0 or absent for a finished one
 */
export function simulateSchedule(
  stages: readonly Stage[],
  seconds: ReadonlyMap<string, number>,
  workers: number,
): number {
  const paths = criticalPaths(stages, seconds);
  const waiting = new Set(stages);
  const done = new Set<string>();
  const running: { readonly stage: Stage; readonly endsAt: number }[] = [];
  let time = 0;
  while (waiting.size > 0 || running.length > 0) {
    const ready = [...waiting].filter((stage) => dependenciesOf(stage).every((id) => done.has(id)));
    const next = running.length < workers ? nextStage(ready, paths) : undefined;
    if (next !== undefined) {
      waiting.delete(next);
      running.push({ stage: next, endsAt: time + (seconds.get(next.id) ?? 0) });
      continue;
    }
    running.sort((a, b) => a.endsAt - b.endsAt);
    const first = running.shift();
    if (first === undefined) return time; // stages that wait for something outside the list
    time = first.endsAt;
    done.add(first.stage.id);
  }
  return time;
}

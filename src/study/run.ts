/**
 * Runs a study: inspects what its folder already holds, runs what is missing or out of date, several stages at a
 * time, and leaves the folder so that the same call carries on after any interruption.
 *
 * The key of a stage is the hash of its kind, version, seed, config and the content of its inputs. A finished stage
 * is kept while its key and its files are unchanged; a file that changed behind the runner's back is an error. A
 * failed stage stops what depends on it and nothing else.
 */
import { mkdir, rm } from "node:fs/promises";
import path from "node:path";
import { writeError, writeFileAtomic } from "../data/atomic.ts";
import { DataError, HabitsError, messageOf, RunError, UsageError } from "../util/errors.ts";
import type { Progress } from "../util/progress.ts";
import { type Base, largestBase, resolveBases } from "./bases.ts";
import { criticalPaths, estimateSeconds, nextStage, simulateSchedule } from "./estimate.ts";
import type { Executor } from "./executor.ts";
import {
  type Assessment,
  assertUnedited,
  assessStages,
  type Found,
  findStages,
  recordOf,
} from "./inspect.ts";
import { takeLock } from "./lock.ts";
import { ManifestWriter } from "./manifest-writer.ts";
import { nameDiskFull } from "./plain-error.ts";
import { dependenciesOf, planStages, type Stage } from "./plan.ts";
import {
  type CompleteRecord,
  closePartial,
  hashPart,
  openPartial,
  partialFolder,
  promoteLeftover,
  removeTemporaries,
} from "./record.ts";
import { formatStudy, type Study } from "./schema.ts";
import type { CostContext, StageTable, StageTask } from "./stage-table.ts";

/** What a run tells while it goes. */
export type StudyEvent =
  | { readonly type: "note"; readonly text: string }
  | { readonly type: "planned"; readonly assessments: readonly Assessment[] }
  | { readonly type: "started"; readonly stage: Stage }
  | { readonly type: "progress"; readonly stage: Stage; readonly progress: Progress }
  | { readonly type: "kept"; readonly stage: Stage }
  | { readonly type: "finished"; readonly stage: Stage; readonly seconds: number }
  | { readonly type: "failed"; readonly stage: Stage; readonly error: unknown };

/** The whole run as a display sees it. */
export interface StudyView {
  readonly total: number;
  /** Stages that are done or kept. */
  done(): number;
  /** Expected seconds until the end. */
  remainingSeconds(): number;
}

export interface RunStudyOptions {
  /** Run folder; made when it is missing. */
  readonly folder: string;
  readonly table: StageTable;
  readonly executor: Executor;
  /** Milliseconds since 1970; passed in, because the library does not read the clock. */
  readonly now: () => number;
  /** Stages to run again whatever their state: an id, a folder of ids, or a kind. */
  readonly redo?: readonly string[];
  /** Keeps the trainer state of finished training stages, in hidden folders beside their output. */
  readonly keepState?: boolean;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: StudyEvent, view: StudyView) => void;
}

/** Outcome of a finished run. */
export interface StudyResult {
  readonly folder: string;
  readonly report: string;
  /** Stages that ran, and that were kept from before. */
  readonly ran: readonly string[];
  readonly kept: readonly string[];
}

/**
 * Runs what a study still needs.
 * @throws RunError `run.locked`, `run.edited_artefact`, `run.unreadable`; `run.stage_failed` with the first cause.
 */
export async function runStudy(study: Study, options: RunStudyOptions): Promise<StudyResult> {
  const { folder, now, signal } = options;
  const stages = planStages(study);
  const redone = redoStages(stages, options.redo ?? []);
  const bases = await resolveBases(study);
  await mkdir(folder, { recursive: true }).catch((cause: unknown) => {
    throw writeError(folder, cause);
  });
  const startedAt = new Date(now()).toISOString();
  await using lock = await takeLock(folder, startedAt);
  await removeTemporaries(folder);
  for (const { id } of redone) {
    await rm(path.join(folder, id), { recursive: true, force: true });
    await rm(partialFolder(path.join(folder, id)), { recursive: true, force: true });
  }
  const found = await findStages(folder, stages);
  assertUnedited(folder, found);
  await writeFileAtomic(path.join(folder, "study.yaml"), formatStudy(study));

  const manifest = await ManifestWriter.open({
    folder,
    study,
    bases,
    workers: options.executor.size,
    stages: stages.map(({ id }) => id),
    now,
  });
  const run = new StudyRun({
    stages,
    bases,
    found,
    manifest,
    costs: { study, modelBytes: largestBase(bases) },
    options,
  });
  if (lock.takenOverFrom !== undefined) {
    const { pid, startedAt: since } = lock.takenOverFrom;
    run.emit({
      type: "note",
      text: `carrying on after process ${pid}, which began at ${since} and is gone`,
    });
  }
  run.emit({ type: "planned", assessments: assessStages(stages, options.table, found, bases) });
  await run.runAll();
  const ended = run.hasFailed() ? "failed" : "finished";
  await manifest.close(signal?.aborted === true ? "stopped" : ended);
  signal?.throwIfAborted();
  run.throwFailures();
  return {
    folder,
    report: path.join(folder, "report", "index.html"),
    ran: run.ran,
    kept: run.kept,
  };
}

/** Stages named by `--redo`. */
function redoStages(stages: readonly Stage[], names: readonly string[]): Stage[] {
  return names.flatMap((name) => {
    const matches = stages.filter(
      ({ id, kind }) => id === name || kind === name || id.startsWith(`${name}/`),
    );
    if (matches.length > 0) return matches;
    throw new UsageError(`--redo "${name}": no such stage in this study`, {
      code: "study.no_stage",
      hint: "name a stage such as all_strategies/seed-1/rl, an arm, or a kind such as rl",
    });
  });
}

interface RunParts {
  readonly stages: readonly Stage[];
  readonly bases: ReadonlyMap<string, Base>;
  readonly found: ReadonlyMap<string, Found>;
  readonly manifest: ManifestWriter;
  readonly costs: CostContext;
  readonly options: RunStudyOptions;
}

/** The state of one call of `runStudy`. */
class StudyRun implements StudyView {
  readonly ran: string[] = [];
  readonly kept: string[] = [];
  readonly total: number;
  readonly #stages: readonly Stage[];
  readonly #bases: ReadonlyMap<string, Base>;
  readonly #found: ReadonlyMap<string, Found>;
  readonly #manifest: ManifestWriter;
  readonly #costs: CostContext;
  readonly #options: RunStudyOptions;
  readonly #records = new Map<string, CompleteRecord>();
  readonly #failures: { readonly stage: Stage; readonly error: unknown }[] = [];
  /** Expected seconds that a running stage still needs. */
  readonly #running = new Map<string, number>();
  /** Expected seconds of every stage. */
  #seconds: ReadonlyMap<string, number>;

  constructor(parts: RunParts) {
    this.#stages = parts.stages;
    this.#bases = parts.bases;
    this.#found = parts.found;
    this.#manifest = parts.manifest;
    this.#costs = parts.costs;
    this.#options = parts.options;
    this.total = parts.stages.length;
    this.#seconds = this.#estimate();
  }

  #estimate(): ReadonlyMap<string, number> {
    return estimateSeconds(
      this.#stages,
      this.#options.table,
      this.#costs,
      this.#manifest.seconds(),
    );
  }

  emit(event: StudyEvent): void {
    this.#options.onEvent?.(event, this);
  }

  done(): number {
    return this.#records.size;
  }

  remainingSeconds(): number {
    const left = this.#stages.map((stage): [string, number] => {
      if (this.#records.has(stage.id)) return [stage.id, 0];
      return [stage.id, this.#running.get(stage.id) ?? this.#seconds.get(stage.id) ?? 0];
    });
    return simulateSchedule(this.#stages, new Map(left), this.#options.executor.size);
  }

  /** Plays the schedule until nothing can start and nothing runs. */
  async runAll(): Promise<void> {
    const { executor, signal } = this.#options;
    const waiting = new Set(this.#stages);
    const active = new Set<Promise<void>>();
    for (;;) {
      await this.#keepFinished(waiting);
      const ready = [...waiting].filter((stage) => this.#isReady(stage));
      const paths = criticalPaths(this.#stages, this.#seconds);
      const next = active.size < executor.size ? nextStage(ready, paths) : undefined;
      if (next !== undefined && signal?.aborted !== true && !this.#isDiskFull()) {
        waiting.delete(next);
        const work = this.#runStage(next).finally(() => active.delete(work));
        active.add(work);
      } else if (active.size > 0) {
        await Promise.race(active);
      } else {
        return;
      }
    }
  }

  #isReady(stage: Stage): boolean {
    return dependenciesOf(stage).every((id) => this.#records.has(id));
  }

  #isDiskFull(): boolean {
    return this.#failures.some(
      ({ error }) => error instanceof DataError && error.code === "data.disk_full",
    );
  }

  /** Takes over, in plan order, every stage whose earlier result is still right. */
  async #keepFinished(waiting: Set<Stage>): Promise<void> {
    for (const stage of waiting) {
      if (!this.#isReady(stage)) continue;
      const { record: before, problems } = this.#found.get(stage.id) as Found;
      const wanted = recordOf(stage, this.#options.table, this.#records, this.#bases);
      const isFresh = before?.key === wanted.key && problems.missing.length === 0;
      const record = isFresh
        ? before
        : await promoteLeftover(path.join(this.#options.folder, stage.id), wanted.key);
      if (record === undefined) continue;
      waiting.delete(stage);
      this.#records.set(stage.id, record);
      this.kept.push(stage.id);
      // Work under other settings that a kill cut off, before the settings went back.
      await rm(partialFolder(path.join(this.#options.folder, stage.id)), {
        recursive: true,
        force: true,
      });
      this.emit({ type: "kept", stage });
    }
  }

  async #runStage(stage: Stage): Promise<void> {
    const { table, executor, now, signal } = this.#options;
    const folder = path.join(this.#options.folder, stage.id);
    const record = recordOf(stage, table, this.#records, this.#bases);
    const startedAt = now();
    /** Share that earlier work had done already, once it is known. */
    let begun: number | undefined;
    this.#running.set(stage.id, this.#seconds.get(stage.id) ?? 0);
    this.emit({ type: "started", stage });
    try {
      const { resumed } = await openPartial(folder, record, table[stage.kind].resumable);
      await executor.run(this.#taskOf(stage), {
        ...(signal !== undefined && { signal }),
        onProgress: (progress) => {
          const share = progress.done / Math.max(1, progress.total);
          begun ??= resumed ? Math.max(0, (progress.done - 1) / Math.max(1, progress.total)) : 0;
          const elapsedS = (now() - startedAt) / 1000;
          if (share > begun) {
            this.#running.set(stage.id, (elapsedS * (1 - share)) / (share - begun));
          }
          this.emit({ type: "progress", stage, progress });
        },
      });
      const complete = await closePartial(folder, record);
      this.#records.set(stage.id, complete);
      this.ran.push(stage.id);
      // What the whole stage would have taken, had it not carried on from earlier work.
      const seconds = (now() - startedAt) / 1000 / (1 - (begun ?? 0));
      await this.#manifest.finish(stage.id, {
        key: complete.key,
        output: hashPart(complete, ""),
        seconds,
      });
      this.#seconds = this.#estimate();
      this.emit({ type: "finished", stage, seconds });
    } catch (thrown) {
      if (signal?.aborted === true) return;
      const error = nameDiskFull(thrown, folder);
      this.#failures.push({ stage, error });
      this.emit({ type: "failed", stage, error });
    } finally {
      this.#running.delete(stage.id);
    }
  }

  #taskOf(stage: Stage): StageTask {
    const { folder } = this.#options;
    const inputs = Object.entries(stage.inputs).map(([name, input]): [string, string] => [
      name,
      input.from === "base"
        ? (this.#bases.get(input.base) as Base).path
        : path.join(folder, input.stage, input.path),
    ]);
    return {
      id: stage.id,
      kind: stage.kind,
      run: folder,
      out: partialFolder(path.join(folder, stage.id)),
      inputs: Object.fromEntries(inputs),
      config: stage.config,
      ...(stage.seed !== undefined && { seed: stage.seed }),
      threads: 1,
      keepState: this.#options.keepState ?? false,
    };
  }

  hasFailed(): boolean {
    return this.#failures.length > 0;
  }

  /** @throws RunError for the first stage that failed, with the number of others. */
  throwFailures(): void {
    const [first, ...others] = this.#failures;
    if (first === undefined) return;
    const more = others.length > 0 ? `; ${others.length} more failed` : "";
    const cause = first.error;
    const hint = cause instanceof HabitsError ? cause.hint : undefined;
    throw new RunError(`stage ${first.stage.id}: ${messageOf(cause)}${more}`, {
      code: "run.stage_failed",
      hint: hint ?? "run the same command again: finished stages are kept",
      cause,
    });
  }
}

/** What the runner needs to know of a kind of stage: how to run it, and what it costs. */
import type { StageContext } from "../util/progress.ts";
import type { Stage, StageKind } from "./plan.ts";
import type { Study } from "./schema.ts";

/** One call of a stage function: plain data, so that it can cross to a worker thread. */
export interface StageTask {
  readonly id: string;
  readonly kind: StageKind;
  /** The run folder. */
  readonly run: string;
  /** Folder to write into; it becomes the folder of the stage when the function has returned. */
  readonly out: string;
  /** Absolute paths of the inputs, by name. */
  readonly inputs: Readonly<Record<string, string>>;
  readonly config: Readonly<Record<string, unknown>>;
  /** Seed of the arm; undefined for the stages that belong to the study as a whole. */
  readonly seed?: number;
  /** Processor threads that the stage may use. */
  readonly threads: number;
  /** Keeps what a finished training stage would need to go on; no artefact depends on it. */
  readonly keepState?: boolean;
}

/** What a stage may use while it runs. */
export interface TaskContext extends StageContext {
  /** Monotonic clock in milliseconds, for `timings.jsonl`; absent where nobody measures. */
  readonly clockMs?: () => number;
}

/**
 * A kind of stage. Equal task, equal bytes in `out`, apart from names that begin with a dot and files called
 * `timings.jsonl`.
 */
export interface StageDefinition {
  /** Raised when the same inputs give other outputs than before, so that finished stages run again. */
  readonly version: number;
  /** True when a second call on the same `out`, after a kill at any moment, carries on to the same bytes. */
  readonly resumable: boolean;
  readonly run: (task: StageTask, context: TaskContext) => Promise<void>;
  /** Expected work and size. */
  readonly cost: (stage: Stage, context: CostContext) => StageCost;
  /** Seconds a unit of work on one core, before this run has measured its own. */
  readonly secondsPerUnit: number;
}

/** What a stage is expected to take. */
export interface StageCost {
  /** Amount of work, in any unit that grows with the time it takes. */
  readonly units: number;
  /** Size of the output. */
  readonly bytes: number;
}

/** What the cost of a stage may depend on. */
export interface CostContext {
  readonly study: Study;
  /** Size of the weights of the bases, in bytes: the largest. */
  readonly modelBytes: number;
}

export type StageTable = Readonly<Record<StageKind, StageDefinition>>;

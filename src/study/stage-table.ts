/** What the runner needs to know of a kind of stage: how to run it, and what it costs. */
import type { StageContext } from "../util/progress.ts";
import type { Stage, StageKind } from "./plan.ts";

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
}

/** A kind of stage. Equal task, equal bytes in `out`, apart from file names that begin with a dot. */
export interface StageDefinition {
  /** Raised when the same inputs give other outputs than before, so that finished stages run again. */
  readonly version: number;
  /** True when a second call on the same `out`, after a kill at any moment, carries on to the same bytes. */
  readonly resumable: boolean;
  readonly run: (task: StageTask, context: StageContext) => Promise<void>;
  /** Amount of work, in any unit that grows with the time it takes. */
  readonly units: (stage: Stage) => number;
  /** Seconds a unit on one core, before this run has measured its own. */
  readonly secondsPerUnit: number;
  /** Expected size of the output. */
  readonly bytes: (stage: Stage) => number;
}

export type StageTable = Readonly<Record<StageKind, StageDefinition>>;

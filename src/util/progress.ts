/** What a long-running stage tells its caller while it works; the caller decides how to show it. */

/** A point of progress: `done` of `total` units, with the latest metrics of the stage. */
export interface Progress {
  readonly done: number;
  readonly total: number;
  /** Plural noun: `steps`, `puzzles`, `traces`. */
  readonly unit: string;
  readonly metrics?: Readonly<Record<string, number>>;
}

/** Last argument of every stage function. */
export interface StageContext {
  /** Aborting ends the stage at its next safe point with the reason of the signal. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

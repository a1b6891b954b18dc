/** Time as this room sees it. The command line passes the real one; tests pass one that they move. */
import { setTimeout as wait } from "node:timers/promises";

/** A clock that tells wall-clock time and can wait. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Waits; rejects with the reason of the signal when it is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** A clock over timers of the system, given what tells the time, e.g. `Date.now`. */
export function systemClock(now: () => number): Clock {
  return {
    now,
    async sleep(ms, signal) {
      signal?.throwIfAborted();
      try {
        await wait(Math.min(ms, MAX_TIMER_MS), undefined, signal === undefined ? {} : { signal });
      } catch (error) {
        signal?.throwIfAborted();
        throw error;
      }
    },
  };
}

/** Longer timers fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** ISO text of a moment. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

/** Many tasks at once, in constant memory: outcomes come as they are ready, each with the place of its task. */
import type { StageContext } from "../util/progress.ts";
import type { LlmClient, Task } from "./client.ts";
import type { Outcome } from "./request.ts";

/** An outcome and the place of its task in the input. */
export interface PlacedOutcome {
  readonly index: number;
  readonly outcome: Outcome;
}

/** Options of `completeAll`. */
export interface CompleteAllOptions extends StageContext {
  /** Number of tasks, for progress; without it none is reported. */
  readonly total?: number;
}

/**
 * Completes tasks, as many at once as the client allows. After an error that ends the run, or an abort, no further task is
 * begun; what is under way is awaited, so that its answers are kept, and then the error is thrown.
 */
export async function* completeAll(
  client: LlmClient,
  tasks: Iterable<Task> | AsyncIterable<Task>,
  options: CompleteAllOptions = {},
): AsyncGenerator<PlacedOutcome> {
  const { signal, onProgress, total } = options;
  const underWay = new Map<number, Promise<PlacedOutcome>>();
  const ready: PlacedOutcome[] = [];
  const windowSize = client.concurrency * 2;
  let failed: { error: unknown } | undefined;
  let done = 0;
  let wake = (): void => undefined;
  const begin = (index: number, task: Task): void => {
    const outcome = client.complete(task, signal).then((result) => ({ index, outcome: result }));
    underWay.set(index, outcome);
    outcome
      .then(
        (placed) => ready.push(placed),
        (error: unknown) => {
          failed ??= { error };
        },
      )
      .finally(() => {
        underWay.delete(index);
        wake();
      });
  };
  function* drain(): Generator<PlacedOutcome> {
    for (let next = ready.shift(); next !== undefined; next = ready.shift()) {
      done += 1;
      if (total !== undefined) {
        onProgress?.({ done, total, unit: "requests", metrics: { usd: client.budget.spentUsd } });
      }
      yield next;
    }
  }
  const change = (): Promise<void> =>
    new Promise((resolve) => {
      wake = resolve;
    });
  let index = 0;
  try {
    for await (const task of tasks) {
      while (failed === undefined && underWay.size >= windowSize) {
        if (ready.length === 0) await change();
        yield* drain();
      }
      if (failed !== undefined || signal?.aborted === true) break;
      begin(index, task);
      index += 1;
      yield* drain();
    }
    while (underWay.size > 0 || ready.length > 0) {
      if (ready.length === 0) await change();
      yield* drain();
    }
  } finally {
    // The caller may stop early: what is under way is paid for, so it is awaited and kept.
    await Promise.allSettled(underWay.values());
  }
  signal?.throwIfAborted();
  if (failed !== undefined) throw failed.error;
}

/**
 * Where stages run. `inlineExecutor` runs them in this thread; `workerExecutor` in a pool of worker threads, one stage
 * a thread at a time, so that training never holds up the display and independent arms run side by side. Threads, not
 * processes: a killed study leaves no orphan that still writes. A thread is asked to stop, never terminated, because
 * ending a thread inside the native runtime ends the process.
 */
import { Worker } from "node:worker_threads";
import { RunError } from "../util/errors.ts";
import { fromPlainError, type PlainError } from "../util/plain-error.ts";
import type { Progress, StageContext } from "../util/progress.ts";
import type { StageTable, StageTask } from "./stage-table.ts";

/** Runs stage tasks, at most `size` at a time. */
export interface Executor extends AsyncDisposable {
  readonly size: number;
  run(task: StageTask, context: StageContext): Promise<void>;
}

/** What a worker thread is told. */
export type WorkerRequest =
  | { readonly type: "run"; readonly task: StageTask }
  | { readonly type: "abort" }
  | { readonly type: "close" };

/** What a worker thread tells. */
export type WorkerReply =
  | { readonly type: "progress"; readonly progress: Progress }
  | { readonly type: "done" }
  | { readonly type: "failed"; readonly error: PlainError };

/** Runs every stage in the calling thread. */
export function inlineExecutor(table: StageTable, size = 1): Executor {
  return {
    size,
    run: (task, context) => table[task.kind].run(task, context),
    [Symbol.asyncDispose]: async () => undefined,
  };
}

/**
 * Starts a pool of worker threads; each starts when it is first needed and is used again for later stages.
 * @param tableModule URL of a module that exports a stage table as `stages`
 */
export function workerExecutor(size: number, tableModule: string): Executor {
  const idle: Worker[] = [];
  const live = new Set<Worker>();
  const take = (): Worker => {
    const free = idle.pop();
    if (free !== undefined) return free;
    const worker = new Worker(new URL("./worker.js", import.meta.url), {
      workerData: { tableModule },
    });
    live.add(worker);
    worker.once("exit", () => live.delete(worker));
    return worker;
  };
  return {
    size,
    async run(task, context) {
      const worker = take();
      try {
        await runInWorker(worker, task, context);
      } finally {
        if (live.has(worker)) idle.push(worker);
      }
    },
    async [Symbol.asyncDispose]() {
      const exits = [...live].map(
        (worker) => new Promise<void>((resolve) => worker.once("exit", () => resolve())),
      );
      for (const worker of live) worker.postMessage({ type: "close" } satisfies WorkerRequest);
      await Promise.all(exits);
    },
  };
}

function runInWorker(worker: Worker, task: StageTask, context: StageContext): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => worker.postMessage({ type: "abort" } satisfies WorkerRequest);
    const settle = (outcome: () => void): void => {
      worker.off("message", onMessage).off("error", onError).off("exit", onExit);
      context.signal?.removeEventListener("abort", abort);
      outcome();
    };
    const onMessage = (reply: WorkerReply): void => {
      if (reply.type === "progress") context.onProgress?.(reply.progress);
      else if (reply.type === "done") settle(resolve);
      else settle(() => reject(fromPlainError(reply.error)));
    };
    const onError = (cause: Error): void => settle(() => reject(cause));
    const onExit = (code: number): void =>
      settle(() =>
        reject(
          new RunError(`stage "${task.id}": its worker thread ended with code ${code}`, {
            code: "run.worker_ended",
            hint: "run the same command again; it carries on from the last state",
          }),
        ),
      );
    worker.on("message", onMessage).on("error", onError).on("exit", onExit);
    context.signal?.addEventListener("abort", abort);
    worker.postMessage({ type: "run", task } satisfies WorkerRequest);
    if (context.signal?.aborted) abort();
  });
}

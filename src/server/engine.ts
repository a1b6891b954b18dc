/**
 * The engine as the HTTP side sees it: jobs go in, events of each come out. It runs in a worker thread, so that requests are
 * answered while it computes, or in this thread for tests and embedding. Sequences that run and wait are bounded here.
 */
import { Worker } from "node:worker_threads";
import { type CompileOptions, ProgramCache, prepareRuntime } from "../engine/index.ts";
import type { LanguageModel } from "../model/checkpoint.ts";
import { RunError } from "../util/errors.ts";
import { fromPlainError } from "../util/plain-error.ts";
import type { ChoiceEvent, EngineReply, EngineRequest, JobSpec } from "./job.ts";
import { Scheduler } from "./scheduler.ts";

export interface EngineOptions extends Pick<CompileOptions, "threads" | "device"> {
  /** Sequences that are decoded side by side. */
  readonly maxBatch: number;
  /** Sequences that may wait for a place. */
  readonly maxQueue: number;
}

/** Events of a job in order; leaving the loop early cancels the job. */
export interface Job extends AsyncIterable<ChoiceEvent> {
  cancel(): void;
}

interface OpenJob {
  unfinished: number;
  readonly queue: EventQueue;
}

export class Engine implements AsyncDisposable {
  readonly #post: (request: EngineRequest) => void;
  readonly #close: () => Promise<void>;
  readonly #limit: number;
  readonly #jobs = new Map<number, OpenJob>();
  #nextJob = 1;
  #failure: Error | undefined;
  #whenIdle: (() => void)[] = [];

  constructor(
    options: Pick<EngineOptions, "maxBatch" | "maxQueue">,
    post: (request: EngineRequest) => void,
    close: () => Promise<void>,
  ) {
    this.#limit = options.maxBatch + options.maxQueue;
    this.#post = post;
    this.#close = close;
  }

  /** Sequences that run or wait. */
  get unfinished(): number {
    return [...this.#jobs.values()].reduce((sum, { unfinished }) => sum + unfinished, 0);
  }

  /** Why the engine ended by itself. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Starts a job; undefined when it finds the queue full. A job alone is always taken. */
  submit(spec: JobSpec): Job | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    const busy = this.unfinished;
    if (busy > 0 && busy + spec.requests.length > this.#limit) return undefined;
    const id = this.#nextJob;
    this.#nextJob += 1;
    const queue = new EventQueue();
    this.#jobs.set(id, { unfinished: spec.requests.length, queue });
    this.#post({ type: "submit", job: id, spec });
    const cancel = (): void => {
      if (!this.#jobs.has(id)) return;
      this.#end(id);
      this.#post({ type: "cancel", job: id });
    };
    return {
      cancel,
      async *[Symbol.asyncIterator]() {
        try {
          yield* queue;
        } finally {
          cancel();
        }
      },
    };
  }

  /** Takes a reply of the scheduler. */
  receive(reply: EngineReply): void {
    if (reply.type === "failed") {
      this.#fail(fromPlainError(reply.error), reply.jobs);
      return;
    }
    if (reply.type === "ready") return;
    for (const { job, event } of reply.events) {
      const open = this.#jobs.get(job);
      if (open === undefined) continue; // cancelled meanwhile
      if (event.finish !== undefined) open.unfinished -= 1;
      open.queue.push(event);
      if (open.unfinished === 0) this.#end(job);
    }
  }

  /** Ends every job with an error, and refuses new ones. */
  fail(error: Error): void {
    this.#failure = error;
    this.#fail(error, undefined);
  }

  /** Resolves when no job runs or waits. */
  async idle(): Promise<void> {
    if (this.#jobs.size > 0) await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }

  #fail(error: unknown, jobs: readonly number[] | undefined): void {
    for (const id of jobs ?? [...this.#jobs.keys()]) {
      this.#jobs.get(id)?.queue.fail(error);
      this.#end(id);
    }
  }

  #end(id: number): void {
    this.#jobs.get(id)?.queue.end();
    this.#jobs.delete(id);
    if (this.#jobs.size > 0) return;
    for (const resolve of this.#whenIdle.splice(0)) resolve();
  }
}

/** Events between a producer that does not wait and one consumer. */
class EventQueue implements AsyncIterable<ChoiceEvent> {
  readonly #events: ChoiceEvent[] = [];
  #wake: (() => void) | undefined;
  #ended = false;
  #error: unknown;

  push(event: ChoiceEvent): void {
    this.#events.push(event);
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  fail(error: unknown): void {
    this.#error = error;
    this.end();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ChoiceEvent> {
    for (;;) {
      for (const event of this.#events.splice(0)) yield event;
      if (this.#events.length > 0) continue;
      if (this.#error !== undefined) throw this.#error;
      if (this.#ended) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

/** Runs the model in this thread; the event loop turns between decoding steps. */
export function inlineEngine(model: LanguageModel, options: EngineOptions): Engine {
  const programs = new ProgramCache(options);
  const scheduler = new Scheduler({
    model,
    programs,
    maxBatch: options.maxBatch,
    reply: (reply) => engine.receive(reply),
  });
  const engine = new Engine(
    options,
    (request) => {
      if (request.type === "submit") scheduler.submit(request.job, request.spec);
      else if (request.type === "cancel") scheduler.cancel(request.job);
    },
    async () => {
      await scheduler.close();
      await programs.dispose();
    },
  );
  return engine;
}

/**
 * Loads a checkpoint in a worker thread and resolves when it is ready. The thread is asked to stop, never terminated, because
 * ending a thread inside the native runtime ends the process.
 */
export async function workerEngine(folder: string, options: EngineOptions): Promise<Engine> {
  await prepareRuntime();
  const worker = new Worker(new URL("./worker.js", import.meta.url), {
    workerData: { folder, options },
  });
  const exited = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
  const engine = new Engine(
    options,
    (request) => worker.postMessage(request),
    async () => {
      worker.postMessage({ type: "close" } satisfies EngineRequest);
      await exited;
    },
  );
  worker.on("message", (reply: EngineReply) => engine.receive(reply));
  worker.once("error", (error: Error) => engine.fail(error));
  worker.once("exit", (code) => engine.fail(workerEnded(code)));
  await new Promise<void>((resolve, reject) => {
    worker.on("message", (reply: EngineReply) => {
      if (reply.type === "ready") resolve();
      else if (reply.type === "failed") reject(fromPlainError(reply.error));
    });
    worker.once("error", reject);
    worker.once("exit", (code) => reject(workerEnded(code)));
  });
  return engine;
}

function workerEnded(code: number): RunError {
  return new RunError(`serving: the thread of the model ended with code ${code}`, {
    code: "server.engine_ended",
    hint: "start the server again; --debug shows more",
  });
}

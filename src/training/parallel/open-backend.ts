/** Opens the backend for a number of workers: this thread for one, worker threads for more. */
import { Worker } from "node:worker_threads";
import { type CompileOptions, type Device, prepareRuntime } from "../../engine/index.ts";
import { messageOf } from "../../util/errors.ts";
import type { Backend } from "../backend.ts";
import { localBackend } from "../local-backend.ts";
import { parallelBackend } from "./parallel-backend.ts";
import type { Thread, ThreadReply } from "./protocol.ts";

export interface OpenBackendOptions {
  /** Threads that share the micro-batches of an update; results depend on their number in the last bits. */
  readonly workers: number;
  /** Threads inside one operator, of each worker. */
  readonly threads: number;
  /** Default `cpu`. */
  readonly device?: Device;
}

/** A backend that the caller disposes of. */
export async function openBackend({ workers, ...options }: OpenBackendOptions): Promise<Backend> {
  if (workers === 1) return localBackend(options);
  await prepareRuntime(); // threads inherit from this one how denormal numbers are treated
  return parallelBackend(Array.from({ length: workers }, () => startThread(options)));
}

/** Starts a worker thread. It is asked to end, never terminated: that would end the process inside the native runtime. */
function startThread(options: CompileOptions): Thread {
  const worker = new Worker(new URL("./thread.js", import.meta.url), { workerData: options });
  let failure: string | undefined;
  worker.on("error", (error) => {
    failure = messageOf(error);
  });
  return {
    post: (request, transfer = []) => worker.postMessage(request, [...transfer]),
    onReply: (receive) => worker.on("message", (reply: ThreadReply) => receive(reply)),
    onEnd: (receive) =>
      worker.on("exit", (code) => receive(failure ?? `it exited with code ${code}`)),
  };
}

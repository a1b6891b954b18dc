/** Entry of the worker thread that holds the model of a server. */
import { parentPort, workerData } from "node:worker_threads";
import { ProgramCache } from "../engine/index.ts";
import { InternalError } from "../util/errors.ts";
import { toPlainError } from "../util/plain-error.ts";
import type { EngineOptions } from "./engine.ts";
import type { EngineReply, EngineRequest } from "./job.ts";
import { Scheduler } from "./scheduler.ts";
import { loadModel } from "./served-model.ts";

const port = parentPort;
if (port === null) {
  throw new InternalError("the server's worker was started outside a worker thread", {
    code: "internal.not_a_worker",
  });
}

const { folder, options } = workerData as { folder: string; options: EngineOptions };
const reply = (message: EngineReply): void => port.postMessage(message);

try {
  const model = await loadModel(folder);
  const programs = new ProgramCache(options);
  const scheduler = new Scheduler({ model, programs, maxBatch: options.maxBatch, reply });
  port.on("message", (request: EngineRequest) => {
    if (request.type === "submit") scheduler.submit(request.job, request.spec);
    else if (request.type === "cancel") scheduler.cancel(request.job);
    else void scheduler.close().finally(() => port.close());
  });
  reply({ type: "ready" });
} catch (error) {
  reply({ type: "failed", error: toPlainError(error) });
  port.close();
}

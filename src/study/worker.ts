/** Entry of a worker thread: runs one stage at a time and tells how it goes. */
import { parentPort, workerData } from "node:worker_threads";
import { InternalError } from "../util/errors.ts";
import { toPlainError } from "../util/plain-error.ts";
import type { WorkerReply, WorkerRequest } from "./executor.ts";
import { nameDiskFull } from "./plain-error.ts";
import type { StageTable, StageTask } from "./stage-table.ts";

const port = parentPort;
if (port === null) {
  throw new InternalError("the stage worker was started outside a worker thread", {
    code: "internal.not_a_worker",
  });
}

const { tableModule } = workerData as { tableModule: string };
let abort = new AbortController();

const reply = (message: WorkerReply): void => port.postMessage(message);

async function run(task: StageTask): Promise<void> {
  abort = new AbortController();
  try {
    const { stages } = (await import(tableModule)) as { stages: StageTable };
    await stages[task.kind].run(task, {
      signal: abort.signal,
      onProgress: (progress) => reply({ type: "progress", progress }),
      clockMs: () => performance.now(),
    });
    reply({ type: "done" });
  } catch (error) {
    reply({ type: "failed", error: toPlainError(nameDiskFull(error, task.out)) });
  }
}

port.on("message", (request: WorkerRequest) => {
  if (request.type === "run") void run(request.task);
  else if (request.type === "abort") abort.abort();
  else port.close();
});

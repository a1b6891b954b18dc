/** Entry of a worker thread of a parallel backend. */
import { parentPort, workerData } from "node:worker_threads";
import type { CompileOptions } from "../../engine/index.ts";
import { InternalError } from "../../util/errors.ts";
import { ThreadHost } from "./host.ts";
import type { ThreadRequest } from "./protocol.ts";

const port = parentPort;
if (port === null) {
  throw new InternalError("the training thread was started outside a worker thread", {
    code: "internal.not_a_worker",
  });
}

const host = new ThreadHost(workerData as CompileOptions);

port.on("message", (request: ThreadRequest) => {
  if (request.type === "abort") host.abort();
  else if (request.type === "close") void host.close().then(() => port.close());
  else void host.answer(request).then((reply) => port.postMessage(reply));
});

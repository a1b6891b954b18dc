/**
 * Loads onnxruntime-node and sets how a thread treats denormal numbers.
 *
 * A softmax over masked scores is full of denormals, on which processors are about ten times slower, so they are flushed
 * to zero. onnxruntime sets this for the thread that makes the first session of the process; threads started by that one
 * afterwards inherit it, others never get it. It holds for the JavaScript of such a thread as well. Results could differ in
 * their last bits between threads with and without it, so a thread without it may not compile.
 */
import type { InferenceSession } from "onnxruntime-node";
import { messageOf, RunError } from "../../util/errors.ts";
import { GraphBuilder } from "../graph/builder.ts";
import { encodeGraph } from "../onnx/lower.ts";
import { neg } from "../ops/primitives.ts";

export type Runtime = typeof import("onnxruntime-node");

/**
 * Options of every session: one thread runs the operators in order, and waiting threads sleep. Without an arena, what a run
 * needs goes back to the process at its end; with one, every session would keep the memory of its largest run, twice over
 * with memory patterns (docs/methods/engine.md). Blocks come from malloc, which keeps freed pages, so it costs no time.
 */
export const SESSION_OPTIONS: InferenceSession.SessionOptions = {
  executionProviders: ["cpu"],
  interOpNumThreads: 1,
  executionMode: "sequential",
  graphOptimizationLevel: "all",
  // Errors are thrown; only fatal ones are printed.
  logSeverityLevel: 4,
  enableCpuMemArena: false,
  enableMemPattern: false,
  extra: { session: { intra_op: { allow_spinning: "0" }, set_denormal_as_zero: "1" } },
};

/** True when arithmetic of this thread turns denormal numbers into zero. */
export function flushesDenormals(): boolean {
  const [denormal, factor] = Float64Array.of(1e-310, 1.5) as unknown as readonly [number, number];
  return denormal * factor === 0;
}

let loading: Promise<Runtime> | undefined;

async function loadRuntime(): Promise<Runtime> {
  loading ??= import("onnxruntime-node").then((module) => module.default ?? module);
  try {
    return await loading;
  } catch (cause) {
    loading = undefined;
    throw new RunError(`onnxruntime-node could not be loaded: ${messageOf(cause)}`, {
      code: "engine.no_runtime",
      hint: "run `ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node@1.30.0`; its own install script needs a network",
      cause,
    });
  }
}

/**
 * Loads the runtime and readies this thread and the threads that it starts later. `compile` calls it; a program that
 * compiles in several worker threads calls it once in the main thread before it starts them.
 */
export async function prepareRuntime(): Promise<Runtime> {
  const runtime = await loadRuntime();
  if (flushesDenormals()) return runtime;
  const graph = new GraphBuilder("prepare");
  graph.output("y", neg(graph.input("x", [1])));
  const options = { ...SESSION_OPTIONS, intraOpNumThreads: 1 };
  const session = await runtime.InferenceSession.create(encodeGraph(graph.build()), options);
  await session.release();
  if (flushesDenormals()) return runtime;
  throw new RunError(
    "this worker thread cannot compile programs: another thread made the first onnxruntime session of the process",
    {
      code: "engine.unprepared_thread",
      hint: "await prepareRuntime() in the main thread before starting worker threads",
    },
  );
}

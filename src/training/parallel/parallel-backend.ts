/**
 * Shares the jobs of a call out over threads with one session each. Which thread does which job depends on the jobs and the number of
 * threads alone, and gradients are added up thread by thread, so that the result is the same however fast each thread is.
 */
import { Parameters } from "../../model/parameters.ts";
import { RunError, UsageError } from "../../util/errors.ts";
import { fromPlainError } from "../../util/plain-error.ts";
import type { Backend, Job, Outputs, RunnerOptions } from "../backend.ts";
import { addInto } from "../local-backend.ts";
import type {
  SharedParameters,
  SharedRunner,
  Thread,
  ThreadReply,
  ThreadRequest,
} from "./protocol.ts";

type Shares<T> = readonly { readonly at: number; readonly item: T }[][];

/** Each job to the thread with the least to do, by rectangle size; `at` is the job's place in the call. */
export function shareJobs(jobs: readonly Job[], threads: number): Shares<Job> {
  const shares = Array.from({ length: threads }, () => [] as { at: number; item: Job }[]);
  const loads = new Array<number>(threads).fill(0);
  jobs.forEach((item, at) => {
    const least = loads.indexOf(Math.min(...loads));
    shares[least]?.push({ at, item });
    loads[least] = (loads[least] as number) + item.shape.B * item.shape.T;
  });
  return shares;
}

/** The frozen weights of an adapted model would be copied once for each thread. */
function refuseFrozen(options: RunnerOptions | undefined): void {
  if (options?.frozen === undefined) return;
  throw new UsageError("adapters train in one thread, found several workers", {
    code: "training.adapters_in_workers",
    hint: "use --workers 1, and --threads for threads inside an operator",
  });
}

/** A backend over threads that are already started; they end with it. */
export function parallelBackend(threads: readonly Thread[]): Backend {
  const peers = threads.map((thread, at) => new Peer(thread, `${at + 1} of ${threads.length}`));
  const shared = new Map<Parameters, SharedParameters>();
  let runners = 0;

  /** Puts the weights where the threads read them. */
  const publish = (parameters: Parameters): SharedParameters => {
    const known = shared.get(parameters) ?? {
      id: shared.size,
      specs: parameters.specs,
      weights: new SharedArrayBuffer(parameters.flat.byteLength),
    };
    shared.set(parameters, known);
    new Float32Array(known.weights).set(parameters.flat);
    return known;
  };

  const run = async (
    parameters: Parameters,
    jobs: readonly Job[],
    runnerOf: (thread: number) => SharedRunner,
  ): Promise<{ outputs: Outputs[]; busy: number[] }> => {
    const published = publish(parameters);
    const shares = shareJobs(jobs, peers.length);
    const busy = shares.flatMap((share, thread) => (share.length > 0 ? [thread] : []));
    const outputs = new Array<Outputs>(jobs.length);
    await settleAll(
      busy.map(async (thread) => {
        const share = shares[thread] ?? [];
        const own = share.map(({ item: { shape, feeds } }) => ({
          shape: plainShape(shape),
          feeds,
        }));
        const reply = await peers[thread]?.call(
          { type: "run", runner: runnerOf(thread), parameters: published, jobs: own },
          own.flatMap(({ feeds }) =>
            Object.values(feeds).map(({ buffer }) => buffer as ArrayBuffer),
          ),
        );
        if (reply?.type !== "outputs") return;
        share.forEach(({ at }, i) => {
          outputs[at] = reply.outputs[i] as Outputs;
        });
      }),
    );
    return { outputs, busy };
  };

  return {
    workers: peers.length,
    forwardRunner(program, specs, options) {
      refuseFrozen(options);
      const runner = { id: runners++, program, specs };
      return {
        run: async (parameters, jobs) => (await run(parameters, jobs, () => runner)).outputs,
      };
    },
    gradientRunner(program, specs, options) {
      refuseFrozen(options);
      const id = runners++;
      const gradients = new Parameters(specs);
      const parts = peers.map(() => new SharedArrayBuffer(gradients.flat.byteLength));
      return {
        gradients,
        async run(parameters, jobs) {
          const { outputs, busy } = await run(parameters, jobs, (thread) => ({
            id,
            program,
            specs,
            gradients: parts[thread] as SharedArrayBuffer,
          }));
          gradients.flat.fill(0);
          for (const thread of busy) {
            addInto(gradients.flat, new Float32Array(parts[thread] as SharedArrayBuffer));
          }
          return outputs;
        },
      };
    },
    async sample(model, parameters, requests, { signal, ...options }) {
      const published = publish(parameters);
      const abort = (): void => {
        for (const peer of peers) peer.abort();
      };
      signal?.throwIfAborted();
      signal?.addEventListener("abort", abort);
      const batchSize = Math.ceil(options.batchSize / peers.length);
      try {
        const parts = await settleAll(
          peers.map(async (peer, thread) => {
            const own = requests.filter((_, at) => at % peers.length === thread);
            if (own.length === 0) return [];
            const reply = await peer.call({
              type: "sample",
              model,
              parameters: published,
              requests: own,
              options: { ...options, batchSize },
            });
            return reply.type === "sequences" ? reply.sequences : [];
          }),
        );
        return requests.map((_, at) => parts[at % peers.length]![Math.floor(at / peers.length)]!);
      } catch (error) {
        signal?.throwIfAborted();
        throw error;
      } finally {
        signal?.removeEventListener("abort", abort);
      }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(peers.map((peer) => peer.close()));
    },
  };
}

/** A shape without what else a micro-batch holds, which need not cross. */
function plainShape({ B, T, R, isPacked }: Job["shape"]): Job["shape"] {
  return { B, T, R, isPacked };
}

/** Waits for all, then throws the first failure in order: which one is seen does not depend on timing. */
async function settleAll<T>(work: readonly Promise<T>[]): Promise<T[]> {
  const outcomes = await Promise.allSettled(work);
  return outcomes.map((outcome) => {
    if (outcome.status === "rejected") throw outcome.reason;
    return outcome.value;
  });
}

/** A thread with the call that it is busy with. */
class Peer {
  readonly #thread: Thread;
  readonly #name: string;
  readonly #ended: Promise<void>;
  #endReason: string | undefined;
  #settle: { resolve(reply: ThreadReply): void; reject(error: Error): void } | undefined;

  constructor(thread: Thread, name: string) {
    this.#thread = thread;
    this.#name = name;
    thread.onReply((reply) => {
      const settle = this.#settle;
      this.#settle = undefined;
      if (reply.type === "failed") settle?.reject(fromPlainError(reply.error));
      else settle?.resolve(reply);
    });
    this.#ended = new Promise((resolve) => {
      thread.onEnd((reason) => {
        this.#endReason = reason;
        this.#settle?.reject(this.#endError(reason));
        this.#settle = undefined;
        resolve();
      });
    });
  }

  call(request: ThreadRequest, transfer: readonly ArrayBuffer[] = []): Promise<ThreadReply> {
    return new Promise((resolve, reject) => {
      if (this.#endReason !== undefined) {
        reject(this.#endError(this.#endReason));
        return;
      }
      this.#settle = { resolve, reject };
      this.#thread.post(request, transfer);
    });
  }

  abort(): void {
    if (this.#endReason === undefined) this.#thread.post({ type: "abort" });
  }

  async close(): Promise<void> {
    if (this.#endReason === undefined) this.#thread.post({ type: "close" });
    await this.#ended;
  }

  #endError(reason: string): RunError {
    return new RunError(`training thread ${this.#name} ended while it was needed: ${reason}`, {
      code: "training.thread_ended",
      hint: "run the same command again: it carries on from its last state; if memory ran out, use fewer workers",
    });
  }
}

/**
 * Many requests at the batch price. Batches of an earlier run that hold wanted requests are brought to their end first;
 * only what is then still without an answer is submitted, in parts that the provider and the budget allow. Answers end up
 * in the store, where direct calls find them too.
 */
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { UsageError } from "../util/errors.ts";
import type { StageContext } from "../util/progress.ts";
import { type BatchTiming, type FlowContext, runFlow } from "./batch-flow.ts";
import { type Intent, readIntent, readStates, saveState, writeIntent } from "./batch-state.ts";
import type { EncodedTask, LlmClient, Task } from "./client.ts";
import { isoTime } from "./clock.ts";
import { ProviderError } from "./errors.ts";
import type { BatchApi } from "./providers/provider.ts";
import type { Failure } from "./request.ts";

/** Options of `completeInBatches`. */
export interface BatchOptions extends StageContext {
  /** Locks the folder of the batches, so that two processes do not submit the same requests. */
  readonly lock: (folder: string, startedAt: string) => Promise<AsyncDisposable>;
  /** Most requests in one batch. Default 10,000: what one process holds in memory. */
  readonly maxRequests?: number;
  /** Most bytes in one batch. Default 64 MB. */
  readonly maxBytes?: number;
  readonly timing?: BatchTiming;
  /**
   * What becomes of requests that a batch left without an answer (expired, errors of the server, missing results): they go
   * into another batch, are asked directly at the direct price, or are reported. Default `resubmit`.
   */
  readonly unfinished?: "resubmit" | "direct" | "report";
  /** Batches that a request may be in. Default 3. */
  readonly maxRounds?: number;
}

/** What became of the requests. */
export interface BatchReport {
  /** Requests with an answer in the store. */
  readonly answered: number;
  /** Requests without one, each with its reason. */
  readonly failures: readonly Failure[];
  /** Batches of this call: our name, the provider's, and what their results held. */
  readonly batches: readonly Intent["state"][];
}

const DEFAULT_REQUESTS = 10_000;
const DEFAULT_BYTES = 64e6;
const TIMING = { pollMs: 5000, maxPollMs: 60_000, settleMs: 120_000 };

/**
 * Completes tasks in batches; every answer is in the store of the client afterwards.
 * @throws UsageError when the provider has no batches; ProviderError that would meet every request; BudgetError; the reason
 * of the signal. In each case the same call later goes on from where it stopped and submits nothing twice.
 */
export async function completeInBatches(
  client: LlmClient,
  tasks: Iterable<Task>,
  options: BatchOptions,
): Promise<BatchReport> {
  const api = client.provider.batches;
  if (api === undefined) {
    throw new UsageError(`provider ${client.provider.name}: it has no batches`, {
      code: "usage.no_batches",
      hint: "leave out --batch",
    });
  }
  const folder = path.join(client.store.folder, "batches");
  await mkdir(folder, { recursive: true });
  await using _lock = await options.lock(folder, isoTime(client.clock.now()));
  const run = new BatchRun(client, api, { folder, options });
  for (const task of tasks) run.add(client.encode(task));
  await run.finishOpen(await readStates(folder));
  await run.submitRest();
  return run.report();
}

class BatchRun {
  readonly #client: LlmClient;
  readonly #api: BatchApi;
  readonly #folder: string;
  readonly #options: BatchOptions;
  readonly #wanted = new Map<string, EncodedTask>();
  readonly #rounds = new Map<string, number>();
  readonly #errors = new Map<string, ProviderError>();
  readonly #states: Intent[] = [];
  readonly #done = new Map<string, number>();

  constructor(client: LlmClient, api: BatchApi, at: { folder: string; options: BatchOptions }) {
    this.#client = client;
    this.#api = api;
    this.#folder = at.folder;
    this.#options = at.options;
  }

  add(task: EncodedTask): void {
    this.#wanted.set(task.key, task);
  }

  /** Brings batches of earlier runs to their end, where they hold requests that are wanted now. */
  async finishOpen(states: readonly Intent["state"][]): Promise<void> {
    const { endpoint, model } = this.#client.provider;
    const open = states.filter(
      ({ state, ...of }) =>
        state !== "collected" &&
        state !== "closed" &&
        of.endpoint === endpoint &&
        of.model === model,
    );
    const intents: Intent[] = [];
    for (const state of open) {
      const intent = await readIntent(this.#folder, state);
      if (!intent.items.some(({ key }) => this.#isPending(key))) continue;
      // What was never sent need not be: its requests go into a new batch.
      if (state.state === "written" && state.firstSubmittedAtMs === null) {
        await saveState(intent, { state: "closed", reason: "never sent" });
      } else intents.push(intent);
    }
    await this.#runAll(intents);
  }

  /** Submits what is pending until nothing is, or until it has been tried often enough. */
  async submitRest(): Promise<void> {
    const { unfinished = "resubmit", maxRounds = 3 } = this.#options;
    const rounds = unfinished === "resubmit" ? maxRounds : 1;
    for (;;) {
      const pending = [...this.#wanted.values()].filter(
        ({ key }) => this.#isPending(key) && (this.#rounds.get(key) ?? 0) < rounds,
      );
      if (pending.length === 0) break;
      const intents: Intent[] = [];
      for (const part of await this.#parts(pending)) {
        const costs = part.map((task) => this.#client.upperUsd(task, { batch: true }));
        const made = { client: this.#client, api: this.#api, upperUsd: sumOf(costs) };
        intents.push(await writeIntent(this.#folder, part, made));
      }
      await this.#runAll(intents);
    }
    if (unfinished === "direct") await this.#askDirectly();
  }

  report(): BatchReport {
    const failures: Failure[] = [];
    for (const key of this.#wanted.keys()) {
      if (this.#client.store.has(key)) continue;
      const error = this.#errors.get(key);
      failures.push({
        key,
        reason: error?.code ?? "provider.batch_missing",
        message: error?.message ?? "the results of its batch do not hold it",
        attempts: this.#rounds.get(key) ?? 0,
      });
    }
    const answered = this.#wanted.size - failures.length;
    return { answered, failures, batches: this.#states.map(({ state }) => state) };
  }

  #isPending(key: string): boolean {
    if (!this.#wanted.has(key) || this.#client.store.has(key)) return false;
    return this.#errors.get(key)?.retryable ?? true;
  }

  /** Cuts tasks into batches that provider and budget allow. @throws BudgetError when not one more fits */
  async #parts(tasks: readonly EncodedTask[]): Promise<EncodedTask[][]> {
    const { maxRequests = DEFAULT_REQUESTS, maxBytes = DEFAULT_BYTES } = this.#options;
    const limits = {
      requests: Math.min(maxRequests, this.#api.maxRequests),
      bytes: Math.min(maxBytes, this.#api.maxBytes),
    };
    const parts: EncodedTask[][] = [];
    let part: EncodedTask[] = [];
    let bytes = 0;
    let usd = 0;
    for (const task of tasks) {
      const cost = this.#client.upperUsd(task, { batch: true });
      const fits = cost === undefined ? this.#client.budget.maxUsd === undefined : true;
      if (!fits || !this.#client.budget.hasRoom(usd + (cost ?? 0))) {
        if (usd === 0 || !fits) (await this.#client.budget.reserve(cost)).settle(0); // throws why
        break;
      }
      usd += cost ?? 0;
      const line = Buffer.byteLength(this.#api.encodeLine("x".repeat(40), task.body)) + 1;
      if (part.length > 0 && (part.length >= limits.requests || bytes + line > limits.bytes)) {
        parts.push(part);
        part = [];
        bytes = 0;
      }
      part.push(task);
      bytes += line;
    }
    return part.length > 0 ? [...parts, part] : parts;
  }

  /** Runs batches side by side; an error of one is thrown when all have stopped. */
  async #runAll(intents: readonly Intent[]): Promise<void> {
    this.#states.push(...intents);
    const context: FlowContext = {
      client: this.#client,
      api: this.#api,
      timing: { ...TIMING, ...this.#options.timing },
      signal: this.#options.signal,
      onStatus: (intent, done) => this.#progress(intent, done),
    };
    const ended = await Promise.allSettled(
      intents.map(async (intent) => {
        const { errors } = await runFlow(intent, context);
        for (const { key } of intent.items) {
          this.#rounds.set(key, (this.#rounds.get(key) ?? 0) + 1);
        }
        for (const [key, error] of errors) this.#errors.set(key, error);
      }),
    );
    for (const result of ended) if (result.status === "rejected") throw result.reason;
  }

  #progress(intent: string, done: number): void {
    this.#done.set(intent, done);
    const sum = [...this.#done.values()].reduce((a, b) => a + b, 0);
    const total = this.#wanted.size;
    this.#options.onProgress?.({ done: Math.min(sum, total), total, unit: "requests" });
  }

  async #askDirectly(): Promise<void> {
    const rest = [...this.#wanted.values()].filter(({ key }) => this.#isPending(key));
    const next = rest.values();
    const work = async (): Promise<void> => {
      for (const task of next) {
        const outcome = await this.#client.completeEncoded(task, this.#options.signal);
        if (outcome.kind === "answer") continue;
        const { reason: code, message } = outcome.failure;
        const error = new ProviderError(message, { code, retryable: true });
        this.#errors.set(task.key, error);
      }
    };
    await Promise.all(Array.from({ length: this.#client.concurrency }, work));
  }
}

/** Sum of known numbers; undefined when one is unknown. */
function sumOf(numbers: readonly (number | undefined)[]): number | undefined {
  return numbers.reduce<number | undefined>(
    (sum, number) => (sum === undefined || number === undefined ? undefined : sum + number),
    0,
  );
}

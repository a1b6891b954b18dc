/**
 * One batch from intent to results, from wherever it stands. The rule that keeps it from being paid for twice: what is
 * about to be done is on the disk before it is done, and a submission whose end is not known is looked for on the server,
 * until it would surely have shown, before it is sent again.
 */
import {
  type BatchResults,
  type Intent,
  readStates,
  saveState,
  submissionOf,
} from "./batch-state.ts";
import type { LlmClient } from "./client.ts";
import { isoTime } from "./clock.ts";
import { ProviderError } from "./errors.ts";
import type { BatchApi, BatchLine, BatchStatus, CallOptions } from "./providers/provider.ts";
import { retryDelayMs } from "./retry.ts";

/** Waiting times. */
export interface BatchTiming {
  /** First and longest time between two questions about a batch. Default 5 s and 60 s. */
  readonly pollMs?: number;
  readonly maxPollMs?: number;
  /** After this time a batch that was submitted shows in the server's list. Default 2 minutes, chosen by us. */
  readonly settleMs?: number;
}

/** What a flow works with. */
export interface FlowContext {
  readonly client: LlmClient;
  readonly api: BatchApi;
  readonly timing: Required<BatchTiming>;
  readonly signal: AbortSignal | undefined;
  readonly onStatus: (intent: string, done: number) => void;
}

/** What is left of a batch when it is over. */
export interface FlowResult {
  /** Errors by key; the others have answers, or are missing. */
  readonly errors: ReadonlyMap<string, ProviderError>;
}

/** Brings a batch to its end. @throws ProviderError when it cannot go on; the same call later goes on from there */
export async function runFlow(intent: Intent, context: FlowContext): Promise<FlowResult> {
  const reservation = context.client.budget.hold(intent.state.upperUsd ?? undefined);
  const spent = { usd: 0 };
  let submissions = 0;
  try {
    for (;;) {
      const { state } = intent.state;
      if (state === "written") {
        submissions += 1;
        const doubt = await submit(intent, context);
        if (doubt !== undefined && submissions >= context.client.retry.maxAttempts) throw doubt;
      } else if (state === "submitting") await reconcile(intent, context);
      else if (state === "submitted") {
        const { refused } = await awaitEnd(intent, context);
        if (refused !== undefined) return closeRefused(intent, refused);
        const errors = await collect(intent, context, spent);
        if (errors !== undefined) return { errors };
      } else return { errors: new Map() };
    }
  } finally {
    reservation.settle(spent.usd);
  }
}

/** Submits; returns the error when it is not known whether the server took the batch. */
async function submit(intent: Intent, context: FlowContext): Promise<ProviderError | undefined> {
  const { api, client } = context;
  const { upload } = api;
  if (upload !== undefined && intent.state.inputFile === null) {
    const send = () => upload(submissionOf(intent), callOf(context));
    await saveState(intent, { inputFile: await patiently(intent, context, send) });
  }
  for (let number = 1; ; number += 1) {
    context.signal?.throwIfAborted();
    const now = client.clock.now();
    const firstSubmittedAtMs = intent.state.firstSubmittedAtMs ?? now;
    await saveState(intent, { state: "submitting", firstSubmittedAtMs, lastSubmittedAtMs: now });
    try {
      const batch = await api.create(submissionOf(intent), callOf(context));
      await saveState(intent, { state: "submitted", batch, certain: true });
      return undefined;
    } catch (error) {
      if (!(error instanceof ProviderError) || !isRefusal(error)) {
        if (error instanceof ProviderError && error.retryable) return error; // to be looked for
        throw error;
      }
      const waitMs = retryDelayMs(error, { key: intent.state.intent, number }, client.retry);
      if (waitMs === undefined) {
        await saveState(intent, { state: "closed", reason: error.message });
        throw error;
      }
      await saveState(intent, { state: "written" });
      await client.clock.sleep(waitMs, context.signal);
    }
  }
}

/** True when the server said that it did not take the batch; after any other error it may have. */
function isRefusal({ status }: ProviderError): boolean {
  return status !== undefined && status >= 400 && status < 500 && status !== 408 && status !== 409;
}

/** Finds out whether a submission of unknown end reached the server. */
async function reconcile(intent: Intent, context: FlowContext): Promise<void> {
  const { api, client, timing, signal } = context;
  const sureAtMs = (intent.state.lastSubmittedAtMs ?? 0) + timing.settleMs;
  for (;;) {
    const found = await patiently(intent, context, () =>
      api.find(submissionOf(intent), callOf(context)),
    );
    const claimed = await claimedByOthers(intent);
    const match = found.find(({ id }) => !claimed.has(id));
    if (match !== undefined) {
      const { id: batch, certain } = match;
      await saveState(intent, { state: "submitted", batch, certain });
      return;
    }
    const now = client.clock.now();
    if (now >= sureAtMs) return saveState(intent, { state: "written" });
    await client.clock.sleep(Math.min(timing.pollMs, sureAtMs - now), signal);
  }
}

async function claimedByOthers({ state, folder }: Intent): Promise<Set<string>> {
  const others = (await readStates(folder)).filter(({ intent }) => intent !== state.intent);
  const claimed = others.flatMap(({ batch, certain }) =>
    batch !== null && certain ? [batch] : [],
  );
  return new Set([...claimed, ...state.notOurs]);
}

async function awaitEnd(intent: Intent, context: FlowContext): Promise<BatchStatus> {
  const { api, client, timing, signal } = context;
  const id = intent.state.batch ?? "";
  for (let waitMs = timing.pollMs; ; waitMs = Math.min(waitMs * 1.5, timing.maxPollMs)) {
    const status = await patiently(intent, context, () => api.status(id, callOf(context)));
    context.onStatus(intent.state.intent, status.done);
    if (status.state === "ended") return status;
    await client.clock.sleep(waitMs, signal);
  }
}

/** Closes a batch that the provider refused as a whole. @throws ProviderError when it would do so again */
async function closeRefused(
  intent: Intent,
  { message, retryable }: NonNullable<BatchStatus["refused"]>,
): Promise<FlowResult> {
  const { batch } = intent.state;
  await saveState(intent, { state: "closed", reason: message });
  const error = new ProviderError(`batch ${batch}: the provider refused it, ${message}`, {
    code: "provider.batch_refused",
    hint: "the text above says what the provider did not accept",
    retryable,
    fatal: !retryable,
  });
  if (!retryable) throw error;
  return { errors: new Map(intent.items.map(({ key }) => [key, error])) };
}

/** Times that a results file with gaps is read again, for a file that was cut short may be whole the next time. */
const READS = 3;
/** Share of the requests that may be missing; above it the file, not the requests, is what is wrong. Chosen by us. */
const MOST_MISSING = 0.5;
/** Answers that may wait for the disk at once. */
const WRITES = 256;

/** Keeps every result; undefined when the batch turned out to be somebody else's. */
async function collect(
  intent: Intent,
  context: FlowContext,
  spent: { usd: number },
): Promise<Map<string, ProviderError> | undefined> {
  const { client, signal } = context;
  for (let read = 1; ; read += 1) {
    const reading = new Reading(intent, context);
    await patiently(intent, context, () => reading.readAll());
    spent.usd += reading.spentUsd;
    if (!intent.state.certain && reading.isForeign) {
      const notOurs = [...intent.state.notOurs, intent.state.batch ?? ""];
      await saveState(intent, { state: "submitting", batch: null, notOurs });
      return undefined;
    }
    if (reading.missing.length > 0 && read < READS) {
      await client.clock.sleep(client.retry.baseMs, signal);
      continue;
    }
    if (reading.missing.length > intent.items.length * MOST_MISSING)
      throw unreadable(reading, intent);
    spent.usd += await bookMissing(reading, context);
    await saveState(intent, { state: "collected", certain: true, results: reading.results });
    return reading.errors;
  }
}

/** The batch stays as it is: to submit it again would be to pay again for answers that are on the server. */
function unreadable(reading: Reading, { state, items }: Intent): ProviderError {
  const { malformed, unknown } = reading.results;
  const found = `${malformed} lines that cannot be read and ${unknown} unknown identifiers`;
  return new ProviderError(
    `reading the results of batch ${state.batch}: ${reading.missing.length} of ${items.length} answers are missing, with ${found}`,
    {
      code: "provider.batch_unreadable",
      hint: `nothing was submitted again; run the same command to read them again, or remove batches/${state.intent}.json to give them up`,
      retryable: false,
      fatal: true,
    },
  );
}

/** One pass over the results of a batch. */
class Reading {
  readonly #intent: Intent;
  readonly #context: FlowContext;
  readonly #byId: ReadonlyMap<string, Intent["items"][number]>;
  readonly #answered = new Set<string>();
  readonly #errors = new Map<string, ProviderError>();
  #counts = { duplicates: 0, unknown: 0, malformed: 0 };
  spentUsd = 0;

  constructor(intent: Intent, context: FlowContext) {
    this.#intent = intent;
    this.#context = context;
    this.#byId = new Map(intent.items.map((item) => [item.customId, item]));
  }

  /** Reads from the start; what an earlier try has kept is passed over. */
  async readAll(): Promise<void> {
    this.#counts = { duplicates: 0, unknown: 0, malformed: 0 };
    const seen = new Set<string>();
    let writes: Promise<void>[] = [];
    const lines = this.#context.api.results(this.#intent.state.batch ?? "", callOf(this.#context));
    try {
      for await (const line of lines) {
        this.#context.signal?.throwIfAborted();
        writes.push(this.#take(line, seen));
        if (writes.length < WRITES) continue;
        const group = writes;
        writes = [];
        await Promise.all(group);
      }
    } finally {
      await Promise.all(writes);
    }
  }

  async #take(line: BatchLine, seen: Set<string>): Promise<void> {
    if (line.kind === "malformed") {
      this.#counts.malformed += 1;
      return;
    }
    const item = this.#byId.get(line.customId);
    if (item === undefined) {
      this.#counts.unknown += 1;
      return;
    }
    if (seen.has(line.customId)) this.#counts.duplicates += 1;
    seen.add(line.customId);
    if (line.kind === "error") {
      this.#errors.set(line.customId, line.error);
      return;
    }
    if (this.#answered.has(line.customId)) return;
    this.#answered.add(line.customId);
    const { client } = this.#context;
    if (client.store.has(item.key)) return; // kept before a crash
    const came = { batch: this.#intent.state.batch, attempts: 1 };
    const record = await client.keep(item, line.answer, came);
    this.spentUsd += record.costUsd ?? 0;
  }

  /** True when there are results and none is ours. */
  get isForeign(): boolean {
    return this.#answered.size + this.#errors.size === 0 && this.#counts.unknown > 0;
  }

  /** Errors by key, of the requests that have no answer. */
  get errors(): Map<string, ProviderError> {
    const errors = new Map<string, ProviderError>();
    for (const [customId, error] of this.#errors) {
      const key = this.#byId.get(customId)?.key;
      if (key !== undefined && !this.#answered.has(customId)) errors.set(key, error);
    }
    return errors;
  }

  /** Items of which the results say nothing. */
  get missing(): Intent["items"] {
    return this.#intent.items.filter(
      ({ customId }) => !this.#answered.has(customId) && !this.#errors.has(customId),
    );
  }

  get results(): BatchResults {
    return {
      answers: this.#answered.size,
      errors: this.errors.size,
      missing: this.missing.length,
      ...this.#counts,
    };
  }
}

/** Books requests that were perhaps done, and whose answers are not in the results; returns the sum. */
async function bookMissing(reading: Reading, { client }: FlowContext): Promise<number> {
  const { run, store, clock } = client;
  const line = {
    kind: "lost",
    run,
    at: isoTime(clock.now()),
    reason: "provider.batch_missing",
  } as const;
  let sum = 0;
  for (const item of reading.missing) {
    const upperUsd = client.upperUsd(item, { batch: true });
    await store.append({ ...line, key: item.key, upperUsd: upperUsd ?? null });
    sum += upperUsd ?? 0;
  }
  return sum;
}

/** A batch lasts hours: an outage of an hour does not end the wait. */
const PATIENCE = 10;

/** Repeats a call that may be repeated, for as long as its errors may pass. */
async function patiently<T>(
  intent: Intent,
  { client, signal }: FlowContext,
  call: () => Promise<T>,
): Promise<T> {
  const policy = { ...client.retry, maxAttempts: client.retry.maxAttempts * PATIENCE };
  for (let number = 1; ; number += 1) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      const waitMs = retryDelayMs(error, { key: intent.state.intent, number }, policy);
      if (waitMs === undefined) throw error;
      await client.clock.sleep(waitMs, signal);
    }
  }
}

function callOf({ client, signal }: FlowContext): CallOptions {
  return { signal, timeoutMs: client.timeoutMs };
}

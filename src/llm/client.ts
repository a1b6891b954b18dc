/**
 * Direct calls: each request is answered from the store, or sent until it has an answer or an error that no further attempt
 * would mend. An answer is on the disk before the caller sees it, so a killed run loses at most what was under way, and a
 * second run of the same requests pays only for the rest. A request that fails is an outcome, not an exception; what would
 * fail every request (a bad key, no credit, the budget) ends the run.
 */
import { UsageError } from "../util/errors.ts";
import { Budget, type BudgetOptions } from "./budget.ts";
import { type Clock, isoTime } from "./clock.ts";
import { ProviderError } from "./errors.ts";
import { costOf, findPrice, type Price, type PriceList, upperCostOf } from "./prices.ts";
import type { Provider, Reply } from "./providers/provider.ts";
import { type LimitOptions, RateLimiter } from "./rate-limit.ts";
import type { AnswerRecord, JsonObject, LlmRequest, Outcome } from "./request.ts";
import { type RetryOptions, type RetryPolicy, retryDelayMs, retryPolicy } from "./retry.ts";
import { type AnswerStore, answerKey } from "./store.ts";
import { upperInputTokens } from "./tokens.ts";

/** What a client is made of. */
export interface ClientOptions {
  readonly provider: Provider;
  readonly store: AnswerStore;
  readonly clock: Clock;
  readonly prices: PriceList;
  /** Label under which the store counts what is spent. */
  readonly run: string;
  readonly limits?: Partial<LimitOptions>;
  readonly retry?: RetryOptions;
  /** Most that this run may spend, what it has spent before included. */
  readonly maxCostUsd?: number | undefined;
  /** Longest time for one attempt. Default 15 minutes. */
  readonly timeoutMs?: number;
}

/** One request of a run. */
export interface Task {
  readonly request: LlmRequest;
  /** Number of the repeat, from 0. Default 0. */
  readonly repeat?: number;
}

/** A task as it is sent and kept. */
export interface EncodedTask {
  readonly key: string;
  readonly body: JsonObject;
  readonly repeat: number;
  /** The most that it uses. */
  readonly tokens: { readonly input: number; readonly output: number };
}

const DEFAULT_CONCURRENCY = 16;
const DEFAULT_TIMEOUT_MS = 900_000;
/** Of prompts, for the rate limit only, which is corrected by every answer. */
const BYTES_PER_TOKEN = 3.5;
/** Failures in a row, without one answer in between, after which the rest is not tried. */
const FAILURES_IN_A_ROW = 25;

/** Sends requests and keeps answers. */
export class LlmClient {
  readonly provider: Provider;
  readonly store: AnswerStore;
  readonly clock: Clock;
  readonly run: string;
  readonly budget: Budget;
  /** Undefined when the model is in no list. */
  readonly price: Price | undefined;
  readonly retry: RetryPolicy;
  readonly timeoutMs: number;
  readonly concurrency: number;
  readonly #limiter: RateLimiter;
  readonly #underWay = new Map<string, Promise<Outcome>>();
  #failuresInARow = 0;

  constructor(options: ClientOptions) {
    const { provider, store, clock, prices, run, limits, maxCostUsd } = options;
    this.provider = provider;
    this.store = store;
    this.clock = clock;
    this.run = run;
    this.price = findPrice(prices, provider.name, provider.model);
    this.budget = new Budget(spentBefore(store, run, maxCostUsd));
    this.retry = retryPolicy(options.retry);
    this.timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    this.concurrency = limits?.concurrency ?? DEFAULT_CONCURRENCY;
    this.#limiter = new RateLimiter({ ...limits, concurrency: this.concurrency }, clock);
  }

  /** A task in the provider's form, with its key. @throws UsageError for a parameter that the provider cannot take */
  encode({ request, repeat = 0 }: Task): EncodedTask {
    const body = this.provider.encode(request);
    const { endpoint, apiVersion } = this.provider;
    const key = answerKey({ endpoint, apiVersion, body, repeat });
    const tokens = { input: upperInputTokens(body), output: request.maxTokens };
    return { key, body, repeat, tokens };
  }

  /**
   * The outcome of one task, from the store when it is there.
   * @throws ProviderError that is fatal, BudgetError, or the reason of the signal
   */
  async complete(task: Task, signal?: AbortSignal): Promise<Outcome> {
    return this.completeEncoded(this.encode(task), signal);
  }

  /** As `complete`, for a task that is encoded already. */
  async completeEncoded(task: EncodedTask, signal?: AbortSignal): Promise<Outcome> {
    const kept = await this.store.get(task.key);
    if (kept !== undefined) return { kind: "answer", record: kept, cached: true };
    const same = this.#underWay.get(task.key);
    if (same !== undefined) return same;
    const outcome = this.#send(task, signal).finally(() => this.#underWay.delete(task.key));
    this.#underWay.set(task.key, outcome);
    return outcome;
  }

  /** The most that a task can cost; undefined when the price is unknown. */
  upperUsd(task: EncodedTask, options: { batch: boolean }): number | undefined {
    return this.price && upperCostOf(this.price, task.tokens, options);
  }

  /** Keeps an answer that has arrived; returns it with its cost. */
  async keep(
    task: Pick<EncodedTask, "key" | "body" | "repeat">,
    answer: AnswerRecord["answer"],
    came: { batch: string | null; attempts: number },
  ): Promise<AnswerRecord> {
    const { name, endpoint, apiVersion } = this.provider;
    const priced = this.price !== undefined && answer.usage !== null;
    const record: AnswerRecord = {
      kind: "answer",
      key: task.key,
      run: this.run,
      at: isoTime(this.clock.now()),
      provider: name,
      endpoint,
      apiVersion,
      repeat: task.repeat,
      body: task.body,
      answer,
      batch: came.batch,
      attempts: came.attempts,
      costUsd:
        priced && this.price && answer.usage
          ? costOf(this.price, answer.usage, { batch: came.batch !== null })
          : null,
    };
    await this.store.append(record);
    return record;
  }

  async #send(task: EncodedTask, signal: AbortSignal | undefined): Promise<Outcome> {
    for (let number = 1; ; number += 1) {
      try {
        const record = await this.#attempt(task, number, signal);
        this.#failuresInARow = 0;
        return { kind: "answer", record, cached: false };
      } catch (error) {
        if (!(error instanceof ProviderError) || error.fatal) throw error;
        const waitMs = retryDelayMs(error, { key: task.key, number }, this.retry);
        if (waitMs === undefined) return this.#failed(task, error, number);
        await this.clock.sleep(waitMs, signal);
      }
    }
  }

  /** One attempt, within limits and budget; its answer is kept before it is returned. */
  async #attempt(
    task: EncodedTask,
    number: number,
    signal: AbortSignal | undefined,
  ): Promise<AnswerRecord> {
    const tokens = task.tokens.input / BYTES_PER_TOKEN + task.tokens.output;
    const slot = await this.#limiter.acquire(tokens, signal);
    let used: number | undefined;
    try {
      const upperUsd = this.upperUsd(task, { batch: false });
      const reservation = await this.budget.reserve(upperUsd);
      let spentUsd = 0;
      let isSent = false;
      try {
        signal?.throwIfAborted();
        isSent = true;
        const reply = await this.provider.send(task.body, { signal, timeoutMs: this.timeoutMs });
        spentUsd = upperUsd ?? 0; // until the record says what it was
        used = this.#learnFrom(reply);
        const came = { batch: null, attempts: number };
        const record = await this.keep(task, reply.answer, came);
        spentUsd = record.costUsd ?? spentUsd;
        return record;
      } catch (error) {
        if (error instanceof ProviderError) {
          this.#learnFromError(error);
          if (error.mayBeBilled) spentUsd = await this.#lose(task, error.code, upperUsd);
        } else if (isSent && signal?.aborted === true) {
          spentUsd = await this.#lose(task, "aborted", upperUsd);
        }
        throw error;
      } finally {
        reservation.settle(spentUsd);
      }
    } finally {
      slot.release(used);
    }
  }

  #learnFrom({ answer, limits }: Reply): number | undefined {
    this.#limiter.observe(limits);
    this.#limiter.succeeded();
    return answer.usage === null ? undefined : answer.usage.inputTokens + answer.usage.outputTokens;
  }

  #learnFromError(error: ProviderError): void {
    if (error.status === 429 || error.status === 503 || error.status === 529) {
      const capMs = this.retry.maxRetryAfterMs;
      this.#limiter.slowDown(Math.min(error.retryAfterMs ?? 0, capMs));
    }
  }

  /** Books an attempt that may be billed at the most that it can have cost. */
  async #lose(task: EncodedTask, reason: string, upperUsd: number | undefined): Promise<number> {
    await this.store.append({
      kind: "lost",
      key: task.key,
      run: this.run,
      at: isoTime(this.clock.now()),
      reason,
      upperUsd: upperUsd ?? null,
    });
    return upperUsd ?? 0;
  }

  #failed(task: EncodedTask, error: ProviderError, attempts: number): Outcome {
    this.#failuresInARow += 1;
    if (this.#failuresInARow >= FAILURES_IN_A_ROW) {
      throw new ProviderError(`${FAILURES_IN_A_ROW} requests in a row failed: ${error.message}`, {
        code: "provider.all_fail",
        hint: error.hint ?? "see the message",
        status: error.status,
        retryable: false,
        fatal: true,
      });
    }
    const { code, message } = error;
    return { kind: "failure", failure: { key: task.key, reason: code, message, attempts } };
  }
}

function spentBefore(store: AnswerStore, run: string, maxUsd: number | undefined): BudgetOptions {
  const { usd, lostUpperUsd, unpriced } = store.spending(run);
  if (maxUsd !== undefined && unpriced > 0) {
    throw new UsageError(
      `the budget of run "${run}" cannot be kept: ${unpriced} of its answers have no price`,
      {
        code: "budget.unpriced_answers",
        hint: "leave out --max-cost-usd, or write to another store",
      },
    );
  }
  return { maxUsd, spentUsd: usd + lostUpperUsd };
}

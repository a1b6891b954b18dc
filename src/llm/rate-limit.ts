/**
 * When the next request may be sent. Three limits hold at once: requests under way, requests a minute and tokens a minute,
 * the last two as buckets that fill at a steady rate. What a server says in its rate-limit headers narrows them: the lower
 * of its limit and the user's counts, what it says remains is believed, and a refusal halves the number under way, which
 * then grows again by one for each full round of successes. Requests leave in the order in which they came.
 */
import type { Clock } from "./clock.ts";

/** Limits set by the user; an absent one is left to the server. */
export interface LimitOptions {
  /** Requests under way at once. */
  readonly concurrency: number;
  readonly requestsPerMinute?: number | undefined;
  /** Estimated input plus maximal output tokens; corrected when the usage is known. */
  readonly tokensPerMinute?: number | undefined;
}

/** One limit as a server reports it. */
export interface ServerLimit {
  /** For each minute. */
  readonly limit?: number | undefined;
  readonly remaining?: number | undefined;
  /** Until it is full again. */
  readonly resetMs?: number | undefined;
}

/** What a response says about limits. */
export interface ServerLimits {
  readonly requests?: ServerLimit | undefined;
  readonly tokens?: ServerLimit | undefined;
}

/** Permission to send one request. */
export interface Slot {
  /** Ends the request; `tokens` is what it did use, when that is known. */
  release(tokens?: number): void;
}

const MINUTE_MS = 60_000;
/** A bucket holds what its rate gives in this time; the servers' own buckets hold a minute. Chosen by us. */
const BURST_MS = 10_000;
/** Refusals within this time are one sign of overload. */
const SAME_OVERLOAD_MS = 1000;

interface Waiting {
  readonly tokens: number;
  readonly resolve: (slot: Slot) => void;
  readonly reject: (error: unknown) => void;
  readonly signal: AbortSignal | undefined;
  readonly abort: () => void;
}

/** Lets requests through, in order. */
export class RateLimiter {
  readonly #clock: Clock;
  readonly #maxConcurrency: number;
  readonly #requests: Bucket;
  readonly #tokens: Bucket;
  readonly #queue = new Set<Waiting>();
  #concurrency: number;
  #active = 0;
  #pausedUntil = 0;
  #slowedAt = Number.NEGATIVE_INFINITY;
  #wakeAt = Number.POSITIVE_INFINITY;
  #timers = new AbortController();

  constructor(options: LimitOptions, clock: Clock) {
    this.#clock = clock;
    this.#maxConcurrency = options.concurrency;
    this.#concurrency = options.concurrency;
    this.#requests = new Bucket(options.requestsPerMinute, clock.now());
    this.#tokens = new Bucket(options.tokensPerMinute, clock.now());
  }

  /** Requests that may be under way at once at this moment. */
  get concurrency(): number {
    return Math.max(1, Math.floor(this.#concurrency));
  }

  /** Waits for a turn; rejects with the reason of the signal when it is aborted. */
  acquire(tokens: number, signal?: AbortSignal): Promise<Slot> {
    if (signal?.aborted === true) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const entry: Waiting = {
        tokens,
        resolve,
        reject,
        signal,
        abort: () => {
          this.#queue.delete(entry);
          if (this.#queue.size === 0) this.#timers.abort();
          reject(signal?.reason);
        },
      };
      signal?.addEventListener("abort", entry.abort, { once: true });
      this.#queue.add(entry);
      this.#pump();
    });
  }

  /** A server refused for lack of capacity: nothing is sent for `ms`, and fewer requests at once after that. */
  slowDown(ms: number): void {
    const now = this.#clock.now();
    this.#pausedUntil = Math.max(this.#pausedUntil, now + ms);
    if (now - this.#slowedAt < SAME_OVERLOAD_MS) return;
    this.#slowedAt = now;
    this.#concurrency = Math.max(1, this.#concurrency / 2);
  }

  /** Takes in what a response says about limits. */
  observe({ requests, tokens }: ServerLimits): void {
    const now = this.#clock.now();
    if (requests !== undefined) this.#requests.observe(requests, now);
    if (tokens !== undefined) this.#tokens.observe(tokens, now);
  }

  /** One more success: the number under way may grow again. */
  succeeded(): void {
    this.#concurrency = Math.min(this.#maxConcurrency, this.#concurrency + 1 / this.#concurrency);
  }

  #pump(): void {
    const now = this.#clock.now();
    for (const entry of this.#queue) {
      if (this.#active >= this.concurrency) return; // a release calls again
      const waitMs = Math.max(
        this.#pausedUntil - now,
        this.#requests.waitMs(1, now),
        this.#tokens.waitMs(entry.tokens, now),
      );
      if (waitMs > 0) {
        this.#wakeIn(waitMs, now);
        return;
      }
      this.#queue.delete(entry);
      entry.signal?.removeEventListener("abort", entry.abort);
      entry.resolve(this.#admit(entry.tokens));
    }
  }

  #admit(tokens: number): Slot {
    this.#active += 1;
    this.#requests.take(1);
    this.#tokens.take(tokens);
    let open = true;
    return {
      release: (used) => {
        if (!open) return;
        open = false;
        this.#active -= 1;
        if (used !== undefined) this.#tokens.take(used - tokens);
        this.#pump();
      },
    };
  }

  #wakeIn(ms: number, now: number): void {
    if (now + ms >= this.#wakeAt) return;
    this.#wakeAt = now + ms;
    if (this.#timers.signal.aborted) this.#timers = new AbortController();
    const wake = (): void => {
      this.#wakeAt = Number.POSITIVE_INFINITY;
      this.#pump();
    };
    // Cancelled when nobody waits any more, so that a long pause does not keep the process alive.
    void this.#clock.sleep(Math.ceil(ms), this.#timers.signal).then(wake, wake);
  }
}

/** A bucket that fills at a steady rate; without a limit it never holds anything back. */
class Bucket {
  readonly #userLimit: number | undefined;
  #limit: number | undefined;
  #level = 0;
  #filledAt: number;
  #emptyUntil = 0;

  constructor(limit: number | undefined, now: number) {
    this.#userLimit = limit;
    this.#limit = limit;
    this.#level = this.#capacity;
    this.#filledAt = now;
  }

  get #capacity(): number {
    return Math.max(1, ((this.#limit ?? 0) * BURST_MS) / MINUTE_MS);
  }

  /** Time until `amount` may be taken. More than the bucket holds may be taken from a full one, and is owed. */
  waitMs(amount: number, now: number): number {
    this.#fill(now);
    const forServer = this.#emptyUntil - now;
    if (this.#limit === undefined) return Math.max(0, forServer);
    const missing = Math.min(amount, this.#capacity) - this.#level;
    // Below a millionth is rounding of the level.
    const forLevel = missing > 1e-6 ? (missing * MINUTE_MS) / this.#limit : 0;
    return Math.max(0, forServer, forLevel);
  }

  take(amount: number): void {
    this.#level = Math.min(this.#capacity, this.#level - amount);
  }

  observe({ limit, remaining, resetMs }: ServerLimit, now: number): void {
    this.#fill(now);
    if (limit !== undefined && limit > 0) {
      this.#limit = Math.min(limit, this.#userLimit ?? Number.POSITIVE_INFINITY);
    }
    if (remaining === undefined) return;
    this.#level = Math.min(this.#level, remaining);
    if (remaining <= 0 && resetMs !== undefined) {
      this.#emptyUntil = now + Math.min(resetMs, MINUTE_MS);
    }
  }

  #fill(now: number): void {
    const passedMs = Math.max(0, now - this.#filledAt);
    this.#filledAt = now;
    if (this.#limit === undefined) return;
    this.#level = Math.min(this.#capacity, this.#level + (passedMs * this.#limit) / MINUTE_MS);
  }
}

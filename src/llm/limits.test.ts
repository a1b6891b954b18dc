import { describe, expect, it } from "vitest";
import type { Clock } from "./clock.ts";
import { ProviderError } from "./errors.ts";
import { anthropicLimits } from "./providers/anthropic-wire.ts";
import { retryAfterMs } from "./providers/http.ts";
import { durationMs, openaiLimits } from "./providers/openai-wire.ts";
import { RateLimiter } from "./rate-limit.ts";
import { retryDelayMs, retryPolicy } from "./retry.ts";

/** A clock whose time passes only when everybody waits. */
class StillClock implements Clock {
  #now = 0;
  #waiting: { at: number; wake: () => void }[] = [];
  now(): number {
    return this.#now;
  }
  sleep(ms: number): Promise<void> {
    return new Promise((wake) => this.#waiting.push({ at: this.#now + ms, wake }));
  }
  /** Lets time pass up to a moment, waking sleepers in order. */
  async advance(to: number): Promise<void> {
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      this.#waiting.sort((a, b) => a.at - b.at);
      const next = this.#waiting[0];
      if (next === undefined || next.at > to) break;
      this.#waiting.shift();
      this.#now = next.at;
      next.wake();
    }
    this.#now = to;
  }
}

/** Starts `count` requests that end at once, and notes when each began. */
function startMany(
  limiter: RateLimiter,
  clock: Clock,
  { count, tokens }: { count: number; tokens: number },
): number[] {
  const times: number[] = [];
  for (let n = 0; n < count; n += 1) {
    void limiter.acquire(tokens).then((slot) => {
      times.push(clock.now());
      slot.release();
    });
  }
  return times;
}

describe("rate limiter", () => {
  it("lets through a burst of ten seconds and then one request for each interval", async () => {
    const clock = new StillClock();
    const limiter = new RateLimiter({ concurrency: 100, requestsPerMinute: 60 }, clock);
    const times = startMany(limiter, clock, { count: 25, tokens: 1 });
    await clock.advance(60_000);
    expect(times.slice(0, 10)).toEqual(Array(10).fill(0));
    // 60 a minute: the 11th after 1 s, the 25th after 15 s.
    expect(times.slice(10)).toEqual(Array.from({ length: 15 }, (_, n) => (n + 1) * 1000));
  });

  it("counts tokens as requests, and gives back what a request did not use", async () => {
    const clock = new StillClock();
    const limiter = new RateLimiter({ concurrency: 9, tokensPerMinute: 6000 }, clock);
    const first = await limiter.acquire(1000); // all that ten seconds give
    const times = startMany(limiter, clock, { count: 1, tokens: 1000 });
    await clock.advance(2000);
    expect(times).toEqual([]);
    first.release(300);
    await clock.advance(20_000);
    // 1000 are needed; 700 came back and 200 flowed in two seconds; the last 100 take one more.
    expect(times).toEqual([3000]);
  });

  it("holds back while a server says that nothing remains, and obeys its lower limit", async () => {
    const clock = new StillClock();
    const limiter = new RateLimiter({ concurrency: 9, requestsPerMinute: 600 }, clock);
    limiter.observe({ requests: { limit: 60, remaining: 0, resetMs: 4000 } });
    const times = startMany(limiter, clock, { count: 6, tokens: 1 });
    await clock.advance(60_000);
    // Four seconds at one a second fill four places; the next two come a second apart.
    expect(times).toEqual([4000, 4000, 4000, 4000, 5000, 6000]);
  });

  it("pauses and halves at a refusal, and grows back with successes", async () => {
    const clock = new StillClock();
    const limiter = new RateLimiter({ concurrency: 16 }, clock);
    limiter.slowDown(5000);
    limiter.slowDown(5000); // the same overload
    expect(limiter.concurrency).toBe(8);
    const times = startMany(limiter, clock, { count: 1, tokens: 1 });
    await clock.advance(10_000);
    expect(times).toEqual([5000]);
    for (let n = 0; n < 9; n += 1) limiter.succeeded();
    expect(limiter.concurrency).toBe(9);
    for (let n = 0; n < 1000; n += 1) limiter.succeeded();
    expect(limiter.concurrency).toBe(16);
  });

  it("keeps to the concurrency and to the order, and lets an aborted request go", async () => {
    const clock = new StillClock();
    const limiter = new RateLimiter({ concurrency: 1 }, clock);
    const first = await limiter.acquire(1);
    const controller = new AbortController();
    const aborted = limiter.acquire(1, controller.signal);
    const order: string[] = [];
    const rest = ["b", "c"].map(async (name) => {
      const slot = await limiter.acquire(1);
      order.push(name);
      slot.release();
    });
    controller.abort(new Error("stop"));
    await expect(aborted).rejects.toThrow("stop");
    expect(order).toEqual([]);
    first.release();
    await Promise.all(rest);
    expect(order).toEqual(["b", "c"]);
  });
});

describe("headers", () => {
  const reader = (headers: Record<string, string>) => (name: string) => headers[name] ?? null;

  it("reads both providers' limits", () => {
    const read = reader({
      "anthropic-ratelimit-requests-limit": "50",
      "anthropic-ratelimit-requests-remaining": "3",
      "anthropic-ratelimit-requests-reset": "2026-01-01T00:00:30Z",
      "anthropic-ratelimit-input-tokens-limit": "40000",
      "anthropic-ratelimit-input-tokens-remaining": "39000",
    });
    expect(anthropicLimits(read, Date.parse("2026-01-01T00:00:10Z"))).toEqual({
      requests: { limit: 50, remaining: 3, resetMs: 20_000 },
      tokens: { limit: 40_000, remaining: 39_000, resetMs: undefined },
    });
    const other = reader({
      "x-ratelimit-limit-requests": "500",
      "x-ratelimit-remaining-requests": "0",
      "x-ratelimit-reset-requests": "1m2.5s",
    });
    expect(openaiLimits(other)).toEqual({
      requests: { limit: 500, remaining: 0, resetMs: 62_500 },
      tokens: undefined,
    });
  });

  it("reads durations and waiting times, and nothing else", () => {
    expect(["20ms", "6m0s", "1h", "", "soon", "-1s"].map(durationMs)).toEqual([
      20,
      360_000,
      3_600_000,
      undefined,
      undefined,
      undefined,
    ]);
    expect(retryAfterMs("250", "9")).toBe(250);
    expect(retryAfterMs(null, "9")).toBe(9000);
    expect(retryAfterMs(null, "-1")).toBeUndefined();
    expect(retryAfterMs(null, null)).toBeUndefined();
  });
});

describe("retries", () => {
  const error = (more: object) =>
    new ProviderError("x", { code: "provider.x", retryable: true, ...more });

  it("waits twice as long each time up to the cap, spread over the upper half, the same for the same request", () => {
    const policy = retryPolicy({ maxAttempts: 9 });
    const delays = [1, 2, 3, 4, 5, 6, 7, 8].map((number) =>
      retryDelayMs(error({}), { key: "k", number }, policy),
    );
    const full = [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000];
    for (const [at, delay] of delays.entries()) {
      expect(delay).toBeGreaterThanOrEqual((full[at] ?? 0) / 2);
      expect(delay).toBeLessThanOrEqual(full[at] ?? 0);
    }
    expect(retryDelayMs(error({}), { key: "k", number: 1 }, policy)).toBe(delays[0]);
    expect(retryDelayMs(error({}), { key: "other", number: 1 }, policy)).not.toBe(delays[0]);
  });

  it("obeys the server, but not beyond reason, and ends when it should", () => {
    const policy = retryPolicy();
    const at = { key: "k", number: 1 };
    expect(retryDelayMs(error({ retryAfterMs: 7000 }), at, policy)).toBe(7000);
    expect(retryDelayMs(error({ retryAfterMs: 3_600_000 }), at, policy)).toBeUndefined();
    expect(retryDelayMs(error({ retryable: false }), at, policy)).toBeUndefined();
    expect(retryDelayMs(error({}), { key: "k", number: 6 }, policy)).toBeUndefined();
  });
});

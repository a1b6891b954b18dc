/**
 * When to try again. Only errors marked retryable are tried again, with waiting times that double up to a cap. The spread
 * that keeps many requests from coming back at once is derived from the request, so a run can be repeated exactly.
 */
import { sha256 } from "../util/hash.ts";
import type { ProviderError } from "./errors.ts";

/** How often and how patiently a request is tried. */
export interface RetryOptions {
  /** Attempts in all. Default 6. */
  readonly maxAttempts?: number;
  /** First waiting time. Default 1000. */
  readonly baseMs?: number;
  /** Longest waiting time of our own. Default 60,000. */
  readonly maxMs?: number;
  /** Longest waiting time that a server may ask for; above it the request fails. Default 15 minutes. */
  readonly maxRetryAfterMs?: number;
}

export type RetryPolicy = Required<RetryOptions>;

/** The options with their defaults. */
export function retryPolicy(options: RetryOptions = {}): RetryPolicy {
  return { maxAttempts: 6, baseMs: 1000, maxMs: 60_000, maxRetryAfterMs: 900_000, ...options };
}

/** Time to wait after a failed attempt; undefined when there is to be no other. */
export function retryDelayMs(
  error: ProviderError,
  attempt: { readonly key: string; readonly number: number },
  policy: RetryPolicy,
): number | undefined {
  if (!error.retryable || attempt.number >= policy.maxAttempts) return undefined;
  if (error.retryAfterMs !== undefined) {
    return error.retryAfterMs <= policy.maxRetryAfterMs ? error.retryAfterMs : undefined;
  }
  const fullMs = Math.min(policy.maxMs, policy.baseMs * 2 ** (attempt.number - 1));
  const digits = sha256(`${attempt.key} ${attempt.number}`).slice(0, 8);
  return fullMs * (0.5 + Number.parseInt(digits, 16) / 2 ** 33); // between half of it and all
}

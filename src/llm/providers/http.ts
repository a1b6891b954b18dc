/**
 * The wire beneath both SDKs. Node's own fetch gives up after five minutes without headers, so undici's is used with its
 * timeouts off: one timer around each attempt, body included, decides. The SDKs' retries are off too, for only the retry
 * layer of this room knows about limits and budgets. Whatever an SDK throws becomes a `ProviderError` whose text is
 * bounded and has no key in it; the SDK's error itself is dropped, for its fields may hold either.
 */
import { Agent, fetch as undiciFetch } from "undici";
import { messageOf } from "../../util/errors.ts";
import { ProviderError } from "../errors.ts";
import { boundedText, type Secret } from "../secret.ts";
import type { CallOptions } from "./provider.ts";

/** Longest body of a response that is not streamed, in bytes; chosen by us, a hundred times the longest answer of any model. */
const MAX_RESPONSE_BYTES = 64 << 20;

/** Longest silence within a streamed body. */
const STREAM_IDLE_MS = 300_000;

/** A fetch with its own connections. */
export interface Wire extends AsyncDisposable {
  readonly fetch: typeof globalThis.fetch;
  /** As `fetch`, for bodies of any length that are read as a stream. */
  readonly fetchStream: typeof globalThis.fetch;
}

/** Opens connections; as many at once as there are requests under way. */
export function openWire(): Wire {
  const timeouts = { headersTimeout: 0, connectTimeout: 30_000 };
  const bounded = new Agent({ ...timeouts, bodyTimeout: 0, maxResponseSize: MAX_RESPONSE_BYTES });
  const unbounded = new Agent({ ...timeouts, bodyTimeout: STREAM_IDLE_MS });
  const over = (dispatcher: Agent): typeof globalThis.fetch =>
    // The types of undici and of Node differ in name only.
    ((input: never, init: object) =>
      undiciFetch(input, { ...init, dispatcher })) as unknown as typeof globalThis.fetch;
  return {
    fetch: over(bounded),
    fetchStream: over(unbounded),
    async [Symbol.asyncDispose]() {
      await Promise.all([bounded.destroy(), unbounded.destroy()]);
    },
  };
}

/** What an error is about, for its text. */
export interface CallContext {
  /** What was being done, e.g. `asking claude-x at https://...`. */
  readonly doing: string;
  readonly secret: Secret | undefined;
}

/**
 * Runs one attempt under its timer and the caller's signal.
 * @throws ProviderError, or the reason of the caller's signal
 */
export async function attempt<T>(
  call: CallOptions,
  context: CallContext,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { signal, timeoutMs } = call;
  signal?.throwIfAborted();
  const controller = new AbortController();
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    controller.abort();
  }, timeoutMs);
  const abort = (): void => controller.abort();
  signal?.addEventListener("abort", abort, { once: true });
  try {
    return await run(controller.signal);
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof ProviderError) throw error;
    if (timedOut) throw timeoutError(context, timeoutMs);
    throw toProviderError(error, context);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}

function timeoutError({ doing }: CallContext, timeoutMs: number): ProviderError {
  return new ProviderError(`${doing}: no whole answer within ${timeoutMs / 1000} s`, {
    code: "provider.timeout",
    hint: "the answer may be long; ask for fewer tokens or allow more time",
    retryable: true,
    mayBeBilled: true,
  });
}

/** The fields that the errors of both SDKs have. */
interface SdkError {
  readonly name?: string;
  readonly status?: unknown;
  readonly headers?: { get?: (name: string) => string | null };
  readonly error?: unknown;
  readonly code?: unknown;
  readonly cause?: unknown;
}

/** An error of an SDK or of the connection, classed. */
export function toProviderError(error: unknown, context: CallContext): ProviderError {
  const sdk = (typeof error === "object" && error !== null ? error : {}) as SdkError;
  return typeof sdk.status === "number"
    ? statusError(sdk, sdk.status, messageOf(error), context)
    : connectionError(error, context);
}

/** Statuses that another attempt may mend. */
const RETRYABLE = new Set([408, 409, 425, 429]);
/** Statuses that every other request would meet too. */
const FATAL = new Set([401, 402, 403, 404]);

function statusError(
  sdk: SdkError,
  status: number,
  message: string,
  { doing, secret }: CallContext,
): ProviderError {
  const header = (name: string): string | null => sdk.headers?.get?.(name) ?? null;
  const words = wordsOf(sdk.error);
  // A 429 for lack of credit does not pass with time.
  const noCredit = /insufficient_quota|billing|credit balance/i.test(words.join(" "));
  const asked = header("x-should-retry");
  const byStatus = RETRYABLE.has(status) || status >= 500;
  const retryable = !noCredit && (asked === null ? byStatus : asked === "true");
  const text = boundedText(words.length > 0 ? words.join(": ") : message);
  const found = (secret?.redact(text) ?? text) || "no text";
  return new ProviderError(`${doing}: status ${status}, ${found}`, {
    code: status === 429 ? "provider.rate_limited" : `provider.status_${status}`,
    hint: hintFor(status, noCredit),
    status,
    requestId: header("request-id") ?? header("x-request-id") ?? undefined,
    retryable,
    fatal: !retryable && (noCredit || FATAL.has(status)),
    mayBeBilled: status === 504 || status === 408,
    retryAfterMs: retryAfterMs(header("retry-after-ms"), header("retry-after")),
  });
}

/** Type, code and message of an error body, in whatever nesting. */
function wordsOf(body: unknown): string[] {
  if (typeof body === "string") return [body];
  if (typeof body !== "object" || body === null) return [];
  const { error, type, code, message } = body as Record<string, unknown>;
  const inner = wordsOf(error);
  if (inner.length > 0) return inner;
  return [type, code, message].filter((word): word is string => typeof word === "string");
}

function hintFor(status: number, noCredit: boolean): string {
  if (noCredit || status === 402)
    return "add credit to the account, then run the same command again";
  if (status === 401 || status === 403) return "check the key and what it may be used for";
  if (status === 404) return "check the model's name and the base URL";
  if (status === 429) return "lower --requests-per-minute or --concurrency";
  if (status >= 500) return "the provider is in trouble; run the same command again later";
  return "the text above says what the provider did not accept";
}

/** Waiting time of either header; undefined when there is none that can be read. */
export function retryAfterMs(ms: string | null, seconds: string | null): number | undefined {
  const exact = Number.parseFloat(ms ?? "");
  if (exact >= 0) return exact;
  const whole = Number.parseFloat(seconds ?? "");
  return whole >= 0 ? whole * 1000 : undefined;
}

/** Failures before anything was sent. */
const NOT_SENT =
  /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT|CERT|SELF_SIGNED/;

function connectionError(error: unknown, { doing, secret }: CallContext): ProviderError {
  const chain: string[] = [];
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 5; depth += 1) {
    const { code } = at as { code?: unknown };
    chain.push(typeof code === "string" ? `${code} ${at.message}` : at.message);
    at = at.cause;
  }
  const all = chain.join("; ");
  const isJson = error instanceof SyntaxError;
  const text = boundedText(secret?.redact(all) ?? all, 200);
  if (isJson || all.includes("UND_ERR_RES_EXCEEDED_MAX_SIZE")) {
    return malformedError(doing, isJson ? "a body that is not JSON" : "a body that is too long");
  }
  return new ProviderError(`${doing}: the connection failed, ${text}`, {
    code: "provider.connection",
    hint: "check the network and the base URL",
    retryable: true,
    mayBeBilled: !NOT_SENT.test(all),
  });
}

/** A response that came but cannot be read. */
export function malformedError(doing: string, found: string): ProviderError {
  return new ProviderError(`${doing}: expected an answer, found ${found}`, {
    code: "provider.malformed",
    hint: "if it stays so, the server behind this URL does not speak this interface",
    retryable: true,
    mayBeBilled: true,
  });
}

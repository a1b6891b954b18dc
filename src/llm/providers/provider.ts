/**
 * What a provider is to the rest of this room: a function from request to wire format, a call, and, where the provider has
 * them, batches. A provider keeps no state of a run and retries nothing.
 */
import type { ProviderError } from "../errors.ts";
import type { ServerLimits } from "../rate-limit.ts";
import type { Answer, JsonObject, LlmRequest } from "../request.ts";

/** Limits of one call. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** Longest time for one attempt, body included. */
  readonly timeoutMs: number;
}

/** An answer, and what the response said about limits. */
export interface Reply {
  readonly answer: Answer;
  readonly limits: ServerLimits;
}

/** A model behind an interface. */
export interface Provider extends AsyncDisposable {
  /** Name in the price list: `anthropic`, `openai`, `mock`, or the user's own. */
  readonly name: string;
  readonly model: string;
  /** What tells this server from others in the store; holds no key. */
  readonly endpoint: string;
  readonly apiVersion: string | null;
  /**
   * The request as it is sent.
   * @throws UsageError for a parameter that this provider cannot take
   */
  encode(request: LlmRequest): JsonObject;
  /** Sends one attempt. @throws ProviderError, or the reason of the signal */
  send(body: JsonObject, call: CallOptions): Promise<Reply>;
  /** Input tokens as the provider counts them, where it offers that. */
  countTokens?(body: JsonObject, call: CallOptions): Promise<number>;
  readonly batches?: BatchApi;
}

/** A batch that is about to be, or may have been, submitted. */
export interface BatchSubmission {
  /** Our own name for it; every custom identifier begins with it. */
  readonly intent: string;
  /** The requests in the provider's own line format. */
  readonly file: string;
  readonly requests: number;
  /** When the submission was begun. */
  readonly submittedAtMs: number;
  /** Uploaded input file, when that is known. */
  readonly inputFile: string | null;
}

/** A batch on the server that is, or may be, a submission. */
export interface BatchMatch {
  readonly id: string;
  /** False when only its time and size fit: its results then tell. */
  readonly certain: boolean;
}

/** How a batch stands. */
export interface BatchStatus {
  readonly state: "running" | "ended";
  readonly done: number;
  readonly total: number;
  /** Set when the provider refused the batch as a whole. */
  readonly refused?: { readonly message: string; readonly retryable: boolean };
}

/** One line of the results. */
export type BatchLine =
  | { readonly kind: "answer"; readonly customId: string; readonly answer: Answer }
  | { readonly kind: "error"; readonly customId: string; readonly error: ProviderError }
  /** Not JSON, too long, or not in the expected form. */
  | { readonly kind: "malformed"; readonly customId: string | null; readonly text: string };

/** Batches of a provider. */
export interface BatchApi {
  /** Most requests and bytes that the provider takes in one batch. */
  readonly maxRequests: number;
  readonly maxBytes: number;
  /** One line of the file of requests. */
  encodeLine(customId: string, body: JsonObject): string;
  /** Uploads the requests, where that is a step of its own; returns the file's identifier. Repeating it costs nothing. */
  upload?(submission: BatchSubmission, call: CallOptions): Promise<string>;
  /** Submits; sent once, never retried here. @throws ProviderError */
  create(submission: BatchSubmission, call: CallOptions): Promise<string>;
  /** Batches on the server that may be this submission, the likeliest first. */
  find(submission: BatchSubmission, call: CallOptions): Promise<readonly BatchMatch[]>;
  status(id: string, call: CallOptions): Promise<BatchStatus>;
  /**
   * Results in any order, as they arrive.
   * @throws ProviderError when the connection is lost on the way
   */
  results(id: string, call: CallOptions): AsyncIterable<BatchLine>;
}

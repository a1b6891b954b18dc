/**
 * The words of this room: what is asked of a language model, what it answers, and what is kept of the answer. Nothing
 * here belongs to one provider; the wire formats live in `providers/`.
 */
import { z } from "zod";

/** One turn of a conversation. A `system` turn, if any, comes first. */
export interface Message {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

/** A member of a wire format. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** One question to a model. Everything optional is left out of the wire format when absent. */
export interface LlmRequest {
  readonly messages: readonly Message[];
  /** Most tokens the answer may have, hidden reasoning included. */
  readonly maxTokens: number;
  readonly temperature?: number;
  readonly topP?: number;
  readonly topK?: number;
  readonly stop?: readonly string[];
  /** Seed of the provider's sampler, where it has one. */
  readonly seed?: number;
  /** The provider's word for how much the model thinks: `low`, `medium`, `high`, ... */
  readonly effort?: string;
  /** Closed answer format, as JSON schema. */
  readonly answerSchema?: { readonly name: string; readonly schema: JsonObject };
  /** Further members of the wire format, such as `thinking`; may not replace the members above. */
  readonly extra?: JsonObject;
}

const count = z.number().int().nonnegative();

export const usageSchema = z.strictObject({
  /** All tokens read, those from the provider's prompt cache included. */
  inputTokens: count,
  /** Part of `inputTokens` that was read from the provider's prompt cache. */
  cachedInputTokens: count,
  /** Part of `inputTokens` that was written to the provider's prompt cache. */
  cacheWriteTokens: count,
  /** All tokens generated, hidden reasoning included. */
  outputTokens: count,
});
export type Usage = z.infer<typeof usageSchema>;

/** Why a model stopped: by itself, at `maxTokens`, by its own refusal or the provider's filter, or anything else. */
export const STOP_REASONS = ["stop", "length", "refusal", "other"] as const;
export type StopReason = (typeof STOP_REASONS)[number];

export const answerSchema = z.strictObject({
  /** Text of the answer without hidden reasoning; may be empty. */
  text: z.string(),
  stopReason: z.enum(STOP_REASONS),
  /** The provider's own word for it; null where it gave none. */
  rawStopReason: z.string().nullable(),
  /** The model as the server names it; null where it does not. */
  model: z.string().nullable(),
  /** Null where the server reports none; the price is then unknown. */
  usage: usageSchema.nullable(),
  requestId: z.string().nullable(),
});
export type Answer = z.infer<typeof answerSchema>;

/** An answer with everything that is needed to audit it or to pay for it; one line of the store. */
export const answerRecordSchema = z.strictObject({
  kind: z.literal("answer"),
  /** Hash of endpoint, API version, body and repeat. */
  key: z.string(),
  /** Label of the run that paid for it. */
  run: z.string(),
  /** ISO time at which it arrived. */
  at: z.string(),
  provider: z.string(),
  endpoint: z.string(),
  apiVersion: z.string().nullable(),
  repeat: z.number().int().nonnegative(),
  /** The request as it was sent: the effective parameters. */
  body: z.record(z.string(), z.unknown()),
  answer: answerSchema,
  /** Identifier of the batch that it came in; null for a direct call. */
  batch: z.string().nullable(),
  attempts: z.number().int().positive(),
  /** Null when the price or the usage is unknown. */
  costUsd: z.number().nonnegative().nullable(),
});
export type AnswerRecord = z.infer<typeof answerRecordSchema>;

/** An attempt that was sent and brought no answer, and that the provider may charge for all the same. */
export const lostRecordSchema = z.strictObject({
  kind: z.literal("lost"),
  key: z.string(),
  run: z.string(),
  at: z.string(),
  /** Code of the error that ended the attempt. */
  reason: z.string(),
  /** The most that it can have cost; null when the price is unknown. */
  upperUsd: z.number().nonnegative().nullable(),
});
export type LostRecord = z.infer<typeof lostRecordSchema>;

export const storeLineSchema = z.discriminatedUnion("kind", [answerRecordSchema, lostRecordSchema]);
export type StoreLine = z.infer<typeof storeLineSchema>;

/** What became of one request: an answer, or an error that no further attempt would mend. */
export type Outcome =
  | { readonly kind: "answer"; readonly record: AnswerRecord; readonly cached: boolean }
  | { readonly kind: "failure"; readonly failure: Failure };

/** A request that has no answer. */
export interface Failure {
  readonly key: string;
  /** Stable code, such as `provider.refused_request`. */
  readonly reason: string;
  readonly message: string;
  readonly attempts: number;
}

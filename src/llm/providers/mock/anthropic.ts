/** The Anthropic interface of a mock server: bodies in and out. */
import { z } from "zod";
import type { StopReason } from "../../request.ts";
import { itemResult, type MockBatch, type MockBatchItem } from "./batches.ts";
import type { MockAnswer, MockPrompt } from "./model.ts";

const bodySchema = z.object({
  model: z.string(),
  max_tokens: z.number().int().positive(),
  system: z.string().optional(),
  messages: z.array(z.object({ role: z.enum(["user", "assistant"]), content: z.string() })).min(1),
});
const batchSchema = z.object({
  requests: z.array(z.object({ custom_id: z.string(), params: bodySchema })).min(1),
});

/** Parameters that newer versions of the interface reject. */
const SAMPLING = ["temperature", "top_p", "top_k"];

/** The prompt in a Messages body, or the text of the error. */
export function readMessages(value: unknown, version: string | undefined): MockPrompt | string {
  const result = bodySchema.safeParse(value);
  if (!result.success) return z.prettifyError(result.error);
  const sampling = SAMPLING.filter((name) => Object.hasOwn(value as object, name));
  if (version !== "2023-06-01" && sampling.length > 0) return `unexpected ${sampling.join(", ")}`;
  const { model, max_tokens, system, messages } = result.data;
  const turns =
    system === undefined ? messages : [{ role: "system", content: system }, ...messages];
  return { model, maxTokens: max_tokens, messages: turns };
}

/** The items of a batch, or the text of the error. */
export function readBatch(value: unknown, version: string | undefined): MockBatchItem[] | string {
  const result = batchSchema.safeParse(value);
  if (!result.success) return z.prettifyError(result.error);
  const items: MockBatchItem[] = [];
  for (const { custom_id, params } of result.data.requests) {
    const prompt = readMessages(params, version);
    if (typeof prompt === "string") return prompt;
    items.push({ customId: custom_id, prompt });
  }
  const names = new Set(items.map(({ customId }) => customId));
  return names.size === items.length ? items : "custom_id must be unique";
}

const STOPS: Readonly<Record<StopReason, string>> = {
  stop: "end_turn",
  length: "max_tokens",
  refusal: "refusal",
  other: "pause_turn",
};

/** A Messages response. */
export function messageBody(id: string, model: string, answer: MockAnswer): object {
  return {
    id,
    type: "message",
    role: "assistant",
    model: `mock-${model}-1`,
    content: answer.text === "" ? [] : [{ type: "text", text: answer.text, citations: null }],
    stop_reason: STOPS[answer.stopReason],
    stop_sequence: null,
    usage: {
      input_tokens: answer.inputTokens,
      output_tokens: answer.outputTokens,
      cache_read_input_tokens: 0,
      cache_creation_input_tokens: 0,
    },
  };
}

const TYPES: Readonly<Record<number, string>> = {
  400: "invalid_request_error",
  401: "authentication_error",
  404: "not_found_error",
  429: "rate_limit_error",
  500: "api_error",
  529: "overloaded_error",
};

/** An error response. */
export function errorBody(status: number, message: string): object {
  return { type: "error", error: { type: TYPES[status] ?? "api_error", message } };
}

/** A batch as the interface shows it. */
export function batchBody(batch: MockBatch, url: string): object {
  const ended = batch.pollsLeft <= 0;
  const counts = { processing: 0, succeeded: 0, errored: 0, canceled: 0, expired: 0 };
  if (ended) {
    for (const at of batch.items.keys()) {
      const result = itemResult(batch, at);
      counts[result === "succeeded" || result === "expired" ? result : "errored"] += 1;
    }
  } else counts.processing = batch.items.length;
  return {
    id: batch.id,
    type: "message_batch",
    processing_status: ended ? "ended" : "in_progress",
    request_counts: counts,
    created_at: new Date(batch.createdAtMs).toISOString(),
    expires_at: new Date(batch.createdAtMs + 86_400_000).toISOString(),
    ended_at: ended ? new Date(batch.createdAtMs).toISOString() : null,
    results_url: ended ? `${url}/v1/messages/batches/${batch.id}/results` : null,
  };
}

/** One line of results. */
export function resultLine(batch: MockBatch, at: number, answer: MockAnswer | undefined): string {
  const item = batch.items[at];
  const custom_id = item?.customId ?? "";
  const result = itemResult(batch, at);
  if (result === "succeeded" && answer !== undefined) {
    const message = messageBody(`msg_${batch.number}_${at}`, item?.prompt.model ?? "", answer);
    return JSON.stringify({ custom_id, result: { type: "succeeded", message } });
  }
  if (result === "expired") return JSON.stringify({ custom_id, result: { type: "expired" } });
  const status = result === "invalid-request" ? 400 : 500;
  const error = errorBody(status, "mock error");
  return JSON.stringify({ custom_id, result: { type: "errored", error } });
}

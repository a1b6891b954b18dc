/** The OpenAI interface of a mock server: bodies in and out. */
import { z } from "zod";
import type { StopReason } from "../../request.ts";
import { itemResult, type MockBatch, type MockBatchItem } from "./batches.ts";
import type { MockAnswer, MockPrompt } from "./model.ts";

const bodySchema = z.object({
  model: z.string(),
  max_completion_tokens: z.number().int().positive().optional(),
  max_tokens: z.number().int().positive().optional(),
  messages: z.array(z.object({ role: z.string(), content: z.string() })).min(1),
});
const lineSchema = z.object({
  custom_id: z.string(),
  method: z.literal("POST"),
  url: z.literal("/v1/chat/completions"),
  body: bodySchema,
});

/** The prompt in a chat body, or the text of the error. */
export function readChat(value: unknown): MockPrompt | string {
  const result = bodySchema.safeParse(value);
  if (!result.success) return z.prettifyError(result.error);
  const { model, max_completion_tokens, max_tokens, messages } = result.data;
  return { model, messages, maxTokens: max_completion_tokens ?? max_tokens ?? 4096 };
}

/** The items of an uploaded file, or the text of the error. */
export function readBatchFile(text: string): MockBatchItem[] | string {
  const items: MockBatchItem[] = [];
  for (const line of text.split("\n").filter((part) => part.trim() !== "")) {
    const result = lineSchema.safeParse(JSON.parse(line));
    if (!result.success) return z.prettifyError(result.error);
    const prompt = readChat(result.data.body);
    if (typeof prompt === "string") return prompt;
    items.push({ customId: result.data.custom_id, prompt });
  }
  return items;
}

const STOPS: Readonly<Record<StopReason, string>> = {
  stop: "stop",
  length: "length",
  refusal: "content_filter",
  other: "tool_calls",
};

/** A chat completion. */
export function completionBody(id: string, model: string, answer: MockAnswer): object {
  const refused = answer.stopReason === "refusal";
  return {
    id,
    object: "chat.completion",
    model: `mock-${model}-1`,
    choices: [
      {
        index: 0,
        message: {
          role: "assistant",
          content: refused ? null : answer.text,
          refusal: refused ? answer.text : null,
        },
        finish_reason: STOPS[answer.stopReason],
      },
    ],
    usage: {
      prompt_tokens: answer.inputTokens,
      completion_tokens: answer.outputTokens,
      total_tokens: answer.inputTokens + answer.outputTokens,
      prompt_tokens_details: { cached_tokens: 0 },
    },
  };
}

/** An error response. */
export function errorBody(status: number, message: string, code?: string): object {
  const type = status === 429 ? "rate_limit_exceeded" : "server_error";
  return { error: { message, type, code: code ?? null, param: null } };
}

/** A batch as the interface shows it. */
export function batchBody(batch: MockBatch): object {
  const ended = batch.pollsLeft <= 0;
  const results = [...batch.items.keys()].map((at) => itemResult(batch, at));
  const completed = results.filter((result) => result === "succeeded").length;
  const refused = batch.faults.includes("refused");
  const base = {
    id: batch.id,
    object: "batch",
    endpoint: "/v1/chat/completions",
    completion_window: "24h",
    input_file_id: batch.inputFile ?? "",
    created_at: Math.floor(batch.createdAtMs / 1000),
    metadata: batch.metadata,
  };
  if (!ended) {
    const request_counts = { total: results.length, completed: 0, failed: 0 };
    return { ...base, status: "in_progress", request_counts };
  }
  if (refused) {
    const data = [{ code: "token_limit_exceeded", message: "too much is queued" }];
    return { ...base, status: "failed", errors: { object: "list", data } };
  }
  const failed = results.length - completed;
  return {
    ...base,
    status: batch.faults.includes("expired") ? "expired" : "completed",
    request_counts: { total: results.length, completed, failed },
    ...(completed > 0 && { output_file_id: `file-output-${batch.number}` }),
    ...(failed > 0 && { error_file_id: `file-error-${batch.number}` }),
  };
}

/** One line of results. */
export function resultLine(batch: MockBatch, at: number, answer: MockAnswer | undefined): string {
  const item = batch.items[at];
  const custom_id = item?.customId ?? "";
  const result = itemResult(batch, at);
  const id = `batch_req_${batch.number}_${at}`;
  if (result === "expired") {
    const error = { code: "batch_expired", message: "not done in time" };
    return JSON.stringify({ id, custom_id, response: null, error });
  }
  const respond = (status_code: number, body: object): string =>
    JSON.stringify({ id, custom_id, response: { status_code, request_id: id, body }, error: null });
  if (result === "succeeded" && answer !== undefined) {
    return respond(200, completionBody(id, item?.prompt.model ?? "", answer));
  }
  const status = result === "invalid-request" ? 400 : 500;
  return respond(status, errorBody(status, "mock error"));
}

/** OpenAI chat completions and the servers that speak the same: request to wire format, response to answer; no input or output. */
import { z } from "zod";
import { UsageError } from "../../util/errors.ts";
import type { ServerLimit, ServerLimits } from "../rate-limit.ts";
import type { Answer, JsonObject, LlmRequest, StopReason, Usage } from "../request.ts";
import { boundedText, type Secret } from "../secret.ts";
import { checkedExtra } from "./extra.ts";

/** The body of a chat completion request. */
export function encodeChat(
  request: LlmRequest,
  target: {
    readonly model: string;
    /** `max_completion_tokens` for OpenAI itself, `max_tokens` for servers that know only that. */
    readonly maxTokensField: "max_completion_tokens" | "max_tokens";
    /** Whether the server takes members beyond OpenAI's own, such as `top_k`. */
    readonly compatible: boolean;
  },
): JsonObject {
  const { messages, maxTokens, temperature, topP, topK, stop, seed, effort, answerSchema } =
    request;
  if (topK !== undefined && !target.compatible) {
    throw new UsageError(`asking ${target.model}: OpenAI takes no top_k`, {
      code: "usage.sampling_parameters",
      hint: "leave it out",
    });
  }
  return {
    model: target.model,
    messages,
    [target.maxTokensField]: maxTokens,
    ...(temperature !== undefined && { temperature }),
    ...(topP !== undefined && { top_p: topP }),
    ...(topK !== undefined && { top_k: topK }),
    ...(stop !== undefined && { stop }),
    ...(seed !== undefined && { seed }),
    ...(effort !== undefined && { reasoning_effort: effort }),
    ...(answerSchema !== undefined && {
      response_format: { type: "json_schema", json_schema: { ...answerSchema, strict: true } },
    }),
    ...checkedExtra(request.extra, [
      "model",
      "messages",
      "max_tokens",
      "max_completion_tokens",
      "stream",
      "n",
    ]),
  };
}

const tokens = z.number().int().nonnegative();
const completionSchema = z.object({
  id: z.string().nullish(),
  model: z.string().nullish(),
  choices: z
    .array(
      z.object({
        message: z.object({ content: z.string().nullish(), refusal: z.string().nullish() }),
        finish_reason: z.string().nullish(),
      }),
    )
    .min(1),
  usage: z
    .object({
      prompt_tokens: tokens,
      completion_tokens: tokens.nullish(),
      prompt_tokens_details: z
        .object({ cached_tokens: tokens.nullish(), cache_write_tokens: tokens.nullish() })
        .nullish(),
    })
    .nullish(),
});

const STOPS: Readonly<Record<string, StopReason>> = {
  stop: "stop",
  length: "length",
  content_filter: "refusal",
};

/** The answer in a chat completion; undefined when it has not the expected form. */
export function decodeCompletion(
  value: unknown,
  secret: Secret | undefined,
  requestId: string | null,
): Answer | undefined {
  const result = completionSchema.safeParse(value);
  const choice = result.data?.choices[0];
  if (!result.success || choice === undefined) return undefined;
  const { model, id, usage } = result.data;
  const clean = (text: string): string => secret?.redact(text) ?? text;
  const label = (text: string | null | undefined): string | null =>
    text == null ? null : boundedText(clean(text), 200);
  const { content, refusal } = choice.message;
  const refused = typeof refusal === "string" && refusal !== "";
  return {
    text: clean(content ?? (refused ? refusal : "")),
    stopReason: refused ? "refusal" : (STOPS[choice.finish_reason ?? ""] ?? "other"),
    rawStopReason: label(choice.finish_reason),
    model: label(model),
    usage: usage == null ? null : toUsage(usage),
    requestId: label(requestId ?? id),
  };
}

function toUsage(usage: NonNullable<z.infer<typeof completionSchema>["usage"]>): Usage {
  return {
    inputTokens: usage.prompt_tokens,
    cachedInputTokens: usage.prompt_tokens_details?.cached_tokens ?? 0,
    cacheWriteTokens: usage.prompt_tokens_details?.cache_write_tokens ?? 0,
    outputTokens: usage.completion_tokens ?? 0,
  };
}

/** Limits in the headers of a response. */
export function openaiLimits(header: (name: string) => string | null): ServerLimits {
  const read = (name: string): ServerLimit | undefined => {
    const limit = toNumber(header(`x-ratelimit-limit-${name}`));
    const remaining = toNumber(header(`x-ratelimit-remaining-${name}`));
    if (limit === undefined && remaining === undefined) return undefined;
    return { limit, remaining, resetMs: durationMs(header(`x-ratelimit-reset-${name}`)) };
  };
  return { requests: read("requests"), tokens: read("tokens") };
}

/** Milliseconds of a duration such as `1m30s`, `20ms` or `6h0m0s`; undefined for anything else. */
export function durationMs(text: string | null): number | undefined {
  if (text === null || !/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(text)) return undefined;
  const units: Readonly<Record<string, number>> = {
    ms: 1,
    s: 1000,
    m: 60_000,
    h: 3_600_000,
    d: 86_400_000,
  };
  let sum = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    sum += Number(amount) * (units[unit ?? ""] ?? 0);
  }
  return sum;
}

function toNumber(text: string | null): number | undefined {
  if (text === null || text.trim() === "") return undefined;
  const number = Number(text);
  return Number.isFinite(number) && number >= 0 ? number : undefined;
}

/** Anthropic Messages: from request to wire format and from response to answer; no input or output. */
import { z } from "zod";
import { UsageError } from "../../util/errors.ts";
import type { ServerLimit, ServerLimits } from "../rate-limit.ts";
import type { Answer, JsonObject, LlmRequest, StopReason, Usage } from "../request.ts";
import { boundedText, type Secret } from "../secret.ts";
import { checkedExtra } from "./extra.ts";

/** The first version of the interface; the only one whose models take sampling parameters. */
export const SAMPLING_API_VERSION = "2023-06-01";
/** The version that is asked for when no sampling parameter is given; newer models need it. */
export const DEFAULT_API_VERSION = "2026-10-21";

/** The body of a Messages request. */
export function encodeMessages(
  request: LlmRequest,
  target: { readonly model: string; readonly apiVersion: string },
): JsonObject {
  const { messages, maxTokens, temperature, topP, topK, stop, seed, effort, answerSchema } =
    request;
  const sampling = { temperature, top_p: topP, top_k: topK };
  const given = Object.entries(sampling).filter(([, value]) => value !== undefined);
  if (given.length > 0 && target.apiVersion !== SAMPLING_API_VERSION) {
    throw new UsageError(
      `asking ${target.model}: version ${target.apiVersion} of the Anthropic interface takes no ${given.map(([name]) => name).join(", ")}`,
      {
        code: "usage.sampling_parameters",
        hint: `leave them out, or use --api-version ${SAMPLING_API_VERSION} with a model that takes them`,
      },
    );
  }
  if (seed !== undefined) {
    throw new UsageError(`asking ${target.model}: Anthropic models take no seed`, {
      code: "usage.sampling_parameters",
      hint: "leave the seed out; repeats are told apart by their number",
    });
  }
  const system = messages.filter(({ role }) => role === "system").map(({ content }) => content);
  const format = answerSchema && { type: "json_schema", schema: answerSchema.schema };
  const outputConfig = { ...(effort !== undefined && { effort }), ...(format && { format }) };
  return {
    model: target.model,
    max_tokens: maxTokens,
    ...(system.length > 0 && { system: system.join("\n\n") }),
    messages: messages.filter(({ role }) => role !== "system"),
    ...Object.fromEntries(given),
    ...(stop !== undefined && { stop_sequences: stop }),
    ...(Object.keys(outputConfig).length > 0 && { output_config: outputConfig }),
    ...checkedExtra(request.extra, ["model", "messages", "max_tokens", "system", "stream"]),
  };
}

const tokens = z.number().int().nonnegative();
const optionalTokens = tokens.nullish().transform((count) => count ?? 0);
const messageSchema = z.object({
  content: z.array(z.object({ type: z.string(), text: z.string().optional() })),
  stop_reason: z.string().nullish(),
  model: z.string().nullish(),
  id: z.string().nullish(),
  usage: z
    .object({
      input_tokens: tokens,
      output_tokens: tokens,
      cache_read_input_tokens: optionalTokens,
      cache_creation_input_tokens: optionalTokens,
    })
    .nullish(),
});

const STOPS: Readonly<Record<string, StopReason>> = {
  end_turn: "stop",
  stop_sequence: "stop",
  max_tokens: "length",
  model_context_window_exceeded: "length",
  refusal: "refusal",
};

/** The answer in a Messages response; undefined when it has not the expected form. */
export function decodeMessage(
  value: unknown,
  secret: Secret | undefined,
  requestId: string | null,
): Answer | undefined {
  const result = messageSchema.safeParse(value);
  if (!result.success) return undefined;
  const { content, stop_reason, model, id, usage } = result.data;
  const clean = (text: string): string => secret?.redact(text) ?? text;
  const label = (text: string | null | undefined): string | null =>
    text == null ? null : boundedText(clean(text), 200);
  const text = content.map((block) => (block.type === "text" ? (block.text ?? "") : "")).join("");
  return {
    text: clean(text),
    stopReason: STOPS[stop_reason ?? ""] ?? "other",
    rawStopReason: label(stop_reason),
    model: label(model),
    usage: usage == null ? null : toUsage(usage),
    requestId: label(requestId ?? id),
  };
}

function toUsage(usage: NonNullable<z.infer<typeof messageSchema>["usage"]>): Usage {
  const { input_tokens, cache_read_input_tokens, cache_creation_input_tokens } = usage;
  return {
    inputTokens: input_tokens + cache_read_input_tokens + cache_creation_input_tokens,
    cachedInputTokens: cache_read_input_tokens,
    cacheWriteTokens: cache_creation_input_tokens,
    outputTokens: usage.output_tokens,
  };
}

/** Limits in the headers of a response; `nowMs` turns its times of day into durations. */
export function anthropicLimits(
  header: (name: string) => string | null,
  nowMs: number,
): ServerLimits {
  const read = (name: string): ServerLimit | undefined => {
    const limit = toNumber(header(`anthropic-ratelimit-${name}-limit`));
    const remaining = toNumber(header(`anthropic-ratelimit-${name}-remaining`));
    const reset = Date.parse(header(`anthropic-ratelimit-${name}-reset`) ?? "");
    if (limit === undefined && remaining === undefined) return undefined;
    return {
      limit,
      remaining,
      resetMs: Number.isNaN(reset) ? undefined : Math.max(0, reset - nowMs),
    };
  };
  // `tokens` stands for whichever of the two token limits is nearer; without it, input is the one that prompts meet.
  return { requests: read("requests"), tokens: read("tokens") ?? read("input-tokens") };
}

function toNumber(text: string | null): number | undefined {
  if (text === null || text.trim() === "") return undefined;
  const number = Number(text);
  return Number.isFinite(number) && number >= 0 ? number : undefined;
}

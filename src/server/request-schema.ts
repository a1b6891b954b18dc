/**
 * Bodies of the completion endpoints. Fields of OpenAI's API that this server does not implement are refused unless they ask
 * for nothing, so that no client believes in a setting that has no effect; `top_k` and `min_p` are additions, as elsewhere.
 */
import { z } from "zod";
import { ApiError } from "./api-error.ts";

const MAX_CHOICES = 128;
const MAX_STOPS = 4;

const text = z.string();
const tokens = z.array(z.number().int().min(0)).min(1);
const count = z.number().int().min(1);
const stop = z.string().min(1, "expected a text of at least one character");

/** A field that may be given as long as it asks for nothing. */
const only = <T extends z.ZodType>(schema: T) => schema.nullish();
const zero = z.literal(0, "not supported by this server: leave it out or 0");
const off = z.literal(false, "not supported by this server: leave it out or false");

const common = {
  model: text,
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().gt(0).max(1).nullish(),
  top_k: z.number().int().min(-1).nullish(),
  min_p: z.number().min(0).max(1).nullish(),
  n: count.max(MAX_CHOICES).nullish(),
  seed: z.number().int().min(Number.MIN_SAFE_INTEGER).max(Number.MAX_SAFE_INTEGER).nullish(),
  stop: z.union([stop, z.array(stop).max(MAX_STOPS)]).nullish(),
  stream: z.boolean().nullish(),
  stream_options: z
    .strictObject({
      include_usage: z.boolean().nullish(),
      include_obfuscation: z.boolean().nullish(),
    })
    .nullish(),
  max_tokens: count.nullish(),
  presence_penalty: only(zero),
  frequency_penalty: only(zero),
  logit_bias: only(z.strictObject({}, "not supported by this server: leave it out")),
  // Labels for a provider's own records: they change no answer.
  user: text.nullish(),
};

export const completionBody = z.strictObject({
  ...common,
  prompt: z.union([text, z.array(text).min(1), tokens, z.array(tokens).min(1)]),
  logprobs: z.number().int().min(0).max(20).nullish(),
  echo: only(off),
  best_of: count.nullish(),
  suffix: only(z.literal("", "not supported by this server: leave it out")),
});
export type CompletionBody = z.infer<typeof completionBody>;

const textPart = z.object({ type: z.literal("text"), text });
const message = z.object({
  role: z.enum(["system", "developer", "user", "assistant"]),
  content: z.union([text, z.array(textPart).min(1)]),
  name: text.optional(),
});

export const chatBody = z.strictObject({
  ...common,
  messages: z.array(message).min(1),
  max_completion_tokens: count.nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.number().int().min(0).max(20).nullish(),
  response_format: only(z.strictObject({ type: z.literal("text") })),
  modalities: only(z.tuple([z.literal("text")])),
  tools: only(z.array(z.never(), "not supported by this server: leave it out")),
  tool_choice: only(z.literal("none")),
  parallel_tool_calls: z.boolean().nullish(),
  store: only(off),
  metadata: z.record(text, text).nullish(),
  service_tier: z.enum(["auto", "default"]).nullish(),
  prompt_cache_key: text.nullish(),
  safety_identifier: text.nullish(),
});
export type ChatBody = z.infer<typeof chatBody>;

/**
 * Checks a body.
 * @throws ApiError 400 that names the first field at fault.
 */
export function parseBody<S extends z.ZodObject>(schema: S, body: unknown): z.infer<S> {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const issue = result.error.issues[0] as z.core.$ZodIssue;
  if (issue.code === "unrecognized_keys") {
    const param = [...issue.path, issue.keys[0] as string].join(".");
    throw new ApiError(400, `unrecognized field "${param}"`, { code: "unknown_parameter", param });
  }
  const param = issue.path.join(".") || null;
  if (param === null) {
    throw new ApiError(400, "expected a JSON object as the body", { code: "invalid_type" });
  }
  const isMissing = valueAt(body, issue.path) === undefined;
  if (isMissing) {
    const missing = { code: "missing_required_parameter", param };
    throw new ApiError(400, `the field "${param}" is required`, missing);
  }
  const code =
    issue.code === "invalid_type" || issue.code === "invalid_union"
      ? "invalid_type"
      : "invalid_value";
  throw new ApiError(400, `the field "${param}" has no valid value: ${describe(issue)}`, {
    code,
    param,
  });
}

/** Zod says only "Invalid input" of a union: the complaint of the first member that names a reason says more. */
function describe(issue: z.core.$ZodIssue): string {
  if (issue.code !== "invalid_union") return issue.message;
  const reasons = issue.errors.map((issues) => issues[0]?.message).filter((m) => m !== undefined);
  return [...new Set(reasons)].join(", or ") || issue.message;
}

function valueAt(body: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (value as Record<PropertyKey, unknown> | null | undefined)?.[key],
    body,
  );
}

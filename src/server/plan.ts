/** From a checked body to a job: prompts as tokens, settings with their defaults, and the limits of the model. */
import type { ChatMessage } from "../model/chat-template.ts";
import type { ModelConfig } from "../model/config.ts";
import type { Filters } from "../model/sampling/distribution.ts";
import { sampleRequests } from "../model/sampling/requests.ts";
import type { Tokenizer } from "../model/tokenizer.ts";
import { DataError } from "../util/errors.ts";
import { ApiError, badValue } from "./api-error.ts";
import type { JobSpec } from "./job.ts";
import type { ChatBody, CompletionBody } from "./request-schema.ts";

/** OpenAI's default length of a plain completion. */
const DEFAULT_COMPLETION_TOKENS = 16;

/** What is known of the served model on the HTTP side. */
export interface ServedModel {
  /** The name that clients ask for. */
  readonly id: string;
  readonly config: ModelConfig;
  readonly tokenizer: Tokenizer;
  /** Sampling settings where a request names none. */
  readonly defaults: SamplingDefaults;
  /** Tokens of a conversation, up to where the answer begins; absent when the model has no chat template. */
  readonly encodeChat?: (messages: readonly ChatMessage[]) => readonly number[];
}

export interface SamplingDefaults extends Filters {
  readonly temperature: number;
}

/** A job and what the answer needs to know about it. */
export interface Plan {
  readonly spec: JobSpec;
  readonly promptTokens: number;
  readonly stream: boolean;
  readonly includeUsage: boolean;
}

/** Plan of `/v1/completions`. */
export function planCompletion(
  body: CompletionBody,
  model: ServedModel,
  freshSeed: () => number,
): Plan {
  if (body.best_of != null && body.best_of !== (body.n ?? 1)) {
    throw badValue(
      "best_of",
      'the field "best_of" must equal "n": this server returns every sample',
    );
  }
  const { prompt } = body;
  const prompts = isTokenPrompt(prompt) ? [prompt] : [prompt].flat();
  const promptIds = (prompts as readonly (string | readonly number[])[]).map((entry) =>
    typeof entry === "string" ? model.tokenizer.encodePrompt(entry) : checkIds(entry, model),
  );
  const wanted = body.max_tokens ?? DEFAULT_COMPLETION_TOKENS;
  return plan(body, model, freshSeed, {
    promptIds,
    param: "prompt",
    wanted,
    topLogProbs: body.logprobs ?? undefined,
  });
}

/** Plan of `/v1/chat/completions`. */
export function planChat(body: ChatBody, model: ServedModel, freshSeed: () => number): Plan {
  if (model.encodeChat === undefined) {
    throw badValue(
      "messages",
      `the model "${model.id}" has no chat template; use /v1/completions, or add chat_template.jinja to its folder`,
      "no_chat_template",
    );
  }
  if (body.top_logprobs != null && body.logprobs !== true) {
    throw badValue("top_logprobs", 'the field "top_logprobs" needs "logprobs": true');
  }
  const messages = body.messages.map(({ role, content }) => ({
    role,
    content: typeof content === "string" ? content : content.map((part) => part.text).join(""),
  }));
  const promptIds = [encodeChat(model.encodeChat, messages)];
  return plan(body, model, freshSeed, {
    promptIds,
    param: "messages",
    wanted: body.max_completion_tokens ?? body.max_tokens ?? undefined,
    topLogProbs: body.logprobs === true ? (body.top_logprobs ?? 0) : undefined,
  });
}

/** A template refuses conversations of the wrong form, such as two messages of the user in a row. */
function encodeChat(
  encode: NonNullable<ServedModel["encodeChat"]>,
  messages: readonly ChatMessage[],
): readonly number[] {
  try {
    return encode(messages);
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    throw badValue("messages", error.message, "chat_template_failed");
  }
}

interface Prompts {
  readonly promptIds: readonly (readonly number[])[];
  readonly param: string;
  /** New tokens asked for; all that the model has room for when absent. */
  readonly wanted: number | undefined;
  readonly topLogProbs: number | undefined;
}

function plan(
  body: CompletionBody | ChatBody,
  model: ServedModel,
  freshSeed: () => number,
  { promptIds, param, wanted, topLogProbs }: Prompts,
): Plan {
  const limit = model.config.maxPositions;
  const longest = promptIds.reduce((most, ids) => Math.max(most, ids.length), 0);
  if (promptIds.some((ids) => ids.length === 0)) {
    throw badValue(
      param,
      `the field "${param}" holds an empty prompt; expected at least one token`,
    );
  }
  if (longest + (wanted ?? 1) > limit) {
    const asked = `${longest} in the ${param} and ${wanted ?? 1} to be generated`;
    throw badValue(
      param,
      `this model's context holds ${limit} tokens; asked for ${longest + (wanted ?? 1)}: ${asked}`,
      "context_length_exceeded",
    );
  }
  const n = body.n ?? 1;
  if (promptIds.length * n > 128) {
    throw badValue(
      "n",
      `at most 128 choices in one request; found ${promptIds.length} prompts with n = ${n}`,
    );
  }
  return {
    spec: {
      requests: sampleRequests(promptIds, n),
      settings: {
        maxNewTokens: wanted ?? limit - longest,
        temperature: body.temperature ?? model.defaults.temperature,
        // 0 and -1 ask for no limit, which is not the same as asking for nothing.
        topK: body.top_k == null ? model.defaults.topK : body.top_k > 0 ? body.top_k : undefined,
        topP: body.top_p ?? model.defaults.topP,
        minP: body.min_p ?? model.defaults.minP,
        topLogProbs,
      },
      seed: body.seed ?? freshSeed(),
      stop: typeof body.stop === "string" ? [body.stop] : (body.stop ?? []),
    },
    promptTokens: promptIds.reduce((sum, ids) => sum + ids.length, 0),
    stream: body.stream ?? false,
    includeUsage: includeUsage(body),
  };
}

function includeUsage(body: CompletionBody | ChatBody): boolean {
  if (body.stream_options != null && body.stream !== true) {
    throw badValue("stream_options", 'the field "stream_options" needs "stream": true');
  }
  return body.stream_options?.include_usage ?? false;
}

function isTokenPrompt(prompt: CompletionBody["prompt"]): prompt is number[] {
  return Array.isArray(prompt) && typeof prompt[0] === "number";
}

function checkIds(ids: readonly number[], { config }: ServedModel): readonly number[] {
  const bad = ids.find((id) => id >= config.vocabSize);
  if (bad === undefined) return ids;
  throw new ApiError(400, `token ${bad} is not in the vocabulary of ${config.vocabSize} tokens`, {
    code: "invalid_value",
    param: "prompt",
  });
}

/**
 * Anthropic Messages and Message Batches through the official SDK. A batch there carries no name of ours: after a crash
 * during submission it is told by its time and size, and for certain by its results, whose identifiers begin with our
 * intent.
 */
import { createReadStream } from "node:fs";
import type { MessageBatch } from "@anthropic-ai/sdk/resources/messages/batches";
import { z } from "zod";
import type { Clock } from "../clock.ts";
import { ProviderError } from "../errors.ts";
import type { JsonObject } from "../request.ts";
import { boundedText, type Secret } from "../secret.ts";
import {
  anthropicLimits,
  DEFAULT_API_VERSION,
  decodeMessage,
  encodeMessages,
} from "./anthropic-wire.ts";
import { attempt, malformedError, openWire } from "./http.ts";
import { streamLines } from "./jsonl-stream.ts";
import type {
  BatchApi,
  BatchLine,
  BatchMatch,
  BatchStatus,
  BatchSubmission,
  CallOptions,
  Provider,
  Reply,
} from "./provider.ts";
import { decodeResults } from "./results.ts";

/** How to reach Anthropic, or a server that speaks like it. */
export interface AnthropicOptions {
  readonly model: string;
  readonly key: Secret;
  readonly clock: Clock;
  /** Default `https://api.anthropic.com`. */
  readonly baseUrl?: string | undefined;
  /** Default the newest that the SDK knows; sampling parameters need `2023-06-01`. */
  readonly apiVersion?: string | undefined;
  /** Name in the price list. Default `anthropic`. */
  readonly name?: string;
  /** Name of the server in the store. Default the base URL. */
  readonly endpoint?: string;
}

const BASE_URL = "https://api.anthropic.com";
/** Clocks here and there may differ by this much. */
const CLOCK_SKEW_MS = 10 * 60_000;

/** Opens a provider over Anthropic's interface. */
export async function openAnthropic(options: AnthropicOptions): Promise<Provider> {
  const { model, key, clock } = options;
  const { default: Anthropic } = await import("@anthropic-ai/sdk");
  const baseURL = options.baseUrl ?? BASE_URL;
  const apiVersion = options.apiVersion ?? DEFAULT_API_VERSION;
  const wire = openWire();
  // Everything that the SDK would take from the environment is given here.
  const settings = {
    apiKey: key.reveal(),
    baseURL,
    maxRetries: 0,
    defaultHeaders: { "anthropic-version": apiVersion },
    logLevel: "off" as const,
    openTelemetry: false as const,
  };
  const client = new Anthropic({ ...settings, fetch: wire.fetch });
  const streaming = new Anthropic({ ...settings, fetch: wire.fetchStream });
  const where = `at ${options.endpoint ?? baseURL}`;
  const context = (doing: string) => ({ doing: `${doing} ${where}`, secret: key });

  const asking = context(`asking ${model}`);
  const send = (body: JsonObject, call: CallOptions): Promise<Reply> =>
    attempt(call, asking, async (signal) => {
      // Not `messages.create`, which prints a warning for each request to an older model.
      const { data, response } = await client
        .post<unknown>("/v1/messages", { body, signal, timeout: call.timeoutMs })
        .withResponse();
      const header = (name: string): string | null => response.headers.get(name);
      const answer = decodeMessage(data, key, header("request-id"));
      if (answer === undefined) throw malformedError(asking.doing, "a body of another form");
      return { answer, limits: anthropicLimits(header, clock.now()) };
    });

  const listed = async (submission: BatchSubmission, call: CallOptions): Promise<BatchMatch[]> => {
    const found: BatchMatch[] = [];
    const since = submission.submittedAtMs - CLOCK_SKEW_MS;
    await attempt(call, context("listing batches"), async (signal) => {
      const page = client.messages.batches.list(
        { limit: 100 },
        { signal, timeout: call.timeoutMs },
      );
      for await (const batch of page) {
        if (Date.parse(batch.created_at) < since) return;
        const fits = countOf(batch).total === submission.requests;
        if (fits) found.push({ id: batch.id, certain: false });
      }
    });
    return found;
  };

  const batches: BatchApi = {
    maxRequests: 100_000,
    maxBytes: 256e6,
    encodeLine: (customId, body) => JSON.stringify({ custom_id: customId, params: body }),
    create: (submission, call) =>
      attempt(call, context("submitting a batch"), async (signal) => {
        const requests = await readItems(submission.file);
        const options = { signal, timeout: call.timeoutMs };
        const batch = await client.messages.batches.create({ requests } as never, options);
        if (typeof batch?.id === "string") return batch.id;
        throw malformedError(context("submitting a batch").doing, "no identifier");
      }),
    find: listed,
    status: (id, call) =>
      attempt(call, context(`looking at batch ${id}`), async (signal) => {
        const options = { signal, timeout: call.timeoutMs };
        const batch = await client.messages.batches.retrieve(id, {}, options);
        const state = batch.processing_status === "ended" ? "ended" : "running";
        return { state, ...countOf(batch) } satisfies BatchStatus;
      }),
    async *results(id, call) {
      const about = context(`reading the results of batch ${id}`);
      const path = `/v1/messages/batches/${encodeURIComponent(id)}/results`;
      // The path is fixed rather than taken from the batch, so that a key only ever goes to the base URL.
      const response = await attempt(call, about, () =>
        streaming.get(path, { ...(call.signal && { signal: call.signal }) }).asResponse(),
      );
      yield* decodeResults(response, about, (value) => decodeLine(value, key));
    },
  };

  return {
    name: options.name ?? "anthropic",
    model,
    endpoint: options.endpoint ?? baseURL,
    apiVersion,
    encode: (request) => encodeMessages(request, { model, apiVersion }),
    send,
    countTokens: (body, call) =>
      attempt(call, context("counting tokens"), async (signal) => {
        const { max_tokens: _, stop_sequences: __, ...counted } = body;
        const options = { signal, timeout: call.timeoutMs };
        const { input_tokens } = await client.messages.countTokens(counted as never, options);
        return input_tokens;
      }),
    batches,
    [Symbol.asyncDispose]: () => wire[Symbol.asyncDispose](),
  };
}

function countOf({ request_counts: counts }: MessageBatch): { done: number; total: number } {
  const done = counts.succeeded + counts.errored + counts.canceled + counts.expired;
  return { done, total: done + counts.processing };
}

async function readItems(file: string): Promise<unknown[]> {
  const items: unknown[] = [];
  for await (const { text } of streamLines(createReadStream(file))) items.push(JSON.parse(text));
  return items;
}

const lineSchema = z.object({
  custom_id: z.string(),
  result: z.object({
    type: z.string(),
    message: z.unknown().optional(),
    error: z.unknown().optional(),
  }),
});

function decodeLine(value: unknown, secret: Secret): BatchLine | { customId: string } | undefined {
  const line = lineSchema.safeParse(value).data;
  if (line === undefined) return undefined;
  const { custom_id: customId, result } = line;
  if (result.type !== "succeeded") {
    return { kind: "error", customId, error: resultError(result.type, result.error, secret) };
  }
  const answer = decodeMessage(result.message, secret, null);
  return answer === undefined ? { customId } : { kind: "answer", customId, answer };
}

const errorSchema = z.object({
  error: z.object({
    type: z.string().optional(),
    message: z.string().optional(),
    error: z.object({ type: z.string().optional(), message: z.string().optional() }).optional(),
  }),
});

/** The error of one request of a batch; errors of the request itself are final, all others may pass. */
function resultError(type: string, detail: unknown, secret: Secret): ProviderError {
  const outer = errorSchema.safeParse({ error: detail }).data?.error;
  const inner = outer?.error ?? outer;
  const isFinal =
    type === "errored" && /invalid_request|permission|not_found/.test(inner?.type ?? "");
  const words = [type, inner?.type, inner?.message].filter((word) => word !== undefined);
  return new ProviderError(
    `a request of a batch: ${boundedText(secret.redact(words.join(", ")))}`,
    {
      code: isFinal
        ? "provider.refused_request"
        : `provider.batch_${type === "errored" ? "error" : type}`,
      hint: "run the same command again to ask for it once more",
      retryable: !isFinal,
    },
  );
}

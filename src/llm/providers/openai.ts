/**
 * OpenAI chat completions and batches through the official SDK, and every server that speaks the same: vLLM, Ollama,
 * llama.cpp, `habits serve`. A batch carries our intent in its metadata, so after a crash during submission it is found
 * for certain.
 */
import { createReadStream } from "node:fs";
import path from "node:path";
import { Readable } from "node:stream";
import type OpenAI from "openai";
import { z } from "zod";
import { ProviderError } from "../errors.ts";
import type { JsonObject } from "../request.ts";
import { boundedText, type Secret } from "../secret.ts";
import { attempt, type CallContext, malformedError, openWire, toProviderError } from "./http.ts";
import { decodeCompletion, encodeChat, openaiLimits } from "./openai-wire.ts";
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

/** How to reach OpenAI, or a server that speaks like it. */
export interface OpenAIOptions {
  readonly model: string;
  /** Undefined for a server that asks for none. */
  readonly key: Secret | undefined;
  /** Default OpenAI's own; with another, parameters beyond OpenAI's are allowed and `max_tokens` is sent. */
  readonly baseUrl?: string | undefined;
  /** Name in the price list. Default `openai`, or `compatible` with another base URL. */
  readonly name?: string;
  /** Name of the server in the store. Default the base URL. */
  readonly endpoint?: string;
  /** Whether the server has batches. Default true for OpenAI's own, false elsewhere. */
  readonly hasBatches?: boolean;
}

const BASE_URL = "https://api.openai.com/v1";
const CHAT_PATH = "/v1/chat/completions";
/** Member of a batch's metadata that holds our intent. */
const INTENT = "habits_intent";
/** Clocks here and there may differ by this much. */
const CLOCK_SKEW_S = 600;

/** Opens a provider over OpenAI's interface. */
export async function openOpenAI(options: OpenAIOptions): Promise<Provider> {
  const { model, key } = options;
  const { default: Client } = await import("openai");
  const baseURL = options.baseUrl ?? BASE_URL;
  const compatible = baseURL !== BASE_URL;
  const wire = openWire();
  // Everything that the SDK would take from the environment is given here.
  const settings = {
    apiKey: key?.reveal() ?? "none",
    organization: null,
    project: null,
    webhookSecret: null,
    baseURL,
    maxRetries: 0,
    logLevel: "off" as const,
  };
  const client = new Client({ ...settings, fetch: wire.fetch });
  const streaming = new Client({ ...settings, fetch: wire.fetchStream });
  const where = `at ${options.endpoint ?? baseURL}`;
  const context = (doing: string): CallContext => ({ doing: `${doing} ${where}`, secret: key });

  const asking = context(`asking ${model}`);
  const send = (body: JsonObject, call: CallOptions): Promise<Reply> =>
    attempt(call, asking, async (signal) => {
      const { data, response } = await client.chat.completions
        .create(body as never, { signal, timeout: call.timeoutMs })
        .withResponse();
      const header = (name: string): string | null => response.headers.get(name);
      const answer = decodeCompletion(data, key, header("x-request-id"));
      if (answer === undefined) throw malformedError(asking.doing, "a body of another form");
      return { answer, limits: openaiLimits(header) };
    });

  const maxTokensField = compatible ? "max_tokens" : "max_completion_tokens";
  return {
    name: options.name ?? (compatible ? "compatible" : "openai"),
    model,
    endpoint: options.endpoint ?? baseURL,
    apiVersion: null,
    encode: (request) => encodeChat(request, { model, maxTokensField, compatible }),
    send,
    ...((options.hasBatches ?? !compatible) && {
      batches: openaiBatches({ client, streaming, context, key }),
    }),
    [Symbol.asyncDispose]: () => wire[Symbol.asyncDispose](),
  };
}

interface BatchClients {
  readonly client: OpenAI;
  readonly streaming: OpenAI;
  readonly context: (doing: string) => CallContext;
  readonly key: Secret | undefined;
}

function openaiBatches({ client, streaming, context, key }: BatchClients): BatchApi {
  const limits = (signal: AbortSignal, call: CallOptions) => ({ signal, timeout: call.timeoutMs });
  return {
    maxRequests: 50_000,
    maxBytes: 200e6,
    encodeLine: (customId, body) =>
      JSON.stringify({ custom_id: customId, method: "POST", url: CHAT_PATH, body }),
    upload: (submission, call) =>
      attempt(call, context("uploading a batch"), async (signal) => {
        const form = multipart(submission.file, { purpose: "batch" });
        const made = await client.post<{ id?: unknown }>("/files", {
          ...limits(signal, call),
          body: form.body,
          headers: { "content-type": form.contentType },
        });
        if (typeof made.id === "string") return made.id;
        throw malformedError(context("uploading a batch").doing, "no identifier");
      }),
    create: (submission, call) =>
      attempt(call, context("submitting a batch"), async (signal) => {
        const batch = await client.batches.create(
          {
            input_file_id: submission.inputFile ?? "",
            endpoint: CHAT_PATH,
            completion_window: "24h",
            metadata: { [INTENT]: submission.intent },
          },
          limits(signal, call),
        );
        if (typeof batch?.id === "string") return batch.id;
        throw malformedError(context("submitting a batch").doing, "no identifier");
      }),
    find: (submission, call) =>
      attempt(call, context("listing batches"), async (signal) => {
        const since = submission.submittedAtMs / 1000 - CLOCK_SKEW_S;
        for await (const batch of client.batches.list({ limit: 100 }, limits(signal, call))) {
          if (batch.created_at < since) break;
          if (isSubmission(batch, submission)) return [{ id: batch.id, certain: true }];
        }
        return [] satisfies BatchMatch[];
      }),
    status: (id, call) =>
      attempt(call, context(`looking at batch ${id}`), async (signal) =>
        statusOf(await client.batches.retrieve(id, limits(signal, call)), key),
      ),
    async *results(id, call) {
      const about = context(`reading the results of batch ${id}`);
      const batch = await attempt(call, about, (signal) =>
        client.batches.retrieve(id, limits(signal, call)),
      );
      // A batch may end with answers, with errors, with both, and with neither.
      for (const file of [batch.output_file_id, batch.error_file_id]) {
        if (file == null || file === "") continue;
        const response = await attempt(call, about, () =>
          streaming.files.content(file, { ...(call.signal && { signal: call.signal }) }),
        );
        yield* decodeResults(response, about, (line) => decodeLine(line, about));
      }
    },
  };
}

function isSubmission(batch: OpenAI.Batch, { intent, inputFile }: BatchSubmission): boolean {
  const named = batch.metadata?.[INTENT];
  // A server that drops metadata still tells the input file.
  return named === intent || (named === undefined && batch.input_file_id === inputFile);
}

const ENDED = new Set(["completed", "expired", "cancelled", "failed"]);

function statusOf(batch: OpenAI.Batch, key: Secret | undefined): BatchStatus {
  const { completed = 0, failed = 0, total = 0 } = batch.request_counts ?? {};
  const status: BatchStatus = {
    state: ENDED.has(batch.status) ? "ended" : "running",
    done: completed + failed,
    total,
  };
  if (batch.status !== "failed") return status;
  const errors = batch.errors?.data ?? [];
  const texts = errors
    .slice(0, 3)
    .map(({ code, message }) => `${code ?? "error"}: ${message ?? ""}`);
  const message = texts.join("; ") || "no reason given";
  return {
    ...status,
    refused: {
      message: boundedText(key?.redact(message) ?? message),
      // Too much is queued already; that passes with time.
      retryable: errors.some(({ code }) => code === "token_limit_exceeded"),
    },
  };
}

/** A form with one file, as a stream: the SDK's own form data is not that of the fetch in use here. */
function multipart(
  file: string,
  fields: Readonly<Record<string, string>>,
): { body: Readable; contentType: string } {
  const boundary = `habits-${path.basename(file).replace(/[^A-Za-z0-9]/g, "")}`;
  const part = (name: string, more: string): string =>
    `--${boundary}\r\ncontent-disposition: form-data; name="${name}"${more}\r\n`;
  const head =
    Object.entries(fields)
      .map(([name, value]) => `${part(name, "")}\r\n${value}\r\n`)
      .join("") +
    `${part("file", `; filename="${path.basename(file)}"`)}content-type: application/jsonl\r\n\r\n`;
  async function* pieces(): AsyncGenerator<Buffer> {
    yield Buffer.from(head);
    for await (const chunk of createReadStream(file)) yield chunk as Buffer;
    yield Buffer.from(`\r\n--${boundary}--\r\n`);
  }
  const contentType = `multipart/form-data; boundary=${boundary}`;
  return { body: Readable.from(pieces()), contentType };
}

const lineSchema = z.object({
  custom_id: z.string(),
  response: z
    .object({
      status_code: z.number(),
      request_id: z.string().nullish(),
      body: z.unknown().optional(),
    })
    .nullish(),
  error: z.object({ code: z.string().nullish(), message: z.string().nullish() }).nullish(),
});

function decodeLine(
  value: unknown,
  about: CallContext,
): BatchLine | { customId: string } | undefined {
  const line = lineSchema.safeParse(value).data;
  if (line === undefined) return undefined;
  const { custom_id: customId, response, error } = line;
  const key = about.secret;
  if (response?.status_code === 200) {
    const answer = decodeCompletion(response.body, key, response.request_id ?? null);
    return answer === undefined ? { customId } : { kind: "answer", customId, answer };
  }
  if (response != null) {
    const sdkLike = { status: response.status_code, error: response.body };
    return { kind: "error", customId, error: finalOnlyForRequest(toProviderError(sdkLike, about)) };
  }
  const words = [error?.code, error?.message].filter((word) => word != null).join(": ");
  const message = boundedText(key?.redact(words) ?? words) || "no reason given";
  return {
    kind: "error",
    customId,
    error: new ProviderError(`a request of a batch: ${message}`, {
      code: `provider.${error?.code === "batch_expired" ? "batch_expired" : "batch_error"}`,
      hint: "run the same command again to ask for it once more",
      retryable: true,
    }),
  };
}

/** In a batch, an error stands for its own request only. */
function finalOnlyForRequest(error: ProviderError): ProviderError {
  if (!error.fatal) return error;
  const { code, status, requestId, hint } = error;
  return new ProviderError(error.message, {
    code,
    status,
    requestId,
    retryable: false,
    ...(hint !== undefined && { hint }),
  });
}

/**
 * The HTTP interface: routes, who may ask, and answers as JSON or as server-sent events. A client that goes away cancels its
 * job. No CORS header is ever sent, bodies must be `application/json` (a page of another site cannot send that without
 * asking first), and a Host that is a foreign name is refused, as DNS rebinding would use one.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { isIP } from "node:net";
import { type Context, Hono, type MiddlewareHandler } from "hono";
import type { z } from "zod";
import {
  type AnswerHead,
  type AnswerShape,
  chatShape,
  completionShape,
  type FullChoice,
  usageOf,
} from "./answers.ts";
import { ApiError, toApiError } from "./api-error.ts";
import type { Engine, Job } from "./engine.ts";
import { type Plan, planChat, planCompletion, type ServedModel } from "./plan.ts";
import { chatBody, completionBody, parseBody } from "./request-schema.ts";

export const MAX_BODY_BYTES = 4 * 1024 * 1024;
const DRAINED_BYTES = 16 * MAX_BODY_BYTES;
const RETRY_SECONDS = 1;

export interface AppOptions {
  readonly engine: Engine;
  readonly model: ServedModel;
  /** Names in the Host header that are served besides localhost and addresses. */
  readonly allowedHosts: readonly string[];
  /** Bearer token that requests under /v1 must carry. */
  readonly token?: string;
  /** True when no new work is taken. */
  readonly isStopping: () => boolean;
  /** Seconds since 1970. */
  readonly now: () => number;
  /** A new unique name. */
  readonly newId: () => string;
  /** Seed of a request that names none. */
  readonly freshSeed: () => number;
  /** Told about failures that the client sees only as status 500. */
  readonly onError: (error: unknown) => void;
}

export function createApp(options: AppOptions): Hono {
  const { engine, model } = options;
  const app = new Hono();
  app.onError((error, c) => {
    const known = toApiError(error);
    if (known !== error) options.onError(error);
    return errorResponse(c, known);
  });
  app.notFound((c) => {
    const message = `nothing is served at ${c.req.method} ${c.req.path}`;
    return errorResponse(c, new ApiError(404, message, { code: "not_found" }));
  });
  app.use(checkHost(options.allowedHosts));
  app.get("/health", (c) => {
    const status = healthOf(options);
    return c.json(
      { status, model: model.id, sequences: engine.unfinished },
      status === "ok" ? 200 : 503,
    );
  });
  if (options.token !== undefined) app.use("/v1/*", checkToken(options.token));
  const card = { id: model.id, object: "model", created: options.now(), owned_by: "four-habits" };
  app.get("/v1/models", (c) => c.json({ object: "list", data: [card] }));
  app.get("/v1/models/:id{.+}", (c) => {
    checkModel(c.req.param("id"), model);
    return c.json(card);
  });
  app.post("/v1/completions", async (c) => {
    const body = await readBody(c, completionBody, options);
    const plan = planCompletion(body, model, options.freshSeed);
    return answer(c, plan, completionShape(model.tokenizer), `cmpl-${options.newId()}`, options);
  });
  app.post("/v1/chat/completions", async (c) => {
    const body = await readBody(c, chatBody, options);
    const plan = planChat(body, model, options.freshSeed);
    return answer(c, plan, chatShape(model.tokenizer), `chatcmpl-${options.newId()}`, options);
  });
  return app;
}

function healthOf({ engine, isStopping }: AppOptions): "ok" | "stopping" | "failed" {
  if (engine.failure !== undefined) return "failed";
  return isStopping() ? "stopping" : "ok";
}

async function readBody<S extends z.ZodObject<{ model: z.ZodString }>>(
  c: Context,
  schema: S,
  { model, isStopping }: AppOptions,
): Promise<z.infer<S>> {
  if (isStopping()) {
    throw new ApiError(503, "the server is stopping and takes no new requests", {
      code: "server_stopping",
      retryAfter: RETRY_SECONDS,
    });
  }
  const type = c.req.header("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") {
    const message = `expected Content-Type application/json, found ${type ?? "none"}`;
    throw new ApiError(415, message, { code: "unsupported_media_type" });
  }
  let value: unknown;
  const bytes = await readBytes(c);
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new ApiError(400, "the body is not JSON in UTF-8", { code: "invalid_json" });
  }
  const body = parseBody(schema, value);
  checkModel(body.model as string, model);
  return body;
}

/** Reads on past the limit for a while, without keeping anything: a client that still sends does not see an early answer. */
async function readBytes(c: Context): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of c.req.raw.body ?? []) {
    size += chunk.length;
    if (size <= MAX_BODY_BYTES) chunks.push(chunk);
    if (size > DRAINED_BYTES) break;
  }
  if (size <= MAX_BODY_BYTES) return Buffer.concat(chunks);
  const message = `the body is larger than ${MAX_BODY_BYTES} bytes`;
  throw new ApiError(413, message, { code: "body_too_large" });
}

function checkModel(id: string, model: ServedModel): void {
  if (id === model.id) return;
  const message = `the model "${id}" does not exist; this server serves "${model.id}"`;
  throw new ApiError(404, message, { code: "model_not_found", param: "model" });
}

function answer(
  c: Context,
  plan: Plan,
  shape: AnswerShape,
  id: string,
  { engine, model, now, onError }: AppOptions,
): Promise<Response> | Response {
  const job = engine.submit(plan.spec);
  if (job === undefined) {
    throw new ApiError(429, "the queue of the server is full", {
      code: "queue_full",
      type: "rate_limit_exceeded",
      retryAfter: RETRY_SECONDS,
    });
  }
  const { signal } = c.req.raw;
  signal.addEventListener("abort", () => job.cancel(), { once: true });
  if (signal.aborted) job.cancel();
  const head = { id, created: now(), model: model.id };
  return plan.stream
    ? streamed(job, plan, shape, head, onError)
    : whole(job, plan, shape, head).then((body) => c.json(body));
}

async function whole(job: Job, plan: Plan, shape: AnswerShape, head: AnswerHead): Promise<object> {
  const choices = plan.spec.requests.map(
    (): FullChoice => ({ text: "", records: [], reason: null }),
  );
  let tokens = 0;
  for await (const { choice, text, records, finish } of job) {
    const found = choices[choice] as FullChoice;
    found.text += text;
    found.records.push(...records);
    found.reason = finish?.reason ?? null;
    tokens += finish?.tokens ?? 0;
  }
  const withLogProbs = plan.spec.settings.topLogProbs !== undefined;
  return shape.whole(head, choices, usageOf(plan.promptTokens, tokens), withLogProbs);
}

/** Server-sent events. What a slow client has not read waits here, which the length of the answer bounds. */
function streamed(
  job: Job,
  plan: Plan,
  shape: AnswerShape,
  head: AnswerHead,
  onError: (error: unknown) => void,
): Response {
  const withLogProbs = plan.spec.settings.topLogProbs !== undefined;
  async function* objects(): AsyncGenerator<object> {
    let tokens = 0;
    for (const choice of plan.spec.requests.keys()) {
      const opening = shape.opening(head, choice);
      if (opening !== undefined) yield opening;
    }
    for await (const event of job) {
      tokens += event.finish?.tokens ?? 0;
      yield shape.chunk(head, event, withLogProbs);
    }
    if (plan.includeUsage) yield shape.usage(head, usageOf(plan.promptTokens, tokens));
  }
  let gone = false;
  const encoder = new TextEncoder();
  const stream = new ReadableStream<Uint8Array>({
    async start(controller) {
      const send = (data: string): void => controller.enqueue(encoder.encode(`data: ${data}\n\n`));
      try {
        for await (const object of objects()) send(JSON.stringify(object));
        send("[DONE]");
        controller.close();
      } catch (error) {
        if (gone) return;
        onError(error);
        send(JSON.stringify(toApiError(error).toBody()));
        controller.close();
      }
    },
    cancel() {
      gone = true;
      job.cancel();
    },
  });
  return new Response(stream, {
    headers: {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache",
      "x-accel-buffering": "no",
    },
  });
}

function errorResponse(c: Context, error: ApiError): Response {
  if (error.retryAfter !== undefined) c.header("Retry-After", String(error.retryAfter));
  if (error.status === 401) c.header("WWW-Authenticate", "Bearer");
  return c.json(error.toBody(), error.status as 400);
}

/** A name that an attacker controls may point at this machine; an address or localhost cannot be made to. */
function checkHost(allowedHosts: readonly string[]): MiddlewareHandler {
  return async (c, next) => {
    const host = c.req.header("host") ?? "";
    const name = host
      .replace(/:\d+$/, "")
      .replace(/^\[(.*)\]$/, "$1")
      .toLowerCase();
    if (name !== "localhost" && isIP(name) === 0 && !allowedHosts.includes(name)) {
      throw new ApiError(403, `the Host "${host}" is not served; allow it with --allowed-hosts`, {
        code: "host_not_allowed",
      });
    }
    await next();
  };
}

function checkToken(token: string): MiddlewareHandler {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  const expected = digest(token);
  return async (c, next) => {
    const given = /^Bearer (.+)$/i.exec(c.req.header("authorization") ?? "")?.[1];
    // Digests have equal lengths, and comparing them takes the same time whatever was given.
    if (given === undefined || !timingSafeEqual(digest(given), expected)) {
      const message = given === undefined ? "expected a bearer token" : "the bearer token is wrong";
      throw new ApiError(401, message, { code: "invalid_api_key" });
    }
    await next();
  };
}

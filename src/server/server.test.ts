import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type TestServer, testServer } from "../../test/support/server.ts";
import { Sampler } from "../model/sampler.ts";
import { sampleRequests } from "../model/sampling/requests.ts";
import { MAX_BODY_BYTES } from "./app.ts";

const PROMPT = "Use 9, 8, 6 to make 66.\n<think>";
const model = "tiny-plain";
let it: TestServer;
let sampler: Sampler;
beforeAll(async () => {
  it = await testServer();
  sampler = new Sampler(it.model.config);
});
afterAll(() => it[Symbol.asyncDispose]());

/** What the library samples for the same prompts, seed and settings. */
async function librarySamples(prompt: string, n: number, seed: number, maxNewTokens: number) {
  const { model: loaded } = it;
  const promptIds = loaded.tokenizer.encodePrompt(prompt);
  const text = { stream: () => loaded.tokenizer.stream() };
  const options = { seed, maxNewTokens, temperature: 1, batchSize: 32, text };
  return sampler.sample(loaded.parameters, sampleRequests([promptIds], n), options);
}

async function post(body: unknown, headers: Record<string, string> = {}, path = "completions") {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const response = await fetch(`${it.server.url}/v1/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: text,
  });
  const answer = (await response.json()) as { error: Record<string, unknown> };
  return { status: response.status, error: answer.error, headers: response.headers };
}

describe("completions", () => {
  test("n samples are those of the library, with usage", async () => {
    const found = await it.client.completions.create({
      model,
      prompt: PROMPT,
      n: 4,
      seed: 5,
      max_tokens: 60,
    });
    const expected = await librarySamples(PROMPT, 4, 5, 60);
    expect(found.choices.map(({ text }) => text)).toEqual(expected.map(({ text }) => text));
    expect(found.choices.map((choice) => choice.finish_reason)).toEqual(
      expected.map((s) => s.stopReason),
    );
    const promptTokens = it.model.tokenizer.encodePrompt(PROMPT).length;
    const tokens = expected.reduce((sum, { ids }) => sum + ids.length, 0);
    expect(found.usage).toEqual({
      prompt_tokens: promptTokens,
      completion_tokens: tokens,
      total_tokens: promptTokens + tokens,
    });
  });

  test("prompts as tokens and as texts are the same, in a list and alone", async () => {
    const ids = it.model.tokenizer.encodePrompt(PROMPT);
    const ask = async (prompt: OpenAI.CompletionCreateParams["prompt"]) =>
      (await it.client.completions.create({ model, prompt, seed: 2 })).choices.map((c) => c.text);
    const [alone] = await ask(PROMPT);
    expect(await ask(ids)).toEqual([alone]);
    const pair = await ask([PROMPT, PROMPT]);
    expect(await ask([ids, ids])).toEqual(pair);
    expect(pair[0]).toBe(alone);
    expect(pair[1]).not.toBe(alone); // the second sample of the same prompt
  });

  test("temperature 0 ignores the seed; the default length is 16 tokens", async () => {
    const ask = async (seed: number) =>
      it.client.completions.create({ model, prompt: PROMPT, seed, temperature: 0 });
    const [a, b] = [await ask(1), await ask(2)];
    expect(a.choices[0]?.text).toBe(b.choices[0]?.text);
    expect(a.usage?.completion_tokens).toBeLessThanOrEqual(16);
  });

  test("a stop string ends the text before it", async () => {
    const whole = await it.client.completions.create({
      model,
      prompt: PROMPT,
      seed: 5,
      max_tokens: 60,
    });
    const text = whole.choices[0]?.text as string;
    const stop = text.slice(7, 10);
    const cut = await it.client.completions.create({
      model,
      prompt: PROMPT,
      seed: 5,
      max_tokens: 60,
      stop,
    });
    expect(cut.choices[0]?.text).toBe(text.slice(0, text.indexOf(stop)));
    expect(cut.choices[0]?.finish_reason).toBe("stop");
  });

  test("log-probabilities name every token with its place, and join to the text", async () => {
    const found = await it.client.completions.create({
      model,
      prompt: PROMPT,
      seed: 5,
      logprobs: 3,
      temperature: 0.7,
    });
    const { text, logprobs } = found.choices[0] as OpenAI.CompletionChoice;
    expect(logprobs?.tokens?.join("")).toBe(text);
    logprobs?.tokens?.forEach((token, i) => {
      const at = logprobs.text_offset?.[i] as number;
      expect(text.slice(at, at + token.length)).toBe(token);
      const top = Object.entries(logprobs.top_logprobs?.[i] as Record<string, number>);
      expect(top).toHaveLength(3);
      const found = top.find(([name]) => name === token);
      if (found !== undefined) expect(found[1]).toBe(logprobs.token_logprobs?.[i]);
    });
  });
});

describe("chat", () => {
  const messages = [{ role: "user" as const, content: "Use 9, 8, 6 to make 66." }];

  test("renders the template and answers as the assistant", async () => {
    const found = await it.client.chat.completions.create({
      model,
      messages,
      seed: 5,
      max_completion_tokens: 40,
    });
    const expected = await librarySamples(PROMPT, 1, 5, 40); // the template makes this prompt
    expect(found.choices[0]?.message).toEqual({
      role: "assistant",
      content: expected[0]?.text,
      refusal: null,
    });
    expect(found.object).toBe("chat.completion");
  });

  test("streams the same text and log-probabilities as it answers at once", async () => {
    const ask = { model, messages, seed: 5, n: 2, max_tokens: 30, logprobs: true, top_logprobs: 2 };
    const whole = await it.client.chat.completions.create(ask);
    const stream = await it.client.chat.completions.create({
      ...ask,
      stream: true,
      stream_options: { include_usage: true },
    });
    const texts = ["", ""];
    const records: unknown[][] = [[], []];
    const reasons: (string | null)[] = [null, null];
    let usage: unknown;
    for await (const chunk of stream) {
      for (const { index, delta, logprobs, finish_reason } of chunk.choices) {
        texts[index] += delta.content ?? "";
        records[index]?.push(...(logprobs?.content ?? []));
        reasons[index] = finish_reason ?? (reasons[index] as string | null);
      }
      usage = chunk.usage ?? usage;
    }
    expect(texts).toEqual(whole.choices.map(({ message }) => message.content));
    expect(records).toEqual(whole.choices.map(({ logprobs }) => logprobs?.content));
    expect(reasons).toEqual(whole.choices.map((choice) => choice.finish_reason));
    expect(usage).toEqual(whole.usage);
    const entry = whole.choices[0]?.logprobs?.content?.[0];
    expect(entry?.bytes).toEqual([...Buffer.from(entry?.token as string)]);
    expect(entry?.top_logprobs).toHaveLength(2);
  });

  test("a conversation that the template refuses is an error of the request", async () => {
    const odd = { model, messages: [{ role: "assistant", content: "Hello" }] };
    const { status, error } = await post(odd, {}, "chat/completions");
    expect(status).toBe(400);
    expect(error).toMatchObject({ param: "messages", code: "chat_template_failed" });
    expect(error.message).toContain("the user speaks first");
  });
});

test("64 clients that stream at once each get the library's text", async () => {
  const seeds = Array.from({ length: 64 }, (_, i) => i);
  const texts = await Promise.all(
    seeds.map(async (seed) => {
      const stream = await it.client.completions.create({
        model,
        prompt: PROMPT,
        seed,
        max_tokens: 40,
        stream: true,
      });
      let text = "";
      let reason: string | null = null;
      for await (const chunk of stream) {
        text += chunk.choices[0]?.text ?? "";
        reason = chunk.choices[0]?.finish_reason ?? reason;
      }
      return { text, reason };
    }),
  );
  for (const seed of seeds) {
    const [expected] = await librarySamples(PROMPT, 1, seed, 40);
    expect(texts[seed]).toEqual({ text: expected?.text, reason: expected?.stopReason });
  }
  expect(it.engine.unfinished).toBe(0);
});

describe("bad requests", () => {
  const good = { model, prompt: "Use" };
  test.each([
    ["malformed JSON", "{", 400, null, "invalid_json"],
    ["bytes that are no UTF-8 text", '"\uD800', 400, null, "invalid_json"],
    ["a body that is no object", "[]", 400, null, "invalid_type"],
    ["no model", { prompt: "Use" }, 400, "model", "missing_required_parameter"],
    ["another model", { ...good, model: "gpt-9" }, 404, "model", "model_not_found"],
    ["no prompt", { model }, 400, "prompt", "missing_required_parameter"],
    ["an empty prompt", { ...good, prompt: "" }, 400, "prompt", "invalid_value"],
    ["a prompt of the wrong type", { ...good, prompt: 3 }, 400, "prompt", "invalid_type"],
    [
      "a token outside the vocabulary",
      { ...good, prompt: [999_999] },
      400,
      "prompt",
      "invalid_value",
    ],
    [
      "a field that does not exist",
      { ...good, temprature: 1 },
      400,
      "temprature",
      "unknown_parameter",
    ],
    ["a temperature as text", { ...good, temperature: "hot" }, 400, "temperature", "invalid_type"],
    [
      "a temperature out of range",
      { ...good, temperature: 3 },
      400,
      "temperature",
      "invalid_value",
    ],
    ["top-p of 0", { ...good, top_p: 0 }, 400, "top_p", "invalid_value"],
    ["min-p above 1", { ...good, min_p: 2 }, 400, "min_p", "invalid_value"],
    ["n of 0", { ...good, n: 0 }, 400, "n", "invalid_value"],
    ["too many choices", { ...good, prompt: ["Use", "Use"], n: 100 }, 400, "n", "invalid_value"],
    [
      "five stop strings",
      { ...good, stop: ["a", "b", "c", "d", "e"] },
      400,
      "stop",
      "invalid_type",
    ],
    ["a penalty", { ...good, presence_penalty: 1 }, 400, "presence_penalty", "invalid_value"],
    ["echo", { ...good, echo: true }, 400, "echo", "invalid_value"],
    ["best of several", { ...good, best_of: 4 }, 400, "best_of", "invalid_value"],
    [
      "stream options without a stream",
      { ...good, stream_options: {} },
      400,
      "stream_options",
      "invalid_value",
    ],
    [
      "more than the context holds",
      { ...good, max_tokens: 320 },
      400,
      "prompt",
      "context_length_exceeded",
    ],
    [
      "a long prompt",
      { ...good, prompt: "Use ".repeat(400) },
      400,
      "prompt",
      "context_length_exceeded",
    ],
    ["a huge body", { ...good, prompt: "x".repeat(MAX_BODY_BYTES) }, 413, null, "body_too_large"],
  ])("%s", async (_name, body, status, param, code) => {
    const found = await post(body);
    expect({ status: found.status, param: found.error.param, code: found.error.code }).toEqual({
      status,
      param,
      code,
    });
    expect(found.error.type).toBe("invalid_request_error");
    expect(found.error.message).toEqual(expect.any(String));
  });

  test("the official client raises its own error classes", async () => {
    const ask = (body: object) =>
      it.client.completions.create({
        ...good,
        ...body,
      } as OpenAI.CompletionCreateParamsNonStreaming);
    await expect(ask({ n: -1 })).rejects.toThrow(OpenAI.BadRequestError);
    await expect(ask({ model: "x" })).rejects.toThrow(OpenAI.NotFoundError);
  });

  test("a body of another type is refused, as a page of another site could send it", async () => {
    expect((await post(good, { "content-type": "text/plain" })).status).toBe(415);
  });

  test("unknown paths and preflights find nothing, and no answer opens the server to other sites", async () => {
    const options = await fetch(`${it.server.url}/v1/completions`, {
      method: "OPTIONS",
      headers: { origin: "http://evil.test" },
    });
    expect(options.status).toBe(404);
    expect([...options.headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual(
      [],
    );
  });

  test("nothing that was refused left work behind", () => {
    expect(it.engine.unfinished).toBe(0);
    expect(it.errors).toEqual([]);
  });
});

test("models and health", async () => {
  expect((await it.client.models.list()).data).toEqual([
    { id: model, object: "model", created: 1_700_000_000, owned_by: "four-habits" },
  ]);
  expect((await it.client.models.retrieve(model)).id).toBe(model);
  await expect(it.client.models.retrieve("x")).rejects.toThrow(OpenAI.NotFoundError);
  const health = await fetch(`${it.server.url}/health`);
  expect(await health.json()).toEqual({ status: "ok", model, sequences: 0 });
});

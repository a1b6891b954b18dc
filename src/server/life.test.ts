import { request } from "node:http";
import OpenAI from "openai";
import { expect, test } from "vitest";
import { type TestServer, testServer } from "../../test/support/server.ts";

const model = "tiny-plain";
const prompt = "Use 9, 8, 6 to make 66.\n<think>";

/** A request for a long answer: the end token is not in the way of a place that must stay taken. */
function startLong({ client }: TestServer, more: object = {}) {
  return client.completions.create({
    model,
    prompt,
    max_tokens: 300,
    seed: 1,
    stream: true,
    n: 8,
    ...more,
  });
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

test("a client that goes away frees its places, streaming or not", async () => {
  await using it = await testServer({ maxBatch: 8, maxQueue: 0 });
  const stream = await startLong(it);
  for await (const _chunk of stream) break; // leaving the loop closes the connection
  await until(() => it.engine.unfinished === 0);

  const aborter = new AbortController();
  const ask = { model, prompt, max_tokens: 300, n: 8, seed: 1 };
  const pending = it.client.completions.create(ask, { signal: aborter.signal });
  await until(() => it.engine.unfinished === 8);
  aborter.abort();
  await expect(pending).rejects.toThrow(OpenAI.APIUserAbortError);
  await until(() => it.engine.unfinished === 0);
  const after = await it.client.completions.create({ model, prompt, n: 8, max_tokens: 2 });
  expect(after.choices).toHaveLength(8);
  expect(it.errors).toEqual([]);
});

test("a full queue answers 429 with a time to wait, and takes requests again later", async () => {
  await using it = await testServer({ maxBatch: 4, maxQueue: 4 });
  const first = await startLong(it);
  const refused = it.client.completions.create({ model, prompt });
  await expect(refused).rejects.toThrow(OpenAI.RateLimitError);
  const error = (await refused.catch((cause: unknown) => cause)) as InstanceType<
    typeof OpenAI.APIError
  >;
  expect(error.headers?.get("retry-after")).toBe("1");
  expect(error.error).toMatchObject({
    code: "queue_full",
    type: "rate_limit_exceeded",
    param: null,
  });
  const reasons = new Map<number, string>();
  for await (const { choices } of first) {
    for (const { index, finish_reason } of choices)
      if (finish_reason) reasons.set(index, finish_reason);
  }
  expect(reasons.size).toBe(8); // the four that waited came too
  expect((await it.client.completions.create({ model, prompt })).choices).toHaveLength(1);
});

test("stopping finishes what runs, refuses what is new, and ends", async () => {
  const it = await testServer();
  const stream = await startLong(it);
  const stopped = it.server.stop();
  const refused = await it.client.completions
    .create({ model, prompt })
    .catch((cause: unknown) => cause);
  expect(refused).toBeInstanceOf(OpenAI.InternalServerError);
  expect((refused as InstanceType<typeof OpenAI.APIError>).status).toBe(503);
  const finished = new Set<number>();
  for await (const { choices } of stream) {
    for (const { index, finish_reason } of choices) if (finish_reason) finished.add(index);
  }
  expect(finished.size).toBe(8);
  await stopped;
  await expect(fetch(`${it.server.url}/health`)).rejects.toThrow();
  await it.engine[Symbol.asyncDispose]();
});

test("a failure inside the engine ends the running answers with an error and not the server", async () => {
  await using it = await testServer();
  // A prompt that passed every check, whose weights break while it is read.
  const { views } = it.model.parameters;
  const embed = views.embed as Float32Array;
  const broken = views as Record<string, Float32Array>;
  broken.embed = embed.subarray(1);
  const failed = await it.client.completions
    .create({ model, prompt })
    .catch((cause: unknown) => cause);
  expect((failed as InstanceType<typeof OpenAI.APIError>).status).toBe(500);
  expect(it.errors).toHaveLength(1);
  broken.embed = embed;
  expect((await it.client.completions.create({ model, prompt })).choices).toHaveLength(1);
});

/** fetch does not let a caller choose the Host header. */
function statusFor(url: string, host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const sent = request(`${url}/v1/models`, { headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    sent.on("error", reject).end();
  });
}

test("only names of this machine and allowed names are served", async () => {
  await using it = await testServer({}, { allowedHosts: ["habits.test"] });
  const { url } = it.server;
  for (const host of ["localhost:1", "127.0.0.1", "[::1]:80", "HABITS.test:80"]) {
    expect(await statusFor(url, host), host).toBe(200);
  }
  for (const host of ["evil.test", "localhost.evil.test", "127.0.0.1.evil.test"]) {
    expect(await statusFor(url, host), host).toBe(403);
  }
});

test("with a token, requests without it or with another are refused, except for health", async () => {
  await using it = await testServer({}, { token: "secret" });
  expect((await it.client.models.list()).data).toHaveLength(1);
  const other = new OpenAI({ baseURL: `${it.server.url}/v1`, apiKey: "guess", maxRetries: 0 });
  await expect(other.models.list()).rejects.toThrow(OpenAI.AuthenticationError);
  const bare = await fetch(`${it.server.url}/v1/models`);
  expect(bare.status).toBe(401);
  expect(await bare.text()).not.toContain("secret");
  expect((await fetch(`${it.server.url}/health`)).status).toBe(200);
});

/** The built command: worker thread, 64 clients at once, and its end by a signal in the middle of the work. */
import { type ChildProcess, spawn } from "node:child_process";
import path from "node:path";
import { createInterface } from "node:readline";
import OpenAI from "openai";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TINY_PLAIN } from "../../test/support/server.ts";
import { loadCheckpoint } from "../model/checkpoint.ts";
import { Sampler } from "../model/sampler.ts";
import { sampleRequests } from "../model/sampling/requests.ts";

const HABITS = path.join(import.meta.dirname, "../../dist/cli/main.js");
const model = "tiny-plain";
const prompt = "Use 9, 8, 6 to make 66.\n<think>";
let habits: ChildProcess;
let exited: Promise<number | null>;
let client: OpenAI;

beforeAll(async () => {
  const env = { ...process.env, HABITS_TEST_TOKEN: "secret" };
  const flags = ["--port", "0", "--token-env", "HABITS_TEST_TOKEN", "--json"];
  habits = spawn(process.execPath, [HABITS, "serve", TINY_PLAIN, ...flags], { env });
  exited = new Promise((resolve) => habits.once("exit", resolve));
  const lines = createInterface({ input: habits.stdout as NodeJS.ReadableStream });
  const [line] = (await new Promise<string[]>((resolve) =>
    lines.once("line", (l) => resolve([l])),
  )) as [string];
  expect(line).not.toContain("secret");
  const { url } = JSON.parse(line) as { url: string };
  client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "secret", maxRetries: 0 });
});
afterAll(() => habits.kill("SIGKILL"));

/** Streams one answer and tells its text and how it ended. */
async function streamed(seed: number, max_tokens: number) {
  const ask = {
    model,
    prompt,
    seed,
    max_tokens,
    stream: true,
    stream_options: { include_usage: true },
  } as const;
  let [text, reason, tokens] = ["", "", 0];
  for await (const chunk of await client.completions.create(ask)) {
    text += chunk.choices[0]?.text ?? "";
    reason = chunk.choices[0]?.finish_reason ?? reason;
    tokens = chunk.usage?.completion_tokens ?? tokens;
  }
  return { text, reason, tokens };
}

test("64 clients that stream at once lose nothing and get the library's texts", async () => {
  const seeds = Array.from({ length: 64 }, (_, i) => i);
  const found = await Promise.all(seeds.map((seed) => streamed(seed, 120)));
  const loaded = await loadCheckpoint(TINY_PLAIN);
  const sampler = new Sampler(loaded.config);
  const requests = sampleRequests([loaded.tokenizer.encodePrompt(prompt)], 1);
  const text = { stream: () => loaded.tokenizer.stream() };
  for (const seed of seeds) {
    const options = { seed, maxNewTokens: 120, temperature: 1, batchSize: 1, text };
    const [expected] = await sampler.sample(loaded.parameters, requests, options);
    const { ids, stopReason } = expected as NonNullable<typeof expected>;
    expect(found[seed]).toEqual({ text: expected?.text, reason: stopReason, tokens: ids.length });
  }
});

test("SIGTERM lets the running answers end and the process end well", async () => {
  const starts = Array.from({ length: 16 }, (_, i) =>
    client.completions.create({ model, prompt, seed: 100 + i, max_tokens: 300, stream: true }),
  );
  const streams = await Promise.all(starts); // every answer has begun
  habits.kill("SIGTERM");
  const reasons = streams.map(async (stream) => {
    let reason: string | null = null;
    for await (const { choices } of stream) reason = choices[0]?.finish_reason ?? reason;
    return reason;
  });
  for (const reason of await Promise.all(reasons)) expect(["stop", "length"]).toContain(reason);
  expect(await exited).toBe(0);
});

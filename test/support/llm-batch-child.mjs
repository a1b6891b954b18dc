/**
 * Completes tasks in batches against a mock server, and kills itself at a given reading of the clock, which stands before
 * every write. Arguments: folder of the transpiled rooms, interface, URL, store, number of tasks, reading (0 for never).
 */
import path from "node:path";
import { pathToFileURL } from "node:url";

const [rooms, of, url, folder, count, killAt] = process.argv.slice(2);
const load = (file) => import(pathToFileURL(path.join(rooms, file)).href);
const { completeInBatches } = await load("llm/batch.js");
const { LlmClient } = await load("llm/client.js");
const { systemClock } = await load("llm/clock.js");
const { shippedPrices } = await load("llm/prices.js");
const { openAnthropic } = await load("llm/providers/anthropic.js");
const { openOpenAI } = await load("llm/providers/openai.js");
const { Secret } = await load("llm/secret.js");
const { AnswerStore } = await load("llm/store.js");

let readings = 0;
const clock = systemClock(() => {
  readings += 1;
  if (readings === Number(killAt)) process.kill(process.pid, "SIGKILL");
  return Date.now();
});
const key = new Secret("sk-test-0123456789abcdef", "KEY");
const shared = { model: of, key, name: "mock", endpoint: `mock:${of}` };
const provider =
  of === "anthropic"
    ? await openAnthropic({ ...shared, clock, baseUrl: url })
    : await openOpenAI({ ...shared, baseUrl: `${url}/v1`, hasBatches: true });
const store = await AnswerStore.open(folder);
const retry = { baseMs: 5, maxMs: 20 };
const client = new LlmClient({
  provider,
  store,
  clock,
  prices: shippedPrices(),
  run: "test",
  retry,
});
const tasks = Array.from({ length: Number(count) }, (_, n) => {
  const content = `Question ${n}: use 3, 5 and 7 to make ${n}.`;
  return { request: { messages: [{ role: "user", content }], maxTokens: 64 } };
});
const lock = async () => ({ [Symbol.asyncDispose]: async () => undefined });
const timing = { pollMs: 2, maxPollMs: 10, settleMs: 0 };
await completeInBatches(client, tasks, { lock, timing });
process.stdout.write(`done after ${readings} readings\n`);
process.exit(0);

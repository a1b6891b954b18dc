/** A mock server, a store in a temporary folder, and a client over both. */
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { type ClientOptions, LlmClient, type Task } from "../../src/llm/client.ts";
import { systemClock } from "../../src/llm/clock.ts";
import { shippedPrices } from "../../src/llm/prices.ts";
import { openAnthropic } from "../../src/llm/providers/anthropic.ts";
import {
  type MockServer,
  type MockServerOptions,
  startMockServer,
} from "../../src/llm/providers/mock/server.ts";
import { openOpenAI } from "../../src/llm/providers/openai.ts";
import type { Provider } from "../../src/llm/providers/provider.ts";
import { Secret } from "../../src/llm/secret.ts";
import { AnswerStore } from "../../src/llm/store.ts";

/** A key that no text may show. */
export const KEY = "sk-test-0123456789abcdef";
export const clock = systemClock(() => Date.now());
export const INTERFACES = ["anthropic", "openai"] as const;
export type Interface = (typeof INTERFACES)[number];

/** A provider of either interface over a server. */
export function openMockProvider(of: Interface, url: string): Promise<Provider> {
  const shared = { model: of, key: new Secret(KEY, "KEY"), name: "mock", endpoint: `mock:${of}` };
  return of === "anthropic"
    ? openAnthropic({ ...shared, clock, baseUrl: url })
    : openOpenAI({ ...shared, baseUrl: `${url}/v1`, hasBatches: true });
}

/** Everything that a test of this room needs; dispose of it at the end. */
export interface Bench extends AsyncDisposable {
  readonly folder: string;
  readonly server: MockServer;
  readonly provider: Provider;
  readonly store: AnswerStore;
  readonly client: LlmClient;
  /** Another client on another opening of the same store, as after a crash. */
  reopen(options?: Partial<ClientOptions>): Promise<{ store: AnswerStore; client: LlmClient }>;
}

/** Starts a bench. */
export async function startBench(
  of: Interface,
  options: { server?: Partial<MockServerOptions>; client?: Partial<ClientOptions> } = {},
): Promise<Bench> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "habits-llm-"));
  const server = await startMockServer({ now: clock.now, key: KEY, ...options.server });
  const provider = await openMockProvider(of, server.url);
  const stores: AnswerStore[] = [];
  const reopen = async (more: Partial<ClientOptions> = {}) => {
    const store = await AnswerStore.open(folder);
    stores.push(store);
    const settings = { provider, store, clock, prices: shippedPrices(), run: "test" };
    const retry = { baseMs: 5, maxMs: 20 };
    return { store, client: new LlmClient({ ...settings, retry, ...options.client, ...more }) };
  };
  return {
    folder,
    server,
    provider,
    ...(await reopen()),
    reopen,
    async [Symbol.asyncDispose]() {
      await provider[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
      for (const store of stores) await store[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The n-th task of a run. */
export function task(n: number, more: Partial<Task["request"]> = {}): Task {
  const content = `Question ${n}: use 3, 5 and 7 to make ${n}.`;
  return { request: { messages: [{ role: "user", content }], maxTokens: 64, ...more } };
}

/** The first n tasks. */
export function tasks(n: number): Task[] {
  return Array.from({ length: n }, (_, at) => task(at));
}

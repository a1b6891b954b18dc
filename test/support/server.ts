/** A server over the shipped base in this thread, with the official client, for the tests of this room. */
import path from "node:path";
import OpenAI from "openai";
import { type LanguageModel, loadCheckpoint } from "../../src/model/checkpoint.ts";
import { Tokenizer } from "../../src/model/tokenizer.ts";
import { type Engine, type EngineOptions, inlineEngine } from "../../src/server/engine.ts";
import type { ServedModel } from "../../src/server/plan.ts";
import { type RunningServer, type ServeOptions, startServer } from "../../src/server/serve.ts";
import { servedModel } from "../../src/server/served-model.ts";

export const TINY_PLAIN = path.join(import.meta.dirname, "../../assets/models/tiny-plain");
/** Joins the messages with nothing that the tokenizer does not know; refuses a conversation that the assistant begins. */
const TEMPLATE =
  "{% if messages[0].role == 'assistant' %}{{ raise_exception('the user speaks first') }}{% endif %}" +
  "{% for m in messages %}{{ m.content }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '\n<think>' }}{% endif %}";

export interface TestServer extends AsyncDisposable {
  readonly model: LanguageModel;
  readonly served: ServedModel;
  readonly engine: Engine;
  readonly server: RunningServer;
  readonly client: OpenAI;
  readonly errors: unknown[];
}

export async function testServer(
  engineOptions: Partial<EngineOptions> = {},
  serveOptions: Partial<ServeOptions> = {},
): Promise<TestServer> {
  const loaded = await loadCheckpoint(TINY_PLAIN);
  const tokenizer = new Tokenizer(loaded.tokenizer.json as object, {
    ...(loaded.tokenizer.configJson as object),
    chat_template: TEMPLATE,
  });
  const model = { ...loaded, tokenizer };
  const engine = inlineEngine(model, { maxBatch: 64, maxQueue: 64, ...engineOptions });
  const served = servedModel(model, "tiny-plain");
  const errors: unknown[] = [];
  let ids = 0;
  const server = await startServer({
    engine,
    model: served,
    host: "127.0.0.1",
    port: 0,
    allowedHosts: [],
    now: () => 1_700_000_000,
    newId: () => `test-${ids++}`,
    freshSeed: () => 7,
    onError: (error) => errors.push(error),
    ...serveOptions,
  });
  const client = new OpenAI({
    baseURL: `${server.url}/v1`,
    apiKey: serveOptions.token ?? "none",
    maxRetries: 0,
  });
  return {
    model,
    served,
    engine,
    server,
    client,
    errors,
    async [Symbol.asyncDispose]() {
      await server.stop();
      await engine[Symbol.asyncDispose]();
    },
  };
}

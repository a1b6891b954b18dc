/**
 * A provider from its short name, as users write it: `anthropic:MODEL`, `openai:MODEL`, `compatible:MODEL` with a base URL,
 * `mock:anthropic` or `mock:openai`. Keys are handed in by name from the environment of the command line.
 */
import { UsageError } from "../../util/errors.ts";
import type { Clock } from "../clock.ts";
import { Secret } from "../secret.ts";
import { openAnthropic } from "./anthropic.ts";
import { type MockServerOptions, startMockServer } from "./mock/server.ts";
import { openOpenAI } from "./openai.ts";
import type { Provider } from "./provider.ts";

/** What opens a provider. */
export interface OpenProviderOptions {
  /** `PROVIDER:MODEL`. */
  readonly spec: string;
  readonly clock: Clock;
  /** Looks up a variable of the environment; only `ANTHROPIC_API_KEY`, `OPENAI_API_KEY` and `COMPATIBLE_API_KEY` are asked for. */
  readonly env: (name: string) => string | undefined;
  readonly baseUrl?: string | undefined;
  /** Version of the Anthropic interface. */
  readonly apiVersion?: string | undefined;
  /** How the mock answers and fails. */
  readonly mock?: Omit<MockServerOptions, "now">;
}

/**
 * Opens a provider; dispose of it to close its connections.
 * @throws UsageError for a name that is not known, a key that is not set, or a base URL that is missing
 */
export async function openProvider(options: OpenProviderOptions): Promise<Provider> {
  const { spec, clock, baseUrl, apiVersion } = options;
  const { provider, model } = splitSpec(spec);
  if (provider === "mock") return openMock(model, options);
  if (provider === "anthropic") {
    const key = requireKey("ANTHROPIC_API_KEY", options);
    return openAnthropic({ model, key, clock, baseUrl: checkedUrl(baseUrl), apiVersion });
  }
  if (provider === "openai") {
    const key = requireKey("OPENAI_API_KEY", options);
    return openOpenAI({ model, key, baseUrl: checkedUrl(baseUrl) });
  }
  if (baseUrl === undefined) {
    throw new UsageError(`provider "${spec}": expected a base URL`, {
      code: "usage.base_url",
      hint: "add --base-url, for example http://127.0.0.1:8000/v1",
    });
  }
  const value = options.env("COMPATIBLE_API_KEY");
  const key = value === undefined ? undefined : new Secret(value, "COMPATIBLE_API_KEY");
  return openOpenAI({ model, key, baseUrl: checkedUrl(baseUrl), name: "compatible" });
}

const PROVIDERS = ["anthropic", "openai", "compatible", "mock"] as const;

/** The two halves of `PROVIDER:MODEL`; the model may hold colons. */
function splitSpec(spec: string): { provider: (typeof PROVIDERS)[number]; model: string } {
  const at = spec.indexOf(":");
  const provider = PROVIDERS.find((name) => name === spec.slice(0, Math.max(0, at)));
  const model = spec.slice(at + 1);
  if (provider !== undefined && model !== "") return { provider, model };
  throw new UsageError(`provider "${spec}": expected PROVIDER:MODEL`, {
    code: "usage.provider",
    hint: `PROVIDER is one of ${PROVIDERS.join(", ")}`,
  });
}

function requireKey(name: string, { spec, env }: OpenProviderOptions): Secret {
  const value = env(name);
  if (value !== undefined && value !== "") return new Secret(value, name);
  throw new UsageError(`provider "${spec}": expected a key in ${name}, found none`, {
    code: "usage.no_key",
    hint: `set the environment variable ${name}; keys are taken from nowhere else`,
  });
}

/** A base URL without credentials, and without the slash at its end. */
function checkedUrl(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isPlain = url?.username === "" && url.password === "" && url.search === "";
  if (url !== undefined && /^https?:$/.test(url.protocol) && isPlain)
    return text.replace(/\/+$/, "");
  throw new UsageError("base URL: expected http:// or https:// without user, password or query", {
    code: "usage.base_url",
    hint: "keys are given by environment variables",
  });
}

/** A provider over a mock server that lives as long as the provider. */
async function openMock(model: string, options: OpenProviderOptions): Promise<Provider> {
  const { clock, apiVersion, mock } = options;
  if (model !== "anthropic" && model !== "openai") {
    throw new UsageError(`provider "mock:${model}": expected mock:anthropic or mock:openai`, {
      code: "usage.provider",
      hint: "the name after the colon chooses the interface that is spoken",
    });
  }
  const key = new Secret("mock-key-0000", "the mock");
  const server = await startMockServer({ ...mock, now: clock.now, key: key.reveal() });
  const shared = { model, key, name: "mock", endpoint: `mock:${model}` };
  const provider =
    model === "anthropic"
      ? await openAnthropic({ ...shared, clock, baseUrl: server.url, apiVersion })
      : await openOpenAI({ ...shared, baseUrl: `${server.url}/v1`, hasBatches: true });
  return {
    ...provider,
    async [Symbol.asyncDispose]() {
      await provider[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

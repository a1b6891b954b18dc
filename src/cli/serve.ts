/** `habits serve`: an OpenAI-compatible server over a local checkpoint. */
import { randomInt, randomUUID } from "node:crypto";
import { isIP } from "node:net";
import path from "node:path";
import { z } from "zod";
import { DEVICES } from "../engine/index.ts";
import { workerEngine } from "../server/engine.ts";
import { startServer } from "../server/serve.ts";
import { loadServedModel } from "../server/served-model.ts";
import { messageOf, UsageError } from "../util/errors.ts";
import { schemaCommand } from "./schema-command.ts";

const positive = z.number().int().positive();

const options = z.strictObject({
  checkpoint: z.string().describe("checkpoint folder"),
  modelName: z.string().min(1).optional().describe("name of the model; the folder's by default"),
  host: z.string().default("127.0.0.1").describe("address to listen on"),
  port: z.number().int().min(0).max(65_535).default(8000).describe("port; 0 takes a free one"),
  maxBatch: positive.default(64).describe("sequences decoded side by side"),
  maxQueue: z.number().int().min(0).default(256).describe("sequences that may wait"),
  tokenEnv: z
    .string()
    .optional()
    .describe("environment variable with the bearer token that clients must send"),
  allowedHosts: z.array(z.string()).default([]).describe("further names in the Host header"),
  threads: positive.default(1).describe("processor threads"),
  device: z.enum(DEVICES).default("cpu").describe("where the model runs"),
});

export const command = schemaCommand({
  name: "serve",
  summary: "serve a checkpoint over OpenAI's API",
  options,
  arguments: ["checkpoint"],
  endsBySignal: true,
  run: async (all, io) => {
    const { checkpoint, host, port, tokenEnv, allowedHosts } = all;
    const token = readToken(tokenEnv, host);
    const id = all.modelName ?? path.basename(path.resolve(checkpoint));
    const model = await loadServedModel(checkpoint, id);
    const { maxBatch, maxQueue, threads, device } = all;
    await using engine = await workerEngine(checkpoint, { maxBatch, maxQueue, threads, device });
    const server = await startServer({
      engine,
      model,
      host,
      port,
      allowedHosts: allowedHosts.map((name) => name.toLowerCase()),
      ...(token === undefined ? {} : { token }),
      now: () => Math.floor(Date.now() / 1000),
      newId: () => randomUUID(),
      freshSeed: () => randomInt(2 ** 47),
      onError: (error) => process.stderr.write(`error: ${messageOf(error)}\n`),
    });
    io.result({ url: server.url, model: id }, `serving ${id} at ${server.url}/v1`);
    await new Promise<void>((resolve) => {
      if (io.signal.aborted) resolve();
      io.signal.addEventListener("abort", () => resolve(), { once: true });
    });
    await server.stop();
  },
});

/** @throws UsageError when the variable is empty, or when other machines could ask without a token */
function readToken(name: string | undefined, host: string): string | undefined {
  if (name !== undefined) {
    const token = process.env[name]?.trim();
    if (token) return token;
    throw new UsageError(`--token-env: the environment variable "${name}" is not set or empty`, {
      code: "usage.no_token",
      hint: `set ${name} to a secret text, for example with: export ${name}=$(openssl rand -hex 24)`,
    });
  }
  const isLocal =
    host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
  if (isLocal) return undefined;
  throw new UsageError(
    `--host: "${host}" can be reached from other machines, and no token is asked for`,
    {
      code: "usage.open_server",
      hint: "give --token-env with the name of an environment variable that holds a secret",
    },
  );
}

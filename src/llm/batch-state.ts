/**
 * What is known of a batch, on the disk before it is true elsewhere: `<intent>.json` is replaced whole at each change,
 * `<intent>.items.jsonl` says which answer each custom identifier stands for, `<intent>.requests.jsonl` is what is
 * submitted.
 */
import { mkdir, readdir } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { writeFileAtomic } from "../data/atomic.ts";
import { readJsonFile } from "../data/json.ts";
import { readJsonl, writeJsonl } from "../data/jsonl.ts";
import { sha256 } from "../util/hash.ts";
import type { EncodedTask, LlmClient } from "./client.ts";
import { isoTime } from "./clock.ts";
import type { BatchApi, BatchSubmission } from "./providers/provider.ts";

const milliseconds = z.number().nonnegative();

export const batchStateSchema = z.strictObject({
  /** Our name for it; every custom identifier begins with it. */
  intent: z.string().regex(/^h[0-9a-f]{24}$/),
  provider: z.string(),
  endpoint: z.string(),
  apiVersion: z.string().nullable(),
  model: z.string(),
  run: z.string(),
  writtenAt: z.string(),
  requests: z.number().int().positive(),
  /** The most that it can cost; null when the price is unknown. */
  upperUsd: z.number().nonnegative().nullable(),
  /**
   * `written`: not on the server for certain. `submitting`: perhaps on the server. `submitted`: its identifier is known.
   * `collected`: every result that it has is in the store. `closed`: the provider refused it as a whole.
   */
  state: z.enum(["written", "submitting", "submitted", "collected", "closed"]),
  firstSubmittedAtMs: milliseconds.nullable(),
  lastSubmittedAtMs: milliseconds.nullable(),
  inputFile: z.string().nullable(),
  /** The provider's identifier. */
  batch: z.string().nullable(),
  /** False while only time and size say that the batch is ours. */
  certain: z.boolean(),
  /** Batches that turned out to be somebody else's. */
  notOurs: z.array(z.string()),
  /** Why it was closed. */
  reason: z.string().nullable(),
  /** What its results held; null before they are collected. */
  results: z
    .strictObject({
      answers: z.number().int(),
      errors: z.number().int(),
      missing: z.number().int(),
      duplicates: z.number().int(),
      unknown: z.number().int(),
      malformed: z.number().int(),
    })
    .nullable(),
});
export type BatchState = z.infer<typeof batchStateSchema>;
export type BatchResults = NonNullable<BatchState["results"]>;

const itemSchema = z.strictObject({
  customId: z.string(),
  key: z.string(),
  repeat: z.number().int().nonnegative(),
  body: z.record(z.string(), z.unknown()),
  tokens: z.strictObject({ input: z.number(), output: z.number() }),
});
export type BatchItem = z.infer<typeof itemSchema>;

/** A batch and its items. */
export interface Intent {
  state: BatchState;
  readonly items: readonly BatchItem[];
  readonly folder: string;
}

/** Writes a new intent; nothing has been sent. */
export async function writeIntent(
  folder: string,
  tasks: readonly EncodedTask[],
  { client, api, upperUsd }: { client: LlmClient; api: BatchApi; upperUsd: number | undefined },
): Promise<Intent> {
  const writtenAt = isoTime(client.clock.now());
  const known = (await readdir(folder)).length;
  const name = [writtenAt, process.pid, known, ...tasks.map(({ key }) => key)].join(" ");
  const intent = `h${sha256(name).slice(0, 24)}`;
  const items = tasks.map(({ key, repeat, body, tokens }, at) => {
    return { customId: `${intent}-${at}`, key, repeat, body, tokens };
  });
  const { name: provider, endpoint, apiVersion, model } = client.provider;
  const state: BatchState = {
    intent,
    provider,
    endpoint,
    apiVersion,
    model,
    run: client.run,
    writtenAt,
    requests: items.length,
    upperUsd: upperUsd ?? null,
    state: "written",
    firstSubmittedAtMs: null,
    lastSubmittedAtMs: null,
    inputFile: null,
    batch: null,
    certain: false,
    notOurs: [],
    reason: null,
    results: null,
  };
  // The state comes last: without it the other two files are nobody's.
  await writeJsonl(file(folder, intent, "items.jsonl"), items);
  const lines = items.map(({ customId, body }) => `${api.encodeLine(customId, body)}\n`);
  await writeFileAtomic(file(folder, intent, "requests.jsonl"), lines.join(""));
  await writeFileAtomic(file(folder, intent, "json"), `${JSON.stringify(state, null, 2)}\n`);
  return { state, items, folder };
}

/** Changes the state, on the disk first. */
export async function saveState(intent: Intent, change: Partial<BatchState>): Promise<void> {
  const state = { ...intent.state, ...change };
  const target = file(intent.folder, state.intent, "json");
  await writeFileAtomic(target, `${JSON.stringify(state, null, 2)}\n`);
  intent.state = state;
}

/**
 * Every batch that a folder knows.
 * @throws DataError naming the file and field that cannot be read
 */
export async function readStates(folder: string): Promise<BatchState[]> {
  await mkdir(folder, { recursive: true });
  const names = (await readdir(folder)).filter((name) => /^h[0-9a-f]{24}\.json$/.test(name));
  return Promise.all(names.map((name) => readJsonFile(path.join(folder, name), batchStateSchema)));
}

/** The items of a batch. */
export async function readIntent(folder: string, state: BatchState): Promise<Intent> {
  const items = await readJsonl(file(folder, state.intent, "items.jsonl"), itemSchema);
  return { state, items, folder };
}

/** A state as the provider needs it. */
export function submissionOf({ state, folder }: Intent): BatchSubmission {
  return {
    intent: state.intent,
    file: file(folder, state.intent, "requests.jsonl"),
    requests: state.requests,
    submittedAtMs: state.firstSubmittedAtMs ?? 0,
    inputFile: state.inputFile,
  };
}

function file(folder: string, intent: string, end: string): string {
  return path.join(folder, `${intent}.${end}`);
}

import { appendFileSync, mkdtempSync, readdirSync, rmSync, truncateSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AnswerRecord } from "./request.ts";
import { AnswerStore, answerKey } from "./store.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), "store-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function record(n: number, more: Partial<AnswerRecord> = {}): AnswerRecord {
  const usage = { inputTokens: 10, cachedInputTokens: 0, cacheWriteTokens: 0, outputTokens: n };
  return {
    kind: "answer",
    key: `key-${n}`,
    run: "r",
    at: "2026-01-01T00:00:00.000Z",
    provider: "mock",
    endpoint: "mock",
    apiVersion: null,
    repeat: 0,
    body: { messages: [] },
    answer: {
      text: `Zürich 🎲 ${n}`,
      stopReason: "stop",
      rawStopReason: null,
      model: null,
      usage,
      requestId: null,
    },
    batch: null,
    attempts: 1,
    costUsd: 0.5,
    ...more,
  };
}

describe("answer store", () => {
  it("gives back what was kept, from any writer, and sums what each run paid", async () => {
    {
      await using a = await AnswerStore.open(folder);
      await using b = await AnswerStore.open(folder);
      await Promise.all([1, 2, 3].map((n) => a.append(record(n))));
      await b.append(record(4, { run: "other", costUsd: null }));
      await b.append({ kind: "lost", key: "k", run: "r", at: "", reason: "x", upperUsd: 0.25 });
      expect(await a.get("key-2")).toEqual(record(2));
    }
    await using all = await AnswerStore.open(folder);
    expect(readdirSync(folder)).toHaveLength(2);
    expect(all.size).toBe(4);
    for (const n of [1, 2, 3]) expect(await all.get(`key-${n}`)).toEqual(record(n));
    expect(await all.get("key-9")).toBeUndefined();
    expect(all.spending("r")).toEqual({
      answers: 3,
      usd: 1.5,
      unpriced: 0,
      inputTokens: 30,
      outputTokens: 6,
      lost: 1,
      lostUpperUsd: 0.25,
    });
    expect(all.spending()).toMatchObject({ answers: 4, unpriced: 1 });
  });

  it("loses only the line that was being written, wherever a segment is cut", async () => {
    await using first = await AnswerStore.open(folder);
    for (const n of [1, 2]) await first.append(record(n));
    const [name = ""] = readdirSync(folder);
    const file = path.join(folder, name);
    const line = Buffer.byteLength(`${JSON.stringify(record(1))}\n`);
    for (let size = 2 * line - 1; size >= line; size -= 37) {
      truncateSync(file, size);
      await using store = await AnswerStore.open(folder);
      expect(store.size).toBe(1);
      expect(await store.get("key-1")).toEqual(record(1));
    }
    appendFileSync(file, "\u0000\u0000\n{}\n");
    await using damaged = await AnswerStore.open(folder);
    expect(damaged.size).toBe(1);
    expect(damaged.ignored).toBeGreaterThanOrEqual(2);
  });

  it("has keys that depend on everything that is sent, and on nothing else", () => {
    const parts = { endpoint: "e", apiVersion: null, body: { a: 1, b: { c: [2] } }, repeat: 0 };
    const key = answerKey(parts);
    expect(answerKey({ ...parts, body: { b: { c: [2] }, a: 1 } })).toBe(key);
    const others = [
      { ...parts, endpoint: "f" },
      { ...parts, apiVersion: "1" },
      { ...parts, repeat: 1 },
      { ...parts, body: { a: 1, b: { c: [3] } } },
    ];
    expect(new Set([key, ...others.map(answerKey)]).size).toBe(5);
  });
});

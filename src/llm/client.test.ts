import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { INTERFACES, KEY, startBench, task, tasks } from "../../test/support/llm.ts";
import { completeAll } from "./complete-all.ts";
import { ProviderError } from "./errors.ts";
import type { Fault } from "./providers/mock/faults.ts";
import type { Outcome } from "./request.ts";

function answerOf(outcome: Outcome) {
  if (outcome.kind !== "answer") throw new Error(`expected an answer: ${outcome.failure.message}`);
  return outcome.record;
}

describe.each(INTERFACES)("direct calls over the %s interface", (of) => {
  it("asks once, keeps the effective request, the server's model, usage and cost, and pays no second time", async () => {
    await using bench = await startBench(of);
    const first = answerOf(await bench.client.complete(task(1)));
    const { client } = await bench.reopen();
    const second = await client.complete(task(1));
    expect(second).toMatchObject({ kind: "answer", cached: true, record: first });
    expect(first.answer).toMatchObject({ model: `mock-${of}-1`, stopReason: "stop" });
    expect(first.body).toMatchObject({ model: of, messages: [{ role: "user" }] });
    const { inputTokens, outputTokens } = bench.server.ledger;
    expect(first.answer.usage).toMatchObject({ inputTokens, outputTokens });
    // Mock prices: 1 in, and 5 or 4 out, for a million.
    const out = of === "anthropic" ? 5 : 4;
    expect(first.costUsd).toBeCloseTo((inputTokens + out * outputTokens) / 1e6, 12);
    expect(bench.server.ledger.calls).toBe(1);
  });

  it("tells repeats, parameters and prompts apart, and asks the same question only once at a time", async () => {
    await using bench = await startBench(of);
    const { client, server } = bench;
    await Promise.all([client.complete(task(1)), client.complete(task(1))]);
    expect(server.ledger.calls).toBe(1);
    await client.complete({ ...task(1), repeat: 1 });
    await client.complete(task(1, { maxTokens: 65 }));
    await client.complete(task(2));
    expect(server.ledger.calls).toBe(4);
  });

  it("mends every passing fault", async () => {
    const faults: Fault[] = [
      { kind: "status", status: 429, retryAfterS: 0.01 },
      { kind: "status", status: 500 },
      { kind: "status", status: 529 },
      { kind: "cut", when: "before" },
      { kind: "cut", when: "after" },
      { kind: "cut", when: "middle" },
      { kind: "malformed", form: "json" },
      { kind: "malformed", form: "shape" },
    ];
    for (const fault of faults) {
      const rules = [{ fault, calls: [1] }];
      await using bench = await startBench(of, { server: { faults: { rules } } });
      const record = answerOf(await bench.client.complete(task(1)));
      expect(record, JSON.stringify(fault)).toMatchObject({ attempts: 2 });
    }
  });

  it("gives up waiting for a slow answer, and asks again", async () => {
    const rules = [{ fault: { kind: "slow", ms: 600_000 } as Fault, calls: [1] }];
    await using bench = await startBench(of, {
      server: { faults: { rules } },
      client: { timeoutMs: 1000 },
    });
    const record = answerOf(await bench.client.complete(task(1)));
    expect(record.attempts).toBeGreaterThanOrEqual(2);
    expect(bench.store.spending("test").lost).toBe(record.attempts - 1);
  });

  it("keeps refusals, empty texts and cut texts as the answers that they are", async () => {
    const kinds = { refusal: "refusal", empty: "stop", "max-tokens": "length" } as const;
    const rules = Object.keys(kinds).map((kind, at) => ({
      fault: { kind } as Fault,
      calls: [at + 1],
    }));
    await using bench = await startBench(of, { server: { faults: { rules } } });
    const stops: string[] = [];
    for (const n of [1, 2, 3]) {
      stops.push(answerOf(await bench.client.complete(task(n))).answer.stopReason);
    }
    expect(stops).toEqual(Object.values(kinds));
  });

  it("does not try again what cannot succeed, and stops at what would fail every request", async () => {
    const refused: Fault = { kind: "status", status: 400 };
    await using bench = await startBench(of, {
      server: { faults: { rules: [{ fault: refused, calls: [1] }] } },
    });
    const outcome = await bench.client.complete(task(1));
    expect(outcome).toMatchObject({ kind: "failure", failure: { attempts: 1 } });
    const noCredit: Fault = { kind: "status", status: 429, code: "insufficient_quota" };
    await using other = await startBench("openai", {
      server: { faults: { rules: [{ fault: noCredit }] } },
    });
    await expect(other.client.complete(task(1))).rejects.toMatchObject({ fatal: true });
    expect(other.server.ledger.calls).toBe(1);
  });

  it("shows the key in no file, error or inspection, even when the server sends it back", async () => {
    const rules = [
      { fault: { kind: "echo-key" } as Fault, calls: [1] },
      { fault: { kind: "echo-key", status: 401 } as Fault, calls: [2] },
    ];
    await using bench = await startBench(of, { server: { faults: { rules } } });
    const record = answerOf(await bench.client.complete(task(1)));
    expect(record.answer.text).toBe("your key is [key]");
    const error = await bench.client.complete(task(2)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ProviderError);
    expect(String(error)).toContain("[key]");
    const shown = inspect([error, bench.provider, bench.client], { depth: 12, showHidden: true });
    const files = await readdir(bench.folder, { recursive: true });
    const texts = await Promise.all(files.map((f) => readFile(path.join(bench.folder, f), "utf8")));
    expect(files.length).toBeGreaterThan(0);
    for (const text of [shown, JSON.stringify([error, record]), ...texts]) {
      expect(text).not.toContain(KEY);
    }
  });

  it("ends at an abort with its reason, and keeps what has arrived", async () => {
    await using bench = await startBench(of, { server: { latencyMs: 5 }, client: LIMITED });
    const controller = new AbortController();
    const seen: number[] = [];
    const run = async (): Promise<void> => {
      for await (const { index } of completeAll(bench.client, tasks(40), controller)) {
        seen.push(index);
        if (seen.length === 10) controller.abort(new Error("enough"));
      }
    };
    await expect(run()).rejects.toThrow("enough");
    const { store } = await bench.reopen();
    expect(store.size).toBeGreaterThanOrEqual(10);
    expect(store.size).toBeLessThan(40);
  });
});

const LIMITED = { limits: { concurrency: 4 } };

describe("many requests", () => {
  it("brings every row once under faults, with the ledger of the server", async () => {
    const share = 0.1 / 7;
    const faults: Fault[] = [
      { kind: "status", status: 429, retryAfterS: 0.001 },
      { kind: "status", status: 500 },
      { kind: "status", status: 529 },
      { kind: "cut", when: "before" },
      { kind: "cut", when: "after" },
      { kind: "cut", when: "middle" },
      { kind: "malformed" },
    ];
    const rules = faults.map((fault) => ({ fault, share }));
    await using bench = await startBench("anthropic", {
      server: { faults: { seed: 1, rules } },
      client: { retry: { baseMs: 1, maxMs: 4, maxAttempts: 12 } },
    });
    const total = 300;
    const seen = new Map<number, Outcome>();
    for await (const { index, outcome } of completeAll(bench.client, tasks(total))) {
      expect(seen.has(index)).toBe(false);
      seen.set(index, outcome);
    }
    expect(seen.size).toBe(total);
    expect([...seen.values()].every(({ kind }) => kind === "answer")).toBe(true);
    const { ledger } = bench.server;
    const { store } = await bench.reopen();
    const spent = store.spending("test");
    expect(spent).toMatchObject({
      answers: ledger.answers,
      inputTokens: ledger.inputTokens,
      outputTokens: ledger.outputTokens,
    });
    expect(ledger.answers).toBe(total);
    // Connections cut before the work count here and not there: from this side they look the same.
    expect(spent.lost).toBeGreaterThanOrEqual(ledger.lost);
    expect(ledger.lost).toBeGreaterThan(0);
    expect(ledger.mostAtOnce).toBeLessThanOrEqual(16);
  });

  it("spends no more than the budget, however many are under way, and goes on where it stopped", async () => {
    const answer = 64; // the mock answers with all the tokens it may
    const respond = () => "word ".repeat(200);
    const run = { server: { respond, latencyMs: 2 }, client: { limits: { concurrency: 8 } } };
    await using bench = await startBench("anthropic", run);
    const one = bench.client.encode(task(0));
    const maxCostUsd = 12 * (bench.client.upperUsd(one, { batch: false }) ?? 0);
    const { client, store } = await bench.reopen({ maxCostUsd });
    const all = async (): Promise<void> => {
      for await (const _ of completeAll(client, tasks(200)))
        expect(client.budget.spentUsd).toBeLessThanOrEqual(maxCostUsd);
    };
    await expect(all()).rejects.toMatchObject({ code: "budget.exhausted" });
    const { usd, answers } = store.spending("test");
    expect(usd).toBeLessThanOrEqual(maxCostUsd);
    expect(answers).toBeGreaterThanOrEqual(12);
    // What is left would not have paid for one more request at its most.
    expect(maxCostUsd - usd).toBeLessThan(maxCostUsd / 12);
    expect(bench.server.ledger.outputTokens).toBe(answers * answer);
    const again = await bench.reopen({ maxCostUsd });
    await expect(again.client.complete(task(150))).rejects.toMatchObject({
      code: "budget.exhausted",
    });
    expect(await again.client.complete(task(0))).toMatchObject({ cached: true });
  });

  it("refuses a budget for a model without a price, and never calls its answers free", async () => {
    const prices = { date: "2026-01-01", models: {} };
    await using bench = await startBench("openai", { client: { prices } });
    const record = answerOf(await bench.client.complete(task(1)));
    expect(record.costUsd).toBeNull();
    expect(bench.client.upperUsd(bench.client.encode(task(1)), { batch: false })).toBeUndefined();
    await expect(bench.reopen({ maxCostUsd: 1 })).rejects.toMatchObject({
      code: "budget.unpriced_answers",
    });
  });
});

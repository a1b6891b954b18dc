import { describe, expect, it } from "vitest";
import {
  type Bench,
  INTERFACES,
  type Interface,
  KEY,
  startBench,
  tasks,
} from "../../test/support/llm.ts";
import { takeLock } from "../study/lock.ts";
import { type BatchOptions, completeInBatches } from "./batch.ts";
import { completeAll } from "./complete-all.ts";
import type { BatchFault, FaultRule } from "./providers/mock/faults.ts";

const OPTIONS: BatchOptions = {
  lock: takeLock,
  timing: { pollMs: 2, maxPollMs: 10, settleMs: 0 },
};

/** Every request was answered once in some batch, and every row is in the store once. */
async function expectAllOnce(bench: Bench, total: number): Promise<void> {
  const { store, client } = await bench.reopen();
  expect(store.size).toBe(total);
  const before = bench.server.ledger.calls;
  for await (const { outcome } of completeAll(client, tasks(total))) {
    expect(outcome).toMatchObject({ kind: "answer", cached: true });
  }
  expect(bench.server.ledger.calls).toBe(before);
}

function start(of: Interface, batches: Record<number, BatchFault[]>, rules: FaultRule[] = []) {
  return startBench(of, { server: { faults: { batches, rules }, pollsToEnd: 2 } });
}

describe.each(INTERFACES)("batches over the %s interface", (of) => {
  it("submits in parts, matches answers in any order, and pays the batch price", async () => {
    await using bench = await start(of, {});
    const report = await completeInBatches(bench.client, tasks(10), { ...OPTIONS, maxRequests: 4 });
    expect(report).toMatchObject({ answered: 10, failures: [] });
    // The parts are sent side by side, so they may arrive in any order.
    const sizes = bench.server.ledger.batches.map(({ items }) => items.length);
    expect(sizes.sort()).toEqual([2, 4, 4]);
    await expectAllOnce(bench, 10);
    // The same questions asked directly cost twice as much.
    await using direct = await startBench(of);
    for await (const _ of completeAll(direct.client, tasks(10)));
    const price = (b: Bench): number => b.store.spending("test").usd;
    expect(price(bench)).toBeCloseTo(price(direct) / 2, 12);
  });

  const FAULTS: readonly (readonly [BatchFault, number])[] = [
    ["wrong-custom-id", 1],
    ["truncated", 1],
    ["malformed-line", 1],
    ["expired", 3],
    ["errors", 2],
    ["all-errors", 6],
  ];
  it.each(FAULTS)("asks again for exactly what %s left without an answer", async (fault, left) => {
    await using bench = await start(of, { 1: [fault] });
    const report = await completeInBatches(bench.client, tasks(6), OPTIONS);
    expect(report).toMatchObject({ answered: 6, failures: [] });
    expect(bench.server.ledger.batches.map(({ items }) => items.length)).toEqual([6, left]);
    await expectAllOnce(bench, 6);
  });

  it.each(["duplicate", "cut"] as const)("needs no second batch after %s", async (fault) => {
    await using bench = await start(of, { 1: [fault] });
    await completeInBatches(bench.client, tasks(6), OPTIONS);
    expect(bench.server.ledger.batches).toHaveLength(1);
    await expectAllOnce(bench, 6);
  });

  it("does not pay again for results that it cannot read, and reads them when they can be", async () => {
    await using bench = await start(of, { 1: ["unreadable"] });
    const first = completeInBatches(bench.client, tasks(6), OPTIONS);
    await expect(first).rejects.toMatchObject({ code: "provider.batch_unreadable" });
    const { batches } = bench.server.ledger;
    expect(batches).toHaveLength(1);
    batches[0] = { ...batches[0]!, faults: [] };
    await completeInBatches((await bench.reopen()).client, tasks(6), OPTIONS);
    expect(batches).toHaveLength(1);
    await expectAllOnce(bench, 6);
  });

  it("reports what the provider will never answer, and leaves the rest to direct calls when told", async () => {
    await using bench = await start(of, { 1: ["invalid-request", "expired"] });
    const report = await completeInBatches(bench.client, tasks(6), {
      ...OPTIONS,
      unfinished: "direct",
    });
    expect(report.answered).toBe(5);
    expect(report.failures).toHaveLength(1);
    expect(bench.server.ledger.batches).toHaveLength(1);
    expect(bench.server.ledger.calls).toBe(3);
  });

  it("finds a batch whose submission was never confirmed, instead of sending it again", async () => {
    const faults = [
      { kind: "cut", when: "after" },
      { kind: "malformed", form: "shape" },
    ] as const;
    for (const fault of faults) {
      const rules: FaultRule[] = [{ fault, route: "batch-create", calls: [1] }];
      await using bench = await start(of, {}, rules);
      const report = await completeInBatches(bench.client, tasks(5), OPTIONS);
      expect(report.answered).toBe(5);
      expect(bench.server.ledger.batches).toHaveLength(1);
      expect([...bench.server.ledger.batchAnswers.values()]).toEqual([1, 1, 1, 1, 1]);
    }
  });

  it("sends again what the server never took", async () => {
    const faults = [
      { kind: "status", status: 429, retryAfterS: 0.01 },
      { kind: "status", status: 529 },
      { kind: "cut", when: "before" },
    ] as const;
    for (const fault of faults) {
      const rules: FaultRule[] = [{ fault, route: "batch-create", calls: [1] }];
      await using bench = await start(of, {}, rules);
      await completeInBatches(bench.client, tasks(5), OPTIONS);
      expect(bench.server.ledger.batches).toHaveLength(1);
      await expectAllOnce(bench, 5);
    }
  });

  it("takes nobody else's batch for its own", async () => {
    // Another program's batch of the same size, and a submission of ours that never arrived.
    const rules: FaultRule[] = [
      { fault: { kind: "cut", when: "before" }, route: "batch-create", calls: [2] },
    ];
    await using bench = await start(of, {}, rules);
    const foreign = await submitForeign(of, bench.server.url);
    expect(foreign.status).toBe(200);
    await completeInBatches(bench.client, tasks(3), OPTIONS);
    expect(bench.server.ledger.batches).toHaveLength(2);
    await expectAllOnce(bench, 3);
  });

  it("submits only what the budget allows, and says so", async () => {
    await using bench = await start(of, {});
    const one = bench.client.upperUsd(bench.client.encode(tasks(1)[0]!), { batch: true }) ?? 0;
    const { client } = await bench.reopen({ maxCostUsd: 4.5 * one });
    const run = completeInBatches(client, tasks(200), OPTIONS);
    await expect(run).rejects.toMatchObject({ code: "budget.exhausted" });
    const { usd, answers } = client.store.spending("test");
    expect(usd).toBeLessThanOrEqual(4.5 * one);
    expect(answers).toBeGreaterThanOrEqual(4);
    expect(4.5 * one - usd).toBeLessThan(1.1 * one);
  });
});

/** Submits a batch of three requests in another program's words. */
async function submitForeign(of: Interface, url: string): Promise<Response> {
  const names = ["a", "b", "c"];
  const messages = [{ role: "user", content: "hello" }];
  const headers = { "x-api-key": KEY, authorization: `Bearer ${KEY}` };
  if (of === "anthropic") {
    const params = { model: "x", max_tokens: 5, messages };
    const body = JSON.stringify({ requests: names.map((custom_id) => ({ custom_id, params })) });
    return fetch(`${url}/v1/messages/batches`, { method: "POST", headers, body });
  }
  const lines = names.map((custom_id) => {
    const body = { model: "x", messages };
    return JSON.stringify({ custom_id, method: "POST", url: "/v1/chat/completions", body });
  });
  const form = new FormData();
  form.set("purpose", "batch");
  form.set("file", new Blob([`${lines.join("\n")}\n`]), "foreign.jsonl");
  const made = await fetch(`${url}/v1/files`, { method: "POST", headers, body: form });
  const { id } = (await made.json()) as { id: string };
  const body = JSON.stringify({ input_file_id: id, endpoint: "/v1/chat/completions" });
  return fetch(`${url}/v1/batches`, { method: "POST", headers, body });
}

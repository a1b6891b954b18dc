/** A long run: every row once, the ledger of the server, and memory that does not grow with the number of requests. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { INTERFACES, startBench, task } from "../../test/support/llm.ts";
import type { Task } from "./client.ts";
import { completeAll } from "./complete-all.ts";
import type { Fault } from "./providers/mock/faults.ts";

const TOTAL = 5000;
const FAULTS: readonly Fault[] = [
  { kind: "status", status: 429, retryAfterS: 0.001 },
  { kind: "status", status: 500 },
  { kind: "status", status: 529 },
  { kind: "slow", ms: 20 },
  { kind: "cut", when: "before" },
  { kind: "cut", when: "after" },
  { kind: "cut", when: "middle" },
  { kind: "malformed", form: "json" },
  { kind: "malformed", form: "shape" },
  { kind: "refusal" },
  { kind: "empty" },
  { kind: "max-tokens" },
];

function* manyTasks(): Generator<Task> {
  for (let n = 0; n < TOTAL; n += 1) yield task(n);
}

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

function liveBytes(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

/** Text that would fill 32 MB if the last 4,000 answers were held. */
const LONG = "x".repeat(8000);

describe.each(INTERFACES)("5,000 requests over the %s interface with a tenth of faults", (of) => {
  it("bring every row once, with the ledger of the server, in flat memory", async () => {
    const rules = FAULTS.map((fault) => ({ fault, share: 0.1 / FAULTS.length }));
    await using bench = await startBench(of, {
      server: { faults: { seed: 7, rules }, respond: () => Buffer.from(LONG).toString() },
      client: { retry: { baseMs: 1, maxMs: 4, maxAttempts: 12 }, limits: { concurrency: 64 } },
    });
    const seen = new Uint8Array(TOTAL);
    let early = 0;
    let late = 0;
    let done = 0;
    for await (const { index, outcome } of completeAll(bench.client, manyTasks())) {
      expect(outcome.kind).toBe("answer");
      seen[index] = (seen[index] ?? 0) + 1;
      done += 1;
      if (done === 1000) early = liveBytes();
      if (done === TOTAL) late = liveBytes();
    }
    expect(seen.every((count) => count === 1)).toBe(true);
    const { ledger } = bench.server;
    const { store } = await bench.reopen();
    expect(store.size).toBe(TOTAL);
    expect(ledger.answers).toBe(TOTAL);
    expect(store.spending("test")).toMatchObject({
      answers: ledger.answers,
      inputTokens: ledger.inputTokens,
      outputTokens: ledger.outputTokens,
    });
    // The places of 4,000 answers in the store take about 2 MB, the answers themselves 32 MB.
    expect(late - early).toBeLessThan(12e6);
  });
});

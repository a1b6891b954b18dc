/**
 * A real process is killed with SIGKILL at every step of both batch flows: on the server's side when a call has arrived,
 * when its work is done and nothing is sent, and in the middle of its response; on its own side before every write. A
 * second run then has to bring every row once, without a request being in two batches.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type Bench,
  INTERFACES,
  type Interface,
  startBench,
  tasks,
} from "../../test/support/llm.ts";
import { transpileRooms } from "../../test/support/transpile.ts";
import { takeLock } from "../study/lock.ts";
import { completeInBatches } from "./batch.ts";

const TOTAL = 7;
/** Calls of a whole run, three moments each: an upload, the submission, three questions, the results in one or two calls. */
const MOMENTS = { anthropic: 15, openai: 21 };
/** Readings of the clock in a whole run: six before the submission, one before each row. */
const READINGS = 6 + TOTAL;
const child = path.resolve(import.meta.dirname, "../../test/support/llm-batch-child.mjs");
let rooms: string;
beforeAll(() => {
  rooms = transpileRooms(["util", "data", "llm"]);
});
afterAll(() => rmSync(rooms, { recursive: true, force: true }));

/** The process that a moment of the server may kill. */
let victim: ChildProcess | undefined;

async function runChild(of: Interface, bench: Bench, killAt: number): Promise<string> {
  const { server, folder } = bench;
  const args = [child, rooms, of, server.url, folder, String(TOTAL), String(killAt)];
  const started = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  victim = started;
  let text = "";
  started.stdout.on("data", (chunk) => {
    text += String(chunk);
  });
  const [, signal] = await once(started, "close");
  victim = undefined;
  return signal === null ? text : String(signal);
}

async function expectWhole(bench: Bench): Promise<void> {
  const { client, store } = await bench.reopen();
  const timing = { pollMs: 2, maxPollMs: 10, settleMs: 0 };
  const report = await completeInBatches(client, tasks(TOTAL), { lock: takeLock, timing });
  expect(report).toMatchObject({ answered: TOTAL, failures: [] });
  expect(store.size).toBe(TOTAL);
  const asked = bench.server.ledger.batches.flatMap(({ items }) =>
    items.map(({ prompt }) => prompt.messages.at(-1)?.content),
  );
  expect(new Set(asked).size).toBe(TOTAL);
  expect(asked).toHaveLength(TOTAL); // no question is in two batches
  expect(store.spending("test")).toMatchObject({ answers: TOTAL, lost: 0 });
}

describe.each(INTERFACES)("a process killed over the %s interface", (of) => {
  const atServer = Array.from({ length: MOMENTS[of] }, (_, at) => at + 1);
  it.each(atServer)("at moment %i of the server", async (killAt) => {
    let moments = 0;
    const onMoment = (): void => {
      moments += 1;
      if (moments === killAt) victim?.kill("SIGKILL");
    };
    await using bench = await startBench(of, { server: { onMoment, pollsToEnd: 2 } });
    expect(await runChild(of, bench, 0)).toBe("SIGKILL");
    await expectWhole(bench);
  });

  const readings = Array.from({ length: READINGS }, (_, at) => at + 1);
  it.each(readings)("before write %i of its own", async (killAt) => {
    await using bench = await startBench(of, { server: { pollsToEnd: 2 } });
    expect(await runChild(of, bench, killAt)).toBe("SIGKILL");
    await expectWhole(bench);
  });

  it("never, for comparison", async () => {
    let moments = 0;
    const onMoment = (): void => {
      moments += 1;
    };
    await using bench = await startBench(of, { server: { onMoment, pollsToEnd: 2 } });
    expect(await runChild(of, bench, 0)).toBe(`done after ${READINGS} readings\n`);
    expect(moments).toBe(MOMENTS[of]);
    await expectWhole(bench);
  });
});

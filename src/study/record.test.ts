import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  checkOutputs,
  closePartial,
  hashPart,
  newRecord,
  openPartial,
  partialFolder,
  promoteLeftover,
  readRecord,
} from "./record.ts";

const FACTS = { stage: "rl", version: 1, seed: 1, config: { steps: 2 }, inputs: { model: "m" } };

let folder: string;
beforeEach(async () => {
  folder = path.join(await mkdtemp(path.join(os.tmpdir(), "record-")), "rl");
});
afterEach(() => rm(path.dirname(folder), { recursive: true, force: true }));

async function finish(text: string, record = newRecord(FACTS)) {
  await openPartial(folder, record, true);
  await mkdir(path.join(partialFolder(folder), "model"), { recursive: true });
  await writeFile(path.join(partialFolder(folder), "model", "weights"), text);
  return closePartial(folder, record);
}

describe("newRecord", () => {
  it("has a key that depends on every fact and not on the order of config keys", () => {
    const key = newRecord(FACTS).key;
    const changes = [
      { stage: "sft" },
      { version: 2 },
      { seed: 2 },
      { config: { steps: 3 } },
      { inputs: { model: "n" } },
    ];
    const keys = changes.map((change) => newRecord({ ...FACTS, ...change }).key);
    expect(new Set([key, ...keys]).size).toBe(changes.length + 1);
    const config = { a: 1, b: 2 };
    const swapped = { b: 2, a: 1 };
    expect(newRecord({ ...FACTS, config }).key).toBe(newRecord({ ...FACTS, config: swapped }).key);
  });
});

describe("a stage folder", () => {
  it("appears with its record and without the partial folder", async () => {
    const record = await finish("one");
    expect(await readRecord(folder)).toEqual(record);
    expect(Object.keys(record.outputs)).toEqual(["model/weights"]);
    expect(existsSync(partialFolder(folder))).toBe(false);
  });

  it("tells changed, missing and added files apart, and passes over dot files and timings", async () => {
    const record = await finish("one");
    await writeFile(path.join(folder, "model", "weights"), "two");
    await writeFile(path.join(folder, "extra"), "");
    await writeFile(path.join(folder, ".hidden"), "");
    await writeFile(path.join(folder, "timings.jsonl"), "");
    expect(await checkOutputs(folder, record)).toEqual({
      missing: [],
      changed: ["model/weights"],
      added: ["extra"],
    });
    await rm(path.join(folder, "model", "weights"));
    expect((await checkOutputs(folder, record)).missing).toEqual(["model/weights"]);
  });

  it("is completed from a partial folder that a kill left before the rename", async () => {
    const old = await finish("old");
    const record = newRecord({ ...FACTS, version: 2 });
    await finish("new", record);
    // The state between writing the record and the rename: both folders are there.
    await cp(folder, partialFolder(folder), { recursive: true });
    await rm(folder, { recursive: true });
    expect(await promoteLeftover(folder, old.key)).toBeUndefined();
    expect((await promoteLeftover(folder, record.key))?.key).toBe(record.key);
    expect(existsSync(path.join(folder, "model", "weights"))).toBe(true);
  });

  it("is not completed from a partial folder that is unfinished or damaged", async () => {
    const record = newRecord(FACTS);
    await openPartial(folder, record, true);
    expect(await promoteLeftover(folder, record.key)).toBeUndefined();
    await finish("whole", record);
    await cp(folder, partialFolder(folder), { recursive: true });
    await writeFile(path.join(partialFolder(folder), "model", "weights"), "torn");
    expect(await promoteLeftover(folder, record.key)).toBeUndefined();
  });
});

describe("openPartial", () => {
  const leftover = () => path.join(partialFolder(folder), "leftover");
  it("keeps earlier work of the same key only when the stage can carry on", async () => {
    const record = newRecord(FACTS);
    await openPartial(folder, record, true);
    await writeFile(leftover(), "");
    expect(await openPartial(folder, record, true)).toEqual({ resumed: true });
    expect(existsSync(leftover())).toBe(true);
    expect(await openPartial(folder, record, false)).toEqual({ resumed: false });
    expect(existsSync(leftover())).toBe(false);
  });
  it("drops earlier work of another key", async () => {
    await openPartial(folder, newRecord(FACTS), true);
    await writeFile(leftover(), "");
    await openPartial(folder, newRecord({ ...FACTS, seed: 2 }), true);
    expect(existsSync(leftover())).toBe(false);
  });
});

describe("hashPart", () => {
  it("depends on the named part only, and refuses a part that is not there", async () => {
    const record = await finish("one");
    const more = { ...record, outputs: { ...record.outputs, "model-2/weights": "x" } };
    expect(hashPart(more, "model")).toBe(hashPart(record, "model"));
    expect(hashPart(more, "")).not.toBe(hashPart(record, ""));
    expect(() => hashPart(record, "absent")).toThrow(/was expected to write "absent"/);
  });
});

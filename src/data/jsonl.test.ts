import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { writeFileAtomic, writeTextAtomic } from "./atomic.ts";
import { readJsonl, readJsonlLines, toJsonl, writeJsonl } from "./jsonl.ts";

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "habits-jsonl-"));
  file = path.join(folder, "rows.jsonl");
});
afterEach(() => rm(folder, { recursive: true }));

async function linesOf(text: string | Buffer): Promise<unknown[]> {
  await writeFile(file, text);
  const lines: unknown[] = [];
  for await (const { line, value } of readJsonlLines(file)) lines.push([line, value]);
  return lines;
}

describe("readJsonlLines", () => {
  it("numbers lines from 1 and passes over blank ones", async () => {
    expect(await linesOf('{"a":1}\n\n  \r\n[2]\r\n3\n')).toEqual([
      [1, { a: 1 }],
      [4, [2]],
      [5, 3],
    ]);
  });

  it("reads a last line without a line feed when it is whole", async () => {
    expect(await linesOf('{"a":1}\n{"a":2}')).toHaveLength(2);
  });

  it("takes a torn last line as not written, at every place of the tear", async () => {
    const last = '{"text":"é 😀"}';
    for (let cut = 0; cut < Buffer.byteLength(last); cut += 1) {
      const torn = Buffer.from(last).subarray(0, cut);
      const text = Buffer.concat([Buffer.from('{"a":1}\n'), torn]);
      expect(await linesOf(text)).toEqual([[1, { a: 1 }]]);
    }
  });

  it("refuses a broken line that is ended or followed by another", async () => {
    await expect(linesOf('{"a":1}\n{"a"\n')).rejects.toThrow(/line 2: .*found "\{"a""/);
    await expect(linesOf('{"a"\n{"a":1}\n')).rejects.toThrow(/line 1/);
    await expect(linesOf('{"a"\n\n')).rejects.toThrow(/line 1/);
  });

  it("reads lines longer than one chunk of the file, and passes over a byte order mark", async () => {
    const long = "x".repeat(300_000);
    expect(await linesOf(`\uFEFF{"a":"${long}"}\n{"b":1}\n`)).toEqual([
      [1, { a: long }],
      [2, { b: 1 }],
    ]);
  });

  it("says which file cannot be read", async () => {
    await expect(readJsonl(path.join(folder, "none"), z.unknown())).rejects.toThrow(
      /reading ".*none": ENOENT/,
    );
  });
});

describe("writeJsonl", () => {
  it("comes back for any rows, from an array or an async source", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.jsonValue(), { maxLength: 5 }), async (rows) => {
        const plain = JSON.parse(JSON.stringify(rows)) as unknown[];
        await writeJsonl(file, plain);
        expect(await readJsonl(file, z.unknown())).toEqual(plain);
        const other = path.join(folder, "other.jsonl");
        await writeJsonl(
          other,
          (async function* () {
            yield* plain;
          })(),
        );
        expect(await readFile(other, "utf8")).toBe(toJsonl(plain));
      }),
      { numRuns: 30 },
    );
  });

  it("names every field of a bad row", async () => {
    await writeFile(file, '{"a":1}\n{"a":"x","b":2}\n');
    const schema = z.strictObject({ a: z.number() });
    await expect(readJsonl(file, schema)).rejects.toThrow(/line 2: a: .*; row: .*"b"/);
  });
});

describe("atomic files", () => {
  it("keep the old content and leave nothing behind when the source fails", async () => {
    await writeFileAtomic(file, "old");
    const failing = (async function* () {
      yield "new";
      throw new RangeError("the source failed");
    })();
    await expect(writeTextAtomic(file, failing)).rejects.toThrow(RangeError);
    expect(await readFile(file, "utf8")).toBe("old");
    expect(await readdir(folder)).toEqual(["rows.jsonl"]);
  });

  it("make missing folders and say why a file cannot be written", async () => {
    await writeFileAtomic(path.join(folder, "a", "b", "c.txt"), "x");
    expect(await readFile(path.join(folder, "a", "b", "c.txt"), "utf8")).toBe("x");
    await writeFile(file, "");
    await expect(writeFileAtomic(path.join(file, "below.txt"), "x")).rejects.toThrow(
      expect.objectContaining({ code: "data.write_failed" }),
    );
  });
});

import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { ALL_ARMS, writeSyntheticRun } from "../../test/support/synthetic-run.ts";
import { command } from "./report.ts";

let home: string;

beforeAll(async () => {
  home = await mkdtemp(path.join(tmpdir(), "report-command-"));
});

afterAll(() => rm(home, { recursive: true, force: true }));

it("writes the page and prints its place and size as one line of JSON", async () => {
  const run = path.join(home, "run");
  const out = path.join(home, "page.html");
  await writeSyntheticRun({
    folder: run,
    arms: ALL_ARMS.slice(0, 1),
    seeds: [1],
    steps: [0],
    puzzles: 4,
  });
  const lines: string[] = [];
  const stdout = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    lines.push(String(text));
    return true;
  });
  const stderr = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  await command.parseAsync([run, "--out", out, "--json"], { from: "user" });
  stdout.mockRestore();
  stderr.mockRestore();
  expect(lines).toHaveLength(1);
  const result = JSON.parse(lines[0] as string) as { json: string; figures: string[] };
  expect(result).toMatchObject({ file: out, sizeBytes: (await stat(out)).size });
  for (const file of [result.json, ...result.figures])
    expect((await stat(file)).size).toBeGreaterThan(0);
});

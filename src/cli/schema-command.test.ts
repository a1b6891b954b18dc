import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { DataError } from "../util/errors.ts";
import { commandGroup, errorLines, exitCodeOf, schemaCommand } from "./schema-command.ts";

const options = z.strictObject({
  file: z.string().describe("input"),
  maxNewTokens: z.number().int().positive().default(200).describe("longest answer"),
  range: z.array(z.number()).length(2).default([1, 5]),
  kind: z.enum(["a", "b"]).default("a"),
  fast: z.boolean().default(false),
  keep: z.boolean().default(true),
  sft: z.strictObject({ epochs: z.number().default(1) }).prefault({}),
});

/** Parses arguments as the command line does; the options that the command got. */
async function run(...args: string[]) {
  const seen: unknown[] = [];
  const command = schemaCommand({
    name: "x",
    summary: "does x",
    options,
    arguments: ["file"],
    run: async (given) => {
      seen.push(given);
    },
  });
  await commandGroup("g", "group", [command]).parseAsync(["x", ...args], { from: "user" });
  return seen[0];
}

async function failure(...args: string[]): Promise<unknown> {
  return run(...args).then(
    () => undefined,
    (error: unknown) => error,
  );
}

const DEFAULTS = {
  file: "f",
  maxNewTokens: 200,
  range: [1, 5],
  kind: "a",
  fast: false,
  keep: true,
  sft: { epochs: 1 },
};
const folder = mkdtempSync(path.join(os.tmpdir(), "flags-"));
const config = path.join(folder, "config.yaml");
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(config, { force: true });
});

describe("schemaCommand", () => {
  it("takes defaults from the schema", async () => {
    expect(await run("f")).toEqual(DEFAULTS);
  });

  it("reads numbers, lists with commas or repeated, switches and choices", async () => {
    const flags = ["--max-new-tokens", "7", "--range", "2,3", "--kind", "b", "--fast", "--no-keep"];
    const expected = { ...DEFAULTS, maxNewTokens: 7, range: [2, 3], kind: "b", fast: true };
    expect(await run("f", ...flags)).toEqual({ ...expected, keep: false });
    expect(await run("f", "--range", "2", "--range", "3")).toEqual({ ...DEFAULTS, range: [2, 3] });
  });

  it("reads nested options from --config, and lets flags win over the file", async () => {
    writeFileSync(config, "maxNewTokens: 9\nkeep: false\nsft: { epochs: 3 }\n");
    const fromFile = { ...DEFAULTS, maxNewTokens: 9, keep: false, sft: { epochs: 3 } };
    expect(await run("f", "--config", config)).toEqual(fromFile);
    expect(await run("f", "--config", config, "--max-new-tokens", "4")).toEqual({
      ...fromFile,
      maxNewTokens: 4,
    });
  });

  it("reports every bad value by its flag, as a usage error", async () => {
    const error = await failure("f", "--max-new-tokens", "0", "--kind", "c", "--range", "1,x");
    expect(exitCodeOf(error)).toBe(2);
    for (const flag of ["--max-new-tokens:", "--kind:", "--range:"]) {
      expect((error as Error).message).toContain(flag);
    }
  });

  it("reports unknown keys of a configuration file with the file", async () => {
    writeFileSync(config, "sft: { epoch: 3 }\n");
    expect(String(await failure("f", "--config", config))).toContain("epoch");
  });

  it.each([
    [["f", "--nope"], /unknown option '--nope'/],
    [[], /missing required argument 'file'/],
    [["f", "g"], /too many arguments/],
  ])("ends %j with exit code 2 and a hint", async (args, message) => {
    const error = await failure(...args);
    expect(exitCodeOf(error)).toBe(2);
    const [first, hint] = errorLines(error, false);
    expect(first).toMatch(message);
    expect(hint).toMatch(/--help|Did you mean/);
  });
});

describe("errors", () => {
  const error = new DataError("reading x: torn", { code: "data.x", hint: "write it again" });
  it("are one line and the hint, and the stack with --debug", () => {
    expect(errorLines(error, false)).toEqual(["error: reading x: torn", "  write it again"]);
    expect(errorLines(error, true)[0]).toContain("schema-command.test");
  });
  it("give exit code 1 for failed work and 130 for an interruption", () => {
    expect(exitCodeOf(error)).toBe(1);
    const controller = new AbortController();
    controller.abort();
    expect(exitCodeOf(controller.signal.reason)).toBe(130);
    expect(errorLines(controller.signal.reason, false)).toEqual([]);
  });
});

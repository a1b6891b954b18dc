import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";

const root = path.resolve(import.meta.dirname, "..");
const examples = readdirSync(path.join(root, "examples")).filter((name) => name.endsWith(".mjs"));

describe.each(examples)("example %s", (name) => {
  const file = path.join(root, "examples", name);
  it("is 60 lines or less", () => {
    expect(readFileSync(file, "utf8").trimEnd().split("\n").length).toBeLessThanOrEqual(60);
  });
  it("runs to its end", () => {
    const output = execFileSync(process.execPath, [file], { cwd: root, encoding: "utf8" });
    expect(output).toMatch(/make \d+: .*, score 1\n/);
    expect(output).toMatch(/trained: \d+ % right; verification \d/);
  });
});

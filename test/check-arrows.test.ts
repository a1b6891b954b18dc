import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const script = path.resolve(import.meta.dirname, "../scripts/check-arrows.mjs");

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), "arrows-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function check(files: Readonly<Record<string, string>>): { code: number | null; text: string } {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), text);
  }
  const { status, stderr } = spawnSync(process.execPath, [script, folder], { encoding: "utf8" });
  return { code: status, text: stderr };
}

describe("check-arrows", () => {
  it("accepts allowed imports, types in a circle, and names in strings and comments", () => {
    const { code } = check({
      "util/a.ts":
        'import type { B } from "./b.ts";\n// console.log\nexport const a = "Date.now()";',
      "util/b.ts": 'import { a } from "./a.ts";\nexport type B = typeof a;',
      "data/c.ts": 'export { a } from "../util/a.ts";',
      "cli/main.ts": 'import { c } from "../data/c.ts";\nconsole.log(c, Date.now());',
    });
    expect(code).toBe(0);
  });

  it("rejects each kind of problem, with file and line", () => {
    const problems: Readonly<Record<string, readonly [string, RegExp]>> = {
      import: ['import { x } from "../data/x.ts";', /util may import only nothing, not data/],
      type: ['import type { X } from "../data/x.ts";', /util may import only nothing, not data/],
      demand: ['await import("../data/x.ts");', /util may import only nothing, not data/],
      reexport: ['export * from "../cli/x.ts";', /util may not import cli/],
      package: ['import ort from "onnxruntime-node";', /only in src\/engine\/runtime/],
      clock: ["export const t = Date.now();", /Date\.now may be used only/],
      environment: ["export const e = process.env.HOME;", /process\.env may be used only/],
      randomness: ["export const r = Math.random();", /Math\.random may be used only/],
      circle: ['import { x } from "./circle.ts";', /util\/circle.ts -> util\/circle.ts/],
    };
    const files = Object.entries(problems).map(([name, [text]]) => [
      `util/${name}.ts`,
      `// first line\n${text}`,
    ]);
    const { code, text } = check(Object.fromEntries(files));
    expect(code).toBe(1);
    for (const [name, [, message]] of Object.entries(problems)) {
      const line = text.split("\n").find((one) => one.startsWith(`src/util/${name}.ts:`));
      expect(line, name).toMatch(message);
      expect(line).toContain(name === "circle" ? ":1:" : ":2:");
    }
  });
});

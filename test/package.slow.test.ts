import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = path.resolve(import.meta.dirname, "..");
const folder = mkdtempSync(path.join(os.tmpdir(), "package-"));
const installed = path.join(folder, "node_modules", "four-habits");
const habits = path.join(folder, "node_modules", ".bin", "habits");

function run(command: string, args: readonly string[], cwd = folder): string {
  return execFileSync(command, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/** Packs the checkout and installs the tarball into an empty folder. */
beforeAll(() => {
  const packed = run("npm", ["pack", "--json", "--pack-destination", folder], root);
  const [{ filename }] = JSON.parse(packed) as [{ filename: string }];
  writeFileSync(path.join(folder, "package.json"), '{ "private": true, "type": "module" }');
  const quiet = ["--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"];
  run("npm", ["install", ...quiet, path.join(folder, filename)]);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the package in an empty folder", () => {
  it("has the licence, the recipes and the base models, and no tests or sources", () => {
    for (const name of ["LICENSE", "recipes/quick.yaml", "assets/models/tiny-plain/config.json"]) {
      expect(existsSync(path.join(installed, name)), name).toBe(true);
    }
    const files = run("find", [installed, "-name", "*.test.*", "-o", "-name", "src"]);
    expect(files.trim()).toBe("");
  });

  it("shows its commands", () => {
    const help = run(habits, ["--help"]);
    for (const name of ["study", "countdown", "prime", "sft", "ppo", "judge", "report"]) {
      expect(help).toMatch(new RegExp(`^  ${name} `, "m"));
    }
  });

  it("makes puzzles", () => {
    run(habits, ["countdown", "generate", "--count", "5", "--out", "puzzles.jsonl"]);
    const rows = readFileSync(path.join(folder, "puzzles.jsonl"), "utf8").trim().split("\n");
    expect(rows).toHaveLength(5);
  });

  it("plans the quick study", () => {
    const plan = JSON.parse(run(habits, ["study", "run", "quick", "--dry-run", "--json"]));
    expect(plan.stages.at(-1).stage).toBe("report");
  });

  it("is a library", () => {
    const code = `import { scoreCompletion } from "four-habits";
      console.log(scoreCompletion("<answer>8 * 9 - 6</answer>", { numbers: [9, 8, 6], target: 66 }).score);`;
    expect(run(process.execPath, ["--input-type=module", "-e", code]).trim()).toBe("1");
  });
});

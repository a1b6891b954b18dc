/** Parts of the documentation that are made from the code; `UPDATE_DOCS=1 npm run test:fast test/docs.test.ts` writes them. */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { GRPO_METRICS } from "../src/training/grpo/metrics.ts";
import { PPO_METRICS } from "../src/training/ppo/metrics.ts";

const root = path.resolve(import.meta.dirname, "..");

function metricTable(metrics: Readonly<Record<string, string>>): string {
  const rows = Object.entries(metrics).map(([key, definition]) => `| \`${key}\` | ${definition} |`);
  return ["| metric | definition |", "|---|---|", ...rows].join("\n");
}

const PARTS = [
  { file: "docs/methods/ppo.md", name: "ppo-metrics", text: metricTable(PPO_METRICS) },
  { file: "docs/methods/grpo.md", name: "grpo-metrics", text: metricTable(GRPO_METRICS) },
];

test.each(PARTS)("$file shows the $name of the code", ({ file, name, text }) => {
  const target = path.join(root, file);
  const pattern = new RegExp(`(<!-- generated: ${name} -->\\n)[\\s\\S]*?(<!-- end -->)`);
  const current = readFileSync(target, "utf8");
  expect(current).toMatch(pattern);
  const wanted = current.replace(
    pattern,
    (_all, start: string, end: string) => `${start}${text}\n${end}`,
  );
  if (process.env.UPDATE_DOCS === "1") writeFileSync(target, wanted);
  else expect(current).toBe(wanted);
});

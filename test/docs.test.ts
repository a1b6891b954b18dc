/** Parts of the documentation that are made from the code; `UPDATE_DOCS=1 npm run test:fast test/docs.test.ts` writes them. */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { PPO_METRICS } from "../src/training/ppo/metrics.ts";

const root = path.resolve(import.meta.dirname, "..");

const PARTS = [
  {
    file: "docs/methods/ppo.md",
    name: "ppo-metrics",
    text: [
      "| metric | definition |",
      "|---|---|",
      ...Object.entries(PPO_METRICS).map(([key, definition]) => `| \`${key}\` | ${definition} |`),
    ].join("\n"),
  },
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

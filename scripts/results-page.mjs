/**
 * Prints the results page of a finished run as Markdown: node scripts/results-page.mjs runs/mini > docs/results/mini.md
 * All numbers are those of the run's analysis/comparison.json, manifest.json and timings.jsonl.
 */
import { readFileSync } from "node:fs";
import path from "node:path";

const run = process.argv[2] ?? "runs/mini";
const read = (...parts) => JSON.parse(readFileSync(path.join(run, ...parts), "utf8"));
const comparison = read("analysis", "comparison.json");

const percent = (value) => (value === null ? "-" : `${(100 * value).toFixed(1)} %`);
const range = ({ lower, upper }) => `${(100 * lower).toFixed(1)} to ${(100 * upper).toFixed(1)}`;
const measured = ({ value, interval }) =>
  interval?.kind === "interval" ? `${percent(value)} (${range(interval)})` : percent(value);
const row = (cells) => `| ${cells.join(" | ")} |`;
const table = (head, rows) => [row(head), row(head.map(() => "---")), ...rows.map(row)].join("\n");
const count = (value) => (value === null ? "-" : value.toFixed(2));

const ends = comparison.arms.map((arm) => ({
  arm,
  first: arm.steps[0],
  last: arm.steps.find(({ step }) => step === arm.finalStep) ?? arm.steps.at(-1),
}));
const HABITS = ["verification", "backtracking", "subgoal_setting", "backward_chaining"];

console.log(`# Results of \`${comparison.study}\`

Accuracy at temperature 1 on held-out test puzzles; the interval (95 %) is over seeds. after RL is step ${comparison.arms[0].finalStep}.

${table(
  ["arm", "seeds", "before RL", "after RL", "each seed", "cut off", "tokens"],
  ends.map(({ arm, first, last }) => [
    `\`${arm.id}\``,
    last.seeds.length,
    percent(first.accuracy.value),
    measured(last.accuracy),
    (last.accuracy.bySeed ?? []).map((seed) => percent(seed?.value ?? seed)).join(", "),
    percent(last.truncated.value),
    last.tokens.value === null ? "-" : last.tokens.value.toFixed(0),
  ]),
)}

## Habits: mean count of a completion, before and after RL

${table(
  ["arm", ...HABITS.map((habit) => habit.replace("_", " "))],
  ends.map(({ arm, first, last }) => [
    `\`${arm.id}\``,
    ...HABITS.map(
      (h) => `${count(first.habits[h].mean.value)} → ${count(last.habits[h].mean.value)}`,
    ),
  ]),
)}

## Claims

${table(
  ["claim", "criterion", "verdict", "what was found"],
  comparison.claims.map(({ statement, criterion, verdict, reading }) => [
    statement,
    criterion,
    `**${verdict.replaceAll("_", " ")}**`,
    reading,
  ]),
)}`);

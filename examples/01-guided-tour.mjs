// The chain in miniature, by the library and without the command line. First `npm run build`.
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import * as habits from "four-habits";

const folder = await mkdtemp(path.join(tmpdir(), "guided-tour-"));
const file = (...parts) => path.join(folder, ...parts);
const seed = 1;
const mean = (cells, habit) =>
  cells.reduce((sum, cell) => sum + cell[habit].count, 0) / cells.length;
const means = (cells) =>
  habits.BEHAVIOURS.map((habit) => `${habit} ${mean(cells, habit).toFixed(2)}`).join(", ");

// 1. Puzzles of the Countdown game in three splits, a solution, and the exact score of an answer.
const task = {
  numberCounts: [3],
  maxNumber: 13,
  minTarget: 10,
  maxTarget: 99,
  maxIntermediate: 99,
};
const splits = habits.generateSplits(task, { train: 300, validation: 30, test: 64 }, seed);
for (const [split, rows] of Object.entries(splits)) {
  await habits.writePuzzles(file(`${split}.jsonl`), rows);
}
const [puzzle] = splits.train;
const solution = habits.formatExpression(habits.solve(puzzle)[0]);
const { score } = habits.scoreCompletion(`<answer>${solution}</answer>`, puzzle);
console.log(`${puzzle.numbers.join(", ")} make ${puzzle.target}: ${solution}, score ${score}`);

// 2. Priming traces that show all four habits, and what the detectors find in the first of them.
const puzzles = { train: file("train.jsonl"), validation: file("validation.jsonl") };
const priming = habits.primingConfigSchema.parse({ train: 160, validation: 16, maxTokens: 150 });
const what = { puzzles, condition: "all_strategies", config: priming, seed };
await habits.generatePriming({ ...what, out: file("priming") });
const train = file("priming", "train.jsonl");
const [trace] = await habits.readJsonl(train, habits.traceSchema);
console.log(trace.query + trace.completion);
console.log(means([habits.detectBehaviours(trace.completion, trace)]));

// 3. The base model learns the traces, then improves itself by PPO.
const base = habits.builtinBase("tiny-plain");
const sft = habits.sftConfigSchema.parse({ epochs: 2 });
await habits.runSft({ model: base, train, out: file("sft"), config: sft, seed });
const ppo = { steps: 3, promptsPerStep: 32, criticWarmupSteps: 1, maxNewTokens: 150 };
const rl = habits.ppoConfigSchema.parse(ppo);
const primed = file("sft", "model");
await habits.runPpo({ model: primed, puzzles: puzzles.train, out: file("rl"), config: rl, seed });

// 4. Each model answers puzzles that none has seen; the habits in its answers are counted.
const trained = file("rl", "checkpoints", "step-000003");
const config = habits.completeConfigSchema.parse({ maxNewTokens: 150 });
for (const [name, checkpoint] of Object.entries({ base, primed, trained })) {
  const paths = { checkpoint, puzzles: file("test.jsonl"), out: file(`${name}.jsonl`) };
  const { accuracy } = await habits.completeCheckpoint({ ...paths, step: 0, config, seed });
  const rows = await habits.readJsonl(paths.out, habits.completionSchema);
  const found = rows.map((row) => habits.detectBehaviours(row.generated, row.ground_truth));
  console.log(`${name}: ${(100 * accuracy).toFixed(0)} % right; ${means(found)}`);
}

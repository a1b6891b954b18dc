/** Puts random texts through the scorer and the oracle; any difference or exception ends the comparison. */
import { scoreCompletion } from "../../src/countdown/scorer.ts";
import { Random } from "../../src/random/random.ts";
import { oracleScore } from "./countdown.ts";
import { randomCompletion } from "./random-answers.ts";

const TASKS = [
  { numbers: [9, 8, 6], target: 66 },
  { numbers: [3, 3, 8, 8], target: 24 },
  { numbers: [2, 3], target: 5 },
  { numbers: [5, 5, 1], target: 5 },
  { numbers: [4, 2, 1, 0], target: 2 },
  { numbers: [7], target: 7 },
];

/** Number of right answers met, and the longest time of one scoring in milliseconds, pauses of the machine left out. */
export function compareWithOracle(options: { readonly texts: number; readonly seed: number }): {
  readonly correct: number;
  readonly slowest: number;
} {
  const random = Random.of(options.seed, "random answers");
  let correct = 0;
  let slowest = 0;
  for (let i = 0; i < options.texts; i += 1) {
    const task = random.pick(TASKS);
    const text = randomCompletion(random, task.numbers);
    let start = performance.now();
    const { score } = scoreCompletion(text, task);
    let elapsed = performance.now() - start;
    // A pause of the machine does not come back; slow work does.
    for (let again = 0; elapsed >= 0.5 && again < 5; again += 1) {
      start = performance.now();
      scoreCompletion(text, task);
      elapsed = Math.min(elapsed, performance.now() - start);
    }
    slowest = Math.max(slowest, elapsed);
    const expected = oracleScore(text, task.numbers, task.target);
    if (score !== expected) {
      throw new Error(`expected ${expected}, found ${score}: ${JSON.stringify({ task, text })}`);
    }
    if (score === 1) correct += 1;
  }
  return { correct, slowest };
}

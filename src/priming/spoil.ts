/** The three ways in which a trace of `incorrect_only` comes to a wrong answer that uses every given number once. */
import type { Random } from "../random/random.ts";
import { type Expression, evaluate, type Operator } from "./expression.ts";
import type { SearchTask, Thought } from "./forward.ts";
import type { Failure } from "./options.ts";
import type { Rejection } from "./teacher.ts";

/** A thought with the wrong answer that is to follow it. */
export interface SpoiltThought {
  readonly thought: Thought;
  readonly answer: Expression;
}

type Write = (task: SearchTask) => Thought | Rejection;

const NONE: Rejection = { rejected: "no_failure" };

/** Writes a thought that fails in the given way, or says why this puzzle cannot fail so. */
export function spoil(
  failure: Failure,
  task: SearchTask,
  random: Random,
  write: Write,
): SpoiltThought | Rejection {
  if (failure === "give_up") {
    const thought = write(task);
    if ("rejected" in thought) return thought;
    return thought.hit ? NONE : { thought, answer: thought.answer.expression };
  }
  return failure === "misread" ? misread(task, random, write) : slip(task, random, write);
}

/** Numbers may be misread by at most this much; chosen by us: near values keep the task's ranges. */
const MISREAD_BY = 3;

/** Searches with one number changed and puts the given number back into the answer. */
function misread(task: SearchTask, random: Random, write: Write): SpoiltThought | Rejection {
  const largest = Math.max(...task.numbers);
  const changes = task.numbers.flatMap((given, at) =>
    Array.from({ length: 2 * MISREAD_BY + 1 }, (_, by) => ({ at, read: given - MISREAD_BY + by })),
  );
  let rejection = NONE;
  for (const { at, read } of random.shuffle(changes)) {
    // A value that is on the table already would make it unclear which number the thought means.
    if (read < 2 || read > Math.max(largest, 13) || task.numbers.includes(read)) continue;
    const numbers = task.numbers.with(at, read);
    const thought = write({ ...task, numbers });
    if ("rejected" in thought) {
      rejection = thought;
      continue;
    }
    const answer = replaceNumber(thought.answer.expression, read, task.numbers[at] as number);
    const value = evaluate(answer);
    if (thought.hit && Number.isFinite(value) && value !== task.target) return { thought, answer };
  }
  return rejection;
}

function replaceNumber(expression: Expression, from: number, to: number): Expression {
  if (typeof expression === "number") return expression === from ? to : expression;
  return {
    operator: expression.operator,
    left: replaceNumber(expression.left, from, to),
    right: replaceNumber(expression.right, from, to),
  };
}

/** Searches truly and writes one operator of the answer wrongly. */
function slip(task: SearchTask, random: Random, write: Write): SpoiltThought | Rejection {
  const thought = write(task);
  if ("rejected" in thought) return thought;
  for (const answer of random.shuffle(slips(thought.answer.expression))) {
    const value = evaluate(answer);
    if (Number.isFinite(value) && value !== task.target) return { thought, answer };
  }
  return NONE;
}

/** All expressions that differ from the given one in one operator. */
function slips(expression: Expression): Expression[] {
  if (typeof expression === "number") return [];
  const { operator, left, right } = expression;
  const others = (["+", "-", "*", "/"] as Operator[]).filter((other) => other !== operator);
  return [
    ...others.map((other) => ({ operator: other, left, right })),
    ...slips(left).map((changed) => ({ operator, left: changed, right })),
    ...slips(right).map((changed) => ({ operator, left, right: changed })),
  ];
}

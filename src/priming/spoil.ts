/** The three ways in which a trace of `incorrect_only` comes to a wrong answer that uses every given number once. */
import type { Expression, Operator } from "../countdown/index.ts";
import type { Random } from "../random/random.ts";
import type { Failure } from "./options.ts";
import { combine } from "./steps.ts";
import type { Rejection, SearchTask, Thought } from "./thought.ts";

/** A thought and the wrong answer that is to follow it. */
export interface SpoiltThought {
  readonly thought: Thought;
  readonly answer: Expression;
}

type Write = (task: SearchTask) => Thought | Rejection;

const NONE: Rejection = { rejected: "no_failure" };

/** Numbers are misread by at most this much; chosen by us: near values keep to the ranges of the task. */
const MISREAD_BY = 3;

/** Writes a thought that fails in the given way, or says why this puzzle cannot fail so. */
export function spoil(
  failure: Failure,
  task: SearchTask,
  random: Random,
  write: Write,
): SpoiltThought | Rejection {
  if (failure === "give_up") return giveUp(task, random, write);
  return failure === "misread" ? misread(task, random, write) : slip(task, random, write);
}

/** Ends the search after some branches, all before that of the hit. */
function giveUp(task: SearchTask, random: Random, write: Write): SpoiltThought | Rejection {
  const whole = write(task);
  if ("rejected" in whole) return whole;
  for (const giveUpAfter of [random.integer(1, Math.max(1, whole.attempts - 1)), 1]) {
    const thought = write({ ...task, giveUpAfter });
    if ("rejected" in thought) return thought;
    if (!thought.hit) return { thought, answer: thought.answer.expression };
  }
  return NONE;
}

/** Searches with one number changed and puts the given number back into the answer. */
function misread(task: SearchTask, random: Random, write: Write): SpoiltThought | Rejection {
  const { numbers, target } = task;
  const largest = Math.max(...numbers);
  const changes = numbers.flatMap((given, at) =>
    Array.from({ length: 2 * MISREAD_BY + 1 }, (_, by) => ({ at, read: given - MISREAD_BY + by })),
  );
  let rejection = NONE;
  for (const { at, read } of random.shuffle(changes)) {
    // A number that is on the table already would leave it unclear which of the two the thought means.
    if (read < 2 || read > largest || numbers.includes(read) || read === target) continue;
    const thought = write({ ...task, numbers: numbers.with(at, read) });
    if ("rejected" in thought) {
      rejection = thought;
      continue;
    }
    const answer = replaceNumber(thought.answer.expression, read, numbers[at] as number);
    if (thought.hit && isWrong(answer, target)) return { thought, answer };
  }
  return rejection;
}

/** Searches truly and writes one operator of the answer wrongly. */
function slip(task: SearchTask, random: Random, write: Write): SpoiltThought | Rejection {
  const thought = write(task);
  if ("rejected" in thought) return thought;
  const wrong = slips(thought.answer.expression).filter((answer) => isWrong(answer, task.target));
  return wrong.length === 0 ? NONE : { thought, answer: random.pick(wrong) };
}

function replaceNumber(expression: Expression, from: number, to: number): Expression {
  if (expression.kind === "number")
    return expression.value === from ? { kind: "number", value: to } : expression;
  if (expression.kind === "negation") return expression;
  const { operator, left, right } = expression;
  return combine(operator, replaceNumber(left, from, to), replaceNumber(right, from, to));
}

/** All expressions that differ from the given one in one operator. */
function slips(expression: Expression): Expression[] {
  if (expression.kind !== "binary") return [];
  const { operator, left, right } = expression;
  const others = (["+", "-", "*", "/"] as Operator[]).filter((other) => other !== operator);
  return [
    ...others.map((other) => combine(other, left, right)),
    ...slips(left).map((changed) => combine(operator, changed, right)),
    ...slips(right).map((changed) => combine(operator, left, changed)),
  ];
}

/** True for an expression that has a value, and not the target's. Doubles tell whole targets from what is not one. */
function isWrong(expression: Expression, target: number): boolean {
  const value = evaluate(expression);
  return Number.isFinite(value) && Math.abs(value - target) > 1e-9;
}

function evaluate(expression: Expression): number {
  if (expression.kind === "number") return expression.value;
  if (expression.kind === "negation") return -evaluate(expression.operand);
  const left = evaluate(expression.left);
  const right = evaluate(expression.right);
  switch (expression.operator) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "/":
      return right === 0 ? Number.NaN : left / right;
  }
}

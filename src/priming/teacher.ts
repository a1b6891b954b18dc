/**
 * The symbolic teacher: a thought and an answer for one puzzle, from a real search in a fixed order, in short varied sentences,
 * with a record of every habit instance. A trace of a condition shows the habits that the condition names and no other;
 * a habit can be missing only where the search ends too soon to show it, as when the first attempt hits.
 *
 * Ways in which `incorrect_only` fails, all with true arithmetic and, but for the first, a true positive check:
 * - give_up: ends the search after some branches and answers with the nearest value seen;
 * - misread: searches with one number misread, hits, and answers with the given number in its place;
 * - slip: hits, and writes one operator of the answer wrongly.
 */
import type { BehaviourCells, Condition, Puzzle } from "../data/rows.ts";
import type { Random } from "../random/random.ts";
import { InternalError } from "../util/errors.ts";
import { writeBackward } from "./backward.ts";
import { type Expression, equation, evaluate, formatExpression, type Item } from "./expression.ts";
import { type SearchTask, type Thought, writeForward } from "./forward.ts";
import type { Failure, TeacherOptions } from "./options.ts";
import * as phrases from "./phrases.ts";
import { tokenCount } from "./pieces.ts";
import { attempts } from "./search.ts";
import { spoil } from "./spoil.ts";
import { TraceWriter } from "./writer.ts";

/** Conditions that the teacher writes. */
export type TaughtCondition = Exclude<Condition, "none">;

/** A written trace. */
export interface WrittenTrace {
  /** Everything after the opened `<think>`. */
  readonly completion: string;
  /** Contents of the answer tag. */
  readonly answer: string;
  readonly correct: boolean;
  readonly record: BehaviourCells;
  /** Tokens of `completion`. */
  readonly tokens: number;
  /** Complete attempts in the thought. */
  readonly attempts: number;
  /** How the trace ended. */
  readonly ending: "hit" | Failure;
}

/** Why a puzzle got no trace. */
export interface Rejection {
  readonly rejected: "unsolved" | "too_long" | "no_failure";
}

/**
 * Writes the trace of one puzzle. Equal arguments and stream give equal text; `empty_cot` and `length_matched` given the
 * stream of `all_strategies` have its answer, and `length_matched` has its token count.
 * @param puzzle numbers in the order of the prompt; three or more
 */
export function writeTrace(
  puzzle: Pick<Puzzle, "numbers" | "target">,
  condition: TaughtCondition,
  random: Random,
  options: TeacherOptions,
): WrittenTrace | Rejection {
  if (condition === "empty_cot" || condition === "length_matched") {
    const model = writeTrace(puzzle, "all_strategies", random, options);
    return "rejected" in model ? model : withoutThought(model, condition);
  }
  if (condition === "incorrect_only") return writeIncorrect(puzzle, random, options);
  const givesUp = random.chance(options.giveUpShare);
  const { min, max } = options.giveUpAfter;
  const giveUpAfter = givesUp ? random.integer(min, max) : Number.POSITIVE_INFINITY;
  const task = taskOf(puzzle, options, giveUpAfter);
  const trace = fitting(task, options, (bounded) => thinkFor(bounded, condition, random));
  if ("rejected" in trace) return trace;
  return finished(trace, trace.answer.expression, puzzle, trace.hit ? "hit" : "give_up");
}

function taskOf(
  puzzle: Pick<Puzzle, "numbers" | "target">,
  options: TeacherOptions,
  giveUpAfter: number,
): SearchTask {
  const range = { smallest: options.smallestValue, largest: options.largestValue };
  return { numbers: puzzle.numbers, target: puzzle.target, range, giveUpAfter };
}

/** Writes with ever fewer attempts until the completion fits, when the options ask for it. */
function fitting(
  task: SearchTask,
  options: TeacherOptions,
  write: (task: SearchTask) => Thought | undefined,
): Thought | Rejection {
  let bounded = task;
  for (;;) {
    const thought = write(bounded);
    if (thought === undefined) return { rejected: "unsolved" };
    if (tokenCount(thought.text) + answerTokens(thought.answer) <= options.maxTokens)
      return thought;
    if (options.tooLong === "reject" || bounded.giveUpAfter <= 1) return { rejected: "too_long" };
    bounded = { ...bounded, giveUpAfter: Math.min(bounded.giveUpAfter, thought.attempts) - 1 };
  }
}

function answerTokens(answer: Item): number {
  return tokenCount(answerText(formatExpression(answer.expression)));
}

/** What follows the thought. */
export function answerText(answer: string): string {
  return `</think>\n<answer> ${answer} </answer>`;
}

function thinkFor(
  task: SearchTask,
  condition: Exclude<TaughtCondition, "empty_cot" | "length_matched" | "incorrect_only">,
  random: Random,
): Thought | undefined {
  switch (condition) {
    case "negative_control":
      return writeDirect(task, random);
    case "only_backtracking":
      return writeForward(task, { verification: false, subgoals: false }, random);
    case "backtracking_verification":
      return writeForward(task, { verification: true, subgoals: false }, random);
    case "backtracking_subgoal":
      return writeForward(task, { verification: false, subgoals: true }, random);
    case "backtracking_backward":
      return writeBackward(task, { all: false }, random);
    case "all_strategies":
      return writeBackward(task, { all: true }, random);
    default:
      throw new InternalError(
        `no way to write a trace for the condition "${condition satisfies never}"`,
        {
          code: "priming.unknown_condition",
        },
      );
  }
}

/** The first solution of the forward search, step by step, without any habit. */
function writeDirect(task: SearchTask, random: Random): Thought | undefined {
  for (const attempt of attempts(task.numbers, task.range)) {
    if (attempt.result.value !== task.target) continue;
    const writer = new TraceWriter(random);
    const [opening, between, end] = random.pick(phrases.DIRECT);
    for (const [at, step] of attempt.steps.entries()) {
      writer.plain(`${at === 0 ? opening : between} ${equation(step)}`);
    }
    writer.plain(end);
    const record = writer.record();
    return { text: writer.text, record, answer: attempt.result, hit: true, attempts: 1 };
  }
  return undefined;
}

function writeIncorrect(
  puzzle: Pick<Puzzle, "numbers" | "target">,
  random: Random,
  options: TeacherOptions,
): WrittenTrace | Rejection {
  const { min, max } = options.giveUpAfter;
  const limit = random.integer(min, max);
  let rejection: Rejection = { rejected: "no_failure" };
  for (const failure of weightedOrder(options.failures, random)) {
    const giveUpAfter = failure === "give_up" ? limit : Number.POSITIVE_INFINITY;
    const task = taskOf(puzzle, options, giveUpAfter);
    const made = spoil(failure, task, random, (searched) =>
      fitting(searched, options, (bounded) => writeBackward(bounded, { all: true }, random)),
    );
    if ("rejected" in made) rejection = made;
    else return finished(made.thought, made.answer, puzzle, failure);
  }
  return rejection;
}

/** Every failure with a weight, drawn without replacement by weight. */
function weightedOrder(weights: TeacherOptions["failures"], random: Random): Failure[] {
  const left = (Object.entries(weights) as [Failure, number][]).filter(([, weight]) => weight > 0);
  const order: Failure[] = [];
  while (left.length > 0) {
    let draw = random.uniform() * left.reduce((sum, [, weight]) => sum + weight, 0);
    const at = left.findIndex(([, weight]) => {
      draw -= weight;
      return draw < 0;
    });
    order.push(...left.splice(Math.max(at, 0), 1).map(([failure]) => failure));
  }
  return order;
}

function finished(
  thought: Thought,
  expression: Expression,
  puzzle: Pick<Puzzle, "target">,
  ending: WrittenTrace["ending"],
): WrittenTrace {
  const answer = formatExpression(expression);
  const completion = thought.text + answerText(answer);
  return {
    completion,
    answer,
    correct: evaluate(expression) === puzzle.target,
    record: thought.record,
    tokens: tokenCount(completion),
    attempts: thought.attempts,
    ending,
  };
}

/** The same answer after no thought, or after filler of exactly as many tokens as the thought had. */
function withoutThought(
  model: WrittenTrace,
  condition: "empty_cot" | "length_matched",
): WrittenTrace {
  const tail = answerText(model.answer);
  const thought =
    condition === "empty_cot" ? " " : phrases.FILLER.repeat(model.tokens - tokenCount(tail));
  const completion = thought + tail;
  const empty = { count: 0, spans: [] };
  const record = {
    verification: empty,
    backtracking: empty,
    subgoal_setting: empty,
    backward_chaining: empty,
  };
  return { ...model, completion, record, tokens: tokenCount(completion), attempts: 0 };
}

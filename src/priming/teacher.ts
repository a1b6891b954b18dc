/**
 * The symbolic teacher: a thought and an answer for one puzzle, from a real search in a fixed order, in short varied sentences,
 * with a record of every habit instance. A trace of a condition shows the habits that the condition names and no other;
 * a habit can be missing only where the search ends too soon to show it, as when the first attempt hits.
 *
 * Ways in which `incorrect_only` fails, all with true arithmetic and true checks of it:
 * - give_up: ends the search after some branches and answers with the nearest attempt that was followed to its end;
 * - misread: searches with one number misread, hits, and answers with the given number in its place;
 * - slip: hits, and writes one operator of the answer wrongly.
 */
import { type Expression, formatExpression, scoreCompletion } from "../countdown/index.ts";
import type { BehaviourCells, Condition, Puzzle } from "../data/rows.ts";
import type { Random } from "../random/random.ts";
import { InternalError } from "../util/errors.ts";
import { writeBackward } from "./backward.ts";
import { matchLength } from "./filler.ts";
import { writeForward } from "./forward.ts";
import type { Failure, TeacherOptions } from "./options.ts";
import * as phrases from "./phrases.ts";
import { tokenCount } from "./pieces.ts";
import { attempts } from "./search.ts";
import { spoil } from "./spoil.ts";
import { equation } from "./steps.ts";
import type { Rejection, SearchTask, Thought } from "./thought.ts";
import { emptyRecord, TraceWriter } from "./writer.ts";

/** Conditions that the teacher writes. */
export type TaughtCondition = Exclude<Condition, "none">;

/** A written trace. */
export interface WrittenTrace {
  /** Everything after the opened `<think>`. */
  readonly completion: string;
  /** Contents of the answer tag, trimmed. */
  readonly answer: string;
  readonly correct: boolean;
  readonly record: BehaviourCells;
  /** Tokens of `completion`. */
  readonly tokens: number;
  /** Attempts in the thought that were compared with what was looked for. */
  readonly attempts: number;
  /** How the trace ended. */
  readonly ending: "hit" | Failure;
}

/** Options of the teacher, and how tokens are counted; by default with the vocabulary of the tiny bases. */
export interface WriteOptions extends TeacherOptions {
  readonly countTokens?: (text: string) => number;
}

type Task = Pick<Puzzle, "numbers" | "target">;

/**
 * Writes the trace of one puzzle. Equal arguments and stream give equal text; `empty_cot` and `length_matched` with the
 * stream of `all_strategies` have its answer, and `length_matched` has its token count.
 * @param puzzle numbers in the order of the prompt; three or more
 */
export function writeTrace(
  puzzle: Task,
  condition: TaughtCondition,
  random: Random,
  options: WriteOptions,
): WrittenTrace | Rejection {
  if (condition === "empty_cot" || condition === "length_matched") {
    const model = writeTrace(puzzle, "all_strategies", random, options);
    return "rejected" in model ? model : withoutThought(model, condition, options);
  }
  if (condition === "incorrect_only") return writeIncorrect(puzzle, random, options);
  const givesUp = random.chance(options.giveUpShare);
  const { min, max } = options.giveUpAfter;
  const giveUpAfter = givesUp ? random.integer(min, max) : Number.POSITIVE_INFINITY;
  const thought = fitting(taskOf(puzzle, options, giveUpAfter), options, (task) =>
    think(task, condition, random),
  );
  if ("rejected" in thought) return thought;
  const ending = thought.hit ? "hit" : "give_up";
  return finished({ thought, answer: thought.answer.expression, puzzle, ending, options });
}

function taskOf(puzzle: Task, options: TeacherOptions, giveUpAfter: number): SearchTask {
  const range = { smallest: options.smallestValue, largest: options.largestValue };
  return { numbers: puzzle.numbers, target: puzzle.target, range, giveUpAfter };
}

/** Writes with ever fewer attempts until the completion fits, when the options ask for it. */
function fitting(
  task: SearchTask,
  options: WriteOptions,
  write: (task: SearchTask) => Thought | undefined,
): Thought | Rejection {
  const count = options.countTokens ?? tokenCount;
  let bounded = task;
  for (;;) {
    const thought = write(bounded);
    if (thought === undefined) return { rejected: "unsolved" };
    const text = thought.text + answerText(formatExpression(thought.answer.expression));
    if (count(text) <= options.maxTokens) return thought;
    if (options.tooLong === "reject" || bounded.giveUpAfter <= 1) return { rejected: "too_long" };
    bounded = { ...bounded, giveUpAfter: Math.min(bounded.giveUpAfter, thought.attempts) - 1 };
  }
}

/** What follows the thought. */
export function answerText(answer: string): string {
  return `</think>\n<answer> ${answer} </answer>`;
}

function think(
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
      throw new InternalError(`no trace is written for "${condition satisfies never}"`, {
        code: "priming.unknown_condition",
      });
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
  puzzle: Task,
  random: Random,
  options: WriteOptions,
): WrittenTrace | Rejection {
  const task = taskOf(puzzle, options, Number.POSITIVE_INFINITY);
  let rejection: Rejection = { rejected: "no_failure" };
  for (const failure of weightedOrder(options.failures, random)) {
    const made = spoil(failure, task, random, (searched) =>
      fitting(searched, options, (bounded) => writeBackward(bounded, { all: true }, random)),
    );
    if (!("rejected" in made)) return finished({ ...made, puzzle, ending: failure, options });
    rejection = made;
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

interface Finish {
  readonly thought: Thought;
  readonly answer: Expression;
  readonly puzzle: Task;
  readonly ending: WrittenTrace["ending"];
  readonly options: WriteOptions;
}

function finished({ thought, answer, puzzle, ending, options }: Finish): WrittenTrace {
  const text = formatExpression(answer);
  const completion = thought.text + answerText(text);
  return {
    completion,
    answer: text,
    correct: scoreCompletion(completion, puzzle).correct,
    record: thought.record,
    tokens: (options.countTokens ?? tokenCount)(completion),
    attempts: thought.attempts,
    ending,
  };
}

/** The same answer after no thought, or after filler of exactly as many tokens as the thought had. */
function withoutThought(
  model: WrittenTrace,
  condition: "empty_cot" | "length_matched",
  options: WriteOptions,
): WrittenTrace | Rejection {
  const count = options.countTokens ?? tokenCount;
  const tail = answerText(model.answer);
  const completion =
    condition === "empty_cot" ? ` ${tail}` : matchLength(tail, model.tokens, count);
  if (completion === undefined) return { rejected: "no_match" };
  return { ...model, completion, record: emptyRecord(), tokens: count(completion), attempts: 0 };
}

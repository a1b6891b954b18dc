/**
 * The exact scorer. The last complete `<answer>...</answer>` of a response counts, wherever it stands; inside it, one
 * expression over the given numbers, each used exactly once, evaluated in rational arithmetic. A trailing `= target`
 * is ignored when it is true. Every outcome has one reason from a closed list; no text makes it throw.
 */
import { DataError } from "../util/errors.ts";
import { parseEquation, type SyntaxReason } from "./expression.ts";
import { bigArithmetic, doubleArithmetic, evaluate, fitsDoubles } from "./rational.ts";

/** Every reason that the exact scorer gives. */
export const SCORE_REASONS = [
  "correct",
  "no_answer",
  "empty_answer",
  "too_long",
  "too_deep",
  "forbidden_operator",
  "decimal",
  "not_an_expression",
  "wrong_numbers",
  "division_by_zero",
  "wrong_value",
  "false_equality",
] as const;
export type ScoreReason = (typeof SCORE_REASONS)[number];

/** Score of a complete but wrong answer, as in the published reward. */
export const FORMAT_SCORE = 0.1;

/** What a response is scored against. */
export interface Task {
  /** Given numbers, whole and not negative. */
  readonly numbers: readonly number[];
  readonly target: number;
}

export interface ScoreOptions {
  /** Score of a complete, non-empty answer that is wrong for any reason. Default 0.1. */
  readonly formatScore?: number;
}

export interface Score<Reason = ScoreReason> {
  /** 1 correct, the format score for a wrong answer, 0 without an answer. */
  readonly score: number;
  readonly correct: boolean;
  readonly reason: Reason;
  /** Trimmed text of the answer tag; null without a complete tag. */
  readonly answer: string | null;
}

const OPENING = "<answer>";
const CLOSING = "</answer>";

/** Content of the last complete answer tag: the last opening tag that is closed, up to its first closing tag. */
export function lastAnswer(text: string): string | null {
  const lastClosing = text.lastIndexOf(CLOSING);
  if (lastClosing < OPENING.length) return null;
  const opening = text.lastIndexOf(OPENING, lastClosing - OPENING.length);
  if (opening === -1) return null;
  const start = opening + OPENING.length;
  return text.slice(start, text.indexOf(CLOSING, start));
}

/**
 * Scores a response.
 *
 * @param text the response alone; a prompt that shows an example answer must not be part of it
 * @throws DataError `countdown.bad_task` when the numbers or the target are not whole numbers below 2^53
 * @example scoreCompletion("<answer>9 * 8 - 6</answer>", { numbers: [9, 8, 6], target: 66 }).score // 1
 */
export function scoreCompletion(text: string, task: Task, options: ScoreOptions = {}): Score {
  checkTask(task);
  const raw = lastAnswer(text);
  if (raw === null) return { score: 0, correct: false, reason: "no_answer", answer: null };
  const answer = raw.trim();
  if (answer === "") return { score: 0, correct: false, reason: "empty_answer", answer };
  const reason = judgeAnswer(answer, task);
  const correct = reason === "correct";
  return { score: correct ? 1 : (options.formatScore ?? FORMAT_SCORE), correct, reason, answer };
}

/** Reason for one trimmed, non-empty answer. */
export function judgeAnswer(
  answer: string,
  task: Task,
): Exclude<ScoreReason, "no_answer" | "empty_answer"> {
  const parsed = parseEquation(answer);
  if (parsed.kind === "failure") return parsed.reason satisfies SyntaxReason;
  if (!usesEachOnce(parsed.numbers, task.numbers)) return "wrong_numbers";
  let reached: boolean;
  if (fitsDoubles(task.numbers, task.target)) {
    const value = evaluate(parsed.expression, doubleArithmetic);
    if (value === undefined) return "division_by_zero";
    reached = value.numerator === task.target * value.denominator;
  } else {
    const value = evaluate(parsed.expression, bigArithmetic);
    if (value === undefined) return "division_by_zero";
    reached = value.numerator === BigInt(task.target) * value.denominator;
  }
  if (!reached) return "wrong_value";
  return parsed.claim === undefined || parsed.claim === task.target ? "correct" : "false_equality";
}

/** True when both lists hold the same numbers the same number of times. */
function usesEachOnce(used: readonly number[], given: readonly number[]): boolean {
  if (used.length !== given.length) return false;
  const left = [...given];
  for (const number of used) {
    const at = left.indexOf(number);
    if (at === -1) return false;
    left[at] = -1; // no literal is negative
  }
  return true;
}

/**
 * Checks that a task can be scored at all.
 * @throws DataError `countdown.bad_task`
 */
export function checkTask({ numbers, target }: Task): void {
  let sound = numbers.length > 0 && Number.isSafeInteger(target);
  for (const number of numbers) sound &&= Number.isSafeInteger(number) && number >= 0;
  if (sound) return;
  throw new DataError(
    `scoring an answer: expected whole numbers, not negative, and a whole target, found numbers [${numbers.join(", ")}] and target ${target}`,
    { code: "countdown.bad_task", hint: "give the numbers and the target of the puzzle" },
  );
}

/**
 * The published reward of the Countdown runs, written from its described behaviour, to compare with old runs only.
 *
 * 1. The text needs a speaker mark, `Assistant:`; what follows the first one counts. Without one the score is 0.
 * 2. Only the last line of that is searched for `<answer>...</answer>`; the last such tag counts. None: 0.
 * 3. All runs of digits in the answer, sorted, must equal the sorted numbers. Otherwise 0.1.
 * 4. The answer may hold only digits, + - * / ( ) . and white space, and is then evaluated as Python: `**` is a power,
 *    `//` a floor division, decimals are floats. Anything that Python refuses: 0.1.
 * 5. Within 1e-5 of the target: 1, otherwise 0.1.
 *
 * Deviations: powers whose result would pass 4,096 bits, and complex results, count as refused, where the published code
 * may work on them for hours; the length and the depth are bounded as in the exact scorer; only ASCII digits count.
 */
import { evaluatePython } from "./python-arithmetic.ts";
import { checkTask, FORMAT_SCORE, type Score, type ScoreOptions, type Task } from "./scorer.ts";

/** Every reason that the legacy scorer gives. */
export const LEGACY_REASONS = [
  "correct",
  "no_speaker",
  "no_answer",
  "wrong_numbers",
  "forbidden_character",
  "refused",
  "wrong_value",
] as const;
export type LegacyReason = (typeof LEGACY_REASONS)[number];

export interface LegacyOptions extends ScoreOptions {
  /** The text is the response alone: no speaker mark is needed. Default false, as published. */
  readonly responseOnly?: boolean;
}

const SPEAKER = "Assistant:";

/**
 * Scores a whole text, prompt included, as the published reward does.
 * @throws DataError `countdown.bad_task` as `scoreCompletion`
 */
export function scoreLegacy(
  text: string,
  task: Task,
  options: LegacyOptions = {},
): Score<LegacyReason> {
  checkTask(task);
  let response = text;
  if (options.responseOnly !== true) {
    const at = text.indexOf(SPEAKER);
    if (at === -1) return { score: 0, correct: false, reason: "no_speaker", answer: null };
    response = text.slice(at + SPEAKER.length);
  }
  const line = response.slice(response.lastIndexOf("\n") + 1);
  const answer = lastTagOfLine(line);
  if (answer === undefined) return { score: 0, correct: false, reason: "no_answer", answer: null };
  const reason = judgeLegacy(answer, task);
  const correct = reason === "correct";
  return { score: correct ? 1 : (options.formatScore ?? FORMAT_SCORE), correct, reason, answer };
}

/** Tags are matched from the left, each opening with the next closing, without overlap; the last pair counts. */
function lastTagOfLine(line: string): string | undefined {
  let content: string | undefined;
  for (let from = 0; ; ) {
    const opening = line.indexOf("<answer>", from);
    if (opening === -1) return content;
    const start = opening + "<answer>".length;
    const closing = line.indexOf("</answer>", start);
    if (closing === -1) return content;
    content = line.slice(start, closing).trim();
    from = closing + "</answer>".length;
  }
}

function judgeLegacy(answer: string, { numbers, target }: Task): LegacyReason {
  const used = (answer.match(/[0-9]+/g) ?? []).map(Number).sort((a, b) => a - b);
  const given = [...numbers].sort((a, b) => a - b);
  if (used.length !== given.length || used.some((number, i) => number !== given[i])) {
    return "wrong_numbers";
  }
  if (!/^[0-9+\-*/().\s]+$/.test(answer)) return "forbidden_character";
  const value = evaluatePython(answer);
  if (value === undefined) return "refused";
  const distance =
    typeof value === "bigint" ? Math.abs(Number(value - BigInt(target))) : Math.abs(value - target);
  return distance < 1e-5 ? "correct" : "wrong_value";
}

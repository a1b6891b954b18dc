/**
 * Scores every row of a JSONL file: `numbers`, `target` and `completion` in, `score`, `correct`, `reason` and `answer`
 * added, every other field kept. The completion rows of the sampling stage (`generated`, `ground_truth`) are read too.
 */
import { z } from "zod";
import { parseRow, readJsonlLines, writeJsonl } from "../data/jsonl.ts";
import { DataError, messageOf } from "../util/errors.ts";
import type { StageContext } from "../util/progress.ts";
import { scoreLegacy } from "./legacy-scorer.ts";
import { type Score, scoreCompletion, type Task } from "./scorer.ts";

export interface ScoreFileOptions extends StageContext {
  /** JSONL to read and to write; they may be the same file. */
  readonly input: string;
  readonly output: string;
  /** Use the published reward instead of the exact scorer. Default false. */
  readonly legacy?: boolean;
  /** Legacy only: the completion alone is scored, without a speaker mark. Default false. */
  readonly responseOnly?: boolean;
  /** Score of a complete wrong answer. Default 0.1. */
  readonly formatScore?: number | undefined;
}

export interface ScoreFileSummary {
  readonly rows: number;
  readonly correct: number;
  /** Mean score; null without rows. */
  readonly meanScore: number | null;
  /** Rows by reason, most frequent first. */
  readonly reasons: Readonly<Record<string, number>>;
}

const whole = z.number().int();
const rowSchema = z
  .looseObject({
    numbers: z.array(whole).min(1).optional(),
    target: whole.optional(),
    completion: z.string().optional(),
    generated: z.string().optional(),
    ground_truth: z.looseObject({ numbers: z.array(whole).min(1), target: whole }).optional(),
  })
  .superRefine((row, context) => {
    const problem = (field: string, expected: string): void => {
      context.addIssue({ code: "custom", path: [field], message: `expected ${expected}` });
    };
    if (row.ground_truth === undefined) {
      if (row.numbers === undefined) problem("numbers", "a list of whole numbers");
      if (row.target === undefined) problem("target", "a whole number");
    }
    if (row.completion === undefined && row.generated === undefined) {
      problem("completion", "the text to score");
    }
  });

/**
 * Scores a file.
 * @throws DataError with file, line and field for a row that cannot be scored; the output is then not written
 */
export async function scoreFile(options: ScoreFileOptions): Promise<ScoreFileSummary> {
  const reasons = new Map<string, number>();
  let rows = 0;
  let correct = 0;
  let total = 0;
  async function* scored(): AsyncGenerator<unknown> {
    for await (const { line, value } of readJsonlLines(options.input)) {
      options.signal?.throwIfAborted();
      const where = `"${options.input}", line ${line}`;
      const row = parseRow(value, rowSchema, where);
      const task = (row.ground_truth ?? row) as Task;
      const text = row.completion ?? row.generated ?? "";
      const score = scoreRow(text, task, options, where);
      rows += 1;
      total += score.score;
      if (score.correct) correct += 1;
      reasons.set(score.reason, (reasons.get(score.reason) ?? 0) + 1);
      yield { ...row, ...score };
    }
  }
  await writeJsonl(options.output, scored());
  options.onProgress?.({ done: rows, total: rows, unit: "rows" });
  return {
    rows,
    correct,
    meanScore: rows === 0 ? null : total / rows,
    reasons: Object.fromEntries([...reasons].sort(([, a], [, b]) => b - a)),
  };
}

function scoreRow(
  text: string,
  task: Task,
  { legacy, responseOnly, formatScore }: ScoreFileOptions,
  where: string,
): Score<string> {
  const options = formatScore === undefined ? {} : { formatScore };
  try {
    if (legacy !== true) return scoreCompletion(text, task, options);
    return scoreLegacy(text, task, { ...options, responseOnly: responseOnly ?? false });
  } catch (cause) {
    if (!(cause instanceof DataError)) throw cause;
    throw new DataError(`reading ${where}: ${messageOf(cause)}`, {
      code: cause.code,
      hint: "give the numbers and the target of the puzzle as whole numbers that are not negative",
      cause,
    });
  }
}

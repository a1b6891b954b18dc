/**
 * The judge stage with the exact detectors: completion rows in, behaviour rows out, one for one and in order. Only
 * `puzzle_id`, `generated` and `ground_truth` are needed; `step` and `sample` are 0 where a row has none. A text longer than the
 * bound is not judged: its counts are null with the reason `text_too_long`.
 */
import path from "node:path";
import { z } from "zod";
import { parseRow, readJsonlLines, writeJsonl } from "../data/jsonl.ts";
import { readParquet } from "../data/parquet.ts";
import {
  BEHAVIOURS,
  type BehaviourCell,
  type BehaviourCells,
  type BehaviourRow,
} from "../data/rows.ts";
import { UsageError } from "../util/errors.ts";
import type { StageContext } from "../util/progress.ts";
import { detectBehaviours } from "./detect.ts";

/** Longest text that is judged by default, in UTF-16 code units; chosen by us: 200 times the longest completion seen. */
export const MAX_TEXT_LENGTH = 1_000_000;

/** Arguments of the judge stage. */
export interface JudgeExactOptions extends StageContext {
  /** Completion rows, JSONL or parquet by the name's end. */
  readonly input: string;
  /** Behaviour rows to write, as JSONL. */
  readonly output: string;
  /** Longest text that is judged, in UTF-16 code units. Default 1,000,000. */
  readonly maxTextLength?: number;
}

/** What the stage found. */
export interface JudgeSummary {
  readonly rows: number;
  /** Rows without a judgement, by reason. */
  readonly failed: Readonly<Record<string, number>>;
  /** Mean instances a judged row; null when no row was judged. */
  readonly means: Readonly<Record<keyof BehaviourCells, number | null>>;
}

const whole = z.number().int();
/** The part of a completion row that is needed. */
export const judgedRowSchema = z.looseObject({
  puzzle_id: z.string(),
  generated: z.string(),
  ground_truth: z.looseObject({ numbers: z.array(whole).min(1), target: whole }),
  step: whole.default(0),
  sample: whole.default(0),
});
type JudgedRow = z.infer<typeof judgedRowSchema>;

const PROGRESS_ROWS = 1000;

/**
 * Judges every completion row of a file.
 * @throws DataError `data.bad_row` with file and line for a row that lacks a field; the output is then not written
 */
export async function judgeExact(options: JudgeExactOptions): Promise<JudgeSummary> {
  const { input, output, signal, onProgress } = options;
  if (isParquet(output)) {
    throw new UsageError(`judging "${input}": expected a JSONL file to write, found "${output}"`, {
      code: "usage.judge_output",
      hint: "give an output name that ends in .jsonl",
    });
  }
  const maxTextLength = options.maxTextLength ?? MAX_TEXT_LENGTH;
  const tally = new Tally();
  async function* judged(): AsyncGenerator<BehaviourRow> {
    for await (const row of readRows(input)) {
      signal?.throwIfAborted();
      const made = judgeRow(row, maxTextLength);
      tally.add(made);
      if (tally.rows % PROGRESS_ROWS === 0) {
        onProgress?.({ done: tally.rows, total: tally.rows, unit: "completions" });
      }
      yield made;
    }
  }
  await writeJsonl(output, judged());
  onProgress?.({ done: tally.rows, total: tally.rows, unit: "completions" });
  return tally.summary();
}

/** The behaviour row of one completion. */
export function judgeRow(row: JudgedRow, maxTextLength = MAX_TEXT_LENGTH): BehaviourRow {
  const { puzzle_id, step, sample, generated, ground_truth } = row;
  const cells =
    generated.length > maxTextLength
      ? failedCells("text_too_long")
      : detectBehaviours(generated, ground_truth);
  return { puzzle_id, step, sample, judge: "exact", ...cells };
}

function failedCells(reason: string): BehaviourCells {
  const cell = (): BehaviourCell => ({ count: null, reason, spans: [] });
  return {
    verification: cell(),
    backtracking: cell(),
    subgoal_setting: cell(),
    backward_chaining: cell(),
  };
}

async function* readRows(file: string): AsyncGenerator<JudgedRow> {
  if (isParquet(file)) {
    for (const [at, value] of (await readParquet(file)).entries()) {
      yield parseRow(value, judgedRowSchema, `"${file}", row ${at + 1}`);
    }
    return;
  }
  for await (const { line, value } of readJsonlLines(file)) {
    yield parseRow(value, judgedRowSchema, `"${file}", line ${line}`);
  }
}

function isParquet(file: string): boolean {
  return path.extname(file).toLowerCase() === ".parquet";
}

/** Running sums over behaviour rows. */
class Tally {
  rows = 0;
  readonly #failed: Record<string, number> = {};
  readonly #sums = { verification: 0, backtracking: 0, subgoal_setting: 0, backward_chaining: 0 };
  #judged = 0;

  add(row: BehaviourRow): void {
    this.rows += 1;
    const { reason } = row.verification;
    if (reason !== undefined) {
      this.#failed[reason] = (this.#failed[reason] ?? 0) + 1;
      return;
    }
    this.#judged += 1;
    for (const behaviour of BEHAVIOURS) this.#sums[behaviour] += row[behaviour].count ?? 0;
  }

  summary(): JudgeSummary {
    const mean = (sum: number): number | null => (this.#judged === 0 ? null : sum / this.#judged);
    const { verification, backtracking, subgoal_setting, backward_chaining } = this.#sums;
    return {
      rows: this.rows,
      failed: this.#failed,
      means: {
        verification: mean(verification),
        backtracking: mean(backtracking),
        subgoal_setting: mean(subgoal_setting),
        backward_chaining: mean(backward_chaining),
      },
    };
  }
}

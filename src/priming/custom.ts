/** Condition `custom:<file>`: traces from a file of trace rows, written by whoever; correctness and tokens are found anew. */
import { scoreCompletion } from "../countdown/index.ts";
import { readJsonl } from "../data/jsonl.ts";
import { type Trace, traceSchema } from "../data/rows.ts";
import { DataError } from "../util/errors.ts";
import { type SplitSummary, summarize } from "./summary.ts";

/** Fields that a file may leave out. */
const customTraceSchema = traceSchema.partial({
  condition: true,
  correct: true,
  answer: true,
  source: true,
  tokens: true,
  record: true,
});

interface CustomSplit {
  readonly traces: readonly Trace[];
  readonly summary: SplitSummary;
}

/**
 * Reads the first `train` rows of a file as traces to train on, and the next `validation` rows for the evaluation loss.
 * @throws DataError `priming.too_few_traces`; `data.bad_row` for a row that is no trace
 */
export async function readCustomTraces(
  file: string,
  counts: { readonly train: number; readonly validation: number },
  countTokens: (text: string) => number,
): Promise<{ readonly train: CustomSplit; readonly validation: CustomSplit }> {
  const rows = await readJsonl(file, customTraceSchema);
  const wanted = counts.train + counts.validation;
  if (rows.length < wanted) {
    throw new DataError(
      `reading "${file}": expected ${counts.train} + ${counts.validation} traces, found ${rows.length}`,
      { code: "priming.too_few_traces", hint: "lower `train` and `validation`, or add traces" },
    );
  }
  const traces = rows.slice(0, wanted).map((row): Trace => {
    const { correct, answer } = scoreCompletion(row.completion, row);
    return {
      ...row,
      condition: `custom:${file}`,
      correct,
      answer,
      source: row.source ?? "custom",
      tokens: countTokens(row.completion),
      record: row.record ?? null,
    };
  });
  const split = (part: readonly Trace[]) => ({ traces: part, summary: summarize(part, {}) });
  return {
    train: split(traces.slice(0, counts.train)),
    validation: split(traces.slice(counts.train)),
  };
}

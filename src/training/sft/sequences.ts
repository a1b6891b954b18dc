/** Token sequences of priming traces. */
import { readJsonl } from "../../data/jsonl.ts";
import { type Trace, traceSchema } from "../../data/rows.ts";
import type { LanguageModel } from "../../model/checkpoint.ts";
import type { Tokenizer } from "../../model/tokenizer.ts";
import { DataError } from "../../util/errors.ts";
import type { TrainingSequence } from "../micro-batch.ts";

/**
 * Reads and tokenizes a file of traces.
 * @throws DataError `sft.too_long` when a trace exceeds the positions of the model; `sft.no_traces` for an empty file.
 */
export async function loadSequences(
  file: string,
  model: LanguageModel,
): Promise<TrainingSequence[]> {
  const traces = await readJsonl(file, traceSchema);
  if (traces.length === 0) {
    throw new DataError(`reading "${file}": expected at least one trace, found none`, {
      code: "sft.no_traces",
      hint: "make traces with `habits prime`",
    });
  }
  return traces.map((trace, i) => {
    const sequence = tokenizeTrace(trace, model.tokenizer, model.config.eosTokenId);
    if (sequence.ids.length > model.config.maxPositions) {
      throw new DataError(
        `reading "${file}", row ${i + 1}: ${sequence.ids.length} tokens, the model has ${model.config.maxPositions} positions`,
        {
          code: "sft.too_long",
          hint: "make shorter traces (maxTokens of the priming configuration)",
        },
      );
    }
    return sequence;
  });
}

/** Tokens of a trace: query, completion, end of text; the loss is on the last two. */
function tokenizeTrace(
  trace: Pick<Trace, "query" | "completion">,
  tokenizer: Tokenizer,
  eosTokenId: number,
): TrainingSequence {
  const prompt = tokenizer.encodePrompt(trace.query);
  const ids = [...prompt, ...tokenizer.encode(trace.completion), eosTokenId];
  return { ids, promptLength: prompt.length };
}

/** Requests for several samples of several prompts, with keys made from what the prompts say. */
import { sha256 } from "../../util/hash.ts";

/** One sequence to be sampled. */
export interface SampleRequest {
  readonly promptIds: readonly number[];
  /** Names the random stream of this sequence below the seed, e.g. `[puzzleId, sample]`. */
  readonly key: readonly (string | number)[];
}

/**
 * `n` requests for each prompt, prompt by prompt. The key is the hash of the prompt's tokens and the number of the sample; a
 * prompt that comes again goes on counting, so that its samples differ.
 */
export function sampleRequests(
  prompts: readonly (readonly number[])[],
  n: number,
): SampleRequest[] {
  const counts = new Map<string, number>();
  return prompts.flatMap((promptIds) => {
    const id = sha256(promptIds.join(" ")).slice(0, 16);
    const start = counts.get(id) ?? 0;
    counts.set(id, start + n);
    return Array.from({ length: n }, (_, i) => ({ promptIds, key: [id, start + i] }));
  });
}

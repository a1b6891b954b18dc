/** The thought of `length_matched`: one token over and over, until the completion is exactly as long as another. */
import { FILLER } from "./phrases.ts";

/** Corrections of the number of fillers before giving up; one is enough where a filler is one token. */
const MAX_CORRECTIONS = 20;

/**
 * Filler before `tail` such that all together has exactly `tokens` tokens; undefined when no number of fillers fits, which can
 * happen only under a tokenizer that merges fillers.
 */
export function matchLength(
  tail: string,
  tokens: number,
  count: (text: string) => number,
): string | undefined {
  let fillers = tokens - count(tail);
  for (let left = MAX_CORRECTIONS; left > 0 && fillers >= 0; left -= 1) {
    const text = FILLER.repeat(fillers) + tail;
    const missing = tokens - count(text);
    if (missing === 0) return text;
    fillers += missing;
  }
  return undefined;
}

/**
 * Pretraining documents of the two tiny bases. `tiny-plain` reads arithmetic, comparisons outside any puzzle, plain sentences
 * with all words of the phrase tables, and single attempts at puzzles, mostly wrong, without any habit. `tiny-habits` reads the
 * same and a share of searches with verification and backtracking. A document has no end-of-text token.
 */
import type { Random } from "../random/random.ts";
import * as kinds from "./document-kinds.ts";
import { DOCUMENT_KINDS, type DocumentKind, type DocumentOptions } from "./document-options.ts";

export {
  BASES,
  type Base,
  DOCUMENT_KINDS,
  type DocumentKind,
  type DocumentOptions,
  documentOptionsOf,
  documentOptionsSchema,
} from "./document-options.ts";

const WRITERS: Readonly<
  Record<DocumentKind, (random: Random, options: DocumentOptions) => string>
> = {
  attempt: kinds.writeAttempt,
  fact: kinds.writeFacts,
  compare: kinds.writeComparisons,
  look_for: kinds.writeLookFor,
  stop_at: kinds.writeStopAt,
  plain: kinds.writePlain,
  search: kinds.writeSearch,
};

/** Text of one document of a kind. */
export function writeDocument(
  kind: DocumentKind,
  random: Random,
  options: DocumentOptions,
): string {
  return WRITERS[kind](random, options);
}

/** A document of the stream. */
export interface PretrainingDocument {
  readonly kind: DocumentKind;
  readonly text: string;
}

/** Endless stream of documents with the weights of the options. */
export function* documents(
  random: Random,
  options: DocumentOptions,
): Generator<PretrainingDocument, never> {
  const total = DOCUMENT_KINDS.reduce((sum, kind) => sum + options[kind], 0);
  for (;;) {
    let draw = random.uniform() * total;
    const drawn = DOCUMENT_KINDS.find((kind) => {
      draw -= options[kind];
      return draw < 0;
    });
    const kind = drawn ?? "attempt";
    yield { kind, text: writeDocument(kind, random, options) };
  }
}

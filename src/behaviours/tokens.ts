/** Kinds of tokens and the codes that they carry. */
import { WordClass, type WordEntry } from "./lexicon.ts";

/** What a token is. */
export const TokenKind = {
  number: 0,
  word: 1,
  /** `+ - * /`; the code of the operator is in `values`. */
  operator: 2,
  open: 3,
  close: 4,
  /** `=` or an arrow. */
  relation: 5,
  /** `!= < > ==`; the comparison is in `values`. */
  comparison: 6,
  /** A tick or a cross; 1 or 0 in `values`. */
  mark: 7,
  /** Ends a clause; `values` says whether it also ends a sentence. */
  delimiter: 8,
} as const;

/** Codes of operators in `values`. */
export const Operator = { add: 0, subtract: 1, multiply: 2, divide: 3 } as const;

/** Codes of comparisons in `values`, as word classes. */
export const COMPARISONS = {
  equal: WordClass.hit,
  unequal: WordClass.not,
  greater: WordClass.greater,
  less: WordClass.less,
} as const;

/** Codes of delimiters in `values`. */
export const Delimiter = { clause: 0, sentence: 1, question: 2, colon: 3, comma: 4 } as const;

/** Tokens of a text, one array per field. */
export interface Tokens {
  readonly kinds: number[];
  readonly starts: number[];
  readonly ends: number[];
  /** Value of a number, or the code that the kind names. */
  readonly values: number[];
  readonly words: WordEntry[];
}

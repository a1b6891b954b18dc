/** Mixture of the pretraining documents of the tiny bases, and the ranges of their task. */
import { z } from "zod";

/** The two bases. */
export const BASES = ["tiny-plain", "tiny-habits"] as const;
export type Base = (typeof BASES)[number];

/** Kinds of documents. */
export const DOCUMENT_KINDS = [
  "attempt",
  "fact",
  "compare",
  "look_for",
  "stop_at",
  "plain",
  "search",
] as const;
export type DocumentKind = (typeof DOCUMENT_KINDS)[number];

const weight = z.number().min(0);
const share = z.number().min(0).max(1);
const whole = z.number().int().min(1);

/** Mixture of the documents and ranges of the task; weights count documents, not tokens. */
export const documentOptionsSchema = z.strictObject({
  attempt: weight.describe("weight of single attempts at a puzzle, without habits"),
  fact: weight.describe("weight of arithmetic"),
  compare: weight.describe("weight of results compared with a number, outside any puzzle"),
  look_for: weight.describe("weight of results looked up in a list, outside any puzzle"),
  stop_at: weight.describe("weight of results that end where a given number is reached"),
  plain: weight.describe("weight of sentences with all words of the phrase tables"),
  search: weight.describe("weight of searches with verification and backtracking"),
  rightShare: share.describe("share of the attempts that are made right; the others are by chance"),
  emptyShare: share.describe("share of the attempts without a thought"),
  giveUpShare: share.describe("share of the searches that end early"),
  searchHitShare: share.describe(
    "searches take puzzles that more than this share of expressions hit",
  ),
  numbers: z.number().int().min(3).max(6).describe("numbers of a puzzle"),
  largestNumber: whole.describe("largest number of a puzzle; the smallest is 1"),
  largestValue: whole.max(199).describe("largest value of a step"),
  smallestTarget: whole.describe("smallest target of a puzzle"),
  largestTarget: whole.describe("largest target of a puzzle"),
});
export type DocumentOptions = z.infer<typeof documentOptionsSchema>;

/**
 * What a base reads. Attempts are right by chance only: about one in twenty. The weights give, by tokens, about 15 % attempts, 35 %
 * arithmetic, 30 % comparisons, 15 % lists to look in and 5 % plain sentences.
 */
export function documentOptionsOf(base: Base): DocumentOptions {
  return {
    attempt: 0.2,
    fact: 0.5,
    compare: 0.16,
    look_for: 0.13,
    stop_at: 0.08,
    plain: 0.06,
    search: base === "tiny-habits" ? 0.04 : 0,
    rightShare: 0,
    emptyShare: 0.15,
    giveUpShare: 0.5,
    searchHitShare: 0.1,
    numbers: 3,
    largestNumber: 13,
    largestValue: 99,
    smallestTarget: 10,
    largestTarget: 99,
  };
}

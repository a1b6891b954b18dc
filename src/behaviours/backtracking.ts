/**
 * Backtracking: an attempt is left, in words or by a new combination that does not use the last result. Words and the new
 * combination after them are one instance. A side result counts only when the attempt never joins it with the result that
 * it passed over.
 */
import type { Span } from "../data/rows.ts";
import { sameValue } from "./expression.ts";
import { WordClass, wordSet } from "./lexicon.ts";
import type { Clause, Computation, Segments } from "./segment.ts";
import { TokenKind } from "./tokens.ts";

/** A value without which the attempt would count as left. */
interface Side {
  readonly passedOver: number;
  readonly index: number;
}

const INITIAL_VERBS = wordSet("leave drop discard undo");

/** Counts backtracks; clauses and steps are told to it in the order of the text. */
export class BacktrackCounter {
  readonly #spans: (Span | undefined)[] = [];
  #sides: Side[] = [];
  #words: "numbers" | "earlier" | undefined;

  /** Words have left the attempt, for the numbers or an earlier state, and no step has followed yet. */
  get leftInWords(): "numbers" | "earlier" | undefined {
    return this.#words;
  }

  /** Instances in the order of the text. */
  get spans(): Span[] {
    return this.#spans.filter((span) => span !== undefined);
  }

  /** A clause that leaves the attempt. */
  onWords(clause: Clause, segments: Segments): void {
    if (this.#words === undefined) this.#spans.push({ start: clause.start, end: clause.end });
    const toNumbers = this.#words === "numbers" || namesBeginning(clause, segments);
    this.#words = toNumbers ? "numbers" : "earlier";
    this.#sides = [];
  }

  /** A step that begins a new combination. */
  onLeave(computation: Computation): void {
    if (this.#words === undefined)
      this.#spans.push({ start: computation.start, end: computation.end });
    this.#sides = [];
  }

  /** A step on other values of the table, which passes over the last result. */
  onSide(computation: Computation, passedOver: number): void {
    if (this.#words !== undefined) return;
    this.#sides.push({ passedOver, index: this.#spans.length });
    this.#spans.push({ start: computation.start, end: computation.end });
  }

  /** A step that goes on: what it uses was not left. */
  onUse(leaves: readonly number[]): void {
    if (this.#sides.length === 0) return;
    this.#sides = this.#sides.filter(({ passedOver, index }) => {
      const joined = leaves.some((leaf) => sameValue(leaf, passedOver));
      if (joined) this.#spans[index] = undefined;
      return !joined;
    });
  }

  /** Any step ends the reach of the words before it. */
  onStep(): void {
    this.#words = undefined;
  }
}

const BEGINNING = wordSet(
  "go going over numbers beginning scratch start starting top restart leave drop scrap abandon different another new",
);

/** The words go back to the numbers rather than one step. */
function namesBeginning(clause: Clause, segments: Segments): boolean {
  for (let at = clause.first; at < clause.last; at += 1) {
    if (BEGINNING.has(segments.tokens.words[at]?.text ?? "")) return true;
  }
  return false;
}

/** True when the clause leaves an attempt in words: "go back to 17", "instead", "drop 17", "back". */
export function leavesAttempt(clause: Clause, segments: Segments): boolean {
  const { tokens } = segments;
  if ((clause.classes & WordClass.back) !== 0) return true;
  const first = tokens.words[clause.first]?.text ?? "";
  const length = clause.last - clause.first;
  if (length === 1) return first === "back";
  return (
    length === 2 &&
    INITIAL_VERBS.has(first) &&
    first !== "undo" &&
    tokens.kinds[clause.first + 1] === TokenKind.number
  );
}

/**
 * Backward chaining: a value is derived from the target, or from a value so derived, by an inverse operation: an equation
 * with it as an operand (`66 + 6 = 72`), the target taken apart (`66 = 6 * 11`), or words ("we need 72 before subtracting 6",
 * "8 more"). Distinct inferences count.
 */
import type { Span } from "../data/rows.ts";
import type { Attempt } from "./attempt.ts";
import { applyOperator, sameValue } from "./expression.ts";
import { WordClass, wordSet } from "./lexicon.ts";
import type { Clause, Computation, Segments } from "./segment.ts";
import { Operator, TokenKind } from "./tokens.ts";

const { aim, before, more, reverse, because } = WordClass;
const OPERATORS = [Operator.add, Operator.subtract, Operator.multiply, Operator.divide];
/** Derived values that are kept; more only come from degenerate text. */
const MAX_DERIVED = 64;

/** Counts inferences from the target; computations and clauses are told to it in the order of the text. */
export class BackwardCounter {
  readonly spans: Span[] = [];
  readonly #target: number;
  readonly #derived: number[] = [];
  readonly #inferences = new Set<string>();
  /** Values derived in each sentence that derives any. */
  readonly #bySentence = new Map<number, number[]>();

  constructor(target: number) {
    this.#target = target;
  }

  /** True when the sentence derives the value. */
  derives(sentence: number, value: number): boolean {
    const values = this.#bySentence.get(sentence);
    return values?.some((derived) => sameValue(derived, value)) ?? false;
  }

  /** The value that an inverse computation derives; undefined for a computation that is none. */
  derivedBy(
    computation: Computation,
    attempt: Attempt,
    sentenceClasses: number,
  ): number | undefined {
    const { leaves, result, reversed } = computation;
    if (sameValue(attempt.last, this.#target) || leaves.length < 2) return undefined;
    const foreign = leaves.filter(
      (leaf) => !attempt.isGiven(leaf) && !sameValue(leaf, attempt.last),
    );
    if (reversed && this.#isGoal(result)) {
      return foreign.length > 0 && !attempt.holds(leaves) ? (foreign[0] as number) : undefined;
    }
    const goal = this.#goalAmong(leaves, attempt);
    if (goal === undefined) {
      const supposed = (sentenceClasses & because) !== 0;
      const apart = leaves.length === 2 && foreign.length === 1 && !attempt.usesLast(computation);
      const fits = supposed && apart && sameValue(result, this.#target);
      return fits ? (foreign[0] as number) : undefined;
    }
    if ((sentenceClasses & reverse) !== 0) return result;
    if (attempt.holds(leaves)) return undefined;
    if (attempt.usesLast(computation) && !sameValue(goal, this.#target)) return undefined;
    return result;
  }

  /** Takes an inverse computation. */
  onInverse(computation: Computation, derived: number): void {
    const { leaves, operators, result } = computation;
    const [left = 0, right = 0] = leaves;
    // The relation x + y = z or x * y = z behind the computation, and the value that it yields.
    const sum = operators[0] === Operator.add || operators[0] === Operator.multiply;
    const [x, y, z] = sum ? [left, right, result] : [right, result, left];
    const kind = (operators[0] as number) <= Operator.subtract ? "+" : "*";
    const relation =
      leaves.length === 2 ? `${Math.min(x, y)}${kind}${Math.max(x, y)}=${z}` : leaves.join(" ");
    this.#infer(computation, `${relation}>${derived}`, derived);
  }

  /** Takes a clause; true when it derives a value from the target in words. */
  onClause(clause: Clause, segments: Segments, attempt: Attempt): boolean {
    const value = derivedInWords(clause, segments, { target: this.#target, attempt });
    if (value === undefined) return false;
    if (!this.#derived.some((derived) => sameValue(derived, value))) {
      this.#infer(clause, `words>${value}`, value);
    }
    return true;
  }

  #infer(
    source: { start: number; end: number; sentence: number },
    key: string,
    derived: number,
  ): void {
    if (!this.#inferences.has(key)) {
      this.#inferences.add(key);
      this.spans.push({ start: source.start, end: source.end });
    }
    if (this.#derived.length < MAX_DERIVED) this.#derived.push(derived);
    const values = this.#bySentence.get(source.sentence);
    if (values === undefined) this.#bySentence.set(source.sentence, [derived]);
    else if (values.length < MAX_DERIVED) values.push(derived);
  }

  #isGoal(value: number): boolean {
    return sameValue(value, this.#target) || this.#derived.some((known) => sameValue(known, value));
  }

  /** The target if it is among the values, else a derived value among them that is no given number. */
  #goalAmong(values: readonly number[], attempt: Attempt): number | undefined {
    const target = values.find((value) => sameValue(value, this.#target));
    return target ?? values.find((value) => this.#isGoal(value) && !attempt.isGiven(value));
  }
}

/** Words of need or duty before a value that some last operation takes to the target. */
function derivedInWords(
  clause: Clause,
  segments: Segments,
  state: { readonly target: number; readonly attempt: Attempt },
): number | undefined {
  const { tokens, classes, sentenceClasses } = segments;
  const [first] = numbersOf(clause, segments);
  if (first === undefined) return undefined;
  const value = tokens.values[first] as number;
  if (sameValue(value, state.target)) return undefined;
  const toGo = tokens.words[first + 1]?.text === "to" && tokens.words[first + 2]?.text === "go";
  if (toGo && sameValue(state.attempt.last + value, state.target)) return value;
  if ((clause.classes & aim) === 0 && !hasDuty(clause, segments)) return undefined;
  const amount =
    ((classes[first - 1] ?? 0) & more) !== 0 ||
    (first + 1 < clause.last && ((classes[first + 1] as number) & more) !== 0) ||
    (first + 1 < clause.last && tokens.words[first + 1]?.text === "off");
  if (amount || isRemainder(first, segments, state)) return value;
  const sentence = sentenceClasses[clause.sentence] ?? clause.classes;
  if (((clause.classes | sentence) & before) === 0 && (sentence & reverse) === 0) return undefined;
  return yieldsTarget(value, clause, segments, state) ? value : undefined;
}

/** "I need 10" when the last result is 10 short of the target. */
function isRemainder(
  number: number,
  segments: Segments,
  state: { readonly target: number; readonly attempt: Attempt },
): boolean {
  const { words, values } = segments.tokens;
  if (words[number - 1]?.text !== "need") return false;
  return sameValue(state.attempt.last + (values[number] as number), state.target);
}

/** "must give", "must be", "must have" and the like. */
function hasDuty(clause: Clause, segments: Segments): boolean {
  for (let at = clause.first; at < clause.last; at += 1) {
    if (DUTIES.has(segments.tokens.words[at]?.text ?? "")) return true;
  }
  return false;
}
const DUTIES = wordSet("must should have");

function numbersOf(clause: Clause, segments: Segments): number[] {
  const found: number[] = [];
  for (let at = clause.first; at < clause.last && found.length < 8; at += 1) {
    if (segments.tokens.kinds[at] === TokenKind.number) found.push(at);
  }
  return found;
}

/** Some operation of the value with another number of the sentence gives the target. */
function yieldsTarget(
  value: number,
  clause: Clause,
  segments: Segments,
  state: { readonly target: number; readonly attempt: Attempt },
): boolean {
  const { tokens } = segments;
  const from = Math.max(0, clause.first - 24);
  const to = Math.min(tokens.kinds.length, clause.last + 24);
  for (let at = from; at < to; at += 1) {
    if (tokens.kinds[at] !== TokenKind.number) continue;
    const other = tokens.values[at] as number;
    if (!state.attempt.isGiven(other)) continue;
    for (const operator of OPERATORS) {
      if (sameValue(applyOperator(operator, value, other), state.target)) return true;
      if (sameValue(applyOperator(operator, other, value), state.target)) return true;
    }
  }
  return false;
}

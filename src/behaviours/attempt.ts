/**
 * The attempt that a text is in: which values are on the table, by which steps they came there, and what was computed
 * before. A step takes its operands from the table and puts its result there. A step that does not use the last result
 * leaves the attempt, unless it makes a side result that the attempt joins with its other result later.
 */
import { sameValue } from "./expression.ts";
import type { Computation } from "./segment.ts";
import { Operator } from "./tokens.ts";

/** How a new computation stands to the attempt. */
export type Move =
  /** The first step of the text. */
  | "first"
  /** Uses the last result. */
  | "next"
  /** Uses other values that are on the table; the attempt is left unless it joins the two results later. */
  | "side"
  /** A new combination of the numbers or of an earlier state. */
  | "leave";

interface Step {
  readonly computation: Computation;
  /** Its place in the path. */
  readonly at: number;
  /** Values on the table before it. */
  readonly table: readonly number[];
}

interface SeenComputation {
  readonly step: Step | undefined;
  readonly result: number;
  readonly right: boolean;
}

/** Inverse of each operator, by code. */
const INVERSE = [Operator.subtract, Operator.add, Operator.divide, Operator.multiply];

/** Steps back that are looked at for an earlier state; longer chains only come from degenerate text. */
const MAX_STEPS_BACK = 16;
/** Misread numbers that are remembered. */
const MAX_ASSUMED = 6;

/** Result of a computation: as written, or its exact value where none is written. */
export function resultOf(computation: Computation): number {
  return Number.isNaN(computation.result) ? computation.value : computation.result;
}

/** True when the written result is the value, up to rounding where the result has decimals. */
export function isRight(computation: Computation): boolean {
  if (sameValue(computation.value, computation.result)) return true;
  if (Number.isInteger(computation.result)) return false;
  return Math.abs(computation.value - computation.result) < 0.006;
}

/** Name of a computation: equal for the same operation on the same values, operands of + and * in either order. */
export function computationKey(computation: Computation): string {
  const { leaves, operators } = computation;
  if (leaves.length !== 2) return `${leaves.join(" ")}|${operators.join("")}`;
  return pairKey(leaves[0] as number, operators[0] as number, leaves[1] as number);
}

function pairKey(left: number, operator: number, right: number): string {
  const commutes = operator === Operator.add || operator === Operator.multiply;
  return commutes && right < left ? `${right} ${left}|${operator}` : `${left} ${right}|${operator}`;
}

/** What is left of `table` without `values`; undefined when it does not hold them all. */
export function without(
  table: readonly number[],
  values: readonly number[],
): readonly number[] | undefined {
  if (values.length > table.length) return undefined;
  const rest = [...table];
  for (const value of values) {
    const at = rest.findIndex((other) => sameValue(other, value));
    if (at < 0) return undefined;
    rest.splice(at, 1);
  }
  return rest;
}

/** State of the attempt; computations are told to it in the order of the text. */
export class Attempt {
  readonly #numbers: readonly number[];
  readonly #seen = new Map<string, SeenComputation>();
  /** The given numbers, and after them those that steps took for given. */
  readonly #supply: number[];
  #table: readonly number[];
  #path: Step[] = [];
  /** Leaves of all steps of the path. */
  #leaves = 0;
  #last = Number.NaN;

  constructor(numbers: readonly number[]) {
    this.#numbers = numbers;
    this.#supply = [...numbers];
    this.#table = numbers;
  }

  /** Result of the last step; NaN before the first. */
  get last(): number {
    return this.#last;
  }

  /** True when as many numbers are used as are given. */
  get isComplete(): boolean {
    return this.#used >= this.#numbers.length;
  }

  /** True for a value among the given numbers, or one that earlier steps took for a given number. */
  isGiven(value: number): boolean {
    return this.#supply.some((number) => sameValue(number, value));
  }

  /** True when the values are on the table, were so earlier in the attempt, or are given numbers. */
  holds(values: readonly number[]): boolean {
    return this.#fits(values) || this.#earlierState(values) !== undefined;
  }

  /** True when the operands include the last result. */
  usesLast(computation: Computation): boolean {
    return computation.leaves.some((leaf) => sameValue(leaf, this.#last));
  }

  /** True when the same computation was made before. */
  wasComputed(computation: Computation): boolean {
    return this.#seen.has(computationKey(computation));
  }

  /** True when it undoes a computation that was made before: `25 + 3 = 28` after `28 - 3 = 25`. */
  undoesEarlier(computation: Computation): boolean {
    const { leaves, operators } = computation;
    if (leaves.length !== 2) return false;
    const [left, right] = leaves as [number, number];
    const result = resultOf(computation);
    const operator = operators[0] as number;
    const inverse = INVERSE[operator] as number;
    const sums = operator === Operator.add || operator === Operator.multiply;
    const other = sums ? pairKey(result, inverse, left) : pairKey(left, operator, result);
    return this.#seen.has(pairKey(result, inverse, right)) || this.#seen.has(other);
  }

  /** True when it is the whole attempt, or a step of it, written again. */
  restates(computation: Computation): boolean {
    const value = resultOf(computation);
    const seen = this.#seen.get(computationKey(computation));
    if (seen?.step !== undefined && this.#onPath(seen.step)) return true;
    if (!sameValue(value, this.#last) || computation.leaves.length < 2) return false;
    return (
      this.#used === computation.leaves.length &&
      without(this.#numbers, computation.leaves) !== undefined
    );
  }

  /** True when a step of the attempt is written again with another result, one of the two being wrong. */
  corrects(computation: Computation): boolean {
    const seen = this.#seen.get(computationKey(computation));
    if (seen?.step === undefined || !this.#onPath(seen.step)) return false;
    return !sameValue(seen.result, computation.result) && !(seen.right && isRight(computation));
  }

  /** True when it is the last step, word for word. */
  repeatsLast(computation: Computation): boolean {
    const step = this.#path.at(-1);
    return step !== undefined && computationKey(step.computation) === computationKey(computation);
  }

  /** Goes on after a step of the path with a corrected result. */
  correct(computation: Computation): void {
    const seen = this.#seen.get(computationKey(computation));
    if (seen?.step === undefined) return;
    if (!this.#onPath(seen.step)) return;
    this.#truncate(seen.step.at);
    this.#push(computation, seen.step.table);
  }

  /** Notes a computation that is no step, so that it is known when it comes again. */
  note(computation: Computation): void {
    const key = computationKey(computation);
    if (this.#seen.has(key)) return;
    this.#seen.set(key, {
      step: undefined,
      result: resultOf(computation),
      right: isRight(computation),
    });
  }

  /** How the computation stands to the attempt, before it is taken. */
  moveOf(computation: Computation): Move {
    if (this.#path.length === 0) return "first";
    const { leaves } = computation;
    const fits = this.#fits(leaves);
    if (this.#unfoldsLast(computation)) return "next";
    if (this.usesLast(computation)) {
      return fits || this.#earlierState(leaves) === undefined ? "next" : "leave";
    }
    return fits ? "side" : "leave";
  }

  /** The last step stands in it, not as its result but written out: `6 * 9 + 20` after `6 * 9 = 54`. */
  #unfoldsLast(computation: Computation): boolean {
    const { leaves, operators } = computation;
    const step = this.#path.at(-1)?.computation;
    if (step === undefined || step.leaves.length !== 2 || leaves.length <= 2) return false;
    const key = computationKey(step);
    return operators.some(
      (operator, at) => pairKey(leaves[at] as number, operator, leaves[at + 1] as number) === key,
    );
  }

  /**
   * True when the step goes on from the last result, yet with numbers that are on the table only if the last step was the
   * first of a new combination: `3 * 1 = 3, 3 * 10 = 30` and then `30 + 1 = 31`.
   */
  showsRestart(step: Computation): boolean {
    const last = this.#path.at(-1)?.computation;
    if (last === undefined || !this.usesLast(step) || this.#fits(step.leaves)) return false;
    if (this.#earlierState(step.leaves) !== undefined) return false;
    const rest = without(this.#numbers, last.leaves);
    return rest !== undefined && without([...rest, this.#last], step.leaves) !== undefined;
  }

  /** Takes the last step for the first of a new combination of the numbers. */
  restart(): void {
    const last = this.#path.at(-1)?.computation;
    if (last === undefined) return;
    this.#truncate(0);
    this.#push(last, this.#numbers);
  }

  /**
   * Takes a step.
   * @param leaving true when the attempt is left before it, by words or by the step itself
   */
  take(computation: Computation, leaving: boolean): void {
    const { leaves } = computation;
    const goesOn = this.#fits(leaves) && this.usesLast(computation);
    if (leaving && !goesOn) {
      const at = this.#earlierState(leaves);
      this.#truncate(at ?? 0);
    }
    this.#push(computation, this.#table);
  }

  /** Index of the latest step of the path before which the table held the values. */
  #earlierState(values: readonly number[]): number | undefined {
    const stop = Math.max(0, this.#path.length - MAX_STEPS_BACK);
    for (let at = this.#path.length - 1; at >= stop; at -= 1) {
      if (without((this.#path[at] as Step).table, values) !== undefined) return at;
    }
    return without(this.#supply, values) === undefined ? undefined : 0;
  }

  #truncate(length: number): void {
    const table = this.#path[length]?.table ?? this.#table;
    for (const step of this.#path.slice(length)) this.#leaves -= step.computation.leaves.length;
    this.#path.length = length;
    this.#table = length === 0 ? this.#numbers : table;
  }

  #push(computation: Computation, table: readonly number[]): void {
    const step: Step = { computation, at: this.#path.length, table };
    this.#path.push(step);
    this.#leaves += computation.leaves.length;
    let rest = table;
    for (const leaf of computation.leaves) {
      const less = without(rest, [leaf]);
      if (less === undefined) this.assume(leaf);
      else rest = less;
    }
    const result = resultOf(computation);
    this.#table = [...rest, result];
    this.#last = result;
    this.#seen.set(computationKey(computation), {
      step,
      result,
      right: Number.isNaN(computation.result) || isRight(computation),
    });
  }

  /** The values are on the table, or are misread numbers that the path has not used. */
  #fits(values: readonly number[]): boolean {
    if (without(this.#table, values) !== undefined) return true;
    const misread = this.#supply.slice(this.#numbers.length);
    const steps = this.#path.slice(-MAX_STEPS_BACK);
    const unused = misread.filter(
      (value) => !steps.some(({ computation }) => computation.leaves.includes(value)),
    );
    return unused.length > 0 && without([...this.#table, ...unused], values) !== undefined;
  }

  /** Takes a number that is not given for one that is: it was used or listed as if it were, by a misreading. */
  assume(value: number): void {
    if (this.#supply.length - this.#numbers.length >= MAX_ASSUMED) return;
    if (!this.isGiven(value)) this.#supply.push(value);
  }

  /** Numbers that went into the path, each result counted by what it was made of. */
  get #used(): number {
    return this.#leaves - this.#path.length + 1;
  }

  #onPath(step: Step): boolean {
    return this.#path[step.at] === step;
  }
}

/**
 * The attempt that a text is in: which values are on the table, by which steps they came there, and what was computed
 * before. A step takes its operands from the table and puts its result there. A step that does not use the last result
 * leaves the attempt, unless it makes a side result that the attempt joins with its other result later.
 */
import { pairKey, sameValue } from "./expression.ts";
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

/** What is on the table after some steps; a tree, as an attempt can be left for any earlier state. */
interface State {
  readonly table: readonly number[];
  /** State before the last step; undefined for the given numbers. */
  readonly parent: State | undefined;
  readonly computation: Computation | undefined;
  /** Numbers that went into it, each result counted by what it was made of. */
  readonly used: number;
}

interface SeenComputation {
  readonly state: State | undefined;
  readonly result: number;
  readonly right: boolean;
}

/** Bounds chosen by us, so that degenerate text costs linear time: steps back to an earlier state, */
const MAX_STEPS_BACK = 16;
/** given numbers (a table is held in the bits of one integer), */
const MAX_NUMBERS = 20;
/** readings of where a new combination began, */
const MAX_READINGS = 4;
/** and misread numbers that are remembered. */
const MAX_ASSUMED = 6;

/** Inverse of each operator, by code. */
const INVERSE = [Operator.subtract, Operator.add, Operator.divide, Operator.multiply];

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

/** True when the table holds all the values, each for itself. */
function covers(table: readonly number[], values: readonly number[]): boolean {
  if (values.length > table.length) return false;
  let taken = 0;
  for (const value of values) {
    let at = 0;
    while (
      at < table.length &&
      ((taken & (1 << at)) !== 0 || !sameValue(table[at] as number, value))
    ) {
      at += 1;
    }
    if (at === table.length) return false;
    taken |= 1 << at;
  }
  return true;
}

/** Two neighbours in the computation, with the operator between them, have the key. */
function containsPair({ leaves, operators }: Computation, key: string): boolean {
  return operators.some(
    (operator, at) => pairKey(leaves[at] as number, operator, leaves[at + 1] as number) === key,
  );
}

function moveToFront<T>(list: T[], item: T): void {
  const at = list.indexOf(item);
  if (at > 0) list.unshift(...list.splice(at, 1));
}

/**
 * State of the attempt; computations are told to it in the order of the text. Where a new combination may have begun in
 * several earlier states, all readings are kept until a later step fits only some of them.
 */
export class Attempt {
  readonly #numbers: readonly number[];
  readonly #root: State;
  readonly #seen = new Map<string, SeenComputation>();
  /** The given numbers, and after them those that steps took for given. */
  readonly #supply: number[];
  /** Readings of the present state, the nearest first. */
  #states: readonly State[];
  #last = Number.NaN;
  #lastComputation: Computation | undefined;

  constructor(numbers: readonly number[]) {
    this.#numbers = numbers.slice(0, MAX_NUMBERS);
    this.#supply = [...this.#numbers];
    this.#root = { table: this.#numbers, parent: undefined, computation: undefined, used: 0 };
    this.#states = [this.#root];
  }

  /** Result of the last step; NaN before the first. */
  get last(): number {
    return this.#last;
  }

  /** True when as many numbers are used as are given. */
  get isComplete(): boolean {
    return this.#states.some((state) => state.used >= this.#numbers.length);
  }

  /** True for a value among the given numbers, or one that earlier steps took for a given number. */
  isGiven(value: number): boolean {
    return this.#supply.some((number) => sameValue(number, value));
  }

  /** Takes a number that is not given for one that is: it was used or listed as if it were, by a misreading. */
  assume(value: number): void {
    if (this.#supply.length - this.#numbers.length >= MAX_ASSUMED) return;
    if (!this.isGiven(value)) this.#supply.push(value);
  }

  /** True when the values are on the table, were so earlier in the attempt, or are given numbers. */
  holds(values: readonly number[]): boolean {
    return this.fits(values) || this.#earlierStates(this.#states, values).length > 0;
  }

  /** True when the values are on the table. */
  fits(values: readonly number[]): boolean {
    return this.#states.some((state) => this.#offers(state, values));
  }

  /** True when the operands include the last result. */
  usesLast(computation: Computation): boolean {
    return computation.leaves.some((leaf) => sameValue(leaf, this.#last));
  }

  /** True when the last step has the value as an operand. */
  lastUsed(value: number): boolean {
    return this.#lastComputation?.leaves.some((leaf) => sameValue(leaf, value)) ?? false;
  }

  /** True when the same computation was made before. */
  wasComputed(computation: Computation): boolean {
    return this.#seen.has(computation.key);
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
    if (this.#seenOnPath(computation) !== undefined) return true;
    const { leaves } = computation;
    if (leaves.length < 2 || !sameValue(resultOf(computation), this.#last)) return false;
    const whole = this.#states.some((state) => state.used === leaves.length);
    return whole && covers(this.#numbers, leaves);
  }

  /** True when a step of the attempt is written again with another result, one of the two being wrong. */
  corrects(computation: Computation): boolean {
    const seen = this.#seenOnPath(computation);
    if (seen === undefined || sameValue(seen.result, computation.result)) return false;
    return !(seen.right && isRight(computation));
  }

  /**
   * True when it is a part of the last step worked out: `9 * 8 = 72` after `9 * 8 - 6 = 66`, and then `72 - 6 = 66`.
   * @param parts results of such computations since the last step
   */
  unfolds(computation: Computation, parts: readonly number[]): boolean {
    const last = this.#lastComputation;
    const { leaves, operators } = computation;
    if (last === undefined || last.leaves.length <= leaves.length || leaves.length !== 2)
      return false;
    if (!operators.every((operator) => last.operators.includes(operator))) return false;
    if (containsPair(last, computation.key)) return true;
    if (parts.length === 0 || covers(last.leaves, leaves)) return false;
    return covers([...last.leaves, ...parts], leaves);
  }

  /** True when it is the last step, word for word. */
  repeatsLast(computation: Computation): boolean {
    const last = this.#lastComputation;
    return last !== undefined && last.key === computation.key;
  }

  /** Goes on after a step of the attempt with a corrected result. */
  correct(computation: Computation): void {
    const base = this.#seenOnPath(computation)?.state?.parent;
    if (base !== undefined) this.#advance([base], computation);
  }

  /** Notes a computation that is no step, so that it is known when it comes again. */
  note(computation: Computation): void {
    const key = computation.key;
    if (this.#seen.has(key)) return;
    const result = resultOf(computation);
    this.#seen.set(key, { state: undefined, result, right: isRight(computation) });
  }

  /**
   * True when `repeat`, the last step written again, began a new combination: the step after it needs numbers that are on
   * the table only then, as in `3 * 1 = 3, 3 * 10 = 30. 3 * 10 = 30, 30 + 1 = 31`.
   */
  showsRestart(repeat: Computation, step: Computation): boolean {
    const present = this.#states[0];
    if (present === undefined || this.#offers(present, step.leaves)) return false;
    return this.#restarts(repeat, step).length > 0;
  }

  /** Takes a repeated step for the first of a new combination that goes on with `step`. */
  restart(repeat: Computation, step: Computation): void {
    this.#advance(this.#restarts(repeat, step), repeat);
  }

  /** Earlier states from which `repeat` leads to a table for `step`. */
  #restarts(repeat: Computation, step: Computation): State[] {
    return this.#earlierStates(this.#states, repeat.leaves).filter((base) =>
      covers(this.#child(base, repeat).table, step.leaves),
    );
  }

  /**
   * Takes a step and tells how it stands to the attempt.
   * @param left how words have left the attempt before it: for the numbers, or for an earlier state; undefined for no words
   */
  take(computation: Computation, left: "numbers" | "earlier" | undefined): Move {
    const { leaves } = computation;
    const usesLast = this.usesLast(computation);
    const here = this.#states.filter((state) => this.#offers(state, leaves));
    const move = this.#moveOf(computation, usesLast, here);
    let bases: readonly State[] = here;
    if (move !== "next" || left !== undefined) {
      const back = this.#earlierStates(this.#states, leaves);
      if (left === "numbers") moveToFront(back, this.#root);
      // Words leave the present state even for values that are still on the table.
      const stays = left === undefined || (left === "earlier" && usesLast);
      bases = stays ? [...here, ...back] : [...back, ...here];
    }
    if (bases.length === 0) bases = move === "next" ? this.#states.slice(0, 1) : [this.#root];
    this.#advance(bases, computation);
    return move;
  }

  #moveOf(computation: Computation, usesLast: boolean, here: readonly State[]): Move {
    if (this.#lastComputation === undefined) return "first";
    if (this.#unfoldsLast(computation)) return "next";
    const goesOn = usesLast ? "next" : "side";
    // The nearest reading that explains the computation decides.
    for (const state of this.#states) {
      if (here.includes(state)) return goesOn;
      if (this.#earlierStates([state], computation.leaves).length > 0) return "leave";
    }
    return usesLast ? "next" : "leave";
  }

  /** The values are on the table of the state, or are misread numbers that it has not used. */
  #offers(state: State, values: readonly number[]): boolean {
    if (covers(state.table, values)) return true;
    if (
      this.#supply.length === this.#numbers.length ||
      values.length > state.table.length + MAX_ASSUMED
    ) {
      return false;
    }
    const used: number[] = [];
    let at: State | undefined = state;
    for (let back = 0; at !== undefined && back < MAX_STEPS_BACK; back += 1, at = at.parent) {
      if (at.computation !== undefined) used.push(...at.computation.leaves);
    }
    const misread = this.#supply.slice(this.#numbers.length);
    const unused = misread.filter((value) => !used.includes(value));
    return unused.length > 0 && covers([...state.table, ...unused], values);
  }

  /** States before the given ones that offer the values: reading by reading, the latest first. */
  #earlierStates(states: readonly State[], values: readonly number[]): State[] {
    const found: State[] = [];
    const add = (state: State): void => {
      if (found.length < MAX_READINGS && !found.includes(state) && this.#offers(state, values)) {
        found.push(state);
      }
    };
    for (const state of states) {
      let at = state.parent;
      for (let back = 0; at !== undefined && back < MAX_STEPS_BACK; back += 1, at = at.parent) {
        add(at);
      }
      if (state !== this.#root) add(this.#root);
    }
    return found;
  }

  #advance(bases: readonly State[], computation: Computation): void {
    for (const leaf of computation.leaves) {
      if (!this.#onTables(bases, leaf)) this.assume(leaf);
    }
    this.#states = bases.slice(0, MAX_READINGS + 1).map((base) => this.#child(base, computation));
    this.#last = resultOf(computation);
    this.#lastComputation = computation;
    this.#seen.set(computation.key, {
      state: this.#states[0],
      result: this.#last,
      right: Number.isNaN(computation.result) || isRight(computation),
    });
  }

  #onTables(states: readonly State[], value: number): boolean {
    return states.some(({ table }) => table.some((other) => sameValue(other, value)));
  }

  #child(parent: State, computation: Computation): State {
    const table = parent.table.slice();
    for (const leaf of computation.leaves) {
      const at = table.findIndex((value) => sameValue(value, leaf));
      if (at >= 0) table.splice(at, 1);
    }
    table.push(resultOf(computation));
    const joins = parent.computation === undefined ? 0 : 1;
    return {
      table,
      parent,
      computation,
      used: parent.used + computation.leaves.length - joins,
    };
  }

  /** The same computation, if it was made as a step that led to the present state. */
  #seenOnPath(computation: Computation): SeenComputation | undefined {
    const seen = this.#seen.get(computation.key);
    if (seen?.state === undefined) return undefined;
    for (const state of this.#states) {
      let at: State | undefined = state;
      for (let back = 0; at !== undefined && back < MAX_STEPS_BACK; back += 1, at = at.parent) {
        if (at === seen.state || at.computation === seen.state.computation) return seen;
      }
    }
    return undefined;
  }

  /** The last step stands in it, not as its result but written out: `6 * 9 + 20` after `6 * 9 = 54`. */
  #unfoldsLast(computation: Computation): boolean {
    const last = this.#lastComputation;
    if (last === undefined || last.leaves.length !== 2 || computation.leaves.length <= 2)
      return false;
    return containsPair(computation, last.key);
  }
}

/**
 * Every distinct expression over some numbers, each exactly once, in rational arithmetic.
 *
 * A form is a class of expressions that are equal by commutativity, associativity, a - (b - c) = a + c - b,
 * a / (b / c) = a * c / b, and the moving of signs ((a - b) * (c - d) = (b - a) * (d - c)), with equal numbers
 * interchangeable; nothing is equal merely because the values are. A sum is a multiset of forms that are not sums, each
 * with a sign; a product is a multiset of forms that are not products, each with exponent 1 or -1, one of them 1. Forms are
 * built for every sub-multiset of the numbers from the parts of its partitions, taken in non-decreasing order, so
 * that none comes twice and nothing has to be compared.
 *
 * Forms are kept up to sign. There is no sign in front of an expression, so a form yields both its value and the
 * opposite only when its sign is free, that is when a difference stands somewhere in it: a + b cannot be negated, a - b can.
 * Expressions that divide by zero have no value and are left out. For 1 to 6 distinct numbers without such divisions
 * there are 1, 6, 68, 1,170, 27,142 and 793,002 expressions (OEIS A140606).
 */
import type { Operator } from "./expression.ts";
import {
  type BigFraction,
  combineDoubles,
  combineExactly,
  type Fraction,
  fitsDoubles,
} from "./rational.ts";

/**
 * Which signs a form can take: `fixed` only its own; `free` both, as two expressions; `null` both, as the same
 * expression, since swapping equal numbers turns it round (5 - 5).
 */
export type FormSign = "fixed" | "free" | "null";

/** A form inside a sum (direction: its sign) or a product (direction: its exponent). */
export interface Part {
  readonly form: Form;
  readonly direction: 1 | -1;
}

export interface Form {
  readonly kind: "number" | "sum" | "product";
  /** Value of the form as its parts stand. */
  readonly value: Value;
  readonly sign: FormSign;
  /** Parts of a sum or product; empty for a number. */
  readonly parts: readonly Part[];
}

type Value = Fraction | BigFraction;

/** Called for each form over all the numbers; `form` is valid only during the call. */
export type FormVisitor = (form: Form) => void;

/** Most numbers that are enumerated: seven distinct ones have 27,914,126 expressions. */
export const MAX_NUMBERS = 6;

/** The blocks that a partition may go on with: sub-multisets, by index, in order. */
interface Blocks {
  readonly last: number;
  next(rest: number, from: number): readonly number[];
}

/** Calls `visit` for every form over all of `numbers`, in a fixed order that depends on their values alone. */
export function visitForms(numbers: readonly number[], visit: FormVisitor): void {
  const combine = (fitsDoubles(numbers, 1) ? combineDoubles : combineExactly) as unknown as Combine;
  const big = combine === (combineExactly as unknown as Combine);
  const sorted = [...numbers].sort((a, b) => a - b);
  const values = [...new Set(sorted)];
  const counts = values.map((value) => sorted.filter((number) => number === value).length);
  const blocks = makeBlocks(counts);
  const nonSums: Form[][] = [];
  const nonProducts: Form[][] = [];
  let leafIndex = 1;
  const leaves = new Map<number, Form>();
  for (const [i, number] of values.entries()) {
    const value = big
      ? { numerator: BigInt(number), denominator: 1n }
      : { numerator: number, denominator: 1 };
    leaves.set(leafIndex, { kind: "number", value, sign: "fixed", parts: [] });
    leafIndex *= (counts[i] as number) + 1;
  }
  for (let block = 1; block <= blocks.last; block += 1) {
    const leaf = leaves.get(block);
    const sums: Form[] = leaf === undefined ? [] : [leaf];
    const products: Form[] = leaf === undefined ? [] : [leaf];
    const isLast = block === blocks.last;
    if (isLast && leaf !== undefined) visit(leaf);
    const keep = (list: Form[]) => (form: Form) => {
      list.push({ ...form, parts: [...form.parts] });
    };
    visitSums(block, blocks, nonSums, combine, isLast ? visit : keep(sums));
    visitProducts(block, blocks, nonProducts, combine, isLast ? visit : keep(products));
    nonProducts[block] = sums;
    nonSums[block] = products;
  }
}

type Combine = (operator: Operator, a: Value, b: Value) => Value | undefined;

function makeBlocks(counts: readonly number[]): Blocks {
  const vectors: number[][] = [[]];
  for (const count of counts) {
    const shorter = vectors.splice(0);
    for (let k = 0; k <= count; k += 1) vectors.push(...shorter.map((vector) => [...vector, k]));
  }
  const last = vectors.length - 1;
  const within = (block: number, rest: number): boolean =>
    (vectors[block] as number[]).every((k, i) => k <= ((vectors[rest] as number[])[i] as number));
  const table: number[][][] = [];
  for (let rest = 0; rest <= last; rest += 1) {
    const row: number[][] = [];
    for (let from = 0; from <= last; from += 1) {
      const list: number[] = [];
      for (let block = Math.max(1, from); block <= rest; block += 1) {
        // What is left must be nothing or able to hold a block that does not come before this one.
        if (within(block, rest) && (block === rest || rest - block >= block)) list.push(block);
      }
      row.push(list);
    }
    table.push(row);
  }
  return { last, next: (rest, from) => (table[rest] as number[][])[from] as number[] };
}

/** State of a walk over the partitions of one block; parts stand in non-decreasing order. */
interface Walk {
  readonly parts: Part[];
  /** Block and list position of each part, to tell equal forms apart from equal values. */
  readonly places: [block: number, at: number][];
}

function visitSums(
  whole: number,
  blocks: Blocks,
  nonSums: readonly Form[][],
  combine: Combine,
  emit: FormVisitor,
): void {
  const walk: Walk = { parts: [], places: [] };
  const step = (rest: number, value: Value | undefined): void => {
    const [fromBlock, fromAt] = walk.places.at(-1) ?? [1, 0];
    for (const block of blocks.next(rest, fromBlock)) {
      if (block === whole) continue;
      const forms = nonSums[block] as Form[];
      for (let at = block === fromBlock ? fromAt : 0; at < forms.length; at += 1) {
        const form = forms[at] as Form;
        for (const direction of DIRECTIONS) {
          if (direction === -1 && form.sign === "null") continue;
          if (direction === 1 && isRepeat(walk, form) && walk.parts.at(-1)?.direction === -1)
            continue;
          const sum = addTerm(combine, value, form.value, direction);
          walk.parts.push({ form, direction });
          walk.places.push([block, at]);
          if (rest === block) emitSum(walk, sum, emit);
          else step(rest - block, sum);
          walk.parts.pop();
          walk.places.pop();
        }
      }
    }
  };
  step(whole, undefined);
}

const DIRECTIONS = [1, -1] as const;

function isRepeat(walk: Walk, form: Form): boolean {
  return walk.parts.at(-1)?.form === form;
}

function addTerm(combine: Combine, sum: Value | undefined, term: Value, direction: 1 | -1): Value {
  if (sum === undefined) return direction === 1 ? term : negate(term);
  return combine(direction === 1 ? "+" : "-", sum, term) as Value;
}

function negate(value: Value): Value {
  const { numerator, denominator } = value;
  return { numerator: -numerator, denominator } as Value;
}

/** Emits a sum unless its opposite is the one that stands for both. */
function emitSum(walk: Walk, value: Value, emit: FormVisitor): void {
  let balance = 0; // plus minus minuses of the current group of equal forms
  let lead = 0; // balance of the first group that is not even
  let flexible = false;
  let minus = false;
  let previous: Form | undefined;
  for (const { form, direction } of walk.parts) {
    if (form !== previous) {
      if (lead === 0) lead = balance;
      balance = 0;
      previous = form;
    }
    if (form.sign !== "null") balance += direction;
    flexible ||= form.sign !== "fixed";
    minus ||= direction === -1;
  }
  if (lead === 0) lead = balance;
  if (lead < 0) return;
  const sign = lead === 0 ? "null" : flexible || minus ? "free" : "fixed";
  emit({ kind: "sum", value, sign, parts: walk.parts });
}

function visitProducts(
  whole: number,
  blocks: Blocks,
  nonProducts: readonly Form[][],
  combine: Combine,
  emit: FormVisitor,
): void {
  const walk: Walk = { parts: [], places: [] };
  const one = undefined;
  const step = (rest: number, value: Value | undefined, positive: boolean): void => {
    const [fromBlock, fromAt] = walk.places.at(-1) ?? [1, 0];
    for (const block of blocks.next(rest, fromBlock)) {
      if (block === whole) continue;
      const forms = nonProducts[block] as Form[];
      for (let at = block === fromBlock ? fromAt : 0; at < forms.length; at += 1) {
        const form = forms[at] as Form;
        for (const direction of DIRECTIONS) {
          if (direction === 1 && isRepeat(walk, form) && walk.parts.at(-1)?.direction === -1)
            continue;
          const product = multiplyBy(combine, value, form.value, direction);
          if (product === undefined) continue; // a division by zero
          const anyPositive = positive || direction === 1;
          walk.parts.push({ form, direction });
          walk.places.push([block, at]);
          if (rest !== block) step(rest - block, product, anyPositive);
          else if (anyPositive) emitProduct(walk, product, emit);
          walk.parts.pop();
          walk.places.pop();
        }
      }
    }
  };
  step(whole, one, false);
}

function multiplyBy(
  combine: Combine,
  product: Value | undefined,
  factor: Value,
  direction: 1 | -1,
): Value | undefined {
  if (product !== undefined) return combine(direction === 1 ? "*" : "/", product, factor);
  if (direction === 1) return factor;
  const { numerator, denominator } = factor;
  return numerator === 0 || numerator === 0n
    ? undefined
    : ({ numerator: denominator, denominator: numerator } as Value);
}

function emitProduct(walk: Walk, value: Value, emit: FormVisitor): void {
  let sign: FormSign = "fixed";
  for (const { form } of walk.parts) {
    if (form.sign === "null") sign = "null";
    else if (form.sign === "free" && sign === "fixed") sign = "free";
  }
  emit({ kind: "product", value, sign, parts: walk.parts });
}

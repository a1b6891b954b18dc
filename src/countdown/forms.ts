/**
 * Every distinct expression over some numbers, each exactly once, in any exact arithmetic.
 *
 * A form is a class of expressions that are equal by commutativity, associativity, a - (b - c) = a + c - b,
 * a / (b / c) = a * c / b, and the moving of signs ((a - b) * (c - d) = (b - a) * (d - c)), with equal numbers
 * interchangeable; nothing is equal merely because the values are. A sum is a multiset of forms that are not sums, each
 * with a sign; a product is a multiset of forms that are not products, each with exponent 1 or -1, one of them 1. Forms are
 * built for every sub-multiset of the numbers from the parts of its partitions, taken in non-decreasing order, so
 * that none comes twice and nothing has to be compared.
 *
 * Forms are kept up to sign. There is no sign in front of an expression, so a form yields both its value and the
 * opposite only when its sign is free, that is when a difference stands somewhere in it: a + b cannot be negated, a - b
 * can. Expressions that divide by zero have no value and are left out. For 1 to 6 distinct numbers without such
 * divisions there are 1, 6, 68, 1,170, 27,142 and 793,002 expressions (OEIS A140606).
 */
import type { Arithmetic } from "./rational.ts";

/**
 * Which signs a form can take: `fixed` only its own; `free` both, as two expressions; `null` both, as the same
 * expression, since swapping equal numbers turns it round (5 - 5).
 */
export type FormSign = "fixed" | "free" | "null";

/** A form inside a sum (direction: its sign) or a product (direction: its exponent). */
export interface Part<Value> {
  readonly form: Form<Value>;
  readonly direction: 1 | -1;
}

export interface Form<Value> {
  readonly kind: "number" | "sum" | "product";
  /** Value of the form as its parts stand. */
  readonly value: Value;
  readonly sign: FormSign;
  /** Parts of a sum or product; empty for a number. */
  readonly parts: readonly Part<Value>[];
}

/** Called for each form over all the numbers; the parts of `form` may be read only during the call. */
export type FormVisitor<Value> = (form: Form<Value>) => void;

/** Most numbers that are enumerated: seven distinct ones have 27,914,126 expressions. */
export const MAX_NUMBERS = 6;

/** Calls `visit` for every form over all of `numbers`, in a fixed order that depends on their values alone. */
export function visitForms<Value>(
  numbers: readonly number[],
  arithmetic: Arithmetic<Value>,
  visit: FormVisitor<Value>,
): void {
  const sorted = [...numbers].sort((a, b) => a - b);
  const values = [...new Set(sorted)];
  const counts = values.map((value) => sorted.filter((number) => number === value).length);
  const blocks = makeBlocks(counts);
  const leaves = new Map<number, Form<Value>>();
  for (const [i, number] of values.entries()) {
    const value = arithmetic.fromNumber(number);
    leaves.set(blocks.leafIndex[i] as number, { kind: "number", value, sign: "fixed", parts: [] });
  }
  const nonSums: Form<Value>[][] = [];
  const nonProducts: Form<Value>[][] = [];
  for (let block = 1; block <= blocks.last; block += 1) {
    const leaf = leaves.get(block);
    const sums: Form<Value>[] = [];
    const products: Form<Value>[] = [];
    const isLast = block === blocks.last;
    if (isLast && leaf !== undefined) visit(leaf);
    const keep = (list: Form<Value>[]) => (form: Form<Value>) => {
      list.push({ ...form, parts: [...form.parts] });
    };
    visitSums(block, { blocks, forms: nonSums, arithmetic }, isLast ? visit : keep(sums));
    visitProducts(
      block,
      { blocks, forms: nonProducts, arithmetic },
      isLast ? visit : keep(products),
    );
    nonProducts[block] = leaf === undefined ? sums : [leaf, ...sums];
    nonSums[block] = leaf === undefined ? products : [leaf, ...products];
  }
}

/** Sub-multisets of the numbers, by index: the index of a union is the sum of the indices. */
interface Blocks {
  /** Index of the whole. */
  readonly last: number;
  /** Index of the block that holds the i-th distinct number once. */
  readonly leafIndex: readonly number[];
  /** Blocks from `from` on that can be taken out of `rest` so that later blocks can fill what is left. */
  next(rest: number, from: number): readonly number[];
}

function makeBlocks(counts: readonly number[]): Blocks {
  let vectors: number[][] = [[]];
  const leafIndex: number[] = [];
  for (const count of counts) {
    leafIndex.push(vectors.length);
    const shorter = vectors;
    vectors = [];
    for (let k = 0; k <= count; k += 1) vectors.push(...shorter.map((vector) => [...vector, k]));
  }
  const last = vectors.length - 1;
  const isWithin = (block: number, rest: number): boolean =>
    (vectors[block] ?? []).every((k, i) => k <= (vectors[rest]?.[i] ?? 0));
  const table: number[][][] = [];
  for (let rest = 0; rest <= last; rest += 1) {
    const row: number[][] = [];
    for (let from = 0; from <= last; from += 1) {
      const list: number[] = [];
      for (let block = Math.max(1, from); block <= rest; block += 1) {
        if (isWithin(block, rest) && (block === rest || rest - block >= block)) list.push(block);
      }
      row.push(list);
    }
    table.push(row);
  }
  return { last, leafIndex, next: (rest, from) => table[rest]?.[from] ?? [] };
}

interface Material<Value> {
  readonly blocks: Blocks;
  /** Forms that may be parts, by block. */
  readonly forms: readonly (readonly Form<Value>[])[];
  readonly arithmetic: Arithmetic<Value>;
}

const BOTH = [1, -1] as const;
const ONLY_PLUS = [1] as const;

function visitSums<Value>(
  whole: number,
  { blocks, forms, arithmetic }: Material<Value>,
  visit: FormVisitor<Value>,
): void {
  const parts: Part<Value>[] = [];
  const step = (rest: number, sum: Value | undefined, fromBlock: number, fromAt: number): void => {
    const previous = parts.at(-1);
    for (const block of blocks.next(rest, fromBlock)) {
      if (block === whole) continue;
      const candidates = forms[block] as readonly Form<Value>[];
      for (let at = block === fromBlock ? fromAt : 0; at < candidates.length; at += 1) {
        const form = candidates[at] as Form<Value>;
        // Up to sign the first term has a plus, and a form that is its own opposite needs no minus.
        const signs = sum === undefined || form.sign === "null" ? ONLY_PLUS : BOTH;
        for (const direction of signs) {
          if (previous?.form === form && previous.direction < direction) continue;
          const operator = direction === 1 ? "+" : "-";
          const next =
            sum === undefined ? form.value : arithmetic.combine(operator, sum, form.value);
          if (next === undefined) continue;
          parts.push({ form, direction });
          if (rest !== block) step(rest - block, next, block, at);
          else if (!isTurnedRound(parts)) visit(makeSum(parts, next));
          parts.pop();
        }
      }
    }
  };
  step(whole, undefined, 1, 0);
}

/** Pluses minus minuses of the first group of equal terms whose two counts differ; 0 when there is none. */
function leadBalance<Value>(parts: readonly Part<Value>[]): number {
  let balance = 0;
  let group: Form<Value> | undefined;
  for (const { form, direction } of parts) {
    if (form !== group && balance !== 0) return balance;
    group = form;
    if (form.sign !== "null") balance += direction;
  }
  return balance;
}

/** True for the sum that is left out because its opposite stands for both. */
function isTurnedRound<Value>(parts: readonly Part<Value>[]): boolean {
  return leadBalance(parts) < 0;
}

function makeSum<Value>(parts: readonly Part<Value>[], value: Value): Form<Value> {
  let sign: FormSign = "fixed";
  for (const { form, direction } of parts) {
    if (direction === -1 || form.sign !== "fixed") sign = "free";
  }
  if (leadBalance(parts) === 0) sign = "null";
  return { kind: "sum", value, sign, parts };
}

function visitProducts<Value>(
  whole: number,
  { blocks, forms, arithmetic }: Material<Value>,
  visit: FormVisitor<Value>,
): void {
  const parts: Part<Value>[] = [];
  const step = (
    rest: number,
    product: Value | undefined,
    fromBlock: number,
    fromAt: number,
  ): void => {
    const previous = parts.at(-1);
    for (const block of blocks.next(rest, fromBlock)) {
      if (block === whole) continue;
      const candidates = forms[block] as readonly Form<Value>[];
      for (let at = block === fromBlock ? fromAt : 0; at < candidates.length; at += 1) {
        const form = candidates[at] as Form<Value>;
        for (const direction of BOTH) {
          if (previous?.form === form && previous.direction < direction) continue;
          const next = multiply(arithmetic, product, form.value, direction);
          if (next === undefined) continue;
          parts.push({ form, direction });
          if (rest !== block) step(rest - block, next, block, at);
          else if (parts.some((part) => part.direction === 1)) visit(makeProduct(parts, next));
          parts.pop();
        }
      }
    }
  };
  step(whole, undefined, 1, 0);
}

function multiply<Value>(
  arithmetic: Arithmetic<Value>,
  product: Value | undefined,
  factor: Value,
  direction: 1 | -1,
): Value | undefined {
  if (product !== undefined)
    return arithmetic.combine(direction === 1 ? "*" : "/", product, factor);
  return direction === 1 ? factor : arithmetic.reciprocal(factor);
}

function makeProduct<Value>(parts: readonly Part<Value>[], value: Value): Form<Value> {
  let sign: FormSign = "fixed";
  for (const { form } of parts) {
    if (form.sign === "null") sign = "null";
    else if (form.sign === "free" && sign === "fixed") sign = "free";
  }
  return { kind: "product", value, sign, parts };
}

/**
 * An independent enumeration of expressions for tests: every binary tree over every order of the numbers, told apart by
 * its value as a rational function at random points of a prime field. Equal numbers are interchangeable: of all the
 * ways to swap them, the one with the smallest fingerprint stands for the class. Slow on purpose; up to five numbers.
 */
import type { Random } from "../../src/random/random.ts";

const PRIME = 2_147_483_647n;

/** A class of expressions: its value, or undefined when every tree of it divides by zero. */
export interface ExpressionClass {
  readonly value: { readonly p: bigint; readonly q: bigint } | undefined;
  /** True when some tree of the class has only whole values from 1 to the bound at its inner nodes. */
  readonly isBounded: boolean;
}

interface Tree {
  /** Values at the random points, one for each way to swap equal numbers. */
  readonly points: readonly bigint[];
  readonly value: { readonly p: bigint; readonly q: bigint } | undefined;
  readonly isBounded: boolean;
}

/** Every class of expressions that use each number once. */
export function enumerateClasses(
  numbers: readonly number[],
  options: { readonly random: Random; readonly maxIntermediate: number },
): ExpressionClass[] {
  const { random, maxIntermediate } = options;
  const swaps = permutations(numbers.map((_, i) => i)).filter((swap) =>
    swap.every((to, from) => numbers[to] === numbers[from]),
  );
  const points = numbers.map(() => BigInt(random.integer(2, 2_147_483_646)));
  const trees = new Map<number, Tree[]>();
  const all = (1 << numbers.length) - 1;
  for (let subset = 1; subset <= all; subset += 1) {
    const list: Tree[] = [];
    numbers.forEach((number, i) => {
      if (subset !== 1 << i) return;
      const at = swaps.map((swap) => points[swap[i] as number] as bigint);
      list.push({ points: at, value: { p: BigInt(number), q: 1n }, isBounded: true });
    });
    for (let part = (subset - 1) & subset; part > 0; part = (part - 1) & subset) {
      for (const a of trees.get(part) ?? []) {
        for (const b of trees.get(subset ^ part) ?? []) {
          for (const operator of ["+", "-", "*", "/"]) {
            const tree = combine(operator, a, b, maxIntermediate);
            if (tree !== undefined) list.push(tree);
          }
        }
      }
    }
    // Inner classes are merged only when swaps cannot mix them with the rest; the fingerprint is the whole list.
    trees.set(
      subset,
      merge(list, (tree) => tree.points.join(" ")),
    );
  }
  const whole = trees.get(all) as Tree[];
  return merge(whole, (tree) => [...tree.points].sort((a, b) => (a < b ? -1 : 1)).join(" "));
}

/** One tree for each key: with a value and within the bound if any of them is. */
function merge(list: readonly Tree[], keyOf: (tree: Tree) => string): Tree[] {
  const merged = new Map<string, Tree>();
  for (const tree of list) {
    const key = keyOf(tree);
    const known = merged.get(key);
    merged.set(key, {
      points: tree.points,
      value: known?.value ?? tree.value,
      isBounded: tree.isBounded || known?.isBounded === true,
    });
  }
  return [...merged.values()];
}

function combine(operator: string, a: Tree, b: Tree, bound: number): Tree | undefined {
  const points: bigint[] = [];
  for (const [i, x] of a.points.entries()) {
    const y = b.points[i] as bigint;
    if (operator === "/" && y === 0n) return undefined; // identically zero: 1 / (a - a) has no formal value
    if (operator === "+") points.push((x + y) % PRIME);
    else if (operator === "-") points.push((x - y + PRIME) % PRIME);
    else points.push((x * (operator === "*" ? y : inverse(y))) % PRIME);
  }
  const value = a.value && b.value && resultOf(operator, a.value, b.value);
  const isWhole = value !== undefined && value.p % value.q === 0n;
  const size = isWhole ? value.p / value.q : 0n;
  const isBounded = a.isBounded && b.isBounded && size >= 1n && size <= BigInt(bound);
  return { points, value, isBounded };
}

type Value = NonNullable<ExpressionClass["value"]>;

function resultOf(operator: string, a: Value, b: Value): Value | undefined {
  if (operator === "*") return { p: a.p * b.p, q: a.q * b.q };
  if (operator === "/") return b.p === 0n ? undefined : { p: a.p * b.q, q: a.q * b.p };
  const right = operator === "+" ? b.p * a.q : -b.p * a.q;
  return { p: a.p * b.q + right, q: a.q * b.q };
}

/** x^(p-2), the inverse of x modulo the prime. */
function inverse(x: bigint): bigint {
  let result = 1n;
  let power = x;
  for (let exponent = PRIME - 2n; exponent > 0n; exponent >>= 1n) {
    if ((exponent & 1n) === 1n) result = (result * power) % PRIME;
    power = (power * power) % PRIME;
  }
  return result;
}

function permutations(items: readonly number[]): number[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((item) =>
    permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest]),
  );
}

/**
 * The teacher's search: all expressions over some numbers, depth first in a fixed order, none twice. The order is that of a
 * careful person: pairs in the order of the prompt, + - * / for each pair, the larger operand first for - and /, a new value
 * before the numbers that are left. A branch is passed over when it leads only to what was tried before: the same
 * expression up to commutativity and associativity, or the same values on the table.
 */
import type { Expression, Operator, Step } from "../countdown/index.ts";
import { apply, canonicalKey, combine, givenItem, type Item, type ValueRange } from "./steps.ts";

const OPERATORS: readonly Operator[] = ["+", "-", "*", "/"];

/** One complete attempt: one step fewer than numbers. */
export interface Attempt {
  readonly steps: readonly Step[];
  readonly result: Item;
}

interface Seen {
  readonly tables: Set<string>;
  readonly results: Set<string>;
}

/** Attempts over all the numbers in the fixed order. Attempts with a step in common hold the same object. */
export function attempts(numbers: readonly number[], range: ValueRange): Generator<Attempt> {
  const seen = { tables: new Set<string>(), results: new Set<string>() };
  return walk({ items: numbers.map(givenItem), steps: [] }, range, seen);
}

/** Number of leading steps that two attempts have in common; 0 when there is none before. */
export function sharedSteps(before: Attempt | undefined, attempt: Attempt): number {
  let shared = 0;
  while (before !== undefined && before.steps[shared] === attempt.steps[shared]) shared += 1;
  return shared;
}

interface Table {
  readonly items: readonly Item[];
  readonly steps: readonly Step[];
}

function* walk({ items, steps }: Table, range: ValueRange, seen: Seen): Generator<Attempt> {
  for (const [i, first] of items.entries()) {
    for (const [offset, second] of items.slice(i + 1).entries()) {
      const rest = items.filter((_, at) => at !== i && at !== i + 1 + offset);
      for (const { step, item } of combinations(first, second, range)) {
        const table = { items: [item, ...rest], steps: [...steps, step] };
        if (!isNew(table, seen)) continue;
        if (rest.length === 0) yield { steps: table.steps, result: item };
        else yield* walk(table, range, seen);
      }
    }
  }
}

/** False for a table that was seen before; notes it otherwise. */
function isNew({ items }: Table, seen: Seen): boolean {
  const complete = items.length === 1;
  const set = complete ? seen.results : seen.tables;
  const key = complete
    ? canonicalKey((items[0] as Item).expression)
    : items
        .map((item) => item.value)
        .sort((a, b) => a - b)
        .join(" ");
  if (set.has(key)) return false;
  set.add(key);
  return true;
}

/** One step on two values. */
export interface Combination {
  readonly step: Step;
  readonly item: Item;
}

/** Steps on two values with a whole result in the range; a division by one is left to the product. */
export function combinations(first: Item, second: Item, range: ValueRange): Combination[] {
  const found: Combination[] = [];
  for (const operator of OPERATORS) {
    const swap = (operator === "-" || operator === "/") && first.value < second.value;
    const [left, right] = swap ? [second, first] : [first, second];
    if (operator === "/" && right.value === 1) continue;
    const result = apply(operator, left.value, right.value);
    if (result === undefined || result < range.smallest || result > range.largest) continue;
    found.push({
      step: { left: left.value, operator, right: right.value, result },
      item: { value: result, expression: combine(operator, left.expression, right.expression) },
    });
  }
  return found;
}

/** A value that reaches the target in one step with the number that is kept for the last step. */
export interface Need {
  readonly value: number;
  /** The inverse step: the target is an operand and `value` the result. */
  readonly inverse: Step;
  /** The step from `value` and the held number to the target. */
  readonly last: Step;
  /** Expression of the whole, from that of `value`. */
  readonly complete: (inner: Expression) => Expression;
}

/** Values from which one step with `held` gives the target, each once, in the order of the inverse steps + - / *. */
export function needs(target: number, held: number, range: ValueRange): Need[] {
  const found: Need[] = [];
  const add = (inverse: Omit<Step, "result">, operator: Operator, heldFirst: boolean): void => {
    const value = apply(inverse.operator, inverse.left, inverse.right);
    if (value === undefined || value < range.smallest || value > range.largest) return;
    if (found.some((need) => need.value === value)) return;
    const [left, right] = heldFirst ? [held, value] : [value, held];
    const number: Expression = { kind: "number", value: held };
    found.push({
      value,
      inverse: { ...inverse, result: value },
      last: { left, operator, right, result: target },
      complete: (inner) =>
        heldFirst ? combine(operator, number, inner) : combine(operator, inner, number),
    });
  };
  add({ left: target, operator: "+", right: held }, "-", false); // value - held
  if (target > held)
    add({ left: target, operator: "-", right: held }, "+", false); // value + held
  else add({ left: held, operator: "-", right: target }, "-", true); // held - value
  add({ left: target, operator: "/", right: held }, "*", false); // value * held
  if (held === 1) return found;
  add({ left: target, operator: "*", right: held }, "/", false); // value / held
  if (target !== 1) add({ left: held, operator: "/", right: target }, "/", true); // held / value
  return found;
}

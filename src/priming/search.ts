/**
 * The teacher's search: all expressions over some numbers, depth first in a fixed order, none twice. The order is that of a
 * careful person: pairs in the order of the prompt, + - * / for each pair, the larger operand first for - and /, a new value
 * before the numbers that are left. A branch is passed over when it leads only to what was tried before: the same
 * expression up to commutativity and associativity, or the same values on the table.
 */
import {
  apply,
  canonicalKey,
  type Item,
  type Operator,
  type Step,
  type ValueRange,
} from "./expression.ts";

const OPERATORS: readonly Operator[] = ["+", "-", "*", "/"];

/** One complete attempt: a step for every number but one. */
export interface Attempt {
  readonly steps: readonly Step[];
  /** Leading steps that the attempt before has too; the first differing step leaves the state after them. */
  readonly shared: number;
  readonly result: Item;
}

/** Attempts over all the numbers in the fixed order. */
export function* attempts(numbers: readonly number[], range: ValueRange): Generator<Attempt> {
  const items = numbers.map((value): Item => ({ value, expression: value }));
  const seen = { tables: new Set<string>(), results: new Set<string>() };
  let before: readonly Step[] = [];
  for (const { steps, result } of walk(items, [], range, seen)) {
    let shared = 0;
    while (shared < before.length && before[shared] === steps[shared]) shared += 1;
    yield { steps, shared, result };
    before = steps;
  }
}

interface Seen {
  readonly tables: Set<string>;
  readonly results: Set<string>;
}

function* walk(
  items: readonly Item[],
  steps: readonly Step[],
  range: ValueRange,
  seen: Seen,
): Generator<{ steps: readonly Step[]; result: Item }> {
  for (let i = 0; i < items.length; i += 1) {
    for (let j = i + 1; j < items.length; j += 1) {
      const rest = items.filter((_, at) => at !== i && at !== j);
      for (const { step, item } of combinations(items[i] as Item, items[j] as Item, range)) {
        const path = [...steps, step];
        if (rest.length === 0) {
          const key = canonicalKey(item.expression);
          if (seen.results.has(key)) continue;
          seen.results.add(key);
          yield { steps: path, result: item };
          continue;
        }
        const table = tableKey([item, ...rest]);
        if (seen.tables.has(table)) continue;
        seen.tables.add(table);
        yield* walk([item, ...rest], path, range, seen);
      }
    }
  }
}

function tableKey(items: readonly Item[]): string {
  return items
    .map((item) => item.value)
    .sort((a, b) => a - b)
    .join(" ");
}

/** Steps on two values whose result is a whole number in the range; a division by one is left to the product. */
export function combinations(
  first: Item,
  second: Item,
  range: ValueRange,
): { step: Step; item: Item }[] {
  const found: { step: Step; item: Item }[] = [];
  for (const operator of OPERATORS) {
    const swap = (operator === "-" || operator === "/") && first.value < second.value;
    const left = swap ? second : first;
    const right = swap ? first : second;
    if (operator === "/" && right.value === 1) continue;
    const value = apply(operator, left.value, right.value);
    if (value === undefined || value < range.smallest || value > range.largest) continue;
    found.push({
      step: { left: left.value, operator, right: right.value, value },
      item: { value, expression: { operator, left: left.expression, right: right.expression } },
    });
  }
  return found;
}

/** A value that would reach the target with the number that is kept for the last step. */
export interface Need {
  readonly value: number;
  /** The inverse step: it has the target as an operand and `value` as its result. */
  readonly inverse: Step;
  /** The last step from `value` and the held number to the target. */
  readonly last: Step;
  /** Expression of the whole from the expression of `value`. */
  readonly build: (inner: Item["expression"]) => Item["expression"];
}

/** Values from which one step with `held` gives the target, by + - / * in this order; each value once. */
export function needs(target: number, held: number, range: ValueRange): Need[] {
  const made: Need[] = [];
  const add = (
    inverse: [number, Operator, number],
    operator: Operator,
    heldFirst: boolean,
  ): void => {
    const value = apply(inverse[1], inverse[0], inverse[2]);
    if (value === undefined || value < range.smallest || value > range.largest) return;
    if (made.some((need) => need.value === value)) return;
    const [left, right] = heldFirst ? [held, value] : [value, held];
    made.push({
      value,
      inverse: { left: inverse[0], operator: inverse[1], right: inverse[2], value },
      last: { left, operator, right, value: target },
      build: (inner) =>
        heldFirst ? { operator, left: held, right: inner } : { operator, left: inner, right: held },
    });
  };
  add([target, "+", held], "-", false); // value - held
  if (target > held)
    add([target, "-", held], "+", false); // value + held
  else add([held, "-", target], "-", true); // held - value
  add([target, "/", held], "*", false); // value * held
  if (held !== 1) add([target, "*", held], "/", false); // value / held
  return made;
}

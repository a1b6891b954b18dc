/** How many distinct expressions over some numbers reach each value: the basis of solution counts and difficulty. */
import { type EnumerateOptions, enumerateExpressions } from "./enumerate.ts";

export interface NumbersProfile {
  /** Distinct expressions that have a value. */
  readonly expressions: number;
  /** Whole value -> distinct expressions that reach it. */
  readonly hits: ReadonlyMap<number, number>;
}

/** Counts the distinct expressions by value. */
export function profileNumbers(
  numbers: readonly number[],
  options: EnumerateOptions = {},
): NumbersProfile {
  const hits = new Map<number, number>();
  const all = enumerateExpressions(numbers, options);
  for (const { numerator, denominator } of all) {
    if (denominator === 1) hits.set(numerator, (hits.get(numerator) ?? 0) + 1);
  }
  return { expressions: all.length, hits };
}

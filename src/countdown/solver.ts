/**
 * The exact solver: all distinct expressions that reach a target, their number, and the difficulty of a puzzle.
 * Distinct means up to commutativity, associativity and the moving of signs, with equal numbers interchangeable
 * (`forms.ts`); values are exact rationals.
 */
import { UsageError } from "../util/errors.ts";
import { type EnumerateOptions, enumerateWhole } from "./enumerate.ts";
import type { Expression } from "./expression.ts";
import { formExpression, type ValuedForm, visitValuedForms } from "./form-expression.ts";
import { MAX_NUMBERS } from "./forms.ts";

/** How many distinct expressions over some numbers reach each whole value. */
export interface NumbersProfile {
  /** Distinct expressions that have a value; those that divide by zero have none. */
  readonly expressions: number;
  /** Whole value to the number of distinct expressions that reach it. */
  readonly hits: ReadonlyMap<number, number>;
}

/** How hard a puzzle is. */
export interface Difficulty {
  /** Distinct expressions that reach the target. */
  readonly solutions: number;
  /** Distinct expressions that have a value. */
  readonly expressions: number;
  /** solutions / expressions, in [0, 1]: the chance of a uniform guess. Smaller is harder; 0 has no solution. */
  readonly share: number;
}

interface TaskLike {
  readonly numbers: readonly number[];
  readonly target: number;
}

/**
 * All distinct expressions that reach the target, in a fixed order.
 * @throws UsageError `countdown.bad_numbers` for more than six numbers
 * @example solve({ numbers: [9, 8, 6], target: 66 }).map(formatExpression) // ["8 * 9 - 6"]
 */
export function solve({ numbers, target }: TaskLike, options: EnumerateOptions = {}): Expression[] {
  checkNumbers(numbers);
  if (options.maxIntermediate !== undefined) {
    return enumerateWhole(numbers, options.maxIntermediate)
      .filter((node) => node.value === target)
      .map((node) => node.expression);
  }
  const solutions: Expression[] = [];
  visitValuedForms(numbers, (form) => {
    const sign = reachedSign(form, target);
    if (sign !== undefined) solutions.push(formExpression(form, { negative: sign < 0 }));
  });
  return solutions;
}

/** Number of distinct expressions that reach the target. */
export function countSolutions(task: TaskLike, options: EnumerateOptions = {}): number {
  return difficulty(task, options).solutions;
}

/**
 * Share of the distinct expressions that reach the target.
 * @throws UsageError `countdown.bad_numbers` for more than six numbers
 */
export function difficulty(
  { numbers, target }: TaskLike,
  options: EnumerateOptions = {},
): Difficulty {
  const { expressions, hits } = profileNumbers(numbers, options);
  const solutions = hits.get(target) ?? 0;
  return { solutions, expressions, share: expressions === 0 ? 0 : solutions / expressions };
}

/**
 * Counts the distinct expressions by whole value.
 * @throws UsageError `countdown.bad_numbers` for more than six numbers
 */
export function profileNumbers(
  numbers: readonly number[],
  options: EnumerateOptions = {},
): NumbersProfile {
  checkNumbers(numbers);
  const hits = new Map<number, number>();
  let expressions = 0;
  const count = (value: number | undefined): void => {
    expressions += 1;
    if (value !== undefined) hits.set(value, (hits.get(value) ?? 0) + 1);
  };
  if (options.maxIntermediate !== undefined) {
    for (const node of enumerateWhole(numbers, options.maxIntermediate)) count(node.value);
    return { expressions, hits };
  }
  visitValuedForms(numbers, (form) => {
    const value = wholeValue(form);
    count(value);
    if (form.sign === "free") count(value === undefined ? undefined : 0 - value);
  });
  return { expressions, hits };
}

/** Value of a form when it is a whole number within 2^53 - 1. */
function wholeValue({ value }: ValuedForm): number | undefined {
  const { numerator, denominator } = value;
  if (typeof numerator === "number" && typeof denominator === "number") {
    const quotient = numerator / denominator;
    return numerator % denominator === 0 ? quotient + 0 : undefined; // + 0 turns -0 into 0
  }
  const [p, q] = [BigInt(numerator), BigInt(denominator)];
  if (p % q !== 0n) return undefined;
  const quotient = Number(p / q);
  return Number.isSafeInteger(quotient) ? quotient : undefined;
}

/** 1 when the form equals the target, -1 when only its opposite does, undefined when neither does. */
function reachedSign(form: ValuedForm, target: number): 1 | -1 | undefined {
  const value = wholeValue(form);
  if (value === target) return 1;
  return value === 0 - target && form.sign === "free" ? -1 : undefined;
}

/** Checks that numbers can be enumerated.
 * @throws UsageError `countdown.bad_numbers`
 */
export function checkNumbers(numbers: readonly number[]): void {
  const sound = numbers.every((number) => Number.isSafeInteger(number) && number >= 0);
  if (sound && numbers.length >= 1 && numbers.length <= MAX_NUMBERS) return;
  throw new UsageError(
    `solving a puzzle: expected 1 to ${MAX_NUMBERS} whole numbers, not negative, found [${numbers.join(", ")}]`,
    {
      code: "countdown.bad_numbers",
      hint: "seven distinct numbers already have 27,914,126 distinct expressions",
    },
  );
}

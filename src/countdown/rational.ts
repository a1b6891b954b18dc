/**
 * Exact rational arithmetic, unreduced, in two forms: whole numbers in doubles where a bound shows that none of
 * them can pass 2^53 - 1, and BigInt otherwise.
 *
 * The bound. Let B(e) be the larger of |numerator| and |denominator| of expression e, unreduced. A number n has
 * B = max(1, |n|); the sum, difference, product or quotient of e and f has B <= 2 B(e) B(f). An expression that uses each
 * of n numbers once therefore has B <= 2^(n-1) times the product of max(1, |number|), whatever its shape.
 */
import type { Expression, Operator } from "./expression.ts";

/** Exact arithmetic on some representation of values. */
export interface Arithmetic<Value> {
  readonly fromNumber: (number: number) => Value;
  /** Undefined for a division by zero. */
  readonly combine: (operator: Operator, a: Value, b: Value) => Value | undefined;
  /** Undefined for zero. */
  readonly reciprocal: (value: Value) => Value | undefined;
}

/** A fraction whose parts are whole; the sign may be on either part. */
export interface Fraction<Whole extends number | bigint> {
  readonly numerator: Whole;
  readonly denominator: Whole;
}

/** Fractions in doubles: exact under `fitsDoubles` only. */
export const doubleArithmetic: Arithmetic<Fraction<number>> = {
  fromNumber: (number) => ({ numerator: number, denominator: 1 }),
  combine(operator, { numerator: a, denominator: b }, { numerator: c, denominator: d }) {
    switch (operator) {
      case "+":
        return { numerator: a * d + c * b, denominator: b * d };
      case "-":
        return { numerator: a * d - c * b, denominator: b * d };
      case "*":
        return { numerator: a * c, denominator: b * d };
      case "/":
        return c === 0 ? undefined : { numerator: a * d, denominator: b * c };
    }
  },
  reciprocal: ({ numerator, denominator }) =>
    numerator === 0 ? undefined : { numerator: denominator, denominator: numerator },
};

/** Fractions in BigInt: always exact. */
export const bigArithmetic: Arithmetic<Fraction<bigint>> = {
  fromNumber: (number) => ({ numerator: BigInt(number), denominator: 1n }),
  combine(operator, { numerator: a, denominator: b }, { numerator: c, denominator: d }) {
    switch (operator) {
      case "+":
        return { numerator: a * d + c * b, denominator: b * d };
      case "-":
        return { numerator: a * d - c * b, denominator: b * d };
      case "*":
        return { numerator: a * c, denominator: b * d };
      case "/":
        return c === 0n ? undefined : { numerator: a * d, denominator: b * c };
    }
  },
  reciprocal: ({ numerator, denominator }) =>
    numerator === 0n ? undefined : { numerator: denominator, denominator: numerator },
};

/**
 * True when every value of every expression that uses each of `numbers` once, and its comparison with `target`,
 * stays within 2^53 - 1 in unreduced whole numbers, so that doubles are exact.
 */
export function fitsDoubles(numbers: readonly number[], target: number): boolean {
  let bound = Math.max(1, Math.abs(target)) / 2;
  for (const number of numbers) bound *= 2 * Math.max(1, Math.abs(number));
  return bound <= Number.MAX_SAFE_INTEGER;
}

/** Value of an expression; undefined when a divisor is zero. */
export function evaluate<Value>(
  expression: Expression,
  arithmetic: Arithmetic<Value>,
): Value | undefined {
  if (expression.kind === "number") return arithmetic.fromNumber(expression.value);
  if (expression.kind === "negation") {
    const value = evaluate(expression.operand, arithmetic);
    return value === undefined
      ? undefined
      : arithmetic.combine("-", arithmetic.fromNumber(0), value);
  }
  const a = evaluate(expression.left, arithmetic);
  if (a === undefined) return undefined;
  const b = evaluate(expression.right, arithmetic);
  return b === undefined ? undefined : arithmetic.combine(expression.operator, a, b);
}

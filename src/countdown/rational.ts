/**
 * Exact rational arithmetic, unreduced, in two forms: whole numbers in doubles where a bound shows that none of
 * them can pass 2^53 - 1, and BigInt otherwise.
 *
 * The bound. Let B(e) be the larger of |numerator| and |denominator| of expression e, unreduced. A number n has
 * B = max(1, |n|); the sum, difference, product or quotient of e and f has B <= 2 B(e) B(f). An expression that uses each
 * of n numbers once therefore has B <= 2^(n-1) times the product of max(1, |number|), whatever its shape.
 */
import type { Expression, Operator } from "./expression.ts";

/** A fraction with doubles that hold whole numbers; the sign may be on either part. */
export interface Fraction {
  readonly numerator: number;
  readonly denominator: number;
}

/** A fraction of any size; the sign may be on either part. */
export interface BigFraction {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

/**
 * True when every value of every expression that uses each of `numbers` once, and its comparison with `target`,
 * stays within 2^53 - 1 in unreduced whole numbers, so that doubles are exact.
 */
export function fitsDoubles(numbers: readonly number[], target: number): boolean {
  let bound = Math.max(1, Math.abs(target));
  for (const number of numbers) bound *= 2 * Math.max(1, Math.abs(number));
  return bound <= 2 * Number.MAX_SAFE_INTEGER;
}

/** Value in doubles, exact under `fitsDoubles`; undefined when a divisor is zero. */
export function evaluateInDoubles(expression: Expression): Fraction | undefined {
  if (expression.kind === "number") return { numerator: expression.value, denominator: 1 };
  if (expression.kind === "negation") {
    const value = evaluateInDoubles(expression.operand);
    return value && { numerator: -value.numerator, denominator: value.denominator };
  }
  const a = evaluateInDoubles(expression.left);
  if (a === undefined) return undefined;
  const b = evaluateInDoubles(expression.right);
  if (b === undefined) return undefined;
  return combineDoubles(expression.operator, a, b);
}

/** One operation on fractions in doubles; undefined when the divisor is zero. */
export function combineDoubles(operator: Operator, a: Fraction, b: Fraction): Fraction | undefined {
  switch (operator) {
    case "+":
      return {
        numerator: a.numerator * b.denominator + b.numerator * a.denominator,
        denominator: a.denominator * b.denominator,
      };
    case "-":
      return {
        numerator: a.numerator * b.denominator - b.numerator * a.denominator,
        denominator: a.denominator * b.denominator,
      };
    case "*":
      return {
        numerator: a.numerator * b.numerator,
        denominator: a.denominator * b.denominator,
      };
    case "/":
      if (b.numerator === 0) return undefined;
      return {
        numerator: a.numerator * b.denominator,
        denominator: a.denominator * b.numerator,
      };
  }
}

/** Value in BigInt, always exact; undefined when a divisor is zero. Literals must be safe integers. */
export function evaluateExactly(expression: Expression): BigFraction | undefined {
  if (expression.kind === "number") {
    return { numerator: BigInt(expression.value), denominator: 1n };
  }
  if (expression.kind === "negation") {
    const value = evaluateExactly(expression.operand);
    return value && { numerator: -value.numerator, denominator: value.denominator };
  }
  const a = evaluateExactly(expression.left);
  if (a === undefined) return undefined;
  const b = evaluateExactly(expression.right);
  if (b === undefined) return undefined;
  return combineExactly(expression.operator, a, b);
}

/** One operation on fractions in BigInt; undefined when the divisor is zero. */
export function combineExactly(
  operator: Operator,
  a: BigFraction,
  b: BigFraction,
): BigFraction | undefined {
  switch (operator) {
    case "+":
      return {
        numerator: a.numerator * b.denominator + b.numerator * a.denominator,
        denominator: a.denominator * b.denominator,
      };
    case "-":
      return {
        numerator: a.numerator * b.denominator - b.numerator * a.denominator,
        denominator: a.denominator * b.denominator,
      };
    case "*":
      return {
        numerator: a.numerator * b.numerator,
        denominator: a.denominator * b.denominator,
      };
    case "/":
      if (b.numerator === 0n) return undefined;
      return {
        numerator: a.numerator * b.denominator,
        denominator: a.denominator * b.numerator,
      };
  }
}

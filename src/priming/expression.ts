/** Expressions of the teacher's search: positive integers, four operators, larger operand first for minus and divide. */

/** One operation on two values. */
export interface Step {
  readonly left: number;
  readonly operator: Operator;
  readonly right: number;
  readonly value: number;
}

export type Operator = "+" | "-" | "*" | "/";

/** A value on the table with the expression that made it. */
export type Expression =
  | number
  | { readonly operator: Operator; readonly left: Expression; readonly right: Expression };

/** Range of the values that a step may give. */
export interface ValueRange {
  readonly smallest: number;
  readonly largest: number;
}

/** An expression and its value. */
export interface Item {
  readonly value: number;
  readonly expression: Expression;
}

/** `9 + 8 = 17` with a space before every number and operator, without the first. */
export function equation(step: Step): string {
  return `${step.left} ${step.operator} ${step.right} = ${step.value}`;
}

/** Result of an operation, or undefined where it is not a whole number. */
export function apply(operator: Operator, left: number, right: number): number | undefined {
  if (operator === "+") return left + right;
  if (operator === "-") return left - right;
  if (operator === "*") return left * right;
  return right !== 0 && left % right === 0 ? left / right : undefined;
}

/** Value of an expression as a plain number, exact for what the teacher writes; NaN for a division by zero. */
export function evaluate(expression: Expression): number {
  if (typeof expression === "number") return expression;
  const left = evaluate(expression.left);
  const right = evaluate(expression.right);
  if (expression.operator === "/") return right === 0 ? Number.NaN : left / right;
  return apply(expression.operator, left, right) as number;
}

const PRECEDENCE: Readonly<Record<Operator, number>> = { "+": 1, "-": 1, "*": 2, "/": 2 };

/** Text with a space between all numbers, operators and parentheses, and no parenthesis that is not needed. */
export function formatExpression(expression: Expression): string {
  if (typeof expression === "number") return String(expression);
  const { operator, left, right } = expression;
  const binding = PRECEDENCE[operator];
  const strict = operator === "-" || operator === "/"; // a - (b + c), a / (b * c)
  return `${wrapped(left, binding - 1)} ${operator} ${wrapped(right, strict ? binding : binding - 1)}`;
}

function wrapped(expression: Expression, limit: number): string {
  const text = formatExpression(expression);
  return typeof expression !== "number" && PRECEDENCE[expression.operator] <= limit
    ? `( ${text} )`
    : text;
}

/** Equal for expressions that are the same up to commutativity and associativity, sums and products taken together. */
export function canonicalKey(expression: Expression): string {
  if (typeof expression === "number") return String(expression);
  const additive = PRECEDENCE[expression.operator] === 1;
  const terms: string[] = [];
  collect(expression, additive, false, terms);
  return `(${terms.sort().join("")})`;
}

function collect(
  expression: Expression,
  additive: boolean,
  inverse: boolean,
  terms: string[],
): void {
  if (typeof expression === "number" || (PRECEDENCE[expression.operator] === 1) !== additive) {
    terms.push(
      `${additive ? (inverse ? "-" : "+") : inverse ? "/" : "*"}${canonicalKey(expression)}`,
    );
    return;
  }
  const { operator, left, right } = expression;
  collect(left, additive, inverse, terms);
  collect(right, additive, operator === "-" || operator === "/" ? !inverse : inverse, terms);
}

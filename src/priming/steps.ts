/** Steps of the teacher's search: whole positive values, the larger operand first for minus and divide. */
import type { Expression, Operator, Step } from "../countdown/index.ts";

/** Range of the values that a step may give. */
export interface ValueRange {
  readonly smallest: number;
  readonly largest: number;
}

/** A value on the table and the expression that made it. */
export interface Item {
  readonly value: number;
  readonly expression: Expression;
}

/** A given number on the table. */
export function givenItem(value: number): Item {
  return { value, expression: { kind: "number", value } };
}

/** Expression of an operation on two expressions. */
export function combine(operator: Operator, left: Expression, right: Expression): Expression {
  return { kind: "binary", operator, left, right };
}

/** Left side of a step: `9 + 8`. */
export function operation(step: Step): string {
  return `${step.left} ${step.operator} ${step.right}`;
}

/** A step as it stands in every text, without the space before it: `9 + 8 = 17`. */
export function equation(step: Step): string {
  return `${operation(step)} = ${step.result}`;
}

/** Result of an operation, or undefined where it is not a whole number. */
export function apply(operator: Operator, left: number, right: number): number | undefined {
  if (operator === "+") return left + right;
  if (operator === "-") return left - right;
  if (operator === "*") return left * right;
  return right !== 0 && left % right === 0 ? left / right : undefined;
}

/** Equal for expressions that are the same up to commutativity and associativity. */
export function canonicalKey(expression: Expression): string {
  if (expression.kind !== "binary") return expressionText(expression);
  const additive = isAdditive(expression.operator);
  const terms: string[] = [];
  collect(expression, { additive, inverse: false }, terms);
  return `(${terms.sort().join("")})`;
}

/** The teacher makes numbers and operations only; a negation keeps its own key. */
function expressionText(expression: Exclude<Expression, { kind: "binary" }>): string {
  if (expression.kind === "number") return String(expression.value);
  return `~${canonicalKey(expression.operand)}`;
}

function isAdditive(operator: Operator): boolean {
  return operator === "+" || operator === "-";
}

interface Side {
  readonly additive: boolean;
  /** Subtracted in a sum, divided by in a product. */
  readonly inverse: boolean;
}

function collect(expression: Expression, side: Side, terms: string[]): void {
  const { additive, inverse } = side;
  if (expression.kind !== "binary" || isAdditive(expression.operator) !== additive) {
    const sign = additive ? (inverse ? "-" : "+") : inverse ? "/" : "*";
    terms.push(`${sign}${canonicalKey(expression)}`);
    return;
  }
  const turns = expression.operator === "-" || expression.operator === "/";
  collect(expression.left, side, terms);
  collect(expression.right, { additive, inverse: turns ? !inverse : inverse }, terms);
}

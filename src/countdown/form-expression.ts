/**
 * The expression that stands for a form: plus terms before minus terms, numerators before denominators, and signs
 * placed so that differences are positive wherever that is possible: (8 - 3) * (9 - 2), not (3 - 8) * (2 - 9).
 */
import type { Expression, Operator } from "./expression.ts";
import { type Form, type FormVisitor, type Part, visitForms } from "./forms.ts";
import { bigArithmetic, doubleArithmetic, type Fraction, fitsDoubles } from "./rational.ts";

/** A form with its value as a fraction in doubles or BigInt, exact either way. */
export type ValuedForm = Form<Fraction<number> | Fraction<bigint>>;
type ValuedPart = Part<Fraction<number> | Fraction<bigint>>;

/** Calls `visit` for every form over the numbers, with exact values of any size. */
export function visitValuedForms(
  numbers: readonly number[],
  visit: FormVisitor<Fraction<number> | Fraction<bigint>>,
): void {
  if (fitsDoubles(numbers, 1)) visitForms(numbers, doubleArithmetic, visit);
  else visitForms(numbers, bigArithmetic, visit);
}

/**
 * Expression of a form.
 * @param form a form whose sign is `fixed` only with `negative` false
 * @param negative the expression of the opposite value
 */
export function formExpression(
  form: ValuedForm,
  options: { readonly negative: boolean },
): Expression {
  switch (form.kind) {
    case "number":
      return { kind: "number", value: Number(form.value.numerator) };
    case "sum":
      return sumExpression(form.parts, options.negative);
    case "product":
      return productExpression(form.parts, options.negative);
  }
}

/** A part with its sign decided: whether its form is built as the opposite. */
interface Placed {
  readonly part: ValuedPart;
  negative: boolean;
  /** Sum: the sign in front of the term. */
  plus: boolean;
}

function sumExpression(parts: readonly ValuedPart[], negative: boolean): Expression {
  const terms = parts.map((part): Placed => {
    const flip = isTurnable(part.form) && isNegative(part.form);
    return { part, negative: flip, plus: ((part.direction === 1) !== negative) !== flip };
  });
  if (!terms.some((term) => term.plus)) {
    const turned = terms.find((term) => isTurnable(term.part.form)) as Placed;
    turned.negative = !turned.negative;
    turned.plus = true;
  }
  return join(
    terms.filter((term) => term.plus),
    terms.filter((term) => !term.plus),
    ["+", "-"],
  );
}

function productExpression(parts: readonly ValuedPart[], negative: boolean): Expression {
  const factors = parts.map((part): Placed => {
    const flip = isTurnable(part.form) && isNegative(part.form);
    return { part, negative: flip, plus: part.direction === 1 };
  });
  const flips = factors.filter((factor) => factor.negative).length;
  if ((flips % 2 === 1) !== negative) {
    // A factor equal to its own opposite turns without a change, so any turnable one will do.
    const turned = factors.find((factor) => isTurnable(factor.part.form)) as Placed;
    turned.negative = !turned.negative;
  }
  return join(
    factors.filter((factor) => factor.plus),
    factors.filter((factor) => !factor.plus),
    ["*", "/"],
  );
}

function join(
  direct: readonly Placed[],
  inverse: readonly Placed[],
  [operator, inverseOperator]: readonly [Operator, Operator],
): Expression {
  let left: Expression | undefined;
  for (const { part, negative } of direct) {
    const right = formExpression(part.form, { negative });
    left = left === undefined ? right : { kind: "binary", operator, left, right };
  }
  for (const { part, negative } of inverse) {
    const right = formExpression(part.form, { negative });
    left = { kind: "binary", operator: inverseOperator, left: left as Expression, right };
  }
  return left as Expression;
}

function isTurnable(form: ValuedForm): boolean {
  return form.sign !== "fixed";
}

function isNegative(form: ValuedForm): boolean {
  const { numerator, denominator } = form.value;
  return numerator < 0 !== denominator < 0 && numerator !== 0 && numerator !== 0n;
}

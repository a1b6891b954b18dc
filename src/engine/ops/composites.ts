/** Functions built from primitives; they have no rows of their own in the tables. */
import type { Tensor } from "../graph/types.ts";
import {
  div,
  logicalAnd,
  logicalNot,
  maximum,
  minimum,
  mul,
  neg,
  type Operand,
  type ReductionOptions,
  sqrt,
  sub,
  sum,
} from "./primitives.ts";

/** Mean over axes; of no elements it is NaN. */
export function mean(x: Tensor, options: ReductionOptions = {}): Tensor {
  const total = sum(x, { ...options, keepDims: true });
  const count = x.shape.reduce((n, size, axis) => n * (size / (total.shape[axis] || 1)), 1);
  return mul(sum(x, options), 1 / count);
}

/** x · x. */
export function square(x: Tensor): Tensor {
  return mul(x, x);
}

/** 1 / sqrt(x). */
export function reciprocalSqrt(x: Tensor): Tensor {
  return div(1, sqrt(x));
}

/** |x|; the gradient at 0 is 0. */
export function abs(x: Tensor): Tensor {
  return maximum(x, neg(x));
}

/** x limited to [low, high]. */
export function clip(x: Tensor, low: Operand, high: Operand): Tensor {
  return minimum(maximum(x, low), high);
}

/** a or b, of bools. */
export function logicalOr(a: Tensor, b: Tensor): Tensor {
  return logicalNot(logicalAnd(logicalNot(a), logicalNot(b)));
}

/** (a - b)². */
export function squaredDifference(a: Operand, b: Operand): Tensor {
  return square(sub(a, b));
}

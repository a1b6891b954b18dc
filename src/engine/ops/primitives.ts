/**
 * The operators as functions: one per primitive, each a thin call that normalises its arguments and adds a node.
 * Element-wise operators broadcast as numpy does and take plain numbers beside tensors.
 */
import { ShapeError } from "../../util/errors.ts";
import type { DType, OpAttributes, OpName, Shape, Tensor } from "../graph/types.ts";
import { formatShape, sizeOf } from "../graph/types.ts";

/** A tensor, or a number that becomes a scalar of the other operand's dtype. */
export type Operand = Tensor | number;

export interface ReductionOptions {
  /** Axes to reduce, negative ones counted from the end; default all. */
  readonly axes?: readonly number[];
  /** Keeps reduced axes with size 1; default false. */
  readonly keepDims?: boolean;
}

export interface MatmulOptions {
  /** Swaps the last two axes of the first operand; default false. */
  readonly transposeA?: boolean;
  /** Swaps the last two axes of the second operand; default false. */
  readonly transposeB?: boolean;
  /** Factor of the product; default 1. */
  readonly alpha?: number;
}

type AttributeFree = {
  [K in OpName]: Record<never, never> extends OpAttributes[K] ? K : never;
}[OpName];

function lift(value: Operand, other: Operand, op: string): Tensor {
  if (typeof value !== "number") return value;
  if (typeof other === "number") {
    throw new ShapeError(`${op} was given two plain numbers (${value}, ${other})`, {
      code: "engine.no_tensor",
      hint: "make one of them with graph.constant(...)",
    });
  }
  return other.graph.constant(value, [], other.dtype);
}

const binary =
  (op: AttributeFree) =>
  (a: Operand, b: Operand): Tensor => {
    const tensorA = lift(a, b, op);
    return tensorA.graph.emit(op, [tensorA, lift(b, a, op)], {});
  };

const unary =
  (op: AttributeFree) =>
  (x: Tensor): Tensor =>
    x.graph.emit(op, [x], {});

/** a + b; float32 or int32. */
export const add = binary("add");
/** a - b; float32 or int32. */
export const sub = binary("sub");
/** a · b; float32 or int32. */
export const mul = binary("mul");
/** a / b; float32. */
export const div = binary("div");
/** The smaller of a and b; equal operands share the gradient half and half. */
export const minimum = binary("minimum");
/** The larger of a and b; equal operands share the gradient half and half. */
export const maximum = binary("maximum");
/** a = b, as bool; not differentiable. */
export const equal = binary("equal");
/** a < b, as bool; not differentiable. */
export const less = binary("less");
/** a <= b, as bool; not differentiable. */
export const lessEqual = binary("lessEqual");
/** a and b, of bools. */
export const logicalAnd = binary("logicalAnd");
/** not x, of bools. */
export const logicalNot = unary("logicalNot");
/** -x; float32 or int32. */
export const neg = unary("neg");
/** e to the power x. */
export const exp = unary("exp");
/** Natural logarithm. */
export const log = unary("log");
/** Square root; the gradient at 0 is infinite. */
export const sqrt = unary("sqrt");
/** 1 / (1 + exp(-x)). */
export const sigmoid = unary("sigmoid");
/** Hyperbolic tangent. */
export const tanh = unary("tanh");
/** x · sigmoid(x), also called swish. */
export const silu = unary("silu");
/** silu(gate) · up of one shape: the gated unit of Llama's feed-forward layer. */
export const swiGlu = (gate: Tensor, up: Tensor): Tensor =>
  gate.graph.emit("swiGlu", [gate, up], {});
/** x, through which no gradient flows. */
export const stopGradient = unary("stopGradient");
/** exp(x) over its sum along the last axis; needs at least one axis. */
export const softmax = unary("softmax");
/** x minus the logarithm of the sum of exp(x) along the last axis; needs at least one axis. */
export const logSoftmax = unary("logSoftmax");

/** `a` where the bool `condition` holds, else `b`; all three broadcast. */
export function where(condition: Tensor, a: Operand, b: Operand): Tensor {
  return condition.graph.emit("where", [condition, lift(a, b, "where"), lift(b, a, "where")], {});
}

/** x with another dtype. float32 to int32 truncates toward 0; anything but 0 is true. The gradient passes float to float only. */
export function cast(x: Tensor, dtype: DType): Tensor {
  return x.graph.emit("cast", [x], { dtype });
}

/** Normalises a possibly negative axis of a shape. */
export function resolveAxis(op: string, shape: Shape, axis: number): number {
  const resolved = axis < 0 ? axis + shape.length : axis;
  if (Number.isInteger(resolved) && 0 <= resolved && resolved < shape.length) return resolved;
  throw new ShapeError(`${op} was given axis ${axis} of a value of shape ${formatShape(shape)}`, {
    code: "engine.axis",
    hint: `use an axis from ${-shape.length} to ${shape.length - 1}`,
  });
}

function resolveReduction(op: string, x: Tensor, options: ReductionOptions) {
  const given = options.axes ?? x.shape.map((_, axis) => axis);
  const axes = given.map((axis) => resolveAxis(op, x.shape, axis)).sort((a, b) => a - b);
  return { axes, keepDims: options.keepDims ?? false };
}

/** Sum over axes; float32 or int32. */
export function sum(x: Tensor, options: ReductionOptions = {}): Tensor {
  return x.graph.emit("sum", [x], resolveReduction("sum", x, options));
}

/** Maximum over axes; tied maxima share the gradient equally. */
export function max(x: Tensor, options: ReductionOptions = {}): Tensor {
  return x.graph.emit("max", [x], resolveReduction("max", x, options));
}

/**
 * Matrix product over the last two axes, batched and broadcast over the others: a (..., M, K), b (..., K, N) -> (..., M, N).
 * When `b` is one matrix, the rows of all batches of `a` go through a single product.
 */
export function matmul(a: Tensor, b: Tensor, options: MatmulOptions = {}): Tensor {
  const attributes = {
    transposeA: options.transposeA ?? false,
    transposeB: options.transposeB ?? false,
    alpha: options.alpha ?? 1,
  };
  const isShared = a.shape.length > 2 && b.shape.length === 2 && !attributes.transposeA;
  const depth = attributes.transposeB ? b.shape[1] : b.shape[0];
  if (!isShared || a.shape.at(-1) !== depth) return a.graph.emit("matmul", [a, b], attributes);
  const rows = reshape(a, [sizeOf(a.shape.slice(0, -1)), a.shape.at(-1)!]); // (B..., M, K) -> (B...·M, K)
  const product = a.graph.emit("matmul", [rows, b], attributes);
  return reshape(product, [...a.shape.slice(0, -1), product.shape[1]!]); // (B..., M, N)
}

/** The same elements in another shape; one axis may be -1 and is worked out. */
export function reshape(x: Tensor, shape: Shape): Tensor {
  const open = shape.indexOf(-1);
  if (open < 0) return x.graph.emit("reshape", [x], { shape: [...shape] });
  const known = sizeOf(shape.with(open, 1));
  const size = known === 0 ? 0 : sizeOf(x.shape) / known;
  return x.graph.emit("reshape", [x], { shape: shape.with(open, Math.floor(size)) });
}

/** Axes in another order: axis `i` of the result is axis `permutation[i]` of x. */
export function transpose(x: Tensor, permutation: readonly number[]): Tensor {
  const axes = permutation.map((axis) => resolveAxis("transpose", x.shape, axis));
  return x.graph.emit("transpose", [x], { permutation: axes });
}

export interface SliceOptions {
  readonly axis: number;
  /** First position; default 0. Negative counts from the end. */
  readonly start?: number;
  /** Position after the last; default the size of the axis. Negative counts from the end. */
  readonly end?: number;
}

/** Positions `start` to `end` (exclusive) of one axis. */
export function slice(x: Tensor, options: SliceOptions): Tensor {
  const axis = resolveAxis("slice", x.shape, options.axis);
  const size = x.shape[axis]!;
  const fromFront = (position: number) => (position < 0 ? position + size : position);
  const start = fromFront(options.start ?? 0);
  const end = fromFront(options.end ?? size);
  return x.graph.emit("slice", [x], { axis, start, end });
}

/** Values joined along an axis in which alone they may differ. */
export function concat(list: readonly Tensor[], axis: number): Tensor {
  const [first] = list;
  if (first === undefined) {
    throw new ShapeError("concat was given no tensors", {
      code: "engine.no_tensor",
      hint: "give it at least one",
    });
  }
  return first.graph.emit("concat", list, { axis: resolveAxis("concat", first.shape, axis) });
}

/** x repeated to a shape by numpy's rules. */
export function broadcastTo(x: Tensor, shape: Shape): Tensor {
  return x.graph.emit("broadcastTo", [x], { shape: [...shape] });
}

/** Rows of axis 0 of a float table: table (N, ...), int32 indices of any shape -> (...indices, ...). */
export function gather(table: Tensor, indices: Tensor): Tensor {
  return table.graph.emit("gather", [table, indices], {});
}

/** One element along the last axis at each position: x (..., N), int32 indices (...) -> (...). */
export function gatherLast(x: Tensor, indices: Tensor): Tensor {
  return x.graph.emit("gatherLast", [x, indices], {});
}

export interface RmsNormOptions {
  /** Added to the mean of squares; default 1e-5, as in Llama. */
  readonly epsilon?: number;
}

/** x / sqrt(mean of squares over the last axis + epsilon) · weight: x (..., D), weight (D). */
export function rmsNorm(x: Tensor, weight: Tensor, options: RmsNormOptions = {}): Tensor {
  return x.graph.emit("rmsNorm", [x, weight], { epsilon: options.epsilon ?? 1e-5 });
}

/**
 * Rotary position embedding in the half-split convention of Llama: element i turns with element i + D/2.
 * x (B, H, T, D); cos and sin (T, D/2) or (B, 1, T, D/2), in which no gradient flows.
 */
export function rotaryEmbedding(x: Tensor, cos: Tensor, sin: Tensor): Tensor {
  const angles = [stopGradient(cos), stopGradient(sin)];
  return x.graph.emit("rotaryEmbedding", [x, ...angles], { inverse: false });
}

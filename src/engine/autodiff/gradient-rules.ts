/**
 * Reverse mode: one row per operator. A rule receives the tensors of a node and the cotangent of its result (dy) and
 * returns the cotangent of each operand (dx), or undefined where an operand has none. An operator without a gradient says
 * why. Rules emit ordinary nodes, so a gradient is a graph like any other.
 */
import { broadcastAxes } from "../graph/shape-rules.ts";
import type { OpAttributes, OpName, Shape, Tensor } from "../graph/types.ts";
import { sizeOf } from "../graph/types.ts";
import {
  add,
  broadcastTo,
  cast,
  concat,
  div,
  equal,
  exp,
  gather,
  gatherLast,
  less,
  matmul,
  mul,
  neg,
  reshape,
  sigmoid,
  silu,
  slice,
  sub,
  sum,
  transpose,
  where,
} from "../ops/primitives.ts";

export interface GradientContext<K extends OpName> {
  readonly inputs: readonly Tensor[];
  readonly output: Tensor;
  readonly attributes: OpAttributes[K];
  /** Cotangent of the output, of its shape. */
  readonly cotangent: Tensor;
}

type GradientRule<K extends OpName> = (
  context: GradientContext<K>,
) => readonly (Tensor | undefined)[];

/** The explicit absence of a gradient. */
export interface NotDifferentiable {
  readonly notDifferentiable: string;
}

const STEP_FUNCTION: NotDifferentiable = {
  notDifferentiable: "its result jumps, so the gradient is zero wherever it is defined",
};

/** Sums a cotangent over the axes along which its operand was repeated. */
export function unbroadcast(cotangent: Tensor, shape: Shape): Tensor {
  const axes = broadcastAxes(shape, cotangent.shape);
  if (axes.length === 0) return reshape(cotangent, shape);
  return reshape(sum(cotangent, { axes }), shape);
}

/** Puts reduced axes back with size 1. */
function keepReduced(x: Tensor, source: Shape, axes: readonly number[]): Tensor {
  return reshape(
    x,
    source.map((size, axis) => (axes.includes(axis) ? 1 : size)),
  );
}

/** Share of a cotangent at an extremum: all of it at the chosen operand, half of it at each of two equal ones. */
function extremum(
  { inputs, cotangent }: GradientContext<"minimum" | "maximum">,
  isMinimum: boolean,
) {
  const [a, b] = inputs as readonly [Tensor, Tensor];
  const half = where(equal(a, b), mul(cotangent, 0.5), 0);
  const da = where(isMinimum ? less(a, b) : less(b, a), cotangent, half);
  const db = where(isMinimum ? less(b, a) : less(a, b), cotangent, half);
  return [unbroadcast(da, a.shape), unbroadcast(db, b.shape)];
}

/** y = alpha · op(a) op(b), with dA = alpha · dY op(b)ᵀ and dB = alpha · op(a)ᵀ dY, each turned as its operand was. */
function matmulGradient({ inputs, attributes, cotangent: dy }: GradientContext<"matmul">) {
  const [a, b] = inputs as readonly [Tensor, Tensor];
  const { transposeA, transposeB, alpha } = attributes;
  const da = transposeA
    ? matmul(b, dy, { transposeA: transposeB, transposeB: true, alpha })
    : matmul(dy, b, { transposeB: !transposeB, alpha });
  const db = transposeB
    ? matmul(dy, a, { transposeA: true, transposeB: transposeA, alpha })
    : matmul(a, dy, { transposeA: !transposeA, alpha });
  return [unbroadcast(da, a.shape), unbroadcast(db, b.shape)];
}

function sliceGradient({ inputs, attributes, cotangent }: GradientContext<"slice">) {
  const [x] = inputs as readonly [Tensor];
  const { axis, start, end } = attributes;
  const zeros = (size: number) => {
    const shape = x.shape.with(axis, size);
    return size === 0 ? [] : [broadcastTo(x.graph.constant(0), shape)];
  };
  return [concat([...zeros(start), cotangent, ...zeros(x.shape[axis]! - end)], axis)];
}

function concatGradient({ inputs, attributes, cotangent }: GradientContext<"concat">) {
  let start = 0;
  return inputs.map((input) => {
    const end = start + input.shape[attributes.axis]!;
    const part = slice(cotangent, { axis: attributes.axis, start, end });
    start = end;
    return part;
  });
}

function transposeGradient({ attributes, cotangent }: GradientContext<"transpose">) {
  const inverse = attributes.permutation.map((_, axis) => attributes.permutation.indexOf(axis));
  return [transpose(cotangent, inverse)];
}

/**
 * With r = inverseRms(x) and n the size of the last axis: dx = r · (dy·w - x · r²/n · Σ dy·w·x) and dw = Σ_rows dy·x·r.
 * Both sums are matrix-vector products over the one new array dy·x.
 */
function rmsNormGradient({ inputs, attributes, cotangent }: GradientContext<"rmsNorm">) {
  const [x, weight] = inputs as readonly [Tensor, Tensor];
  const size = x.shape.at(-1)!;
  const rows = sizeOf(x.shape.slice(0, -1));
  const inverse = x.graph.emit("inverseRms", [x], attributes); // (..., 1)
  const product = reshape(mul(cotangent, x), [rows, size]); // (rows, n)
  const inverseColumn = reshape(inverse, [rows, 1]);
  const dot = matmul(product, reshape(weight, [size, 1])); // (rows, 1): Σ dy·w·x
  const slope = mul(mul(dot, 1 / size), mul(inverseColumn, inverseColumn)); // (rows, 1)
  const direction = sub(mul(cotangent, weight), mul(x, reshape(slope, inverse.shape)));
  const dx = mul(direction, inverse);
  const dw = matmul(inverseColumn, product, { transposeA: true }); // (1, n)
  return [dx, reshape(dw, weight.shape)];
}

/** d inverseRms / dx = -r³ · x / n. */
function inverseRmsGradient({ inputs, output: r, cotangent }: GradientContext<"inverseRms">) {
  const [x] = inputs as readonly [Tensor];
  const slope = mul(mul(r, mul(r, r)), -1 / x.shape.at(-1)!);
  return [mul(x, mul(cotangent, slope))];
}

export const gradientRules: { readonly [K in OpName]: GradientRule<K> | NotDifferentiable } = {
  input: () => [],
  parameter: () => [],
  constant: () => [],

  add: ({ inputs: [a, b], cotangent }) => [
    unbroadcast(cotangent, a!.shape),
    unbroadcast(cotangent, b!.shape),
  ],
  sub: ({ inputs: [a, b], cotangent }) => [
    unbroadcast(cotangent, a!.shape),
    unbroadcast(neg(cotangent), b!.shape),
  ],
  mul: ({ inputs: [a, b], cotangent }) => [
    unbroadcast(mul(cotangent, b!), a!.shape), // dy · b
    unbroadcast(mul(cotangent, a!), b!.shape), // dy · a
  ],
  div: ({ inputs: [a, b], output: y, cotangent }) => {
    const da = div(cotangent, b!); // dy / b
    return [unbroadcast(da, a!.shape), unbroadcast(neg(mul(da, y)), b!.shape)]; // -dy · a / b²
  },
  minimum: (context) => extremum(context, true),
  maximum: (context) => extremum(context, false),
  equal: STEP_FUNCTION,
  less: STEP_FUNCTION,
  lessEqual: STEP_FUNCTION,
  logicalAnd: STEP_FUNCTION,
  where: ({ inputs: [condition, a, b], cotangent }) => [
    undefined,
    unbroadcast(where(condition!, cotangent, 0), a!.shape),
    unbroadcast(where(condition!, 0, cotangent), b!.shape),
  ],

  neg: ({ cotangent }) => [neg(cotangent)],
  exp: ({ output: y, cotangent }) => [mul(cotangent, y)], // dy · eˣ
  log: ({ inputs: [x], cotangent }) => [div(cotangent, x!)], // dy / x
  sqrt: ({ output: y, cotangent }) => [div(mul(cotangent, 0.5), y)], // dy / (2 √x)
  sigmoid: ({ output: y, cotangent }) => [mul(cotangent, mul(y, sub(1, y)))], // dy · y (1 - y)
  tanh: ({ output: y, cotangent }) => [mul(cotangent, sub(1, mul(y, y)))], // dy · (1 - y²)
  silu: ({ inputs: [x], output: y, cotangent }) => {
    const gate = sigmoid(x!);
    const slope = add(gate, mul(y, sub(1, gate))); // s + x·s (1 - s)
    return [mul(cotangent, slope)];
  },
  logicalNot: STEP_FUNCTION,
  cast: ({ inputs: [x], cotangent }) => [
    x!.dtype === "float32" ? cast(cotangent, "float32") : undefined,
  ],
  stopGradient: () => [undefined],

  matmul: matmulGradient,
  sum: ({ inputs: [x], attributes, cotangent }) => [
    broadcastTo(keepReduced(cotangent, x!.shape, attributes.axes), x!.shape),
  ],
  max: ({ inputs: [x], output: y, attributes, cotangent }) => {
    const top = keepReduced(y, x!.shape, attributes.axes);
    const chosen = cast(equal(x!, top), "float32");
    const ties = sum(chosen, { axes: attributes.axes, keepDims: true });
    const share = div(keepReduced(cotangent, x!.shape, attributes.axes), ties);
    return [mul(chosen, share)];
  },

  reshape: ({ inputs: [x], cotangent }) => [reshape(cotangent, x!.shape)],
  transpose: transposeGradient,
  slice: sliceGradient,
  concat: concatGradient,
  broadcastTo: ({ inputs: [x], cotangent }) => [unbroadcast(cotangent, x!.shape)],

  gather: ({ inputs: [table, indices], cotangent }) => [
    table!.graph.emit("scatterRows", [indices!, cotangent], { rows: table!.shape[0]! }),
    undefined,
  ],
  scatterRows: ({ inputs: [indices], cotangent }) => [undefined, gather(cotangent, indices!)],
  gatherLast: ({ inputs: [x, indices], cotangent }) => {
    const zeros = broadcastTo(x!.graph.constant(0), x!.shape);
    return [x!.graph.emit("scatterLast", [zeros, indices!, cotangent], {}), undefined];
  },
  scatterLast: ({ inputs: [, indices], cotangent }) => [
    cotangent,
    undefined,
    gatherLast(cotangent, indices!),
  ],

  softmax: ({ output: y, cotangent }) => {
    const dot = sum(mul(cotangent, y), { axes: [-1], keepDims: true });
    return [mul(sub(cotangent, dot), y)]; // (dy - Σ dy·y) · y
  },
  logSoftmax: ({ output: y, cotangent }) => {
    const total = sum(cotangent, { axes: [-1], keepDims: true });
    return [sub(cotangent, mul(exp(y), total))]; // dy - softmax · Σ dy
  },
  swiGlu: ({ inputs: [gate, up], output: h, cotangent }) => {
    const s = sigmoid(gate!);
    const slope = add(h, mul(s, sub(up!, h))); // u · silu'(g) = h + s (u - h)
    return [mul(cotangent, slope), mul(cotangent, silu(gate!))];
  },
  rmsNorm: rmsNormGradient,
  inverseRms: inverseRmsGradient,
  rotaryEmbedding: ({ inputs: [, cos, sin], attributes, cotangent }) => {
    const inverse = !attributes.inverse;
    return [cotangent.graph.emit("rotaryEmbedding", [cotangent, cos!, sin!], { inverse })];
  },
};

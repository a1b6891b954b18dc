/**
 * The oracle's kernels: one per operator, written for plainness. Every element is held as a float64 number (int32 and bool
 * fit exactly), so that the interpreter is more exact than the runtime it judges, and fine enough for finite differences.
 */
import { GraphError, InternalError } from "../../util/errors.ts";
import { reducedShape } from "../graph/shape-rules.ts";
import type { OpAttributes, OpName, Shape, TensorType } from "../graph/types.ts";
import { sizeOf } from "../graph/types.ts";

export interface Value {
  readonly shape: Shape;
  readonly data: Float64Array;
}

interface KernelContext<K extends OpName> {
  readonly inputs: readonly Value[];
  readonly inputTypes: readonly TensorType[];
  readonly attributes: OpAttributes[K];
  /** Type of the result. */
  readonly type: TensorType;
}

type Kernel<K extends OpName> = (context: KernelContext<K>) => Float64Array;

/** Row-major strides. */
function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis]!;
  }
  return strides;
}

/** Calls `visit` with each position of a shape, in row-major order; the position array is reused. */
function forEachPosition(
  shape: Shape,
  visit: (position: readonly number[], flat: number) => void,
): void {
  const position = new Array<number>(shape.length).fill(0);
  const size = sizeOf(shape);
  for (let flat = 0; flat < size; flat++) {
    visit(position, flat);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      if (++position[axis]! < shape[axis]!) break;
      position[axis] = 0;
    }
  }
}

/** Flat offset of a position in a value whose axes may be missing in front or have size 1. */
function offsetOf(value: Value, strides: readonly number[], position: readonly number[]): number {
  const lead = position.length - value.shape.length;
  let offset = 0;
  value.shape.forEach((size, axis) => {
    if (size !== 1) offset += position[axis + lead]! * strides[axis]!;
  });
  return offset;
}

/** Applies `f` to elements that stand at the same place after broadcasting. */
function elementwise(
  shape: Shape,
  inputs: readonly Value[],
  f: (...x: number[]) => number,
): Float64Array {
  const strides = inputs.map((input) => stridesOf(input.shape));
  const result = new Float64Array(sizeOf(shape));
  forEachPosition(shape, (position, flat) => {
    result[flat] = f(
      ...inputs.map((input, i) => input.data[offsetOf(input, strides[i]!, position)]!),
    );
  });
  return result;
}

const map =
  (f: (...x: number[]) => number) =>
  ({ type, inputs }: KernelContext<OpName>): Float64Array =>
    elementwise(type.shape, inputs, f);

/** Folds each group of elements that a reduction joins, starting from `initial`. */
function reduce(
  { inputs, attributes }: KernelContext<"sum" | "max">,
  initial: number,
  f: (total: number, x: number) => number,
): Float64Array {
  const [x] = inputs as readonly [Value];
  const kept: Value = {
    shape: reducedShape(x.shape, attributes.axes, true),
    data: new Float64Array(),
  };
  const strides = stridesOf(kept.shape);
  const result = new Float64Array(sizeOf(kept.shape)).fill(initial);
  forEachPosition(x.shape, (position, flat) => {
    const at = offsetOf(kept, strides, position);
    result[at] = f(result[at]!, x.data[flat]!);
  });
  return result;
}

/** Rows of the last axis, each as a view into a copy. */
function mapRows(x: Value, f: (row: Float64Array, index: number) => void): Float64Array {
  const result = x.data.slice();
  const width = x.shape.at(-1)!;
  for (let start = 0, index = 0; start < result.length; start += width, index++) {
    f(result.subarray(start, start + width), index);
  }
  return result;
}

function logSumExp(row: Float64Array): number {
  const top = row.reduce((a, b) => Math.max(a, b), -Infinity);
  return top + Math.log(row.reduce((total, x) => total + Math.exp(x - top), 0));
}

function matmul({ inputs, attributes, type }: KernelContext<"matmul">): Float64Array {
  const [a, b] = inputs as readonly [Value, Value];
  const { transposeA, transposeB, alpha } = attributes;
  const depth = a.shape.at(transposeA ? -2 : -1)!;
  const [strideA, strideB] = [stridesOf(a.shape), stridesOf(b.shape)];
  const result = new Float64Array(sizeOf(type.shape));
  forEachPosition(type.shape, (position, flat) => {
    const batch = position.slice(0, -2);
    const [row, column] = [position.at(-2)!, position.at(-1)!];
    let total = 0;
    for (let k = 0; k < depth; k++) {
      const atA = offsetExact(a, strideA, batch, transposeA ? [k, row] : [row, k]);
      const atB = offsetExact(b, strideB, batch, transposeB ? [column, k] : [k, column]);
      total += a.data[atA]! * b.data[atB]!;
    }
    result[flat] = alpha * total;
  });
  return result;
}

/** Offset of a matrix element: batch axes broadcast, the last two are taken as they are. */
function offsetExact(
  value: Value,
  strides: readonly number[],
  batch: readonly number[],
  [row, column]: readonly [number, number],
): number {
  const lead = batch.length + 2 - value.shape.length;
  let offset = row * strides.at(-2)! + column * strides.at(-1)!;
  for (let axis = 0; axis < value.shape.length - 2; axis++) {
    if (value.shape[axis] !== 1) offset += batch[axis + lead]! * strides[axis]!;
  }
  return offset;
}

/** An index of an axis; negative ones count from the end, as in ONNX. */
function indexIn(size: number, index: number): number {
  const resolved = index < 0 ? index + size : index;
  if (resolved >= 0 && resolved < size) return resolved;
  throw new GraphError(`index ${index} is outside of an axis of size ${size}`, {
    code: "engine.index",
    hint: "feed indices within the axis",
  });
}

/** Copies elements so that result position p holds input position `source(p)`. */
function move(
  shape: Shape,
  x: Value,
  source: (position: readonly number[]) => readonly number[],
): Float64Array {
  const strides = stridesOf(x.shape);
  const result = new Float64Array(sizeOf(shape));
  forEachPosition(shape, (position, flat) => {
    result[flat] = x.data[offsetOf(x, strides, source(position))]!;
  });
  return result;
}

function concat({ inputs, attributes, type }: KernelContext<"concat">): Float64Array {
  const result = new Float64Array(sizeOf(type.shape));
  const strides = stridesOf(type.shape);
  let start = 0;
  for (const input of inputs) {
    forEachPosition(input.shape, (position, flat) => {
      const at = position.reduce((sum, p, axis) => sum + p * strides[axis]!, 0);
      result[at + start * strides[attributes.axis]!] = input.data[flat]!;
    });
    start += input.shape[attributes.axis]!;
  }
  return result;
}

function gather({ inputs }: KernelContext<"gather">): Float64Array {
  const [table, indices] = inputs as readonly [Value, Value];
  const width = sizeOf(table.shape.slice(1));
  const result = new Float64Array(indices.data.length * width);
  indices.data.forEach((index, at) => {
    const row = indexIn(table.shape[0]!, index) * width;
    result.set(table.data.subarray(row, row + width), at * width);
  });
  return result;
}

function scatterRows({ inputs, type }: KernelContext<"scatterRows">): Float64Array {
  const [indices, updates] = inputs as readonly [Value, Value];
  const width = sizeOf(type.shape.slice(1));
  const result = new Float64Array(sizeOf(type.shape));
  indices.data.forEach((index, at) => {
    const row = indexIn(type.shape[0]!, index) * width;
    for (let i = 0; i < width; i++) result[row + i]! += updates.data[at * width + i]!;
  });
  return result;
}

function gatherLast({ inputs }: KernelContext<"gatherLast">): Float64Array {
  const [x, indices] = inputs as readonly [Value, Value];
  const width = x.shape.at(-1)!;
  return indices.data.map((index, at) => x.data[at * width + indexIn(width, index)]!);
}

function scatterLast({ inputs }: KernelContext<"scatterLast">): Float64Array {
  const [base, indices, updates] = inputs as readonly [Value, Value, Value];
  return mapRows(base, (row, at) => {
    row[indexIn(row.length, indices.data[at]!)]! += updates.data[at]!;
  });
}

function inverseRms(row: Float64Array, epsilon: number): number {
  const meanSquare = row.reduce((total, x) => total + x * x, 0) / row.length;
  return 1 / Math.sqrt(meanSquare + epsilon);
}

function rotaryEmbedding({ inputs, attributes }: KernelContext<"rotaryEmbedding">): Float64Array {
  const [x, cos, sin] = inputs as readonly [Value, Value, Value];
  const [, , , D] = x.shape as readonly [number, number, number, number];
  const half = D / 2;
  const strides = stridesOf(x.shape);
  const angleStrides = stridesOf(cos.shape);
  const result = new Float64Array(x.data.length);
  forEachPosition(x.shape.with(-1, half), (position) => {
    const at = offsetOf(x, strides, position);
    const angle = offsetOf(cos, angleStrides, position.slice(-cos.shape.length));
    const c = cos.data[angle]!;
    const s = attributes.inverse ? -sin.data[angle]! : sin.data[angle]!;
    const [first, second] = [x.data[at]!, x.data[at + half]!];
    result[at] = first * c - second * s;
    result[at + half] = second * c + first * s;
  });
  return result;
}

function cast({ inputs, attributes }: KernelContext<"cast">): Float64Array {
  const { data } = inputs[0]!;
  if (attributes.dtype === "bool") return data.map((x) => Number(x !== 0));
  return attributes.dtype === "int32" ? data.map(Math.trunc) : data;
}

const leaf = (): never => {
  throw new InternalError("a leaf reached the kernels", { code: "engine.interpret_leaf" });
};

const isTrue = (holds: boolean) => Number(holds);
const logistic = (x: number) => 1 / (1 + Math.exp(-x));

export const kernels: { readonly [K in OpName]: Kernel<K> } = {
  input: leaf,
  parameter: leaf,
  constant: ({ attributes }) => Float64Array.from(attributes.values),

  add: map((a, b) => a! + b!),
  sub: map((a, b) => a! - b!),
  mul: map((a, b) => a! * b!),
  div: map((a, b) => a! / b!),
  minimum: map((a, b) => Math.min(a!, b!)),
  maximum: map((a, b) => Math.max(a!, b!)),
  equal: map((a, b) => isTrue(a === b)),
  less: map((a, b) => isTrue(a! < b!)),
  lessEqual: map((a, b) => isTrue(a! <= b!)),
  logicalAnd: map((a, b) => isTrue(a !== 0 && b !== 0)),
  where: map((condition, a, b) => (condition !== 0 ? a! : b!)),

  neg: map((x) => -x!),
  exp: map((x) => Math.exp(x!)),
  log: map((x) => Math.log(x!)),
  sqrt: map((x) => Math.sqrt(x!)),
  sigmoid: map((x) => logistic(x!)),
  tanh: map((x) => Math.tanh(x!)),
  silu: map((x) => x! * logistic(x!)),
  logicalNot: map((x) => isTrue(x === 0)),
  cast,
  stopGradient: ({ inputs }) => inputs[0]!.data,

  matmul,
  sum: (context) => reduce(context, 0, (total, x) => total + x),
  max: (context) => reduce(context, -Infinity, Math.max),

  reshape: ({ inputs }) => inputs[0]!.data,
  transpose: ({ inputs, attributes, type }) =>
    move(type.shape, inputs[0]!, (position) => {
      const source = new Array<number>(position.length);
      attributes.permutation.forEach((axis, index) => {
        source[axis] = position[index]!;
      });
      return source;
    }),
  slice: ({ inputs, attributes: { axis, start }, type }) => {
    // A position is used as it is, also along an axis of size 1.
    const strides = stridesOf(inputs[0]!.shape);
    const result = new Float64Array(sizeOf(type.shape));
    forEachPosition(type.shape, (position, flat) => {
      const at = position.reduce((sum, p, index) => sum + p * strides[index]!, 0);
      result[flat] = inputs[0]!.data[at + start * strides[axis]!]!;
    });
    return result;
  },
  concat,
  broadcastTo: ({ inputs, type }) => elementwise(type.shape, inputs, (x) => x!),

  gather,
  scatterRows,
  gatherLast,
  scatterLast,

  softmax: ({ inputs }) =>
    mapRows(inputs[0]!, (row) => {
      const total = logSumExp(row);
      row.forEach((x, i) => {
        row[i] = Math.exp(x - total);
      });
    }),
  logSoftmax: ({ inputs }) =>
    mapRows(inputs[0]!, (row) => {
      const total = logSumExp(row);
      row.forEach((x, i) => {
        row[i] = x - total;
      });
    }),
  swiGlu: map((gate, up) => gate! * logistic(gate!) * up!),
  rmsNorm: ({ inputs, attributes }) =>
    mapRows(inputs[0]!, (row) => {
      const inverse = inverseRms(row, attributes.epsilon);
      row.forEach((x, i) => {
        row[i] = x * inverse * inputs[1]!.data[i]!;
      });
    }),
  inverseRms: ({ inputs, attributes }) => {
    const [x] = inputs as readonly [Value];
    const result: number[] = [];
    mapRows(x, (row) => result.push(inverseRms(row, attributes.epsilon)));
    return Float64Array.from(result);
  },
  rotaryEmbedding,
};

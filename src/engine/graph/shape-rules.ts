/**
 * Shape inference: one row per operator. A rule receives the types of the operands and the attributes and returns the type
 * of the result, or calls `fail` with what does not fit; the builder and the verifier add which node and whose operands.
 */
import type { DType, OpAttributes, OpName, Shape, TensorType } from "./types.ts";
import { formatShape, isSameShape, sizeOf } from "./types.ts";

export interface ShapeRuleContext {
  readonly inputs: readonly TensorType[];
  /** Throws a `ShapeError` that names the node and its operands. */
  readonly fail: (problem: string) => never;
}

type ShapeRule<K extends OpName> = (
  context: ShapeRuleContext,
  attributes: OpAttributes[K],
) => TensorType;

/** Numpy broadcasting of two shapes; undefined when an axis differs and neither size is 1. */
export function broadcastShapes(a: Shape, b: Shape): Shape | undefined {
  const rank = Math.max(a.length, b.length);
  const shape: number[] = [];
  for (let axis = 0; axis < rank; axis++) {
    const sizeA = a[axis - rank + a.length] ?? 1;
    const sizeB = b[axis - rank + b.length] ?? 1;
    if (sizeA !== sizeB && sizeA !== 1 && sizeB !== 1) return undefined;
    shape.push(sizeA === 1 ? sizeB : sizeA);
  }
  return shape;
}

/** Axes of `to`, counted from the front, along which a value of shape `from` is repeated or new. */
export function broadcastAxes(from: Shape, to: Shape): number[] {
  const lead = to.length - from.length;
  return to.flatMap((size, axis) =>
    axis < lead || (from[axis - lead] === 1 && size !== 1) ? [axis] : [],
  );
}

/** Shape after a reduction over normalised axes. */
export function reducedShape(shape: Shape, axes: readonly number[], keepDims: boolean): Shape {
  return shape.flatMap((size, axis) => (axes.includes(axis) ? (keepDims ? [1] : []) : [size]));
}

function takeInputs(context: ShapeRuleContext, count: number): readonly TensorType[] {
  if (context.inputs.length !== count) {
    context.fail(`takes ${count} operands, found ${context.inputs.length}`);
  }
  return context.inputs;
}

function requireDType(
  context: ShapeRuleContext,
  index: number,
  allowed: readonly DType[],
): TensorType {
  const type = context.inputs[index]!;
  if (!allowed.includes(type.dtype)) {
    context.fail(`needs ${allowed.join(" or ")} as operand ${index + 1}, found ${type.dtype}`);
  }
  return type;
}

function broadcastAll(context: ShapeRuleContext, types: readonly TensorType[]): Shape {
  let shape: Shape = [];
  for (const type of types) {
    const next = broadcastShapes(shape, type.shape);
    if (next === undefined) {
      const shapes = types.map((each) => formatShape(each.shape)).join(" and ");
      return context.fail(`cannot broadcast ${shapes} together`);
    }
    shape = next;
  }
  return shape;
}

function binary(dtypes: readonly DType[], result?: DType): (c: ShapeRuleContext) => TensorType {
  return (context) => {
    const [a, b] = takeInputs(context, 2);
    requireDType(context, 0, dtypes);
    if (a!.dtype !== b!.dtype) {
      context.fail(`needs operands of one dtype, found ${a!.dtype} and ${b!.dtype}`);
    }
    return { shape: broadcastAll(context, [a!, b!]), dtype: result ?? a!.dtype };
  };
}

function unary(dtypes: readonly DType[]): (c: ShapeRuleContext) => TensorType {
  return (context) => {
    takeInputs(context, 1);
    const { shape, dtype } = requireDType(context, 0, dtypes);
    return { shape, dtype };
  };
}

function leaf(context: ShapeRuleContext, shape: Shape, dtype: DType): TensorType {
  takeInputs(context, 0);
  if (!shape.every((size) => Number.isInteger(size) && size >= 0)) {
    context.fail(`needs axis sizes that are integers >= 0, found ${formatShape(shape)}`);
  }
  return { shape: [...shape], dtype };
}

function requireLastAxis(context: ShapeRuleContext, index: number): TensorType {
  const type = requireDType(context, index, ["float32"]);
  if (type.shape.length === 0) context.fail(`needs a last axis in operand ${index + 1}, found ()`);
  return type;
}

function reduction(
  context: ShapeRuleContext,
  { axes, keepDims }: OpAttributes["sum"],
  dtypes: readonly DType[],
): TensorType {
  takeInputs(context, 1);
  const { shape, dtype } = requireDType(context, 0, dtypes);
  if (new Set(axes).size !== axes.length || !axes.every((axis) => axis in shape)) {
    context.fail(`needs distinct axes of ${formatShape(shape)}, found [${axes}]`);
  }
  return { shape: reducedShape(shape, axes, keepDims), dtype };
}

const NUMBERS: readonly DType[] = ["float32", "int32"];
const FLOATS: readonly DType[] = ["float32"];
const BOOLS: readonly DType[] = ["bool"];
const ANY: readonly DType[] = ["float32", "int32", "bool"];

export const shapeRules: { readonly [K in OpName]: ShapeRule<K> } = {
  input: (context, { shape, dtype }) => leaf(context, shape, dtype),
  parameter: (context, { shape }) => leaf(context, shape, "float32"),
  constant: (context, { values, shape }) => {
    if (values.length !== sizeOf(shape)) {
      context.fail(
        `needs ${sizeOf(shape)} values for ${formatShape(shape)}, found ${values.length}`,
      );
    }
    const dtype =
      values instanceof Float32Array ? "float32" : values instanceof Int32Array ? "int32" : "bool";
    return leaf(context, shape, dtype);
  },

  add: binary(NUMBERS),
  sub: binary(NUMBERS),
  mul: binary(NUMBERS),
  div: binary(FLOATS),
  minimum: binary(NUMBERS),
  maximum: binary(NUMBERS),
  equal: binary(NUMBERS, "bool"),
  less: binary(NUMBERS, "bool"),
  lessEqual: binary(NUMBERS, "bool"),
  logicalAnd: binary(BOOLS),
  where: (context) => {
    const [condition, a, b] = takeInputs(context, 3);
    requireDType(context, 0, BOOLS);
    requireDType(context, 1, NUMBERS);
    if (a!.dtype !== b!.dtype) {
      context.fail(`needs both branches of one dtype, found ${a!.dtype} and ${b!.dtype}`);
    }
    return { shape: broadcastAll(context, [condition!, a!, b!]), dtype: a!.dtype };
  },

  neg: unary(NUMBERS),
  exp: unary(FLOATS),
  log: unary(FLOATS),
  sqrt: unary(FLOATS),
  sigmoid: unary(FLOATS),
  tanh: unary(FLOATS),
  silu: unary(FLOATS),
  logicalNot: unary(BOOLS),
  cast: (context, { dtype }) => ({ shape: unary(ANY)(context).shape, dtype }),
  stopGradient: unary(ANY),

  matmul: (context, { transposeA, transposeB }) => {
    takeInputs(context, 2);
    const { shape: a } = requireDType(context, 0, FLOATS);
    const { shape: b } = requireDType(context, 1, FLOATS);
    const shapes = `${formatShape(a)}${transposeA ? "ᵀ" : ""} by ${formatShape(b)}${transposeB ? "ᵀ" : ""}`;
    if (a.length < 2 || b.length < 2)
      context.fail(`needs two axes in each operand, found ${shapes}`);
    const [rowsA, columnsA] = transposeA ? [a.at(-1)!, a.at(-2)!] : [a.at(-2)!, a.at(-1)!];
    const [rowsB, columnsB] = transposeB ? [b.at(-1)!, b.at(-2)!] : [b.at(-2)!, b.at(-1)!];
    if (columnsA !== rowsB) context.fail(`cannot multiply ${shapes}: ${columnsA} is not ${rowsB}`);
    const batch = broadcastShapes(a.slice(0, -2), b.slice(0, -2));
    if (batch === undefined) {
      return context.fail(`cannot multiply ${shapes}: the batch axes do not broadcast`);
    }
    return { shape: [...batch, rowsA, columnsB], dtype: "float32" };
  },
  sum: (context, attributes) => reduction(context, attributes, NUMBERS),
  max: (context, attributes) => {
    const type = reduction(context, attributes, NUMBERS);
    const { shape } = context.inputs[0]!;
    if (attributes.axes.some((axis) => shape[axis] === 0)) {
      context.fail(`has no value over an empty axis of ${formatShape(shape)}`);
    }
    return type;
  },

  reshape: (context, { shape }) => {
    takeInputs(context, 1);
    const { shape: from, dtype } = context.inputs[0]!;
    if (sizeOf(from) !== sizeOf(shape)) {
      context.fail(
        `cannot reshape ${formatShape(from)} (${sizeOf(from)} elements) to ${formatShape(shape)} (${sizeOf(shape)})`,
      );
    }
    return { shape, dtype };
  },
  transpose: (context, { permutation }) => {
    takeInputs(context, 1);
    const { shape, dtype } = context.inputs[0]!;
    const isPermutation =
      permutation.length === shape.length && shape.every((_, axis) => permutation.includes(axis));
    if (!isPermutation) {
      context.fail(
        `needs a permutation of the axes of ${formatShape(shape)}, found [${permutation}]`,
      );
    }
    return { shape: permutation.map((axis) => shape[axis]!), dtype };
  },
  slice: (context, { axis, start, end }) => {
    takeInputs(context, 1);
    const { shape, dtype } = context.inputs[0]!;
    const size = shape[axis];
    if (size === undefined || !(0 <= start && start <= end && end <= size)) {
      context.fail(`cannot take ${start} to ${end} of axis ${axis} of ${formatShape(shape)}`);
    }
    return { shape: shape.with(axis, end - start), dtype };
  },
  concat: (context, { axis }) => {
    const first = context.inputs[0];
    if (first === undefined) return context.fail("needs at least one operand");
    if (!(axis in first.shape)) context.fail(`has no axis ${axis} in ${formatShape(first.shape)}`);
    let total = 0;
    for (const { shape, dtype } of context.inputs) {
      const size = shape[axis] ?? 0;
      if (dtype !== first.dtype || !isSameShape(shape, first.shape.with(axis, size))) {
        const found = `${dtype} ${formatShape(shape)}`;
        context.fail(
          `cannot join ${first.dtype} ${formatShape(first.shape)} and ${found} on axis ${axis}`,
        );
      }
      total += size;
    }
    return { shape: first.shape.with(axis, total), dtype: first.dtype };
  },
  broadcastTo: (context, { shape }) => {
    takeInputs(context, 1);
    const from = context.inputs[0]!;
    const joint = broadcastShapes(from.shape, shape);
    if (joint === undefined || !isSameShape(joint, shape)) {
      context.fail(`cannot broadcast ${formatShape(from.shape)} to ${formatShape(shape)}`);
    }
    return { shape, dtype: from.dtype };
  },

  gather: (context) => {
    takeInputs(context, 2);
    const table = requireLastAxis(context, 0);
    const indices = requireDType(context, 1, ["int32"]);
    return { shape: [...indices.shape, ...table.shape.slice(1)], dtype: table.dtype };
  },
  scatterRows: (context, { rows }) => {
    takeInputs(context, 2);
    const indices = requireDType(context, 0, ["int32"]);
    const updates = requireDType(context, 1, FLOATS);
    const lead = updates.shape.slice(0, indices.shape.length);
    if (!isSameShape(lead, indices.shape)) {
      context.fail(
        `has indices ${formatShape(indices.shape)} for updates ${formatShape(updates.shape)}`,
      );
    }
    return { shape: [rows, ...updates.shape.slice(indices.shape.length)], dtype: "float32" };
  },
  gatherLast: (context) => {
    takeInputs(context, 2);
    const x = requireLastAxis(context, 0);
    const indices = requireDType(context, 1, ["int32"]);
    if (!isSameShape(x.shape.slice(0, -1), indices.shape)) {
      context.fail(`has indices ${formatShape(indices.shape)} for ${formatShape(x.shape)}`);
    }
    return { shape: indices.shape, dtype: x.dtype };
  },
  scatterLast: (context) => {
    takeInputs(context, 3);
    const base = requireLastAxis(context, 0);
    const indices = requireDType(context, 1, ["int32"]);
    const updates = requireDType(context, 2, FLOATS);
    const lead = base.shape.slice(0, -1);
    if (!isSameShape(lead, indices.shape) || !isSameShape(lead, updates.shape)) {
      const found = `indices ${formatShape(indices.shape)} and updates ${formatShape(updates.shape)}`;
      context.fail(`has ${found} for ${formatShape(base.shape)}`);
    }
    return { shape: base.shape, dtype: "float32" };
  },

  softmax: (context) => {
    takeInputs(context, 1);
    return { shape: requireLastAxis(context, 0).shape, dtype: "float32" };
  },
  logSoftmax: (context) => {
    takeInputs(context, 1);
    return { shape: requireLastAxis(context, 0).shape, dtype: "float32" };
  },
  swiGlu: (context) => {
    const [gate, up] = takeInputs(context, 2);
    requireDType(context, 0, FLOATS);
    requireDType(context, 1, FLOATS);
    if (!isSameShape(gate!.shape, up!.shape)) {
      context.fail(
        `needs operands of one shape, found ${formatShape(gate!.shape)} and ${formatShape(up!.shape)}`,
      );
    }
    return { shape: gate!.shape, dtype: "float32" };
  },
  rmsNorm: (context) => {
    takeInputs(context, 2);
    const x = requireLastAxis(context, 0);
    const weight = requireDType(context, 1, FLOATS);
    if (!isSameShape(weight.shape, x.shape.slice(-1))) {
      context.fail(`has weight ${formatShape(weight.shape)} for ${formatShape(x.shape)}`);
    }
    return { shape: x.shape, dtype: "float32" };
  },
  inverseRms: (context) => {
    takeInputs(context, 1);
    return { shape: requireLastAxis(context, 0).shape.with(-1, 1), dtype: "float32" };
  },
  rotaryEmbedding: (context) => {
    takeInputs(context, 3);
    const x = requireDType(context, 0, FLOATS);
    const cos = requireDType(context, 1, FLOATS);
    const sin = requireDType(context, 2, FLOATS);
    const [B, , T, D] = x.shape;
    if (x.shape.length !== 4 || D! % 2 !== 0) {
      context.fail(`needs x (B, H, T, even D), found ${formatShape(x.shape)}`);
    }
    const allowed: readonly Shape[] = [
      [T!, D! / 2],
      [B!, 1, T!, D! / 2],
    ];
    const fits = isSameShape(cos.shape, sin.shape);
    if (!fits || !allowed.some((shape) => isSameShape(shape, cos.shape))) {
      const found = `${formatShape(cos.shape)} and ${formatShape(sin.shape)}`;
      context.fail(`needs cos and sin ${allowed.map(formatShape).join(" or ")}, found ${found}`);
    }
    return { shape: x.shape, dtype: "float32" };
  },
};

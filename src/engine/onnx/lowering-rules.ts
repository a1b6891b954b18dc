/**
 * Lowering: one row per operator, from a node of the graph to nodes of ONNX. Rules return the name of the value that holds
 * the result; one that computes nothing returns the name of its operand. Operators of the `com.microsoft` domain are used
 * where onnxruntime's CPU provider has them and they measured faster (docs/methods/engine.md).
 */
import { InternalError } from "../../util/errors.ts";
import type { OpAttributes, OpName, TensorData, TensorType } from "../graph/types.ts";
import { ONNX_TYPES, type OnnxAttribute } from "./protobuf.ts";

/** Domain of onnxruntime's own operators. */
export const MICROSOFT = "com.microsoft";

export interface EmitOptions {
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>;
  readonly domain?: string;
}

/** Device whose operators are used; all of them compute the same. */
export type Target = "cpu" | "webgpu" | "cuda";

export interface LoweringContext<K extends OpName = OpName> {
  readonly target: Target;
  readonly attributes: OpAttributes[K];
  /** Names of the operands' values. */
  readonly inputs: readonly string[];
  readonly inputTypes: readonly TensorType[];
  /** Type of the result. */
  readonly type: TensorType;
  /** Adds an ONNX node, unless an equal one exists, and returns the name of its first output. */
  emit(opType: string, inputs: readonly string[], options?: EmitOptions): string;
  /** The same for a node with several outputs. */
  emitMany(
    opType: string,
    inputs: readonly string[],
    options: EmitOptions & { readonly outputs: number },
  ): readonly string[];
  /** Name of a constant of the ONNX model; equal ones are shared. */
  int64(values: readonly number[], shape?: readonly number[]): string;
  constant(values: TensorData, shape: readonly number[]): string;
  /** A node of the graph with this operator over the same first operand, itself excepted. */
  twin<S extends OpName>(op: S): Twin<S> | undefined;
}

export interface Twin<K extends OpName> {
  readonly attributes: OpAttributes[K];
  /** Names of its operands' values; undefined while one is still to be made. */
  readonly inputs: readonly string[] | undefined;
}

type LoweringRule<K extends OpName> = (context: LoweringContext<K>) => string;

const plain =
  (opType: string) =>
  <K extends OpName>({ emit, inputs }: LoweringContext<K>): string =>
    emit(opType, inputs);

const overLastAxis =
  (opType: string) =>
  <K extends OpName>({ emit, inputs }: LoweringContext<K>): string =>
    emit(opType, inputs, { attributes: { axis: -1n } });

const reduction =
  (opType: string) =>
  ({ emit, inputs, int64, attributes }: LoweringContext<"sum" | "max">): string =>
    emit(opType, [inputs[0]!, int64(attributes.axes)], {
      attributes: { keepdims: BigInt(attributes.keepDims) },
    });

/** Shape in int64, with zero meaning an empty axis. */
function emitReshape(context: LoweringContext, value: string, shape: readonly number[]): string {
  const attributes = shape.includes(0) ? { allowzero: 1n } : {};
  return context.emit("Reshape", [value, context.int64(shape)], { attributes });
}

/** WebGPU has no FusedMatMul: transposes and scale are operators of their own there. */
function lowerPlainMatmul(context: LoweringContext<"matmul">): string {
  const { emit, inputs, inputTypes, attributes } = context;
  const { transposeA, transposeB, alpha } = attributes;
  const turned = [transposeA, transposeB].map((isTurned, index) => {
    if (!isTurned) return inputs[index]!;
    const rank = inputTypes[index]!.shape.length;
    const perm = Array.from({ length: rank }, (_, axis) =>
      axis < rank - 2 ? axis : 2 * rank - 3 - axis,
    );
    return emit("Transpose", [inputs[index]!], { attributes: { perm } });
  });
  const product = emit("MatMul", turned);
  if (alpha === 1) return product;
  return emit("Mul", [product, context.constant(Float32Array.of(alpha), [])]);
}

function lowerMatmul(context: LoweringContext<"matmul">): string {
  const { emit, inputs, attributes, type } = context;
  const { transposeA, transposeB, alpha } = attributes;
  if (!transposeA && !transposeB && alpha === 1) return emit("MatMul", inputs);
  if (context.target === "webgpu") return lowerPlainMatmul(context);
  const [rows, columns] = type.shape.slice(-2) as [number, number];
  // A transposed left operand costs by its rows: a wide weight gradient is cheaper as the transpose of the tall product.
  const isTurned = transposeA && !transposeB && type.shape.length === 2 && rows < columns;
  const product = emit("FusedMatMul", isTurned ? inputs.toReversed() : inputs, {
    domain: MICROSOFT,
    attributes: { transA: BigInt(transposeA), transB: BigInt(transposeB), alpha },
  });
  return isTurned ? emit("Transpose", [product], { attributes: { perm: [1, 0] } }) : product;
}

/** Rows by ScatterND with reduction; its indices must be int64. */
function lowerScatterRows(context: LoweringContext<"scatterRows">): string {
  const { emit, inputs, inputTypes, type } = context;
  const indexShape = [...inputTypes[0]!.shape, 1];
  const wide = emit("Cast", [inputs[0]!], { attributes: { to: BigInt(ONNX_TYPES.int64) } });
  const zero = context.constant(new Float32Array(1), []);
  const zeros = emit("Expand", [zero, context.int64(type.shape)]);
  const indices = emitReshape(context, wide, indexShape);
  return emit("ScatterND", [zeros, indices, inputs[1]!], { attributes: { reduction: "add" } });
}

function lowerGatherLast(context: LoweringContext<"gatherLast">): string {
  const indexShape = [...context.type.shape, 1];
  const indices = emitReshape(context, context.inputs[1]!, indexShape);
  const picked = context.emit("GatherElements", [context.inputs[0]!, indices], {
    attributes: { axis: -1n },
  });
  return emitReshape(context, picked, context.type.shape);
}

function lowerScatterLast(context: LoweringContext<"scatterLast">): string {
  const shape = [...context.inputTypes[1]!.shape, 1];
  const [base, indices, updates] = context.inputs as readonly [string, string, string];
  const operands = [
    base,
    emitReshape(context, indices, shape),
    emitReshape(context, updates, shape),
  ];
  return context.emit("ScatterElements", operands, { attributes: { axis: -1n, reduction: "add" } });
}

/** One operator normalises and returns the inverse root mean square as well, which the gradient needs. */
function emitNorm(context: LoweringContext, inputs: readonly string[], epsilon: number) {
  return context.emitMany("SimplifiedLayerNormalization", inputs, {
    attributes: { axis: -1n, epsilon, stash_type: 1n },
    outputs: 2,
  });
}

function lowerInverseRms(context: LoweringContext<"inverseRms">): string {
  const { emit, inputs, inputTypes, attributes } = context;
  // WebGPU's norm leaves its second output unwritten (onnxruntime 1.30).
  const twin = context.target === "webgpu" ? undefined : context.twin("rmsNorm");
  if (twin?.inputs !== undefined && twin.attributes.epsilon === attributes.epsilon) {
    return emitNorm(context, twin.inputs, attributes.epsilon)[1]!;
  }
  const scalar = (value: number) => context.constant(Float32Array.of(value), []);
  const squares = emit("ReduceSumSquare", [inputs[0]!, context.int64([-1])]);
  const meanSquare = emit("Mul", [squares, scalar(1 / inputTypes[0]!.shape.at(-1)!)]);
  const shifted = emit("Add", [meanSquare, scalar(attributes.epsilon)]);
  return emit("Reciprocal", [emit("Sqrt", [shifted])]);
}

/** x · sigmoid(x); by way of the sigmoid when the gradient needs it as well. */
function lowerSilu({ emit, inputs, twin }: LoweringContext<"silu" | "swiGlu">): string {
  const x = inputs[0]!;
  if (twin("sigmoid") !== undefined) return emit("Mul", [x, emit("Sigmoid", [x])]);
  return emit("QuickGelu", [x], { domain: MICROSOFT, attributes: { alpha: 1 } });
}

/** ONNX wants angles (B, T, D/2), or a table of them with the position of each token. */
function lowerRotaryEmbedding(context: LoweringContext<"rotaryEmbedding">): string {
  const { emit, inputs, inputTypes, attributes } = context;
  const [x, cos, positiveSin] = inputs as readonly [string, string, string];
  const [B, , T, D] = inputTypes[0]!.shape as readonly [number, number, number, number];
  const sin = attributes.inverse ? emit("Neg", [positiveSin]) : positiveSin;
  if (inputTypes[1]!.shape.length === 2) {
    const positions = Array.from({ length: B * T }, (_, index) => index % T);
    return emit("RotaryEmbedding", [x, cos, sin, context.int64(positions, [B, T])]);
  }
  const shape = [B, T, D / 2];
  return emit("RotaryEmbedding", [
    x,
    emitReshape(context, cos, shape),
    emitReshape(context, sin, shape),
  ]);
}

/** WebGPU has no LogSoftmax: x - max - log Σ exp(x - max). */
function lowerLogSoftmax(context: LoweringContext<"logSoftmax">): string {
  const { emit, inputs, int64 } = context;
  if (context.target !== "webgpu") return overLastAxis("LogSoftmax")(context);
  const shifted = emit("Sub", [inputs[0]!, emit("ReduceMax", [inputs[0]!, int64([-1])])]);
  const total = emit("ReduceSum", [emit("Exp", [shifted]), int64([-1])]);
  return emit("Sub", [shifted, emit("Log", [total])]);
}

const leaf = ({ type }: LoweringContext): never => {
  throw new InternalError(`a leaf of ${type.dtype} reached the lowering rules`, {
    code: "engine.lower_leaf",
  });
};

export const loweringRules: { readonly [K in OpName]: LoweringRule<K> } = {
  input: leaf,
  parameter: leaf,
  constant: ({ constant, attributes }) => constant(attributes.values, attributes.shape),

  add: plain("Add"),
  sub: plain("Sub"),
  mul: plain("Mul"),
  div: plain("Div"),
  minimum: plain("Min"),
  maximum: plain("Max"),
  equal: plain("Equal"),
  less: plain("Less"),
  lessEqual: plain("LessOrEqual"),
  logicalAnd: plain("And"),
  where: plain("Where"),

  neg: plain("Neg"),
  exp: plain("Exp"),
  log: plain("Log"),
  sqrt: plain("Sqrt"),
  sigmoid: plain("Sigmoid"),
  tanh: plain("Tanh"),
  silu: lowerSilu,
  logicalNot: plain("Not"),
  cast: ({ emit, inputs, attributes }) =>
    emit("Cast", inputs, { attributes: { to: BigInt(ONNX_TYPES[attributes.dtype]) } }),
  stopGradient: ({ inputs }) => inputs[0]!,

  matmul: lowerMatmul,
  sum: reduction("ReduceSum"),
  max: reduction("ReduceMax"),

  reshape: (context) => emitReshape(context, context.inputs[0]!, context.attributes.shape),
  transpose: ({ emit, inputs, attributes }) =>
    emit("Transpose", inputs, { attributes: { perm: attributes.permutation } }),
  slice: ({ emit, inputs, int64, attributes }) =>
    emit("Slice", [
      inputs[0]!,
      int64([attributes.start]),
      int64([attributes.end]),
      int64([attributes.axis]),
    ]),
  concat: ({ emit, inputs, attributes }) =>
    emit("Concat", inputs, { attributes: { axis: BigInt(attributes.axis) } }),
  broadcastTo: ({ emit, inputs, int64, attributes }) =>
    emit("Expand", [inputs[0]!, int64(attributes.shape)]),

  gather: ({ emit, inputs }) => emit("Gather", inputs, { attributes: { axis: 0n } }),
  scatterRows: lowerScatterRows,
  gatherLast: lowerGatherLast,
  scatterLast: lowerScatterLast,

  softmax: overLastAxis("Softmax"),
  logSoftmax: lowerLogSoftmax,
  swiGlu: (context) => context.emit("Mul", [lowerSilu(context), context.inputs[1]!]),
  rmsNorm: (context) => emitNorm(context, context.inputs, context.attributes.epsilon)[0]!,
  inverseRms: lowerInverseRms,
  rotaryEmbedding: lowerRotaryEmbedding,
};

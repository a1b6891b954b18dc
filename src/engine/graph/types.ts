/**
 * The tensor program: a graph of nodes in topological order, each one application of an operator of the closed union
 * `OpName`. Shapes are static, so every shape error is found while the graph is built. Each table of the engine (shape
 * rule, gradient rule, interpreter kernel, ONNX lowering) is a full mapped type over this union: an operator without a row
 * does not compile.
 */
import type { GraphBuilder } from "./builder.ts";

export type DType = "float32" | "int32" | "bool";
/** Sizes of the axes, outermost first; `[]` is a scalar. */
export type Shape = readonly number[];

export interface TensorType {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** A value of a graph under construction. */
export interface Tensor extends TensorType {
  readonly graph: GraphBuilder;
  /** Position of its node in the builder. */
  readonly id: number;
}

/** Element arrays of constants, feeds and results: bool is one byte an element, 0 or 1. */
export type TensorData = Float32Array | Int32Array | Uint8Array;

type None = Readonly<Record<never, never>>;

/** Axes are normalised to `0 <= axis < rank` before they are stored in a node. */
export interface OpAttributes {
  // Leaves
  input: { readonly name: string; readonly shape: Shape; readonly dtype: DType };
  parameter: { readonly name: string; readonly shape: Shape };
  constant: { readonly values: TensorData; readonly shape: Shape };
  // Element by element, with numpy broadcasting
  add: None;
  sub: None;
  mul: None;
  div: None;
  minimum: None;
  maximum: None;
  equal: None;
  less: None;
  lessEqual: None;
  logicalAnd: None;
  where: None;
  // Element by element, one operand
  neg: None;
  exp: None;
  log: None;
  sqrt: None;
  sigmoid: None;
  tanh: None;
  silu: None;
  logicalNot: None;
  cast: { readonly dtype: DType };
  stopGradient: None;
  // Contractions and reductions
  matmul: { readonly transposeA: boolean; readonly transposeB: boolean; readonly alpha: number };
  sum: { readonly axes: readonly number[]; readonly keepDims: boolean };
  max: { readonly axes: readonly number[]; readonly keepDims: boolean };
  // Movement
  reshape: { readonly shape: Shape };
  transpose: { readonly permutation: readonly number[] };
  slice: { readonly axis: number; readonly start: number; readonly end: number };
  concat: { readonly axis: number };
  broadcastTo: { readonly shape: Shape };
  // Indexing
  gather: None;
  /** Adjoint of `gather`: rows of `updates` added up by index into a table of zeros. */
  scatterRows: { readonly rows: number };
  gatherLast: None;
  /** Adjoint of `gatherLast`: `base` plus each update at its index of the last axis. */
  scatterLast: None;
  // Fused
  softmax: None;
  logSoftmax: None;
  /** silu(gate) · up. */
  swiGlu: None;
  rmsNorm: { readonly epsilon: number };
  /** 1 / sqrt(mean of squares over the last axis + epsilon), last axis kept with size 1. */
  inverseRms: { readonly epsilon: number };
  /** `inverse` turns by the negative angle, which is the adjoint. */
  rotaryEmbedding: { readonly inverse: boolean };
}

export type OpName = keyof OpAttributes;

/** One application of an operator; `inputs` are positions of earlier nodes. */
export type Node<K extends OpName = OpName> = {
  [P in K]: TensorType & {
    readonly op: P;
    readonly inputs: readonly number[];
    readonly attributes: OpAttributes[P];
    /** Where the caller made it, e.g. `block0/attention`; empty at top level. */
    readonly scope: string;
  };
}[K];

/** A finished, verified program. */
export interface Graph {
  readonly name: string;
  /** Topological order; a node's position is its identity. */
  readonly nodes: readonly Node[];
  /** Positions of the `input` and `parameter` nodes by name, in order of declaration. */
  readonly inputs: ReadonlyMap<string, number>;
  /** Positions of the results by name, in order of declaration. */
  readonly outputs: ReadonlyMap<string, number>;
}

/** Number of elements of a shape. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** `(2, 3)`, as shapes are written in every message. */
export function formatShape(shape: Shape): string {
  return `(${shape.join(", ")})`;
}

/** True when both shapes have the same axes. */
export function isSameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

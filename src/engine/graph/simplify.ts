/**
 * Local rewrites applied while a node is made. Each returns an equal value that costs less, and is exact in floating
 * point except where said. Reverse mode leans on these: its rules stay plain and the cheap form falls out here.
 */
import type { GraphBuilder } from "./builder.ts";
import type { Node, OpAttributes, OpName, Tensor, TensorType } from "./types.ts";
import { isSameShape, sizeOf } from "./types.ts";

/** The single value that fills a constant, seen through `broadcastTo` and `reshape`; undefined for anything else. */
export function uniformValue(graph: GraphBuilder, tensor: Tensor): number | undefined {
  const node = graph.nodeOf(tensor);
  if (node.op === "broadcastTo" || node.op === "reshape") {
    return uniformValue(graph, graph.tensorOf(node.inputs[0]!));
  }
  if (node.op !== "constant") return undefined;
  const { values } = node.attributes;
  const first = values[0];
  return first !== undefined && values.every((value) => Object.is(value, first))
    ? first
    : undefined;
}

/** `x` as it is when it already has the result's shape, else repeated to it. */
function repeatTo(x: Tensor, type: TensorType): Tensor {
  return isSameShape(x.shape, type.shape)
    ? x
    : x.graph.emit("broadcastTo", [x], { shape: type.shape });
}

function isIdentity(permutation: readonly number[]): boolean {
  return permutation.every((axis, index) => axis === index);
}

function swapsLastTwo(permutation: readonly number[]): boolean {
  const rank = permutation.length;
  return permutation.every((axis, index) => {
    if (index < rank - 2) return axis === index;
    return axis === (index === rank - 1 ? rank - 2 : rank - 1);
  });
}

/** Takes a swap of the last two axes off an operand of a matrix product. */
function withoutSwap(graph: GraphBuilder, tensor: Tensor): Tensor | undefined {
  const node = graph.nodeOf(tensor);
  if (node.op !== "transpose" || !swapsLastTwo(node.attributes.permutation)) return undefined;
  return graph.tensorOf(node.inputs[0]!);
}

function simplifyMatmul(
  graph: GraphBuilder,
  a: Tensor,
  b: Tensor,
  attributes: OpAttributes["matmul"],
): Tensor | undefined {
  const plainA = withoutSwap(graph, a);
  const plainB = withoutSwap(graph, b);
  if (plainA === undefined && plainB === undefined) return undefined;
  return graph.emit("matmul", [plainA ?? a, plainB ?? b], {
    transposeA: attributes.transposeA !== (plainA !== undefined),
    transposeB: attributes.transposeB !== (plainB !== undefined),
    alpha: attributes.alpha,
  });
}

/**
 * Row sums of a softmax gradient: Σ_j (dO Vᵀ)_ij P_ij = Σ_d dO_id O_id when O = P V is at hand, which is T/D times cheaper.
 * Equal up to rounding.
 */
function simplifyRowDot(graph: GraphBuilder, x: Tensor, keepDims: boolean): Tensor | undefined {
  const product = graph.nodeOf(x);
  if (product.op !== "mul") return undefined;
  for (const [left, right] of [product.inputs, product.inputs.toReversed()]) {
    const scores = graph.nodeOf(graph.tensorOf(left!));
    if (scores.op !== "matmul" || scores.attributes.transposeA || !scores.attributes.transposeB)
      continue;
    const [cotangent, v] = scores.inputs.map((id) => graph.tensorOf(id));
    const attributes = { ...scores.attributes, transposeB: false };
    const o = graph.find("matmul", [graph.tensorOf(right!), v!], attributes);
    if (o === undefined || !isSameShape(o.shape, cotangent!.shape)) continue;
    return graph.emit("sum", [graph.emit("mul", [cotangent!, o], {})], {
      axes: [o.shape.length - 1],
      keepDims,
    });
  }
  return undefined;
}

/** A reduction over axes of size 1 keeps every element. */
function reducesNothing(x: Tensor, { axes }: OpAttributes["sum"]): boolean {
  return axes.every((axis) => x.shape[axis] === 1);
}

function simplifySum(
  graph: GraphBuilder,
  x: Tensor,
  { axes, keepDims }: OpAttributes["sum"],
  type: TensorType,
): Tensor | undefined {
  if (reducesNothing(x, { axes, keepDims })) {
    return graph.emit("reshape", [x], { shape: type.shape });
  }
  // The last axis of zeros plus one update each sums to the update.
  const node = graph.nodeOf(x);
  const isLastAxis = axes.length === 1 && axes[0] === x.shape.length - 1;
  if (node.op === "scatterLast" && isLastAxis) {
    const [base, , updates] = node.inputs.map((id) => graph.tensorOf(id));
    if (uniformValue(graph, base!) === 0) {
      return keepDims ? graph.emit("reshape", [updates!], { shape: type.shape }) : updates;
    }
  }
  return isLastAxis ? simplifyRowDot(graph, x, keepDims) : undefined;
}

function simplifyBinary(
  graph: GraphBuilder,
  op: "add" | "sub" | "mul" | "div",
  [a, b]: readonly [Tensor, Tensor],
  type: TensorType,
): Tensor | undefined {
  const valueA = uniformValue(graph, a);
  const valueB = uniformValue(graph, b);
  const neutral = op === "add" || op === "sub" ? 0 : 1;
  if (valueB === neutral) return repeatTo(a, type);
  if (valueA === neutral && (op === "add" || op === "mul")) return repeatTo(b, type);
  if (valueA === 0 && op === "sub") return repeatTo(graph.emit("neg", [b], {}), type);
  if (valueB === -1 && op === "mul") return repeatTo(graph.emit("neg", [a], {}), type);
  if (valueA === -1 && op === "mul") return repeatTo(graph.emit("neg", [b], {}), type);
  const nodeA = graph.nodeOf(a);
  const nodeB = graph.nodeOf(b);
  if (op === "mul" && isSameShape(a.shape, b.shape)) {
    if (nodeA.op === "silu") return graph.emit("swiGlu", [graph.tensorOf(nodeA.inputs[0]!), b], {});
    if (nodeB.op === "silu") return graph.emit("swiGlu", [graph.tensorOf(nodeB.inputs[0]!), a], {});
  }
  if (op === "add" && nodeB.op === "neg") {
    return graph.emit("sub", [a, graph.tensorOf(nodeB.inputs[0]!)], {});
  }
  if (op === "add" && nodeA.op === "neg") {
    return graph.emit("sub", [b, graph.tensorOf(nodeA.inputs[0]!)], {});
  }
  if (op === "sub" && nodeB.op === "neg") {
    return graph.emit("add", [a, graph.tensorOf(nodeB.inputs[0]!)], {});
  }
  return undefined;
}

/** An operand repeated by `broadcastTo` can go in as it is when the other operand has the full shape. */
function withoutRepeat(graph: GraphBuilder, x: Tensor, other: Tensor, type: TensorType) {
  const node = graph.nodeOf(x);
  if (node.op !== "broadcastTo" || !isSameShape(other.shape, type.shape)) return undefined;
  return graph.tensorOf(node.inputs[0]!);
}

/**
 * Columns of a product are the product with those columns of the right matrix. Cutting the matrix copies less than cutting
 * the product when there are more rows than that, and leaves nothing to join in the gradient of the product.
 */
function simplifyColumns(
  graph: GraphBuilder,
  x: Tensor,
  { axis, start, end }: OpAttributes["slice"],
  type: TensorType,
): Tensor | undefined {
  const node = graph.nodeOf(x);
  const isReshaped = node.op === "reshape";
  const product = isReshaped ? graph.nodeOf(graph.tensorOf(node.inputs[0]!)) : node;
  const width = x.shape[axis]!;
  if (product.op !== "matmul" || axis !== x.shape.length - 1) return undefined;
  if (product.shape.at(-1) !== width) return undefined;
  const [a, b] = product.inputs.map((id) => graph.tensorOf(id));
  const isWorthwhile = sizeOf(product.shape) >= sizeOf(b!.shape);
  if (b!.shape.length !== 2 || !isWorthwhile) return undefined;
  const columns = graph.emit("slice", [b!], {
    axis: product.attributes.transposeB ? 0 : 1,
    start,
    end,
  });
  const part = graph.emit("matmul", [a!, columns], product.attributes);
  return isReshaped ? graph.emit("reshape", [part], { shape: type.shape }) : part;
}

function simplifyMovement(
  graph: GraphBuilder,
  op: "reshape" | "transpose" | "broadcastTo" | "slice" | "concat",
  x: Tensor,
  attributes: object,
  type: TensorType,
): Tensor | undefined {
  const node: Node = graph.nodeOf(x);
  if (op === "transpose") {
    const { permutation } = attributes as OpAttributes["transpose"];
    if (isIdentity(permutation)) return x;
    if (node.op !== "transpose") return undefined;
    const composed = permutation.map((axis) => node.attributes.permutation[axis]!);
    return graph.emit("transpose", [graph.tensorOf(node.inputs[0]!)], { permutation: composed });
  }
  if (op !== "concat" && isSameShape(x.shape, type.shape)) return x;
  if ((op === "reshape" && node.op === "reshape") || (op === "broadcastTo" && node.op === op)) {
    return graph.emit(op, [graph.tensorOf(node.inputs[0]!)], { shape: type.shape });
  }
  if (op === "slice") return simplifyColumns(graph, x, attributes as OpAttributes["slice"], type);
  return undefined;
}

/** An equal, cheaper value for the node about to be made, or undefined to make it as asked. */
export function simplify<K extends OpName>(
  graph: GraphBuilder,
  op: K,
  inputs: readonly Tensor[],
  attributes: OpAttributes[K],
  type: TensorType,
): Tensor | undefined {
  const [a, b] = inputs as readonly [Tensor, Tensor];
  switch (op) {
    case "add":
    case "sub":
    case "mul":
    case "div": {
      const simpler = simplifyBinary(graph, op, [a, b], type);
      if (simpler !== undefined) return simpler;
      const plainA = withoutRepeat(graph, a, b, type);
      const plainB = withoutRepeat(graph, b, a, type);
      if (plainA !== undefined) return graph.emit(op, [plainA, b], attributes);
      return plainB === undefined ? undefined : graph.emit(op, [a, plainB], attributes);
    }
    case "neg": {
      const node = graph.nodeOf(a);
      return node.op === "neg" ? graph.tensorOf(node.inputs[0]!) : undefined;
    }
    case "cast":
      return a.dtype === type.dtype ? a : undefined;
    case "matmul":
      return simplifyMatmul(graph, a, b, attributes as OpAttributes["matmul"]);
    case "max":
      return reducesNothing(a, attributes as OpAttributes["max"])
        ? graph.emit("reshape", [a], { shape: type.shape })
        : undefined;
    case "sum":
      return simplifySum(graph, a, attributes as OpAttributes["sum"], type);
    case "concat":
      return inputs.length === 1 ? a : undefined;
    case "reshape":
    case "transpose":
    case "broadcastTo":
    case "slice":
      return simplifyMovement(graph, op, a, attributes, type);
    default:
      return undefined;
  }
}

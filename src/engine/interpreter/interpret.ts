/**
 * Runs a graph node by node with plain kernels in float64. It is the oracle of the tests: slow, without a runtime, and
 * independent of the lowering.
 */
import { GraphError } from "../../util/errors.ts";
import type { Graph, Node, OpName, TensorData, TensorType } from "../graph/types.ts";
import { formatShape, sizeOf } from "../graph/types.ts";
import { kernels, type Value } from "./kernels.ts";

/** Arrays by name of input or parameter. */
export type InterpreterFeeds = Readonly<Record<string, TensorData | Float64Array>>;

function feedValue(graph: Graph, name: string, type: TensorType, feeds: InterpreterFeeds): Value {
  const array = feeds[name];
  if (array?.length !== sizeOf(type.shape)) {
    const expected = `${sizeOf(type.shape)} elements for ${formatShape(type.shape)}`;
    throw new GraphError(
      `interpreting "${graph.name}": "${name}" needs ${expected}, found ${array?.length ?? "nothing"}`,
      { code: "engine.bad_feed", hint: "feed every input and parameter with an array of its size" },
    );
  }
  return { shape: type.shape, data: Float64Array.from(array) };
}

function evaluate<K extends OpName>(graph: Graph, node: Node<K>, values: readonly Value[]): Value {
  const data = kernels[node.op as K]({
    inputs: node.inputs.map((input) => values[input]!),
    inputTypes: node.inputs.map((input) => graph.nodes[input]!),
    attributes: node.attributes as never,
    type: node,
  });
  // int32 arithmetic wraps around.
  return { shape: node.shape, data: node.dtype === "int32" ? data.map((x) => x | 0) : data };
}

/** The results of a graph in float64, whatever their dtype, by name. */
export function interpretExact(
  graph: Graph,
  feeds: InterpreterFeeds,
): Record<string, Float64Array> {
  const values: Value[] = [];
  for (const node of graph.nodes) {
    const isLeaf = node.op === "input" || node.op === "parameter";
    values.push(
      isLeaf ? feedValue(graph, node.attributes.name, node, feeds) : evaluate(graph, node, values),
    );
  }
  return Object.fromEntries([...graph.outputs].map(([name, id]) => [name, values[id]!.data]));
}

/** The results of a graph by name, computed in float64 and rounded to their dtype at the end. */
export function interpret(graph: Graph, feeds: InterpreterFeeds): Record<string, TensorData> {
  const kinds = { float32: Float32Array, int32: Int32Array, bool: Uint8Array };
  const exact = interpretExact(graph, feeds);
  return Object.fromEntries(
    [...graph.outputs].map(([name, id]) => [
      name,
      kinds[graph.nodes[id]!.dtype].from(exact[name]!),
    ]),
  );
}

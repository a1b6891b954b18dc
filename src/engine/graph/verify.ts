/**
 * Checks a graph on its own, without trusting who made it: order, operand types against the shape rules, names, outputs.
 * It runs whenever a graph is built, differentiated or compiled, and reports every problem at once.
 */
import { GraphError, messageOf } from "../../util/errors.ts";
import { describeNode, inferType } from "./infer.ts";
import { shapeRules } from "./shape-rules.ts";
import type { Graph, Node } from "./types.ts";
import { formatShape, isSameShape } from "./types.ts";

function problemOfNode(graph: Graph, node: Node, id: number): string | undefined {
  const label = `${node.op} %${id}`;
  if (!Object.hasOwn(shapeRules, node.op)) return `${label}: unknown operator`;
  const late = node.inputs.find((input) => !(Number.isInteger(input) && 0 <= input && input < id));
  if (late !== undefined) return `${label}: operand %${late} does not come before it`;
  const operands = node.inputs.map((input) => describeNode(graph.nodes, input));
  try {
    const types = node.inputs.map((input) => graph.nodes[input]!);
    const type = inferType(node.op, types, node.attributes, () => ({ label, operands }));
    if (type.dtype !== node.dtype || !isSameShape(type.shape, node.shape)) {
      const stated = `${node.dtype} ${formatShape(node.shape)}`;
      return `${label}: is marked ${stated}, its rule gives ${type.dtype} ${formatShape(type.shape)}`;
    }
  } catch (error) {
    return messageOf(error);
  }
  return undefined;
}

/** Throws a `GraphError` that lists every broken rule of the graph. */
export function verifyGraph(graph: Graph): void {
  const problems = graph.nodes.flatMap((node, id) => problemOfNode(graph, node, id) ?? []);
  for (const [name, id] of graph.inputs) {
    const node = graph.nodes[id];
    const isLeaf = node?.op === "input" || node?.op === "parameter";
    if (!isLeaf || node.attributes.name !== name) {
      problems.push(`input "${name}" points at ${describeNode(graph.nodes, id)}`);
    }
  }
  graph.nodes.forEach((node, id) => {
    if (node.op !== "input" && node.op !== "parameter") return;
    if (graph.inputs.get(node.attributes.name) !== id) {
      problems.push(`${describeNode(graph.nodes, id)} is missing from the list of inputs`);
    }
  });
  for (const [name, id] of graph.outputs) {
    if (graph.nodes[id] === undefined)
      problems.push(`output "${name}" points at missing node %${id}`);
    if (graph.inputs.has(name)) problems.push(`output "${name}" has the name of an input`);
  }
  if (graph.outputs.size === 0) problems.push("no output is declared");
  if (problems.length === 0) return;
  throw new GraphError(
    `graph "${graph.name}" breaks ${problems.length} rules: ${problems.join(" | ")}`,
    {
      code: "engine.bad_graph",
      hint: "graphs made by GraphBuilder pass this check; look at the code that made or changed this one",
    },
  );
}

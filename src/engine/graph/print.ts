/** Graphs as readable text, one node a line, and their hash. */
import { sha256 } from "../../util/hash.ts";
import type { Graph, Node, TensorData } from "./types.ts";
import { formatShape } from "./types.ts";

const SHOWN_VALUES = 4;

function formatValues(values: TensorData): string {
  const shown = [...values.slice(0, SHOWN_VALUES)].map(String).join(" ");
  if (values.length <= SHOWN_VALUES) return `[${shown}]`;
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return `[${shown} ...] sha256:${sha256(bytes).slice(0, 16)}`;
}

function formatAttributes(node: Node): string {
  const shown = Object.entries(node.attributes).flatMap(([key, value]) => {
    if (key === "shape" || key === "dtype" || key === "name" || value === false) return [];
    if (ArrayBuffer.isView(value)) return [formatValues(value as TensorData)];
    return [`${key}=${Array.isArray(value) ? `[${value}]` : value}`];
  });
  return shown.length > 0 ? ` {${shown.join(", ")}}` : "";
}

/** The graph as text: `%3 = matmul(%0, %2) {alpha=0.5} : float32 (2, 4)`, then its outputs. */
export function printGraph(graph: Graph): string {
  const lines = graph.nodes.map((node, id) => {
    const isLeaf = node.op === "input" || node.op === "parameter";
    const operands = isLeaf
      ? `"${node.attributes.name}"`
      : node.inputs.map((i) => `%${i}`).join(", ");
    const scope = node.scope === "" ? "" : `  # ${node.scope}`;
    const type = `${node.dtype} ${formatShape(node.shape)}`;
    return `%${id} = ${node.op}(${operands})${formatAttributes(node)} : ${type}${scope}`;
  });
  for (const [name, id] of graph.outputs) lines.push(`output "${name}" = %${id}`);
  return `graph "${graph.name}"\n${lines.map((line) => `  ${line}\n`).join("")}`;
}

/** SHA-256 over everything that decides what the graph computes: its name and scopes do not count. */
export function hashGraph(graph: Graph): string {
  const nodes = graph.nodes.map(({ op, inputs, attributes }) => [op, inputs, attributes]);
  const text = JSON.stringify([nodes, [...graph.outputs]], (_key, value: unknown) => {
    if (!ArrayBuffer.isView(value)) return value;
    const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    return `${value.constructor.name}:${sha256(bytes)}`;
  });
  return sha256(text);
}

/**
 * Reverse-mode differentiation, graph to graph: the nodes are replayed into a new builder, then cotangents flow from the
 * loss to the leaves in reverse order, one gradient rule a node. The result is verified like any graph.
 */
import { GraphError } from "../../util/errors.ts";
import { GraphBuilder } from "../graph/builder.ts";
import { describeNode } from "../graph/infer.ts";
import type { Graph, Node, OpName, Tensor } from "../graph/types.ts";
import { sizeOf } from "../graph/types.ts";
import { add, broadcastTo } from "../ops/primitives.ts";
import { type GradientContext, gradientRules } from "./gradient-rules.ts";

export interface DifferentiateOptions {
  /** Name of an output with a single element. */
  readonly loss: string;
  /** Names of parameters or float32 inputs; default every parameter. */
  readonly wrt?: readonly string[];
}

/** Name of the output that holds the gradient of a parameter. */
export function gradientName(parameter: string): string {
  return `grad:${parameter}`;
}

/**
 * A graph with the outputs of the given one and, for each parameter, the output `grad:<name>` of the parameter's shape.
 * A parameter that the loss does not depend on gets zeros.
 */
export function differentiate(graph: Graph, options: DifferentiateOptions): Graph {
  const lossId = lossNode(graph, options.loss);
  const wrt = options.wrt ?? parameterNames(graph);
  const leaves = wrt.map((name) => leafNode(graph, name));
  const builder = new GraphBuilder(`${graph.name} with gradients`);
  const tensors = replay(graph, builder);
  for (const [name, id] of graph.outputs) builder.output(name, tensors[id]!);
  const cotangents = builder.scope("gradient", () => propagate(graph, tensors, lossId, leaves));
  wrt.forEach((name, index) => {
    const { shape } = graph.nodes[leaves[index]!]!;
    const zeros = () => broadcastTo(builder.constant(0), shape);
    builder.output(gradientName(name), cotangents.get(leaves[index]!) ?? zeros());
  });
  return builder.build();
}

/** Adds the nodes of a graph to a builder and returns the tensor of each. */
export function replay(graph: Graph, builder: GraphBuilder): Tensor[] {
  const tensors: Tensor[] = [];
  for (const node of graph.nodes) {
    const add = () => {
      if (node.op === "input") {
        const { name, shape, dtype } = node.attributes;
        return builder.input(name, shape, dtype);
      }
      if (node.op === "parameter") return builder.parameter(node.attributes.name, node.shape);
      return builder.emit<OpName>(
        node.op,
        node.inputs.map((input) => tensors[input]!),
        node.attributes,
      );
    };
    tensors.push(node.scope === "" ? add() : builder.scope(node.scope, add));
  }
  return tensors;
}

/** Cotangents of the nodes that lie between the leaves and the loss, by position. */
function propagate(
  graph: Graph,
  tensors: readonly Tensor[],
  lossId: number,
  leaves: readonly number[],
): Map<number, Tensor> {
  const active = new Set(leaves);
  graph.nodes.forEach((node, id) => {
    if (node.op !== "stopGradient" && node.inputs.some((input) => active.has(input)))
      active.add(id);
  });
  const loss = tensors[lossId]!;
  const cotangents = new Map<number, Tensor>();
  if (active.has(lossId)) cotangents.set(lossId, broadcastTo(loss.graph.constant(1), loss.shape));
  for (let id = lossId; id >= 0; id--) {
    const node = graph.nodes[id]!;
    const cotangent = cotangents.get(id);
    if (cotangent === undefined || node.inputs.length === 0) continue;
    const parts = loss.graph.scope(node.scope === "" ? node.op : node.scope, () =>
      applyRule(graph, node, id, tensors, cotangent),
    );
    node.inputs.forEach((input, index) => {
      const part = parts[index];
      if (part === undefined || !active.has(input)) return;
      const known = cotangents.get(input);
      cotangents.set(input, known === undefined ? part : add(known, part));
    });
  }
  return cotangents;
}

function applyRule<K extends OpName>(
  graph: Graph,
  node: Node<K>,
  id: number,
  tensors: readonly Tensor[],
  cotangent: Tensor,
): readonly (Tensor | undefined)[] {
  const rule = gradientRules[node.op as K];
  if (typeof rule !== "function") {
    throw new GraphError(
      `cannot differentiate ${describeNode(graph.nodes, id)}: ${rule.notDifferentiable}`,
      { code: "engine.not_differentiable", hint: "wrap the value in stopGradient" },
    );
  }
  const context: GradientContext<K> = {
    inputs: node.inputs.map((input) => tensors[input]!),
    output: tensors[id]!,
    attributes: node.attributes as GradientContext<K>["attributes"],
    cotangent,
  };
  return rule(context);
}

function lossNode(graph: Graph, name: string): number {
  const id = graph.outputs.get(name);
  const node = id === undefined ? undefined : graph.nodes[id];
  if (node?.dtype === "float32" && sizeOf(node.shape) === 1) return id!;
  const found =
    id === undefined
      ? `outputs ${[...graph.outputs.keys()].join(", ")}`
      : describeNode(graph.nodes, id);
  throw new GraphError(
    `differentiating "${graph.name}": the loss "${name}" must be a float32 output of one element, found ${found}`,
    {
      code: "engine.bad_loss",
      hint: "reduce the loss with sum or mean and declare it with output(...)",
    },
  );
}

function leafNode(graph: Graph, name: string): number {
  const id = graph.inputs.get(name);
  if (id !== undefined && graph.nodes[id]!.dtype === "float32") return id;
  throw new GraphError(
    `differentiating "${graph.name}": "${name}" is not a parameter or float32 input of the graph`,
    { code: "engine.bad_leaf", hint: `choose from ${[...graph.inputs.keys()].join(", ")}` },
  );
}

function parameterNames(graph: Graph): string[] {
  return [...graph.inputs].flatMap(([name, id]) =>
    graph.nodes[id]!.op === "parameter" ? [name] : [],
  );
}

/**
 * Lowers a graph to an ONNX model. Inputs and parameters become model inputs under their own names (weights are fed, so the
 * model stays small and never meets the 2 GB limit of protobuf); leaves that no operator reads are left out.
 */
import type { Graph, Node, OpName, TensorData } from "../graph/types.ts";
import {
  type EmitOptions,
  type LoweringContext,
  loweringRules,
  MICROSOFT,
  type Target,
} from "./lowering-rules.ts";
import {
  encodeModel,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValue,
} from "./protobuf.ts";

/** ONNX opset 23 is the first with RotaryEmbedding; IR version 11 goes with it. */
const OPSET = 23;
const IR_VERSION = 11;

class Lowering {
  readonly #graph: Graph;
  readonly #target: Target;
  readonly #values: (string | undefined)[];
  readonly #nodes: OnnxNode[] = [];
  readonly #initializers = new Map<string, OnnxTensor>();
  /** Outputs of the ONNX nodes made so far, by what they compute. */
  readonly #emitted = new Map<string, readonly string[]>();
  /** Nodes by their first operand. */
  readonly #consumers = new Map<number, Node[]>();
  #fresh = 0;

  constructor(graph: Graph, target: Target) {
    this.#graph = graph;
    this.#target = target;
    this.#values = new Array(graph.nodes.length);
    for (const node of graph.nodes) {
      const [first] = node.inputs;
      if (first === undefined) continue;
      this.#consumers.set(first, [...(this.#consumers.get(first) ?? []), node]);
    }
  }

  run(): OnnxModel {
    const { nodes, outputs, name } = this.#graph;
    const read = new Set([...nodes.flatMap((node) => node.inputs), ...outputs.values()]);
    const inputs: OnnxValue[] = [];
    nodes.forEach((node, id) => {
      if (node.op !== "input" && node.op !== "parameter") {
        this.#values[id] = this.#lowerNode(node);
        return;
      }
      this.#values[id] = node.attributes.name;
      if (read.has(id))
        inputs.push({ name: node.attributes.name, type: node.dtype, shape: node.shape });
    });
    return {
      name,
      irVersion: IR_VERSION,
      opsets: { "": OPSET, [MICROSOFT]: 1 },
      inputs,
      outputs: this.#nameOutputs(),
      nodes: this.#nodes,
      initializers: [...this.#initializers.values()],
    };
  }

  /** Every result gets a node of its own that gives it its name; onnxruntime removes the needless ones. */
  #nameOutputs(): OnnxValue[] {
    return [...this.#graph.outputs].map(([name, id]) => {
      const { dtype, shape } = this.#graph.nodes[id]!;
      this.#nodes.push({
        opType: "Identity",
        domain: "",
        inputs: [this.#values[id]!],
        outputs: [name],
        attributes: {},
      });
      return { name, type: dtype, shape };
    });
  }

  #lowerNode<K extends OpName>(node: Node<K>): string {
    const namesOf = (ids: readonly number[]) => ids.map((id) => this.#values[id]!);
    const context: LoweringContext<K> = {
      target: this.#target,
      attributes: node.attributes as LoweringContext<K>["attributes"],
      inputs: namesOf(node.inputs),
      inputTypes: node.inputs.map((input) => this.#graph.nodes[input]!),
      type: node,
      emit: (opType, inputs, options) => this.#emit(opType, inputs, { ...options, outputs: 1 })[0]!,
      emitMany: (opType, inputs, options) => this.#emit(opType, inputs, options),
      int64: (values, shape = [values.length]) =>
        this.#initializer("int64", shape, BigInt64Array.from(values, BigInt)),
      constant: (values, shape) => this.#initializer(dtypeOf(values), shape, values),
      twin: (op) => {
        const twin = this.#consumers
          .get(node.inputs[0]!)
          ?.find((other) => other.op === op && other !== node);
        if (twin === undefined) return undefined;
        const isReady = twin.inputs.every((input) => this.#values[input] !== undefined);
        return {
          attributes: twin.attributes as never,
          inputs: isReady ? namesOf(twin.inputs) : undefined,
        };
      },
    };
    const rule = loweringRules[node.op as K];
    return rule(context);
  }

  #emit(
    opType: string,
    inputs: readonly string[],
    { domain = "", attributes = {}, outputs: count }: EmitOptions & { readonly outputs: number },
  ): readonly string[] {
    const shown = Object.entries(attributes).map(
      ([name, value]) => `${name}:${typeof value}:${value}`,
    );
    const key = `${domain}.${opType}(${inputs})${shown}#${count}`;
    const known = this.#emitted.get(key);
    if (known !== undefined) return known;
    const outputs = Array.from({ length: count }, () => `%${this.#fresh++}`);
    this.#nodes.push({ opType, domain, inputs, outputs, attributes });
    this.#emitted.set(key, outputs);
    return outputs;
  }

  #initializer(
    type: OnnxTensor["type"],
    shape: readonly number[],
    values: TensorData | BigInt64Array,
  ): string {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    const key = `${type}[${shape}]${Buffer.from(bytes).toString("base64")}`;
    const known = this.#initializers.get(key);
    if (known !== undefined) return known.name;
    const name = `%${this.#fresh++}`;
    this.#initializers.set(key, { name, type, shape, bytes });
    return name;
  }
}

function dtypeOf(values: TensorData): OnnxTensor["type"] {
  if (values instanceof Float32Array) return "float32";
  return values instanceof Int32Array ? "int32" : "bool";
}

/** The ONNX model of a graph, as data. */
export function lowerGraph(graph: Graph, target: Target = "cpu"): OnnxModel {
  return new Lowering(graph, target).run();
}

/** The ONNX model of a graph, as the bytes of an `.onnx` file. */
export function encodeGraph(graph: Graph, target: Target = "cpu"): Uint8Array {
  return encodeModel(lowerGraph(graph, target));
}

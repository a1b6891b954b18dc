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
  readonly #values: (string | undefined)[];
  readonly #nodes: OnnxNode[] = [];
  readonly #initializers = new Map<string, OnnxTensor>();
  #fresh = 0;

  constructor(graph: Graph) {
    this.#graph = graph;
    this.#values = new Array(graph.nodes.length);
  }

  run(): OnnxModel {
    const { nodes, outputs, name } = this.#graph;
    const read = new Set([...nodes.flatMap((node) => node.inputs), ...outputs.values()]);
    const inputs: OnnxValue[] = [];
    nodes.forEach((node, id) => {
      if (node.op !== "input" && node.op !== "parameter") {
        this.#values[id] ??= this.#lowerNode(node);
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
    const operand = node.inputs[0];
    const emitMany = (
      opType: string,
      inputs: readonly string[],
      options: EmitOptions & { readonly outputs: number },
    ) => {
      const outputs = Array.from({ length: options.outputs }, () => `%${this.#fresh++}`);
      const { domain = "", attributes = {} } = options;
      this.#nodes.push({ opType, domain, inputs, outputs, attributes });
      return outputs;
    };
    const context: LoweringContext<K> = {
      attributes: node.attributes as LoweringContext<K>["attributes"],
      inputs: node.inputs.map((input) => this.#values[input]!),
      inputTypes: node.inputs.map((input) => this.#graph.nodes[input]!),
      type: node,
      emit: (opType, inputs, options) => emitMany(opType, inputs, { ...options, outputs: 1 })[0]!,
      emitMany,
      int64: (values, shape = [values.length]) =>
        this.#initializer("int64", shape, BigInt64Array.from(values, BigInt)),
      constant: (values, shape) => this.#initializer(dtypeOf(values), shape, values),
      twin: (op) => {
        const id = this.#graph.nodes.findIndex(
          (other, at) =>
            other.op === op && other.inputs[0] === operand && this.#values[at] === undefined,
        );
        const found = this.#graph.nodes[id];
        return found === undefined ? undefined : { id, attributes: found.attributes as never };
      },
      provide: (id, value) => {
        this.#values[id] = value;
      },
    };
    const rule = loweringRules[node.op as K];
    return rule(context);
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
export function lowerGraph(graph: Graph): OnnxModel {
  return new Lowering(graph).run();
}

/** The ONNX model of a graph, as the bytes of an `.onnx` file. */
export function encodeGraph(graph: Graph): Uint8Array {
  return encodeModel(lowerGraph(graph));
}

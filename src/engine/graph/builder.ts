/**
 * Builds graphs. Equal nodes are made once (common subexpressions are shared), trivial applications are simplified as they
 * are made, and `build` drops what no output needs. Shape errors are thrown at the call that makes the node, naming the
 * operator, its operands and the scope of the caller.
 */
import { GraphError } from "../../util/errors.ts";
import { sha256 } from "../../util/hash.ts";
import { describeNode, inferType } from "./infer.ts";
import { simplify } from "./simplify.ts";
import type {
  DType,
  Graph,
  Node,
  OpAttributes,
  OpName,
  Shape,
  Tensor,
  TensorData,
} from "./types.ts";
import { sizeOf } from "./types.ts";
import { verifyGraph } from "./verify.ts";

export class GraphBuilder {
  readonly name: string;
  readonly #nodes: Node[] = [];
  readonly #idsByKey = new Map<string, number>();
  readonly #inputs = new Map<string, number>();
  readonly #outputs = new Map<string, number>();
  #scope = "";

  constructor(name: string) {
    this.name = name;
  }

  /** A value fed at every run and never differentiated unless asked for by name. */
  input(name: string, shape: Shape, dtype: DType = "float32"): Tensor {
    return this.#leaf("input", name, { name, shape: [...shape], dtype });
  }

  /** A float32 value fed at every run, with respect to which `differentiate` differentiates by default. */
  parameter(name: string, shape: Shape): Tensor {
    return this.#leaf("parameter", name, { name, shape: [...shape] });
  }

  /**
   * A value fixed in the program. A number becomes a scalar, or fills `shape`; the dtype of a number is `dtype` (default
   * float32), that of an array follows from the array (`Uint8Array` is bool). The array is copied.
   */
  constant(values: number | TensorData, shape?: Shape, dtype: DType = "float32"): Tensor {
    if (typeof values !== "number") {
      return this.emit("constant", [], { values: values.slice(), shape: shape ?? [values.length] });
    }
    const size = sizeOf(shape ?? []);
    const Kind = { float32: Float32Array, int32: Int32Array, bool: Uint8Array }[dtype];
    return this.emit("constant", [], { values: new Kind(size).fill(values), shape: shape ?? [] });
  }

  /** Declares a result. Names of inputs and outputs must differ. */
  output(name: string, tensor: Tensor): void {
    this.#checkOwn("output", tensor);
    if (this.#outputs.has(name) || this.#inputs.has(name)) {
      throw new GraphError(`graph "${this.name}" has two inputs or outputs named "${name}"`, {
        code: "engine.duplicate_name",
        hint: "give each input and output its own name",
      });
    }
    this.#outputs.set(name, tensor.id);
  }

  /** Runs `body` with `label` added to the scope that error messages and printed graphs show. */
  scope<T>(label: string, body: () => T): T {
    const outer = this.#scope;
    this.#scope = outer === "" ? label : `${outer}/${label}`;
    try {
      return body();
    } finally {
      this.#scope = outer;
    }
  }

  /** Adds a node, or returns the equal one that exists. The functions of `ops` call this; prefer those. */
  emit<K extends OpName>(op: K, inputs: readonly Tensor[], attributes: OpAttributes[K]): Tensor {
    for (const tensor of inputs) this.#checkOwn(op, tensor);
    const type = inferType(op, inputs, attributes, () => ({
      label: `${op}${this.#scope === "" ? "" : ` in ${this.#scope}`} of graph "${this.name}"`,
      operands: inputs.map((tensor) => describeNode(this.#nodes, tensor.id)),
    }));
    const simpler = simplify(this, op, inputs, attributes, type);
    if (simpler !== undefined) return simpler;
    const ids = inputs.map((tensor) => tensor.id);
    const key = keyOf(op, ids, attributes);
    let id = this.#idsByKey.get(key);
    if (id === undefined) {
      const node = { op, inputs: ids, attributes, scope: this.#scope, ...type } as Node;
      id = this.#nodes.push(node) - 1;
      this.#idsByKey.set(key, id);
    }
    return { graph: this, id, shape: type.shape, dtype: type.dtype };
  }

  /** The tensor of an equal node, if there is one. */
  find<K extends OpName>(
    op: K,
    inputs: readonly Tensor[],
    attributes: OpAttributes[K],
  ): Tensor | undefined {
    const id = this.#idsByKey.get(
      keyOf(
        op,
        inputs.map((tensor) => tensor.id),
        attributes,
      ),
    );
    return id === undefined ? undefined : this.tensorOf(id);
  }

  /** The node behind a tensor of this builder. */
  nodeOf(tensor: Tensor): Node {
    return this.#nodes[tensor.id]!;
  }

  /** The tensor of a node of this builder. */
  tensorOf(id: number): Tensor {
    const { shape, dtype } = this.#nodes[id]!;
    return { graph: this, id, shape, dtype };
  }

  /** The verified graph: inputs, and the nodes that an output needs, renumbered in order. */
  build(): Graph {
    const needed = new Set<number>([...this.#inputs.values(), ...this.#outputs.values()]);
    for (let id = this.#nodes.length - 1; id >= 0; id--) {
      if (needed.has(id)) for (const input of this.#nodes[id]!.inputs) needed.add(input);
    }
    const position = new Map<number, number>();
    const nodes: Node[] = [];
    this.#nodes.forEach((node, id) => {
      if (!needed.has(id)) return;
      const inputs = node.inputs.map((input) => position.get(input)!);
      position.set(id, nodes.push({ ...node, inputs }) - 1);
    });
    const renumber = (ids: ReadonlyMap<string, number>) =>
      new Map([...ids].map(([name, id]) => [name, position.get(id)!]));
    const graph: Graph = {
      name: this.name,
      nodes,
      inputs: renumber(this.#inputs),
      outputs: renumber(this.#outputs),
    };
    verifyGraph(graph);
    return graph;
  }

  #leaf<K extends "input" | "parameter">(op: K, name: string, attributes: OpAttributes[K]): Tensor {
    if (this.#inputs.has(name) || this.#outputs.has(name)) {
      throw new GraphError(`graph "${this.name}" has two inputs or outputs named "${name}"`, {
        code: "engine.duplicate_name",
        hint: "give each input and output its own name",
      });
    }
    const tensor = this.emit(op, [], attributes);
    this.#inputs.set(name, tensor.id);
    return tensor;
  }

  #checkOwn(op: string, tensor: Tensor): void {
    if (tensor.graph === this) return;
    throw new GraphError(
      `${op} in graph "${this.name}" was given a tensor of graph "${tensor.graph.name}"`,
      { code: "engine.foreign_tensor", hint: "build both values with the same GraphBuilder" },
    );
  }
}

/** Equal text for equal nodes; arrays of values by their hash, so that large constants stay cheap to compare. */
function keyOf(op: OpName, inputs: readonly number[], attributes: object): string {
  const text = JSON.stringify(attributes, (_key, value: unknown) => {
    if (!ArrayBuffer.isView(value)) return value;
    const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    return `${value.constructor.name}:${sha256(bytes)}`;
  });
  return `${op}(${inputs})${text}`;
}

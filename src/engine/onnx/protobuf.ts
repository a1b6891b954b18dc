/**
 * Writes the subset of ONNX's protobuf messages that the lowering uses. Field numbers and enum values are those of
 * onnx/onnx.proto (ModelProto, GraphProto, NodeProto, AttributeProto, TensorProto, ValueInfoProto). The bytes depend on
 * nothing but the argument, so equal models are equal files.
 */

/** Values of TensorProto.DataType that are in use. */
export const ONNX_TYPES = { float32: 1, int32: 6, int64: 7, bool: 9 } as const;
export type OnnxType = keyof typeof ONNX_TYPES;

export interface OnnxTensor {
  readonly name: string;
  readonly type: OnnxType;
  readonly shape: readonly number[];
  /** Elements in little-endian order. */
  readonly bytes: Uint8Array;
}

export interface OnnxValue {
  readonly name: string;
  readonly type: OnnxType;
  readonly shape: readonly number[];
}

/** A bigint is stored as INT, a number as FLOAT, a text as STRING, a list as INTS. */
export type OnnxAttribute = bigint | number | string | readonly number[];

export interface OnnxNode {
  readonly opType: string;
  /** Empty for the ONNX domain. */
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

export interface OnnxModel {
  readonly name: string;
  readonly irVersion: number;
  /** Version by domain. */
  readonly opsets: Readonly<Record<string, number>>;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
}

const WIRE_VARINT = 0;
const WIRE_BYTES = 2;
const WIRE_FIXED32 = 5;

/** A growing protobuf message. */
class MessageWriter {
  readonly #chunks: Uint8Array[] = [];
  #sizeBytes = 0;

  integer(field: number, value: number | bigint): this {
    return this.#varint((field << 3) | WIRE_VARINT).#varint(value);
  }

  float(field: number, value: number): this {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    return this.#varint((field << 3) | WIRE_FIXED32).#append(bytes);
  }

  bytes(field: number, value: Uint8Array): this {
    return this.#varint((field << 3) | WIRE_BYTES)
      .#varint(value.length)
      .#append(value);
  }

  text(field: number, value: string): this {
    return this.bytes(field, new TextEncoder().encode(value));
  }

  message(field: number, body: MessageWriter): this {
    return this.bytes(field, body.finish());
  }

  finish(): Uint8Array {
    const result = new Uint8Array(this.#sizeBytes);
    let offset = 0;
    for (const chunk of this.#chunks) {
      result.set(chunk, offset);
      offset += chunk.length;
    }
    return result;
  }

  /** Seven bits a byte, low ones first; negative values as 64-bit two's complement. */
  #varint(value: number | bigint): this {
    let rest = BigInt.asUintN(64, BigInt(value));
    const bytes: number[] = [];
    while (rest >= 0x80n) {
      bytes.push(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    bytes.push(Number(rest));
    return this.#append(Uint8Array.from(bytes));
  }

  #append(chunk: Uint8Array): this {
    this.#chunks.push(chunk);
    this.#sizeBytes += chunk.length;
    return this;
  }
}

function tensorMessage(tensor: OnnxTensor): MessageWriter {
  const writer = new MessageWriter();
  for (const size of tensor.shape) writer.integer(1, size); // dims
  return writer
    .integer(2, ONNX_TYPES[tensor.type]) // data_type
    .text(8, tensor.name)
    .bytes(9, tensor.bytes); // raw_data
}

function valueMessage(value: OnnxValue): MessageWriter {
  const shape = new MessageWriter();
  for (const size of value.shape) shape.message(1, new MessageWriter().integer(1, size)); // dim_value
  const tensorType = new MessageWriter().integer(1, ONNX_TYPES[value.type]).message(2, shape);
  return new MessageWriter()
    .text(1, value.name)
    .message(2, new MessageWriter().message(1, tensorType));
}

function attributeMessage(name: string, value: OnnxAttribute): MessageWriter {
  const writer = new MessageWriter().text(1, name);
  if (typeof value === "number") return writer.float(2, value).integer(20, 1); // f, type FLOAT
  if (typeof value === "bigint") return writer.integer(3, value).integer(20, 2); // i, type INT
  if (typeof value === "string") return writer.text(4, value).integer(20, 3); // s, type STRING
  for (const item of value) writer.integer(8, item); // ints
  return writer.integer(20, 7); // type INTS
}

function nodeMessage(node: OnnxNode): MessageWriter {
  const writer = new MessageWriter();
  for (const input of node.inputs) writer.text(1, input);
  for (const output of node.outputs) writer.text(2, output);
  writer.text(4, node.opType);
  for (const [name, value] of Object.entries(node.attributes)) {
    writer.message(5, attributeMessage(name, value));
  }
  return node.domain === "" ? writer : writer.text(7, node.domain);
}

/** The bytes of an `.onnx` file. */
export function encodeModel(model: OnnxModel): Uint8Array {
  const graph = new MessageWriter();
  for (const node of model.nodes) graph.message(1, nodeMessage(node));
  graph.text(2, model.name);
  for (const tensor of model.initializers) graph.message(5, tensorMessage(tensor));
  for (const value of model.inputs) graph.message(11, valueMessage(value));
  for (const value of model.outputs) graph.message(12, valueMessage(value));
  const writer = new MessageWriter()
    .integer(1, model.irVersion)
    .text(2, "four-habits") // producer_name
    .message(7, graph);
  for (const [domain, version] of Object.entries(model.opsets)) {
    writer.message(8, new MessageWriter().text(1, domain).integer(2, version)); // opset_import
  }
  return writer.finish();
}

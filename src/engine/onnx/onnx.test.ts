import onnxProto from "onnx-proto";
import { describe, expect, test } from "vitest";
import { sha256 } from "../../util/hash.ts";
import { differentiate } from "../autodiff/differentiate.ts";
import { GraphBuilder } from "../graph/builder.ts";
import type { Graph } from "../graph/types.ts";
import * as ops from "../ops/primitives.ts";
import { encodeGraph, lowerGraph } from "./lower.ts";
import { encodeModel, ONNX_TYPES, type OnnxModel } from "./protobuf.ts";

const { onnx } = onnxProto;

function affine(): Graph {
  const graph = new GraphBuilder("affine");
  const x = graph.input("x", [2, 3]);
  const product = ops.matmul(x, graph.parameter("w", [4, 3]), { transposeB: true, alpha: 0.5 });
  graph.output("y", ops.add(product, graph.constant(Float32Array.of(1, 2, 3, 4))));
  return graph.build();
}

function gatedUnit(): Graph {
  const graph = new GraphBuilder("gated unit");
  const x = graph.input("x", [2, 4]);
  const n = ops.rmsNorm(x, graph.parameter("norm", [4]));
  const gate = ops.matmul(n, graph.parameter("gate", [4, 6]));
  const up = ops.matmul(n, graph.parameter("up", [4, 6]));
  graph.output("loss", ops.sum(ops.swiGlu(gate, up)));
  return graph.build();
}

/** `%3 = MatMul(x, w) {...}`, one ONNX node a line. */
function printModel({ nodes }: OnnxModel): string {
  return nodes
    .map(({ opType, inputs, outputs, attributes }) => {
      const shown = Object.entries(attributes).map(([name, value]) => `${name}=${value}`);
      const suffix = shown.length > 0 ? ` {${shown.join(", ")}}` : "";
      return `${outputs.join(", ")} = ${opType}(${inputs.join(", ")})${suffix}`;
    })
    .join("\n");
}

describe("lowered programs", () => {
  test("an affine map", () => {
    expect(printModel(lowerGraph(affine()))).toMatchInlineSnapshot(`
      "%0 = FusedMatMul(x, w) {transA=0, transB=1, alpha=0.5}
      %2 = Add(%0, %1)
      y = Identity(%2)"
    `);
    expect(sha256(encodeGraph(affine()))).toMatchInlineSnapshot(
      `"d9ba9d988547939badfde9ad4d23fb9856ad05db050985636451fa880293d4b7"`,
    );
  });

  test("a gated unit in inference: one fused operator each for norm and activation", () => {
    expect(printModel(lowerGraph(gatedUnit()))).toMatchInlineSnapshot(`
      "%0, %1 = SimplifiedLayerNormalization(x, norm) {axis=-1, epsilon=0.00001, stash_type=1}
      %2 = MatMul(%0, gate)
      %3 = MatMul(%0, up)
      %4 = QuickGelu(%2) {alpha=1}
      %5 = Mul(%4, %3)
      %7 = ReduceSum(%5, %6) {keepdims=0}
      loss = Identity(%7)"
    `);
    expect(sha256(encodeGraph(gatedUnit()))).toMatchInlineSnapshot(
      `"115141a5512a20a2ebd3029decac80b1f8dba1399eb9bb489a63555490921b1f"`,
    );
  });

  test("its gradient: the sigmoid and the inverse root mean square are computed once", () => {
    const graph = differentiate(gatedUnit(), { loss: "loss" });
    expect(printModel(lowerGraph(graph))).toMatchInlineSnapshot(`
      "%0, %1 = SimplifiedLayerNormalization(x, norm) {axis=-1, epsilon=0.00001, stash_type=1}
      %2 = MatMul(%0, gate)
      %3 = MatMul(%0, up)
      %4 = Sigmoid(%2)
      %5 = Mul(%2, %4)
      %6 = Mul(%5, %3)
      %8 = ReduceSum(%6, %7) {keepdims=0}
      %9 = Sub(%3, %6)
      %10 = Mul(%4, %9)
      %11 = Add(%6, %10)
      %12 = FusedMatMul(%5, up) {transA=0, transB=1, alpha=1}
      %13 = FusedMatMul(%5, %0) {transA=1, transB=0, alpha=1}
      %14 = Transpose(%13) {perm=1,0}
      %15 = FusedMatMul(%11, gate) {transA=0, transB=1, alpha=1}
      %16 = FusedMatMul(%11, %0) {transA=1, transB=0, alpha=1}
      %17 = Transpose(%16) {perm=1,0}
      %18 = Add(%12, %15)
      %19 = Mul(%18, x)
      %20 = FusedMatMul(%19, %1) {transA=1, transB=0, alpha=1}
      %21 = Transpose(%20) {perm=1,0}
      %23 = Reshape(%21, %22)
      loss = Identity(%8)
      grad:norm = Identity(%23)
      grad:gate = Identity(%17)
      grad:up = Identity(%14)"
    `);
    expect(sha256(encodeGraph(graph))).toMatchInlineSnapshot(
      `"e2f9f12019bdfc8d556eb759760cc67153f89c469b6e2ae254ecc71647953ab6"`,
    );
  });
});

test("leaves that nothing reads stay out, and two names of one value are two results", () => {
  const graph = new GraphBuilder("aliases");
  const x = graph.input("x", [1]);
  graph.input("unread", [1]);
  graph.output("a", x);
  graph.output("b", x);
  const model = lowerGraph(graph.build());
  expect(model.inputs.map(({ name }) => name)).toEqual(["x"]);
  expect(printModel(model)).toBe("a = Identity(x)\nb = Identity(x)");
});

describe("protobuf", () => {
  const model: OnnxModel = {
    name: "every field, ünïcode",
    irVersion: 11,
    opsets: { "": 23, "com.microsoft": 1 },
    nodes: [
      {
        opType: "Op",
        domain: "com.microsoft",
        inputs: ["a", ""],
        outputs: ["b"],
        attributes: {
          small: 3n,
          negative: -1n,
          large: 2n ** 62n,
          half: -0.5,
          text: "add",
          list: [0, -2, 300],
        },
      },
    ],
    initializers: [
      { name: "t", type: "int64", shape: [2, 1], bytes: new Uint8Array(16).fill(255) },
      { name: "empty", type: "float32", shape: [0], bytes: new Uint8Array() },
    ],
    inputs: [{ name: "a", type: "bool", shape: [1, 200] }],
    outputs: [{ name: "b", type: "int32", shape: [] }],
  };

  test("an independent decoder reads back every field", () => {
    const decoded = onnx.ModelProto.toObject(onnx.ModelProto.decode(encodeModel(model)), {
      longs: String,
      bytes: Array,
    }) as Record<string, unknown>;
    const shapeOf = (...sizes: string[]) =>
      sizes.length === 0 ? {} : { dim: sizes.map((dimValue) => ({ dimValue })) };
    expect(decoded).toMatchObject({
      irVersion: "11",
      producerName: "four-habits",
      opsetImport: [
        { domain: "", version: "23" },
        { domain: "com.microsoft", version: "1" },
      ],
      graph: {
        name: "every field, ünïcode",
        node: [
          {
            opType: "Op",
            domain: "com.microsoft",
            input: ["a", ""],
            output: ["b"],
            attribute: [
              { name: "small", i: "3", type: 2 },
              { name: "negative", i: "-1", type: 2 },
              { name: "large", i: String(2n ** 62n), type: 2 },
              { name: "half", f: -0.5, type: 1 },
              { name: "text", s: [...Buffer.from("add")], type: 3 },
              { name: "list", ints: ["0", "-2", "300"], type: 7 },
            ],
          },
        ],
        initializer: [
          {
            name: "t",
            dataType: ONNX_TYPES.int64,
            dims: ["2", "1"],
            rawData: new Array(16).fill(255),
          },
          { name: "empty", dataType: ONNX_TYPES.float32, dims: ["0"] },
        ],
        input: [
          {
            name: "a",
            type: { tensorType: { elemType: ONNX_TYPES.bool, shape: shapeOf("1", "200") } },
          },
        ],
        output: [
          { name: "b", type: { tensorType: { elemType: ONNX_TYPES.int32, shape: shapeOf() } } },
        ],
      },
    });
  });

  test("the type numbers are those of ONNX", () => {
    const { DataType } = onnx.TensorProto;
    expect(ONNX_TYPES).toEqual({
      float32: DataType.FLOAT,
      int32: DataType.INT32,
      int64: DataType.INT64,
      bool: DataType.BOOL,
    });
  });
});

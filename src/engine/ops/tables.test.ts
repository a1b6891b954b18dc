/**
 * Walks the op union: each case is interpreted in float64, run by onnxruntime, and differentiated; the gradient is compared
 * with central differences of the float64 interpreter, and its onnxruntime value with its interpreted one.
 */
import { describe, expect, test } from "vitest";
import "../../../test/matchers.ts";
import { differentiate } from "../autodiff/differentiate.ts";
import { gradientRules } from "../autodiff/gradient-rules.ts";
import { GraphBuilder } from "../graph/builder.ts";
import { shapeRules } from "../graph/shape-rules.ts";
import type { Graph, OpName, TensorData } from "../graph/types.ts";
import { interpret, interpretExact } from "../interpreter/interpret.ts";
import { kernels } from "../interpreter/kernels.ts";
import { loweringRules } from "../onnx/lowering-rules.ts";
import { compile } from "../runtime/program.ts";
import { type OpCase, opCases } from "./op-cases.fixture.ts";
import { cast, mul, reshape, sum } from "./primitives.ts";

/** Outputs: `y`, and for the gradient `loss`, a sum of y with weights that tell its elements apart. */
function buildCase(opCase: OpCase): { graph: Graph; feeds: Record<string, TensorData> } {
  const graph = new GraphBuilder(opCase.name);
  const feeds: Record<string, TensorData> = {};
  const operands = opCase.operands.map(({ shape, dtype, values }, index) => {
    feeds[`x${index}`] = values;
    return dtype === "float32"
      ? graph.parameter(`x${index}`, shape)
      : graph.input(`x${index}`, shape, dtype);
  });
  const y = opCase.build(operands, graph);
  graph.output("y", y);
  const size = y.shape.reduce((product, length) => product * length, 1);
  const weights = Float32Array.from({ length: size }, (_, i) => Math.cos(1.3 * i) + 0.2);
  const weighted = mul(cast(y, "float32"), graph.constant(weights, y.shape));
  graph.output("loss", sum(reshape(weighted, [size])));
  return { graph: graph.build(), feeds };
}

/** Gradient of `loss` with respect to one operand by central differences, in float64. */
function centralDifferences(
  graph: Graph,
  feeds: Record<string, TensorData>,
  name: string,
): number[] {
  const step = 1e-5;
  return Array.from(feeds[name]!, (value, index) => {
    const lossAt = (x: number) => {
      const moved = Float64Array.from(feeds[name]!).with(index, x);
      return interpretExact(graph, { ...feeds, [name]: moved }).loss![0]!;
    };
    return (lossAt(value + step) - lossAt(value - step)) / (2 * step);
  });
}

async function expectSameAsRuntime(graph: Graph, feeds: Record<string, TensorData>): Promise<void> {
  const expected = interpret(graph, feeds);
  const program = await compile(graph);
  const found = await program.run(feeds);
  await program.dispose();
  for (const name of graph.outputs.keys()) {
    expect(found[name]!.constructor, name).toBe(expected[name]!.constructor);
    expect(found[name]!, name).toBeAllClose(expected[name]!, { relative: 2e-5, absolute: 2e-6 });
  }
}

const NAMES = Object.keys(opCases) as OpName[];

test("every table has a row for every operator, and nothing else", () => {
  for (const table of [shapeRules, gradientRules, kernels, loweringRules]) {
    expect(Object.keys(table).sort()).toEqual([...NAMES].sort());
  }
});

test("a table without a row does not compile", () => {
  const { tanh, ...others } = kernels;
  // @ts-expect-error the row of tanh is missing
  const incomplete: typeof kernels = others;
  expect(Object.keys({ ...incomplete, tanh }).sort()).toEqual(Object.keys(kernels).sort());
});

describe.each(NAMES)("%s", (op) => {
  test("has cases that use it", () => {
    const uses = opCases[op].map((opCase) => buildCase(opCase).graph.nodes);
    expect(uses.some((nodes) => nodes.some((node) => node.op === op))).toBe(true);
  });

  test.each(opCases[op])("$name: onnxruntime agrees with the interpreter", async (opCase) => {
    const { graph, feeds } = buildCase(opCase);
    await expectSameAsRuntime(graph, feeds);
  });

  const differentiable = opCases[op].filter(({ gradient }) => gradient ?? true);
  const isExempt =
    typeof gradientRules[op] !== "function" || ["input", "stopGradient"].includes(op);
  test("is checked by finite differences, unless it has no gradient", () => {
    expect(differentiable.length === 0).toBe(isExempt);
  });

  test.each(differentiable)("$name: the gradient is the limit of differences", async (opCase) => {
    const { graph, feeds } = buildCase(opCase);
    const derived = differentiate(graph, { loss: "loss" });
    const exact = interpretExact(derived, feeds);
    opCase.operands.forEach(({ dtype }, index) => {
      if (dtype !== "float32" || (op === "rotaryEmbedding" && index > 0)) return;
      const expected = centralDifferences(graph, feeds, `x${index}`);
      expect(exact[`grad:x${index}`]!, `x${index}`).toBeAllClose(expected);
    });
    await expectSameAsRuntime(derived, feeds);
  });
});

import { describe, expect, test } from "vitest";
import "../../../test/matchers.ts";
import { GraphError, ShapeError } from "../../util/errors.ts";
import * as ops from "../ops/primitives.ts";
import { GraphBuilder } from "./builder.ts";
import { hashGraph, printGraph } from "./print.ts";
import type { Graph, Node, Tensor } from "./types.ts";
import { verifyGraph } from "./verify.ts";

function newGraph(): { graph: GraphBuilder; x: Tensor; y: Tensor } {
  const graph = new GraphBuilder("test");
  return { graph, x: graph.parameter("x", [2, 3]), y: graph.input("y", [4, 5]) };
}

describe("shape errors", () => {
  test("name both shapes, both operands and the caller's scope", () => {
    const { graph, x, y } = newGraph();
    const attempt = () => graph.scope("block0", () => graph.scope("mlp", () => ops.add(x, y)));
    expect(attempt).toThrow(ShapeError);
    expect(attempt).toThrow(
      'add in block0/mlp of graph "test" cannot broadcast (2, 3) and (4, 5) together. ' +
        'Operands: parameter "x" float32 (2, 3); input "y" float32 (4, 5).',
    );
  });

  test("are thrown for every kind of misfit", () => {
    const { graph, x, y } = newGraph();
    const ids = graph.input("ids", [2], "int32");
    const mask = graph.input("mask", [2, 3], "bool");
    const misfits: [() => Tensor, RegExp][] = [
      [() => ops.matmul(x, y), /cannot multiply \(2, 3\) by \(4, 5\): 3 is not 4/],
      [() => ops.matmul(x, y, { transposeB: true }), /\(4, 5\)ᵀ: 3 is not 5/],
      [() => ops.add(x, ids), /one dtype, found float32 and int32/],
      [() => ops.div(ids, ids), /needs float32 as operand 1, found int32/],
      [() => ops.where(x, x, x), /needs bool as operand 1/],
      [() => ops.logicalAnd(mask, x), /one dtype/],
      [() => ops.reshape(x, [4]), /cannot reshape \(2, 3\) \(6 elements\) to \(4\) \(4\)/],
      [() => ops.reshape(x, [4, -1]), /cannot reshape/],
      [() => ops.transpose(x, [0, 0]), /needs a permutation/],
      [() => ops.slice(x, { axis: 0, start: 1, end: 3 }), /cannot take 1 to 3 of axis 0/],
      [() => ops.concat([x, y], 0), /cannot join float32 \(2, 3\) and float32 \(4, 5\)/],
      [() => ops.broadcastTo(x, [3]), /cannot broadcast \(2, 3\) to \(3\)/],
      [() => ops.gather(x, x), /needs int32 as operand 2/],
      [() => ops.gatherLast(y, ids), /has indices \(2\) for \(4, 5\)/],
      [() => ops.rmsNorm(x, y), /has weight \(4, 5\) for \(2, 3\)/],
      [() => ops.softmax(graph.constant(1)), /needs a last axis/],
      [() => ops.sum(x, { axes: [2] }), /axis 2 of a value of shape \(2, 3\)/],
      [() => ops.max(graph.constant(0, [0, 2]), { axes: [0] }), /no value over an empty axis/],
      [() => ops.rotaryEmbedding(x, x, x), /needs x \(B, H, T, even D\)/],
      [() => graph.constant(Float32Array.of(1, 2), [3]), /needs 3 values for \(3\), found 2/],
      [() => graph.input("odd", [1.5]), /integers >= 0/],
      [() => ops.add(1, 2), /two plain numbers/],
    ];
    for (const [attempt, message] of misfits) expect(attempt).toThrow(message);
  });

  test("a tensor of another graph and a name used twice are refused", () => {
    const { x } = newGraph();
    const other = newGraph();
    expect(() => ops.add(x, other.x)).toThrow(GraphError);
    expect(() => other.graph.parameter("y", [1])).toThrow(/two inputs or outputs named "y"/);
    expect(() => other.graph.output("x", other.x)).toThrow(/two inputs or outputs named "x"/);
  });
});

describe("simplification", () => {
  const count = (make: (x: Tensor, graph: GraphBuilder) => Tensor) => {
    const { graph, x } = newGraph();
    graph.output("result", make(x, graph));
    return graph.build().nodes.length;
  };

  test("equal nodes are made once, unused ones dropped, inputs kept", () => {
    expect(count((x) => ops.add(ops.exp(x), ops.exp(x)))).toBe(4); // x, y, exp, add
    expect(count((x) => [ops.log(x), x][1]!)).toBe(2);
    const constant = (graph: GraphBuilder) => graph.constant(Float32Array.of(1, 2, 3));
    expect(count((x, graph) => ops.mul(ops.add(x, constant(graph)), constant(graph)))).toBe(5);
  });

  test("what changes nothing disappears", () => {
    const same: ((x: Tensor) => Tensor)[] = [
      (x) => ops.add(x, 0),
      (x) => ops.mul(1, x),
      (x) => ops.div(x, 1),
      (x) => ops.neg(ops.neg(x)),
      (x) => ops.reshape(ops.reshape(x, [6]), [2, 3]),
      (x) => ops.transpose(ops.transpose(x, [1, 0]), [1, 0]),
      (x) => ops.slice(x, { axis: 1 }),
      (x) => ops.broadcastTo(x, [2, 3]),
      (x) => ops.cast(x, "float32"),
      (x) => ops.concat([x], 0),
      (x) => ops.sum(x, { axes: [] }),
    ];
    for (const f of same) expect(count(f)).toBe(2);
  });

  test("a swap of the last two axes moves into the product", () => {
    const { graph, x } = newGraph();
    graph.output("gram", ops.matmul(ops.transpose(x, [1, 0]), x));
    const node = graph.build().nodes.at(-1)!;
    expect(node.attributes).toMatchObject({ transposeA: true, transposeB: false });
    expect(node).toHaveShape([3, 3]);
  });
});

describe("verifyGraph", () => {
  const changed = (change: (nodes: Node[]) => void): Graph => {
    const { graph, x } = newGraph();
    graph.output("result", ops.matmul(x, ops.transpose(ops.exp(x), [1, 0])));
    const built = graph.build();
    const nodes = [...built.nodes];
    change(nodes);
    return { ...built, nodes };
  };
  const at = (nodes: Node[], op: string) => nodes.findIndex((node) => node.op === op);

  test("accepts what the builder makes", () => {
    expect(() => verifyGraph(changed(() => {}))).not.toThrow();
  });

  test.each<[string, (nodes: Node[]) => void, RegExp]>([
    [
      "operand after its user",
      (n) => (n[2] = { ...n[2]!, inputs: [3] }),
      /operand %3 does not come before/,
    ],
    [
      "wrong shape",
      (n) => (n[2] = { ...n[2]!, shape: [3, 2] } as Node),
      /is marked float32 \(3, 2\), its rule gives/,
    ],
    ["wrong dtype", (n) => (n[2] = { ...n[2]!, dtype: "bool" } as Node), /is marked bool/],
    [
      "too few operands",
      (n) => (n[at(n, "matmul")] = { ...n[at(n, "matmul")]!, inputs: [0] }),
      /takes 2 operands, found 1/,
    ],
    [
      "unknown operator",
      (n) => (n[2] = { ...n[2]!, op: "gelu" } as unknown as Node),
      /unknown operator/,
    ],
    [
      "hidden leaf",
      (n) => (n[0] = { ...n[0]!, attributes: { name: "z", shape: [2, 3] } } as Node),
      /input "x" points at .* \| .*missing from the list/,
    ],
  ])("reports: %s", (_name, change, message) => {
    expect(() => verifyGraph(changed(change))).toThrow(message);
  });

  test("reports every problem at once, and a graph without outputs", () => {
    const graph = changed((nodes) => {
      nodes[2] = { ...nodes[2]!, shape: [3, 2] } as Node;
    });
    const broken = { ...graph, outputs: new Map([["lost", 99]]) };
    expect(() => verifyGraph(broken)).toThrow(
      /breaks 3 rules: .*marked.*cannot multiply.*"lost" points at missing/,
    );
    expect(() => newGraph().graph.build()).toThrow(/no output is declared/);
  });
});

test("printed graphs are readable, and the hash ignores names of graphs and scopes only", () => {
  const build = (name: string, scope: string, factor: number) => {
    const graph = new GraphBuilder(name);
    const x = graph.parameter("x", [2, 3]);
    graph.scope(scope, () =>
      graph.output("z", ops.matmul(ops.mul(x, factor), x, { transposeB: true })),
    );
    return graph.build();
  };
  expect(printGraph(build("show", "block0", 2))).toBe(`graph "show"
  %0 = parameter("x") : float32 (2, 3)
  %1 = constant() {[2]} : float32 ()  # block0
  %2 = mul(%0, %1) : float32 (2, 3)  # block0
  %3 = matmul(%2, %0) {transposeB=true, alpha=1} : float32 (2, 2)  # block0
  output "z" = %3
`);
  expect(hashGraph(build("a", "s", 2))).toBe(hashGraph(build("b", "t", 2)));
  expect(hashGraph(build("a", "s", 2))).not.toBe(hashGraph(build("a", "s", 3)));
});

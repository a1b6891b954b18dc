import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import "../../../test/matchers.ts";
import { GraphBuilder } from "../graph/builder.ts";
import { printGraph } from "../graph/print.ts";
import type { Graph, Shape } from "../graph/types.ts";
import { interpret } from "../interpreter/interpret.ts";
import { mean } from "../ops/composites.ts";
import * as ops from "../ops/primitives.ts";
import { compile } from "../runtime/program.ts";
import { differentiate } from "./differentiate.ts";

interface Golden {
  readonly loss: number;
  readonly gradients: Readonly<Record<string, readonly number[]>>;
}

const golden = JSON.parse(
  readFileSync(path.join(import.meta.dirname, "../../../test/golden/engine.json"), "utf8"),
) as Golden;

/** sin(0.7 i + seed), as in test/golden/engine.py. */
function wave(shape: Shape, seed: number): Float32Array {
  const size = shape.reduce((product, length) => product * length, 1);
  return Float32Array.from({ length: size }, (_, i) => Math.sin(0.7 * i + seed));
}

/** The network of test/golden/engine.py: embedding, norm, gated unit, attention without mask, tied output. */
function goldenNetwork(): { graph: Graph; feeds: Record<string, Float32Array | Int32Array> } {
  const [B, T, V, D, F] = [2, 3, 7, 4, 6];
  const graph = new GraphBuilder("golden");
  const shapes: Record<string, Shape> = {
    embedding: [V, D],
    norm: [D],
    gate: [D, F],
    up: [D, F],
    down: [F, D],
  };
  const feeds: Record<string, Float32Array | Int32Array> = {
    tokens: Int32Array.of(1, 5, 1, 0, 6, 2),
    targets: Int32Array.of(5, 1, 3, 6, 2, 0),
  };
  const [embedding, norm, gate, up, down] = Object.entries(shapes).map(([name, shape], index) => {
    feeds[name] = wave(shape, index + 1);
    return graph.parameter(name, shape);
  });
  const x = ops.gather(embedding!, graph.input("tokens", [B, T], "int32")); // (B, T, D)
  const n = ops.rmsNorm(x, norm!);
  const h = ops.swiGlu(ops.matmul(n, gate!), ops.matmul(n, up!)); // (B, T, F)
  const y = ops.add(x, ops.matmul(h, down!));
  const scores = ops.matmul(y, y, { transposeB: true, alpha: 1 / Math.sqrt(D) });
  const mixed = ops.matmul(ops.softmax(scores), y); // (B, T, D)
  const logProbs = ops.logSoftmax(ops.matmul(mixed, embedding!, { transposeB: true }));
  const targets = graph.input("targets", [B, T], "int32");
  graph.output("loss", ops.neg(mean(ops.gatherLast(logProbs, targets))));
  return { graph: differentiate(graph.build(), { loss: "loss" }), feeds };
}

test("a small network has the loss and gradients that PyTorch gives", async () => {
  const { graph, feeds } = goldenNetwork();
  const program = await compile(graph);
  for (const results of [interpret(graph, feeds), await program.run(feeds)]) {
    expect(results.loss!).toBeAllClose([golden.loss]);
    for (const [name, gradient] of Object.entries(golden.gradients)) {
      expect(results[`grad:${name}`]!, name).toBeAllClose(gradient, {
        relative: 1e-4,
        absolute: 2e-6,
      });
    }
  }
  await program.dispose();
});

describe("differentiate", () => {
  const square = () => {
    const graph = new GraphBuilder("square");
    const x = graph.parameter("x", [3]);
    const shift = graph.input("shift", [3]);
    const y = ops.mul(ops.add(x, shift), x);
    graph.output("y", y);
    graph.output("loss", ops.sum(y));
    return graph.build();
  };
  const feeds = { x: Float32Array.of(1, 2, 3), shift: Float32Array.of(10, 20, 30) };

  test("keeps the outputs and adds one gradient for each parameter", () => {
    const derived = differentiate(square(), { loss: "loss" });
    expect([...derived.outputs.keys()]).toEqual(["y", "loss", "grad:x"]);
    expect(interpret(derived, feeds)["grad:x"]!).toBeAllClose([12, 24, 36]);
  });

  test("takes inputs by name, and can be applied to its own result", () => {
    const first = differentiate(square(), { loss: "loss", wrt: ["shift", "x"] });
    expect(interpret(first, feeds)["grad:shift"]!).toBeAllClose([1, 2, 3]);
    const graph = new GraphBuilder("curvature");
    const x = graph.parameter("x", [2]);
    graph.output("loss", ops.sum(ops.mul(x, ops.mul(x, x))));
    const slope = differentiate(graph.build(), { loss: "loss" });
    const total = new GraphBuilder("slope");
    const y = total.parameter("x", [2]);
    total.output("loss", ops.sum(ops.mul(ops.mul(y, y), 3)));
    const expected = differentiate(total.build(), { loss: "loss" });
    const at = { x: Float32Array.of(2, -1) };
    expect(interpret(slope, at)["grad:x"]!).toBeAllClose([12, 3]);
    expect(interpret(expected, at)["grad:x"]!).toBeAllClose([12, -6]);
  });

  test("gives zeros for a parameter without influence and behind stopGradient", () => {
    const graph = new GraphBuilder("detached");
    const a = graph.parameter("a", [2]);
    graph.parameter("b", [2, 2]);
    const c = graph.parameter("c", [2]);
    graph.output("loss", ops.sum(ops.mul(a, ops.stopGradient(ops.exp(c)))));
    const derived = differentiate(graph.build(), { loss: "loss" });
    const results = interpret(derived, {
      a: Float32Array.of(1, 2),
      b: new Float32Array(4),
      c: new Float32Array(2),
    });
    expect(results["grad:a"]!).toBeAllClose([1, 1]);
    expect(results["grad:b"]!).toBeAllClose([0, 0, 0, 0]);
    expect(results["grad:c"]!).toBeAllClose([0, 0]);
  });

  test("refuses a loss of several elements, an unknown loss and an integer leaf", () => {
    expect(() => differentiate(square(), { loss: "y" })).toThrow(
      /one element, found add|one element, found mul/,
    );
    expect(() => differentiate(square(), { loss: "nothing" })).toThrow(/found outputs y, loss/);
    expect(() => differentiate(square(), { loss: "loss", wrt: ["z"] })).toThrow(
      /"z" is not a parameter/,
    );
  });

  test("softmax rows are summed over D, not over T", () => {
    const text = printGraph(goldenNetwork().graph);
    // Σ_j dP_ij P_ij over (B, T, T) became Σ_d dO_id O_id over (B, T, D).
    expect(text).toMatch(/mul\(.*\) : float32 \(2, 3, 4\) {2}# gradient\/softmax/);
    expect(text.match(/sum\(.*float32 \(2, 3, 1\) {2}# gradient\/softmax/g)).toHaveLength(1);
  });
});

import { Worker } from "node:worker_threads";
import { afterAll, describe, expect, test } from "vitest";
import "../../../test/matchers.ts";
import { differentiate } from "../autodiff/differentiate.ts";
import { GraphBuilder } from "../graph/builder.ts";
import type { Graph } from "../graph/types.ts";
import { interpret } from "../interpreter/interpret.ts";
import * as ops from "../ops/primitives.ts";
import { compile, ProgramCache } from "./program.ts";
import { flushesDenormals } from "./runtime.ts";

function scale(factor: number): Graph {
  const graph = new GraphBuilder(`scale by ${factor}`);
  const x = graph.input("x", [3]);
  graph.input("unread", [1]);
  const flag = graph.input("flag", [3], "bool");
  graph.output("y", ops.where(flag, ops.mul(x, factor), x));
  graph.output("flipped", ops.logicalNot(flag));
  return graph.build();
}

const cache = new ProgramCache();
afterAll(() => cache.dispose());
const feeds = {
  x: Float32Array.of(1, 2, 3),
  unread: Float32Array.of(0),
  flag: Uint8Array.of(1, 0, 1),
};

describe("run", () => {
  test("returns arrays of the dtype of each output", async () => {
    const program = await cache.compile(scale(2));
    const { y, flipped } = await program.run(feeds);
    expect(y).toEqual(Float32Array.of(2, 2, 6));
    expect(flipped).toEqual(Uint8Array.of(0, 1, 0));
  });

  test("writes results into given arrays, and reads arrays as they are now", async () => {
    const program = await cache.compile(scale(2));
    const x = Float32Array.of(1, 1, 1);
    const y = new Float32Array(3);
    const first = await program.run({ ...feeds, x }, { y });
    expect(first.y).toBe(y);
    expect(y).toEqual(Float32Array.of(2, 1, 2));
    x[0] = 5;
    await program.run({ ...feeds, x }, { y });
    expect(y).toEqual(Float32Array.of(10, 1, 2));
  });

  test("an array that is a view into a larger buffer is read and written in place", async () => {
    const program = await cache.compile(scale(2));
    const whole = Float32Array.of(9, 1, 2, 3, 9, 0, 0, 0, 9);
    await program.run({ ...feeds, x: whole.subarray(1, 4) }, { y: whole.subarray(5, 8) });
    expect(whole).toEqual(Float32Array.of(9, 1, 2, 3, 9, 2, 2, 6, 9));
  });

  test("names what is missing, of the wrong size or kind", async () => {
    const program = await cache.compile(scale(2));
    const { x: _x, ...others } = feeds;
    await expect(program.run(others)).rejects.toThrow(
      'running "scale by 2": input "x" needs a Float32Array of 3 for (3), found nothing',
    );
    await expect(program.run({ ...feeds, x: new Float32Array(2) })).rejects.toThrow(
      /found Float32Array of 2/,
    );
    await expect(program.run({ ...feeds, flag: new Int32Array(3) })).rejects.toThrow(
      /"flag" needs a Uint8Array/,
    );
    await expect(program.run(feeds, { y: new Float32Array(4) })).rejects.toThrow(/output "y"/);
  });
});

test("an index outside of its axis is an error of the run, in both backends", async () => {
  const graph = new GraphBuilder("look up");
  const table = graph.input("table", [3, 2]);
  graph.output("rows", ops.gather(table, graph.input("rows at", [2], "int32")));
  const built = graph.build();
  const program = await cache.compile(built);
  const outside = { table: new Float32Array(6), "rows at": Int32Array.of(0, 3) };
  await expect(program.run(outside)).rejects.toThrow(/running "look up": .*out of.* bounds/);
  expect(() => interpret(built, outside)).toThrow(/index 3 is outside of an axis of size 3/);
});

test("the cache compiles each key and each graph once", async () => {
  const programs = new ProgramCache();
  let built = 0;
  const build = () => {
    built++;
    return scale(3);
  };
  const [a, b] = await Promise.all([programs.get("key", build), programs.get("key", build)]);
  expect(a).toBe(b);
  expect(built).toBe(1);
  expect(await programs.compile(scale(4))).toBe(await programs.compile(scale(4)));
  expect(programs.size).toBe(2);
  await expect(programs.get("bad", () => ({ ...scale(1), outputs: new Map() }))).rejects.toThrow(
    /no output/,
  );
  expect(programs.size).toBe(2);
  await programs.dispose();
  expect(programs.size).toBe(0);
});

/** A training step with repeated rows in the embedding gradient, where the order of additions could differ. */
function trainingStep(): Graph {
  const graph = new GraphBuilder("step");
  const table = graph.parameter("table", [50, 32]);
  const ids = graph.input("ids", [600], "int32");
  const x = ops.rmsNorm(ops.gather(table, ids), graph.parameter("norm", [32]));
  const logits = ops.matmul(ops.silu(x), table, { transposeB: true });
  graph.output("loss", ops.neg(ops.sum(ops.gatherLast(ops.logSoftmax(logits), ids))));
  return differentiate(graph.build(), { loss: "loss" });
}

test.each([1, 2])("equal feeds give equal bytes with %i threads", async (threads) => {
  const program = await compile(trainingStep(), { threads });
  const step = {
    table: Float32Array.from({ length: 1600 }, (_, i) => Math.sin(i)),
    ids: Int32Array.from({ length: 600 }, (_, i) => (i * i) % 50),
    norm: new Float32Array(32).fill(1),
  };
  const first = await program.run(step);
  for (let round = 0; round < 20; round++) expect(await program.run(step)).toEqual(first);
  await program.dispose();
});

test("denormals are zero in the thread that compiles and in threads that it starts", async () => {
  await cache.compile(scale(2));
  expect(flushesDenormals()).toBe(true);
  const script = `const [a, b] = Float64Array.of(1e-310, 1.5);
    require("node:worker_threads").parentPort.postMessage(a * b === 0);`;
  const worker = new Worker(script, { eval: true });
  const inherited = await new Promise((resolve) => worker.once("message", resolve));
  expect(inherited).toBe(true);
  await worker.terminate();
});

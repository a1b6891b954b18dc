/** A Llama training step of a given size, for benchmarks and for tests of memory. Shapes as in `DecoderSize`. */
import { differentiate } from "./autodiff/differentiate.ts";
import { GraphBuilder } from "./graph/builder.ts";
import { type Graph, type Shape, sizeOf, type Tensor, type TensorData } from "./graph/types.ts";
import * as ops from "./ops/primitives.ts";

/** B sequences, T positions, D hidden size, H heads, F feed-forward size, L layers, V vocabulary. */
export interface DecoderSize {
  readonly B: number;
  readonly T: number;
  readonly D: number;
  readonly H: number;
  readonly F: number;
  readonly L: number;
  readonly V: number;
}

/** Angles' function over positions and pairs of features, (T, D / H / 2). */
function angles(
  graph: GraphBuilder,
  { T, D, H }: DecoderSize,
  f: (angle: number) => number,
): Tensor {
  const half = D / H / 2;
  const values = Float32Array.from({ length: T * half }, (_, i) =>
    f(Math.floor(i / half) / 10_000 ** ((i % half) / half)),
  );
  return graph.constant(values, [T, half]);
}

function causalMask(graph: GraphBuilder, T: number): Tensor {
  const values = new Float32Array(T * T);
  for (let row = 0; row < T; row++) values.fill(-1e9, row * T + row + 1, (row + 1) * T);
  return graph.constant(values, [T, T]);
}

/** Loss and gradients of a decoder with tied embeddings. */
export function trainingStep(size: DecoderSize): Graph {
  const { B, T, D, H, F, L, V } = size;
  const graph = new GraphBuilder("llama");
  const weight = (name: string, shape: Shape) => graph.parameter(name, shape);
  const linear = (x: Tensor, name: string, output: number) =>
    ops.matmul(x, weight(name, [output, x.shape.at(-1)!]), { transposeB: true });
  const split = (x: Tensor) => ops.transpose(ops.reshape(x, [B, T, H, D / H]), [0, 2, 1, 3]);
  const [cos, sin] = [angles(graph, size, Math.cos), angles(graph, size, Math.sin)];
  const mask = causalMask(graph, T);
  const embedding = weight("embedding", [V, D]);
  let x = ops.gather(embedding, graph.input("tokens", [B, T], "int32")); // (B, T, D)
  for (let l = 0; l < L; l++) {
    const n = ops.rmsNorm(x, weight(`norm.${l}.0`, [D]));
    const query = ops.rotaryEmbedding(split(linear(n, `query.${l}`, D)), cos, sin); // (B, H, T, D/H)
    const key = ops.rotaryEmbedding(split(linear(n, `key.${l}`, D)), cos, sin);
    const value = split(linear(n, `value.${l}`, D));
    const alpha = 1 / Math.sqrt(D / H);
    const scores = ops.add(ops.matmul(query, key, { transposeB: true, alpha }), mask);
    const mixed = ops.transpose(ops.matmul(ops.softmax(scores), value), [0, 2, 1, 3]);
    x = ops.add(x, linear(ops.reshape(mixed, [B, T, D]), `out.${l}`, D));
    const m = ops.rmsNorm(x, weight(`norm.${l}.1`, [D]));
    const h = ops.swiGlu(linear(m, `gate.${l}`, F), linear(m, `up.${l}`, F)); // (B, T, F)
    x = ops.add(x, linear(h, `down.${l}`, D));
  }
  const hidden = ops.rmsNorm(x, weight("norm", [D]));
  const logProbs = ops.logSoftmax(ops.matmul(hidden, embedding, { transposeB: true }));
  const chosen = ops.gatherLast(logProbs, graph.input("targets", [B, T], "int32"));
  graph.output("loss", ops.neg(ops.sum(chosen)));
  return differentiate(graph.build(), { loss: "loss" });
}

/** Tokens, and weights of about the size that training starts from. */
export function makeFeeds(graph: Graph, V: number): Record<string, TensorData> {
  const feeds: Record<string, TensorData> = {};
  for (const [name, id] of graph.inputs) {
    const { shape, dtype } = graph.nodes[id]!;
    const length = sizeOf(shape);
    const wave = (i: number) => Math.sin(12.9898 * i + name.length);
    if (dtype === "int32") feeds[name] = Int32Array.from({ length }, (_, i) => (i * 7919) % V);
    else if (shape.length === 1) feeds[name] = new Float32Array(length).fill(1);
    else feeds[name] = Float32Array.from({ length }, (_, i) => wave(i) / Math.sqrt(shape[1]!));
  }
  return feeds;
}

/**
 * What compiled programs keep. Two training graphs a shape, as an actor and a critic have; resident memory is read after
 * each part of 500 steps whose shapes change all the time.
 */
import { afterAll, expect, test } from "vitest";
import { type DecoderSize, makeFeeds, trainingStep } from "../decoder.fixture.ts";
import { type Graph, sizeOf, type TensorData } from "../graph/types.ts";
import { type Program, ProgramCache } from "./program.ts";

const cache = new ProgramCache();
afterAll(() => cache.dispose());

/** Rectangles of about 1,500 tokens, as the micro-batch planner makes them. */
const SHAPES = [
  [6, 256],
  [7, 224],
  [8, 192],
  [9, 160],
  [12, 128],
  [16, 96],
  [24, 64],
  [48, 32],
] as const;

function sizeOfShape([B, T]: readonly [number, number]): DecoderSize {
  return { B, T, D: 64, H: 4, F: 128, L: 3, V: 128 };
}

/** Bytes of all values of a graph together: what an allocator that reuses nothing would hold. */
function valueBytes(graph: Graph): number {
  return graph.nodes.reduce((sum, node) => sum + 4 * sizeOf(node.shape), 0);
}

async function prepare(shape: readonly [number, number]) {
  const size = sizeOfShape(shape);
  const graph = trainingStep(size);
  const program: Program = await cache.get(`${shape}`, () => graph);
  const fetches: Record<string, TensorData> = {};
  for (const [name, id] of graph.outputs)
    fetches[name] = new Float32Array(sizeOf(graph.nodes[id]!.shape));
  return { graph, run: () => program.run(makeFeedsOnce(size, graph), fetches) };
}

const feedsByGraph = new Map<Graph, Record<string, TensorData>>();
function makeFeedsOnce(size: DecoderSize, graph: Graph): Record<string, TensorData> {
  const known = feedsByGraph.get(graph) ?? makeFeeds(graph, size.V);
  feedsByGraph.set(graph, known);
  return known;
}

test("500 steps of changing shapes hold no more memory than one step of the largest shape", async () => {
  const startedAt = process.memoryUsage().rss;
  const steps = await Promise.all(SHAPES.map(prepare));
  const largest = Math.max(...steps.map(({ graph }) => valueBytes(graph)));
  const resident: number[] = [];
  for (let step = 0; step < 500; step++) {
    await steps[(step * 5 + (step >> 3)) % steps.length]!.run();
    if (step % 50 === 49) resident.push(process.memoryUsage().rss - startedAt);
  }
  const [early, late] = [resident.slice(0, 3), resident.slice(-3)].map((part) => Math.max(...part));
  expect(late! - early!).toBeLessThan(0.1 * largest + 16e6);
  // Eight sessions that each kept their own would hold about five times this.
  expect(late).toBeLessThan(largest + 10e6 * SHAPES.length);
});

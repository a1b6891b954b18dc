/**
 * Speed of one training step (forward and backward, without the optimizer) of a Llama block on one thread:
 * `npx vitest bench --run --project fast src/engine`. The same step in PyTorch: `python test/golden/engine-speed.py`.
 */
import { bench, describe } from "vitest";
import { type DecoderSize, makeFeeds, trainingStep } from "./decoder.fixture.ts";
import { sizeOf } from "./graph/types.ts";
import { compile } from "./runtime/program.ts";

const SIZES: readonly DecoderSize[] = [
  { B: 8, T: 192, D: 128, H: 4, F: 512, L: 4, V: 512 },
  { B: 8, T: 128, D: 96, H: 4, F: 256, L: 3, V: 400 },
  { B: 8, T: 128, D: 192, H: 6, F: 512, L: 4, V: 400 },
];

describe.each(SIZES)("training step $B x $T, D=$D L=$L", async (size) => {
  const graph = trainingStep(size);
  const program = await compile(graph);
  const feeds = makeFeeds(graph, size.V);
  const fetches = Object.fromEntries(
    [...graph.outputs].map(([name, id]) => [
      name,
      new Float32Array(sizeOf(graph.nodes[id]!.shape)),
    ]),
  );
  const step = async () => {
    await program.run(feeds, fetches);
  };
  bench("one thread", step, { iterations: 20, warmupIterations: 3, time: 0, warmupTime: 0 });
});

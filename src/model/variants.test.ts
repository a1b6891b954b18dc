/** Shapes beyond the plain Llama one, checked within the engine: packing against separate rows, the number of nodes. */
import { expect, test } from "vitest";
import "../../test/matchers.ts";
import { GraphBuilder, interpret } from "../engine/index.ts";
import { Random } from "../random/random.ts";
import { type ModelConfig, plainLlama } from "./config.ts";
import { languageModelSpecs, Parameters } from "./parameters.ts";
import { declareParameters, logitsOf, trunk } from "./transformer.ts";

const PLAIN = plainLlama({
  vocabSize: 23,
  hiddenSize: 16,
  intermediateSize: 24,
  layers: 2,
  heads: 4,
  ropeTheta: 10_000,
  normEpsilon: 1e-6,
  tieEmbeddings: true,
  maxPositions: 64,
  padTokenId: 0,
  eosTokenId: 1,
});
const GROUPED: ModelConfig = {
  ...PLAIN,
  kvHeads: 2,
  headDim: 6,
  qkvBias: true,
  queryKeyNorm: true,
};

function logitsGraph(config: ModelConfig, B: number, T: number, isPacked: boolean) {
  const graph = new GraphBuilder("logits");
  const weights = declareParameters(graph, languageModelSpecs(config));
  const tokens = graph.input("tokens", [B, T], "int32");
  const packing = isPacked
    ? {
        segments: graph.input("segments", [B, T], "int32"),
        positions: graph.input("positions", [B, T], "int32"),
      }
    : undefined;
  const hidden = trunk(graph, config, weights, tokens, [], packing);
  graph.output("logits", logitsOf(config, weights, hidden));
  return graph.build();
}

test.each([
  ["plain", PLAIN],
  ["grouped heads, biases, head norms", GROUPED],
])("packed texts have the logits of texts in rows of their own: %s", (_name, config) => {
  const specs = languageModelSpecs(config);
  const parameters = new Parameters(specs).initialise(Random.of(1, "init"), config.layers);
  const random = Random.of(2, "texts");
  for (const spec of specs.filter((s) => s.shape.length === 1)) {
    parameters.views[spec.name]!.forEach((_, i, view) => {
      view[i] = 1 + 0.3 * random.normal();
    });
  }
  const texts = [5, 3, 1, 4, 2].map((length) =>
    Array.from({ length }, () => random.integer(2, 22)),
  );
  const alone = texts.map((text) => {
    const feeds = { ...parameters.views, tokens: Int32Array.from(text) };
    return interpret(logitsGraph(config, 1, text.length, false), feeds).logits as Float32Array;
  });
  // Two rows of nine positions: texts 0 and 1 with one position of padding, texts 2 to 4 with two.
  const rows = [
    [0, 1],
    [2, 3, 4],
  ];
  const [tokens, segments, positions] = [0, 1, 2].map(() => new Int32Array(18).fill(0)) as [
    Int32Array,
    Int32Array,
    Int32Array,
  ];
  const starts: number[] = [];
  rows.forEach((members, row) => {
    let at = row * 9;
    for (const member of members) {
      starts[member] = at;
      texts[member]!.forEach((token, position) => {
        tokens[at] = token;
        segments[at] = member + 1;
        positions[at] = position;
        at += 1;
      });
    }
  });
  const feeds = { ...parameters.views, tokens, segments, positions };
  const packed = interpret(logitsGraph(config, 2, 9, true), feeds).logits as Float32Array;
  texts.forEach((text, i) => {
    const start = starts[i]! * config.vocabSize;
    const own = packed.subarray(start, start + text.length * config.vocabSize);
    expect(own).toBeAllClose(alone[i]!, { relative: 1e-6, absolute: 1e-6 });
  });
});

test("the plain shape pays nothing for the others", () => {
  const { nodes } = logitsGraph(PLAIN, 2, 8, false);
  const deeper = logitsGraph({ ...PLAIN, layers: 3 }, 2, 8, false);
  expect(deeper.nodes.length - nodes.length).toBe(44); // 6 weights and 38 operators of a layer
  const ofOthers = ["broadcastTo", "where", "equal", "logicalAnd", "concat"];
  expect(nodes.filter((node) => ofOthers.includes(node.op))).toEqual([]);
});

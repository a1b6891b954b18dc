/**
 * One training step and one sampled batch on the device that the first argument names, as JSON: loss, gradients, tokens and their
 * log-probabilities. Run by device.slow.test.ts in a process of its own, because a driver is chosen by the environment at its start.
 */
import { plainLlama } from "../dist/model/config.js";
import { languageModelSpecs, Parameters } from "../dist/model/parameters.js";
import { Random } from "../dist/random/random.js";
import { localBackend } from "../dist/training/local-backend.js";
import { fillBatch, planMicroBatches } from "../dist/training/micro-batch.js";

const shape = {
  vocabSize: 61,
  hiddenSize: 32,
  intermediateSize: 64,
  layers: 2,
  heads: 4,
  ropeTheta: 10_000,
  normEpsilon: 1e-5,
  tieEmbeddings: true,
  maxPositions: 64,
  padTokenId: 0,
  eosTokenId: 1,
};
const model = { ...plainLlama(shape), kvHeads: 2, eosTokenIds: [] };
const specs = languageModelSpecs(model);
const parameters = new Parameters(specs).initialise(Random.of(3, "init"), model.layers);
const ids = (length, seed) => Array.from({ length }, (_, i) => (i * 17 + seed * 5) % 61);
const sequences = [0, 1, 2].map((seed) => ({ ids: ids(20 + seed, seed), promptLength: 4 }));

const backend = localBackend({ device: process.argv[2] });
const runner = backend.gradientRunner({ kind: "language_model", model }, specs);
const jobs = planMicroBatches(sequences, { tokenBudget: 96 }).map((batch) => ({
  shape: batch,
  feeds: fillBatch(batch, sequences, { padTokenId: 0, weight: () => 1 / 50 }),
}));
const outputs = await runner.run(parameters, jobs);
const requests = sequences.map(({ ids: all }, at) => ({ promptIds: all.slice(0, 6), key: [at] }));
const sampled = await backend.sample(model, parameters, requests, {
  seed: "device",
  maxNewTokens: 6,
  batchSize: 4,
});
const report = {
  loss: outputs.map(({ loss }) => loss[0]),
  gradients: Object.fromEntries(
    specs.map(({ name }) => [name, Array.from(runner.gradients.views[name])]),
  ),
  tokens: sampled.map((sequence) => sequence.ids),
  logProbs: sampled.map((sequence) => sequence.logProbs),
};
process.stdout.write(JSON.stringify(report), () => process.exit(0));

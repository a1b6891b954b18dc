/** Fine-tuning of adapters: the loss falls, the base stays, merged weights have the trained loss, dropout follows from the seed. */
import path from "node:path";
import { expect, test } from "vitest";
import { CHECKPOINTS } from "../../test/golden.ts";
import { loadCheckpoint } from "../model/checkpoint.ts";
import { adapterSpecs, type LoraSpec, mergeAdapters } from "../model/lora.ts";
import { Parameters } from "../model/parameters.ts";
import { Random } from "../random/random.ts";
import { LanguageModelTrainer } from "./language-model-trainer.ts";
import { localBackend } from "./local-backend.ts";

const sequences = [
  { ids: [7, 3, 11, 40, 2, 19, 1], promptLength: 3 },
  { ids: [9, 12, 5, 30, 21, 1], promptLength: 2 },
];

async function train(spec: LoraSpec, updates: number) {
  const model = await loadCheckpoint(path.join(CHECKPOINTS, "qwen2"));
  const before = model.parameters.flat.slice();
  const parameters = new Parameters(adapterSpecs(model.config, spec));
  parameters.initialise(Random.of(1, "init"), model.config.layers);
  await using backend = localBackend();
  const options = {
    betas: [0.9, 0.95],
    epsilon: 1e-8,
    weightDecay: 0,
    maxGradNorm: 1,
    tokenBudget: 64,
  } as const;
  const adapter = { spec, parameters, seed: 5 };
  const trainer = new LanguageModelTrainer(model, { ...options, adapter }, backend);
  const first = await trainer.evaluate(sequences);
  for (let i = 0; i < updates; i += 1) await trainer.update(sequences, 0.02);
  const last = await trainer.evaluate(sequences);
  expect(model.parameters.flat).toEqual(before);
  mergeAdapters(model.config, spec, model.parameters, parameters);
  const merged = await new LanguageModelTrainer(model, options, backend).evaluate(sequences);
  return { first, last, merged, adapters: parameters.flat };
}

test("adapters learn, the base does not change, and merged weights have the loss of the adapters", async () => {
  const { first, last, merged } = await train({ rank: 4, alpha: 8, dropout: 0 }, 30);
  expect(last).toBeLessThan(first / 4);
  expect(Math.abs(merged - last)).toBeLessThan(1e-4);
});

test("updates with dropout repeat to the same bytes, and differ from those without", async () => {
  const spec: LoraSpec = { rank: 2, alpha: 4, dropout: 0.2 };
  const [one, two] = [await train(spec, 3), await train(spec, 3)];
  expect(one.adapters).toEqual(two.adapters);
  expect(one.adapters).not.toEqual((await train({ ...spec, dropout: 0 }, 3)).adapters);
});

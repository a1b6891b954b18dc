import { expect, test } from "vitest";
import { trainingGolden as golden, TINY_LLAMA } from "../../test/golden.ts";
import { loadCheckpoint } from "../model/checkpoint.ts";
import { criticSpecs, Parameters } from "../model/parameters.ts";
import { AdamW, gradientNorm } from "./adamw.ts";
import type { Job, Outputs } from "./backend.ts";
import { LanguageModelTrainer } from "./language-model-trainer.ts";
import { localBackend } from "./local-backend.ts";
import {
  collectResponseValues,
  fillBatch,
  type PlanOptions,
  planMicroBatches,
  responseLength,
  spreadResponseValues,
} from "./micro-batch.ts";
import { computeGae, explainedVariance, whitenAdvantages } from "./ppo/gae.ts";

/** Float32 sums in another order than PyTorch's. */
const TOLERANCE = 2e-5;

const sequences = golden.sequences.map((ids) => ({ ids, promptLength: golden.promptLength }));
const responseTokens = sequences.reduce((sum, s) => sum + responseLength(s), 0);

function worst(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(found.length).toBe(expected.length);
  return Array.from(expected).reduce(
    (most, e, i) => Math.max(most, Math.abs((found[i] as number) - e)),
    0,
  );
}

/** Golden values over response positions, row by row, as one array for each sequence. */
function perSequence(values: readonly number[]): number[][] {
  const starts = sequences.map((_, i) =>
    sequences.slice(0, i).reduce((sum, s) => sum + responseLength(s), 0),
  );
  return sequences.map((s, i) => {
    const start = starts[i] as number;
    return values.slice(start, start + responseLength(s));
  });
}

/** Micro-batches with values of response tokens, given row by row as in the golden file. */
function jobsOf(options: PlanOptions, values: Readonly<Record<string, readonly number[]>>): Job[] {
  return planMicroBatches(sequences, options).map((batch) => {
    const spread = Object.entries(values).map(([name, flat]) => {
      const own = perSequence(flat);
      return [name, spreadResponseValues(batch, (i) => own[i] as number[])] as const;
    });
    const arrays = fillBatch(batch, sequences, { padTokenId: 0, weight: () => 1 / responseTokens });
    return { shape: batch, feeds: { ...arrays, ...Object.fromEntries(spread) } };
  });
}

function sumOf(outputs: readonly Outputs[], name: string): number {
  return outputs.reduce((sum, output) => sum + (output[name]?.[0] as number), 0);
}

test("twenty AdamW updates follow PyTorch's trajectory", async () => {
  const model = await loadCheckpoint(TINY_LLAMA);
  await using backend = localBackend();
  const options = {
    betas: [0.9, 0.95],
    epsilon: 1e-8,
    weightDecay: 0.01,
    maxGradNorm: 1,
    tokenBudget: 64, // two micro-batches an update, so that accumulation is part of the check
  } as const;
  const trainer = new LanguageModelTrainer(model, options, backend);
  for (let i = 0; i < 20; i += 1) {
    const update = await trainer.update(sequences, 0.01);
    expect(Math.abs(update.loss - (golden.adamw.losses[i] as number))).toBeLessThan(5e-4);
    expect(Math.abs(update.gradientNorm / (golden.adamw.norms[i] as number) - 1)).toBeLessThan(
      2e-3,
    );
  }
  const { views } = model.parameters;
  expect(worst(views["layers.1.down"] as Float32Array, golden.adamw.final_down)).toBeLessThan(1e-3);
  expect(worst(views.norm as Float32Array, golden.adamw.final_norm)).toBeLessThan(1e-3);
});

test("policy loss, its terms and its gradient equal PyTorch's", async () => {
  const { config, parameters } = await loadCheckpoint(TINY_LLAMA);
  await using backend = localBackend();
  const options = { clipLow: 0.2, clipHigh: 0.2, entropyCoef: 0.01, klCoef: 0 };
  const runner = backend.gradientRunner(
    { kind: "policy", model: config, options },
    parameters.specs,
  );
  const { old_log_prob, advantage, ...expected } = golden.policy;
  const out = await runner.run(
    parameters,
    jobsOf({ tokenBudget: 64 }, { old_log_prob, advantage }),
  );
  expect(sumOf(out, "loss")).toBeCloseTo(expected.loss, 4);
  expect(sumOf(out, "policy_loss")).toBeCloseTo(expected.policy_loss, 4);
  expect(sumOf(out, "entropy")).toBeCloseTo(expected.entropy, 4);
  expect(sumOf(out, "approx_kl")).toBeCloseTo(expected.approx_kl, 4);
  expect(sumOf(out, "clip_fraction")).toBeCloseTo(expected.clip_fraction, 5);
  expect(gradientNorm(runner.gradients)).toBeCloseTo(expected.gradient_norm, 3);
  const { views } = runner.gradients;
  const D = config.hiddenSize;
  const queryRows = (views["layers.0.qkv"] as Float32Array).subarray(0, D * D);
  expect(worst(queryRows, expected.grad_q_proj)).toBeLessThan(TOLERANCE);
  expect(worst(views.embed as Float32Array, expected.grad_embed)).toBeLessThan(TOLERANCE);
});

test.each([true, false])(
  "values, value loss and its gradient equal PyTorch's (grid: %s)",
  async (isGrid) => {
    const { config, parameters } = await loadCheckpoint(TINY_LLAMA);
    const critic = new Parameters(criticSpecs(config));
    expect(critic.copyFrom(parameters)).toEqual(["value_head"]);
    critic.views.value_head?.set(golden.value.head);
    await using backend = localBackend();
    const forward = backend.forwardRunner({ kind: "value", model: config }, critic.specs);
    const runner = backend.gradientRunner(
      { kind: "value_loss", model: config, options: { valueClip: 0.5 } },
      critic.specs,
    );
    const { old_value, return: target } = golden.value;
    const options = { tokenBudget: 64, isGrid };
    const jobs = jobsOf(options, { old_value, return: target });
    const values = await forward.run(critic, jobs);
    const expectedValues = perSequence(golden.value.values);
    planMicroBatches(sequences, options).forEach((batch, i) => {
      const found = values[i]?.value as Float32Array;
      collectResponseValues(batch, sequences, found, (index, own) => {
        expect(worst(own, expectedValues[index] as number[])).toBeLessThan(TOLERANCE);
      });
    });
    const out = await runner.run(critic, jobs);
    expect(sumOf(out, "loss")).toBeCloseTo(golden.value.loss, 4);
    expect(sumOf(out, "value_clip_fraction")).toBeCloseTo(golden.value.value_clip_fraction, 5);
    const { views } = runner.gradients;
    expect(worst(views.value_head as Float32Array, golden.value.grad_head)).toBeLessThan(5e-5);
    expect(worst(views["layers.0.down"] as Float32Array, golden.value.grad_down)).toBeLessThan(
      5e-5,
    );
  },
);

test("weight decay shrinks matrices and leaves norms and biases", () => {
  const specs = [
    { name: "matrix", shape: [1, 2], init: "matrix" },
    { name: "norm", shape: [2], init: "ones" },
    { name: "bias", shape: [2], init: "zeros" },
  ] as const;
  const parameters = new Parameters(specs, Float32Array.of(1, 2, 1, 2, 1, 2));
  const optimizer = new AdamW(parameters, { betas: [0.9, 0.99], epsilon: 1e-8, weightDecay: 0.5 });
  optimizer.step(parameters.zerosLike(), 0.1);
  // Without gradients only decay acts: 1 - 0.1 * 0.5.
  expect(worst(parameters.flat, [0.95, 1.9, 1, 2, 1, 2])).toBeLessThan(1e-6);
});

test("advantages equal the discounted sum of residuals", () => {
  const { rewards, values, gamma, lambda, advantages } = golden.gae;
  const found = computeGae(rewards, values, { gamma, gaeLambda: lambda });
  expect(worst(found.advantages, advantages)).toBeLessThan(1e-6);
});

test("with gamma and lambda 1 the return is the sum of later rewards", () => {
  const { returns } = computeGae([0, 0.5, 0, 1], [0.3, -2, 7, 0.1], { gamma: 1, gaeLambda: 1 });
  expect(worst(returns, [1.5, 1.5, 1, 1])).toBeLessThan(1e-6);
});

test("whitened advantages have mean 0 and unbiased variance 1 over all tokens", () => {
  const parts = [Float32Array.of(1, 2, 6), Float32Array.of(-3, 4)];
  whitenAdvantages(parts);
  // Values 1, 2, 6, -3, 4: mean 2, squares 1 + 0 + 16 + 25 + 4 = 46, variance 46 / 4.
  const deviation = Math.sqrt(46 / 4);
  const expected = [-1, 0, 4, -5, 2].map((x) => x / deviation);
  expect(
    worst([...(parts[0] as Float32Array), ...(parts[1] as Float32Array)], expected),
  ).toBeLessThan(1e-6);
});

test("explained variance is 1 for exact values, 0 for a constant, null for constant returns", () => {
  const returns = [Float32Array.of(0, 1), Float32Array.of(2)];
  expect(explainedVariance(returns, returns)).toBeCloseTo(1, 6);
  expect(explainedVariance(returns, [Float32Array.of(5, 5), Float32Array.of(5)])).toBeCloseTo(0, 6);
  expect(explainedVariance([Float32Array.of(3, 3)], [Float32Array.of(1, 2)])).toBeNull();
});

import { expect, test } from "vitest";
import { trainingGolden as golden, TINY_LLAMA } from "../../test/golden.ts";
import { loadCheckpoint } from "../model/checkpoint.ts";
import { criticSpecs, Parameters } from "../model/parameters.ts";
import { gradientNorm } from "./adamw.ts";
import { ForwardRunner, GradientRunner } from "./gradient-runner.ts";
import { LanguageModelTrainer } from "./language-model-trainer.ts";
import {
  fillBatch,
  type MicroBatch,
  planMicroBatches,
  responseLength,
  spreadResponseValues,
} from "./micro-batch.ts";
import { computeGae, explainedVariance, whitenAdvantages } from "./ppo/gae.ts";
import { policyLoss, valueLoss, valueProgram } from "./ppo/loss.ts";

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

function batches(tokenBudget: number): MicroBatch[] {
  return planMicroBatches(
    sequences.map((s) => s.ids.length - 1),
    tokenBudget,
  );
}

test("twenty AdamW updates follow PyTorch's trajectory", async () => {
  const model = await loadCheckpoint(TINY_LLAMA);
  const trainer = new LanguageModelTrainer(model, {
    betas: [0.9, 0.95],
    epsilon: 1e-8,
    weightDecay: 0.01,
    maxGradNorm: 1,
    tokenBudget: 64, // two micro-batches an update, so that accumulation is part of the check
  });
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
  const build = policyLoss(config, { clipRatio: 0.2, entropyCoef: 0.01 });
  const runner = new GradientRunner(parameters, { specs: parameters.specs, build });
  const sums: Record<string, number> = {};
  for (const batch of batches(64)) {
    const old = perSequence(golden.policy.old_log_prob);
    const advantage = perSequence(golden.policy.advantage);
    const out = await runner.add(parameters, batch, {
      ...fillBatch(batch, sequences, { padTokenId: 0, weight: 1 / responseTokens }),
      old_log_prob: spreadResponseValues(batch, sequences, (i) => old[i] as number[]),
      advantage: spreadResponseValues(batch, sequences, (i) => advantage[i] as number[]),
    });
    for (const name of ["loss", "policy_loss", "entropy", "approx_kl", "clip_fraction"]) {
      sums[name] = (sums[name] ?? 0) + (out[name]?.[0] as number);
    }
  }
  const expected = golden.policy;
  expect(sums.loss).toBeCloseTo(expected.loss, 4);
  expect(sums.policy_loss).toBeCloseTo(expected.policy_loss, 4);
  expect(sums.entropy).toBeCloseTo(expected.entropy, 4);
  expect(sums.approx_kl).toBeCloseTo(expected.approx_kl, 4);
  expect(sums.clip_fraction).toBeCloseTo(expected.clip_fraction, 5);
  expect(gradientNorm(runner.gradients)).toBeCloseTo(expected.gradient_norm, 3);
  const { views } = runner.gradients;
  const D = config.hiddenSize;
  const queryRows = (views["layers.0.qkv"] as Float32Array).subarray(0, D * D);
  expect(worst(queryRows, expected.grad_q_proj)).toBeLessThan(TOLERANCE);
  expect(worst(views.embed as Float32Array, expected.grad_embed)).toBeLessThan(TOLERANCE);
});

test("values, value loss and its gradient equal PyTorch's", async () => {
  const { config, parameters } = await loadCheckpoint(TINY_LLAMA);
  const critic = new Parameters(criticSpecs(config));
  expect(critic.copyFrom(parameters)).toEqual(["value_head"]);
  critic.views.value_head?.set(golden.value.head);
  const forward = new ForwardRunner({ specs: critic.specs, build: valueProgram(config) });
  const runner = new GradientRunner(critic, {
    specs: critic.specs,
    build: valueLoss(config, { valueClip: 0.5 }),
  });
  const expectedValues = perSequence(golden.value.values);
  let [loss, clipped] = [0, 0];
  for (const batch of batches(64)) {
    const arrays = fillBatch(batch, sequences, { padTokenId: 0, weight: 1 / responseTokens });
    const { value } = await forward.run(critic, batch, { tokens: arrays.tokens });
    batch.rows.forEach((index, b) => {
      const start = b * batch.T + golden.promptLength - 1;
      const own = (value as Float32Array).subarray(
        start,
        start + (expectedValues[index] as number[]).length,
      );
      expect(worst(own, expectedValues[index] as number[])).toBeLessThan(TOLERANCE);
    });
    const spread = (values: readonly number[]) =>
      spreadResponseValues(batch, sequences, (i) => perSequence(values)[i] as number[]);
    const out = await runner.add(critic, batch, {
      ...arrays,
      old_value: spread(golden.value.old_value),
      return: spread(golden.value.return),
    });
    loss += out.loss?.[0] as number;
    clipped += out.value_clip_fraction?.[0] as number;
  }
  expect(loss).toBeCloseTo(golden.value.loss, 4);
  expect(clipped).toBeCloseTo(golden.value.value_clip_fraction, 5);
  const { views } = runner.gradients;
  expect(worst(views.value_head as Float32Array, golden.value.grad_head)).toBeLessThan(5e-5);
  expect(worst(views["layers.0.down"] as Float32Array, golden.value.grad_down)).toBeLessThan(5e-5);
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

test("micro-batches cover every sequence once and keep to the token budget", () => {
  const lengths = [5, 200, 33, 64, 65, 31, 32, 100, 7];
  const plan = planMicroBatches(lengths, 256);
  expect(plan.flatMap((b) => b.rows).sort((a, b) => a - b)).toEqual(lengths.map((_, i) => i));
  for (const batch of plan) {
    expect(batch.B * batch.T).toBeLessThanOrEqual(256);
    for (const row of batch.rows) expect(lengths[row]).toBeLessThanOrEqual(batch.T);
  }
});

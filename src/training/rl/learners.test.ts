import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { TINY_LLAMA } from "../../../test/golden.ts";
import { type LanguageModel, loadCheckpoint } from "../../model/checkpoint.ts";
import type { Parameters } from "../../model/parameters.ts";
import { grpoConfigSchema } from "../grpo/config.ts";
import { groupExperience, grpoLearner } from "../grpo/grpo.ts";
import { localBackend } from "../local-backend.ts";
import type { MetricRow } from "../metrics-file.ts";
import { ppoConfigSchema } from "../ppo/config.ts";
import { ppoLearner } from "../ppo/ppo.ts";
import type { Rollout } from "./rollout.ts";

/** Values of test/golden/training-updates.py. */
interface Golden {
  readonly policyScale: number;
  readonly criticScale: number;
  readonly prompts: readonly (readonly number[])[];
  readonly responses: readonly (readonly number[])[];
  readonly scores: readonly number[];
  readonly groupSize: number;
  readonly old_log_prob: readonly (readonly number[])[];
  readonly reference_log_prob: readonly (readonly number[])[];
  readonly head: readonly number[];
  readonly ppo: Step & {
    readonly critic_down: readonly number[];
    readonly critic_head: readonly number[];
  };
  readonly grpo: readonly (Step & { readonly advantages: readonly number[] })[];
}

interface Step {
  readonly config: Readonly<Record<string, unknown>>;
  readonly metrics: Readonly<Record<string, number | null>>;
  readonly policy_down: readonly number[];
  readonly policy_norm: readonly number[];
}

const golden = JSON.parse(
  readFileSync(
    path.join(import.meta.dirname, "../../../test/golden/training-updates.json"),
    "utf8",
  ),
) as Golden;

const rollouts: Rollout[] = golden.responses.map((response, i) => {
  const prompt = golden.prompts[Math.floor(i / golden.groupSize)] as readonly number[];
  const score = golden.scores[i] as number;
  return {
    ids: [...prompt, ...response],
    promptLength: prompt.length,
    logProbs: golden.old_log_prob[i] as readonly number[],
    score,
    isCorrect: score === 1,
    hasAnswer: score > 0,
    isTruncated: false,
  };
});

/** Weights after one AdamW update at rate 0.01: a gradient near 0 has an unsure direction, up to rounding. */
const WEIGHT_TOLERANCE = 2e-4;

function expectClose(
  found: ArrayLike<number> | undefined,
  expected: readonly number[],
  tolerance: number,
) {
  expect(found?.length).toBe(expected.length);
  expected.forEach((value, i) => {
    expect(Math.abs((found?.[i] as number) - value)).toBeLessThan(tolerance);
  });
}

function expectMetrics(row: MetricRow, expected: Step["metrics"]) {
  for (const [name, value] of Object.entries(expected)) {
    if (value === null) expect(row[name], name).toBeNull();
    else
      expect(Math.abs((row[name] as number) - value), name).toBeLessThan(
        2e-4 * Math.max(1, Math.abs(value)),
      );
  }
}

/** The policy moves away from the checkpoint after the learner has taken it as its reference. */
function scale(parameters: Parameters, factor: number) {
  parameters.flat.forEach((value, i) => {
    parameters.flat[i] = value * factor;
  });
}

function expectPolicy(policy: LanguageModel, expected: Step) {
  const { views } = policy.parameters;
  expectClose(views["layers.1.down"], expected.policy_down, WEIGHT_TOLERANCE);
  expectClose(views.norm, expected.policy_norm, WEIGHT_TOLERANCE);
}

test("one PPO step, from rollouts to new weights, equals PyTorch's", async () => {
  const policy = await loadCheckpoint(TINY_LLAMA);
  await using backend = localBackend();
  const minibatches = { actorMinibatches: 1, criticMinibatches: 1, criticWarmupSteps: 0 };
  const config = ppoConfigSchema.parse({ ...golden.ppo.config, ...minibatches, tokenBudget: 512 });
  const learner = ppoLearner(policy, backend, { config, seed: 1 });
  const critic = learner.sides.critic?.parameters as Parameters;
  scale(policy.parameters, golden.policyScale);
  scale(critic, golden.criticScale);
  critic.views.value_head?.set(golden.head);
  expectMetrics(await learner.learn(1, rollouts, ""), golden.ppo.metrics);
  expectPolicy(policy, golden.ppo);
  expectClose(critic.views["layers.0.down"], golden.ppo.critic_down, WEIGHT_TOLERANCE);
  expectClose(critic.views.value_head, golden.ppo.critic_head, WEIGHT_TOLERANCE);
});

test.each(golden.grpo)(
  "one GRPO step, KL in the $config.klIn, equals PyTorch's",
  async (expected) => {
    const policy = await loadCheckpoint(TINY_LLAMA);
    await using backend = localBackend();
    const config = grpoConfigSchema.parse({
      ...expected.config,
      samplesPerPrompt: golden.groupSize,
      minibatches: 1,
      tokenBudget: 512,
    });
    const learner = grpoLearner(policy, backend, { config, seed: 1 });
    scale(policy.parameters, golden.policyScale);
    const references = golden.reference_log_prob.map((values) => Float32Array.from(values));
    const { experience } = groupExperience(rollouts, references, config);
    expectClose(
      experience.map((e) => e.perToken.advantage?.[0] as number),
      expected.advantages,
      1e-5,
    );
    expectMetrics(await learner.learn(1, rollouts, ""), expected.metrics);
    expectPolicy(policy, expected);
  },
);

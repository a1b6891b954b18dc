import { expect, test } from "vitest";
import { TINY_LLAMA } from "../../test/golden.ts";
import { loadCheckpoint } from "../model/checkpoint.ts";
import { Random } from "../random/random.ts";
import type { Job } from "./backend.ts";
import { localBackend } from "./local-backend.ts";
import { fillBatch, type PlanOptions, planMicroBatches } from "./micro-batch.ts";

/** Float32 sums in another order. */
const TOLERANCE = 2e-5;

test("loss and gradient of packed rows equal those of one sequence a row", async () => {
  const { config, parameters } = await loadCheckpoint(TINY_LLAMA);
  const random = Random.of(3, "packing");
  const sequences = Array.from({ length: 9 }, () => ({
    ids: Array.from({ length: random.integer(4, 24) }, () => random.integer(2, 18)),
    promptLength: 2,
  }));
  const jobsOf = (options: PlanOptions): Job[] =>
    planMicroBatches(sequences, options).map((batch) => ({
      shape: batch,
      feeds: { ...fillBatch(batch, sequences, { padTokenId: 0, weight: () => 0.01 }) },
    }));
  await using backend = localBackend();
  const program = { kind: "language_model", model: config } as const;
  const lossOf = async (options: PlanOptions) => {
    const runner = backend.gradientRunner(program, parameters.specs);
    const outputs = await runner.run(parameters, jobsOf(options));
    const loss = outputs.reduce((sum, { loss: part }) => sum + (part?.[0] as number), 0);
    return { loss, gradients: runner.gradients.flat };
  };
  const packed = await lossOf({ tokenBudget: 128, packTo: 64 });
  const plain = await lossOf({ tokenBudget: 96 });
  expect(jobsOf({ tokenBudget: 128, packTo: 64 }).length).toBeLessThan(3);
  expect(Math.abs(packed.loss - plain.loss)).toBeLessThan(TOLERANCE);
  const worst = plain.gradients.reduce(
    (most, value, i) => Math.max(most, Math.abs(value - (packed.gradients[i] as number))),
    0,
  );
  expect(worst).toBeLessThan(TOLERANCE);
  expect(Math.max(...plain.gradients)).toBeGreaterThan(100 * TOLERANCE);
});

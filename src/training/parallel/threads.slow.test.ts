import { expect, test } from "vitest";
import { TINY_LLAMA } from "../../../test/golden.ts";
import { loadCheckpoint } from "../../model/checkpoint.ts";
import { fillBatch, planMicroBatches } from "../micro-batch.ts";

// The built function, because worker threads run built files.
const { openBackend } = (await import(
  "../../../dist/training/parallel/open-backend.js" as string
)) as typeof import("./open-backend.ts");

const sequences = Array.from({ length: 8 }, (_, i) => ({
  ids: Array.from({ length: 28 }, (_, t) => 2 + ((i * 5 + t * t) % 17)),
  promptLength: 2,
}));

async function gradient(workers: number): Promise<Float32Array> {
  const { config, parameters } = await loadCheckpoint(TINY_LLAMA);
  await using backend = await openBackend({ workers, threads: 1 });
  const runner = backend.gradientRunner(
    { kind: "language_model", model: config },
    parameters.specs,
  );
  for (let call = 0; call < 3; call += 1) {
    const jobs = planMicroBatches(sequences, { tokenBudget: 64 }).map((batch) => ({
      shape: batch,
      feeds: { ...fillBatch(batch, sequences, { padTokenId: 0, weight: () => 0.01 }) },
    }));
    await runner.run(parameters, jobs);
  }
  return runner.gradients.flat;
}

test("two worker threads give equal bytes every time, and the gradient of one up to rounding", async () => {
  const [one, two, again] = [await gradient(1), await gradient(2), await gradient(2)];
  expect(two).toEqual(again);
  const worst = one.reduce((most, v, i) => Math.max(most, Math.abs(v - (two[i] as number))), 0);
  expect(worst).toBeLessThan(1e-5);
  expect(Math.max(...one)).toBeGreaterThan(1e-3);
});

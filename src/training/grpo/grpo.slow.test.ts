import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { generatePuzzles, writePuzzles } from "../../countdown/index.ts";
import { readJsonlLines } from "../../data/jsonl.ts";
import { hashPath } from "../../util/hash.ts";
import type { MetricRow } from "../metrics-file.ts";
import { grpoConfigSchema } from "./config.ts";
import type { GrpoArguments } from "./grpo.ts";
import { GRPO_METRICS } from "./metrics.ts";

// The built function, because worker threads run built files.
const { runGrpo } = (await import("../../../dist/training/grpo/grpo.js" as string)) as {
  runGrpo: typeof import("./grpo.ts").runGrpo;
};
const BASE = path.join(import.meta.dirname, "../../../assets/models/tiny-plain");
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "grpo-test-"));
  const options = { numberCounts: [3], minNumber: 1, maxNumber: 13, minTarget: 10, maxTarget: 99 };
  const puzzles = generatePuzzles({ ...options, maxIntermediate: 99, count: 8 }, 1);
  await writePuzzles(path.join(folder, "puzzles.jsonl"), puzzles);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function run(name: string, config: Record<string, unknown>, more: Partial<GrpoArguments> = {}) {
  return runGrpo({
    model: BASE,
    puzzles: path.join(folder, "puzzles.jsonl"),
    out: path.join(folder, name),
    config: grpoConfigSchema.parse({ promptsPerStep: 8, maxNewTokens: 48, ...config }),
    seed: 1,
    ...more,
  });
}

async function metrics(name: string): Promise<MetricRow[]> {
  const rows: MetricRow[] = [];
  for await (const { value } of readJsonlLines(path.join(folder, name, "metrics.jsonl"))) {
    rows.push(value as MetricRow);
  }
  return rows;
}

test("on eight puzzles, seen again and again, the policy learns their answers", async () => {
  await run("learn", { steps: 40, samplesPerPrompt: 16, checkpointEvery: 40 });
  const rows = await metrics("learn");
  const accuracy = rows.map((row) => row["rollout/accuracy"] ?? 0);
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  expect(mean(accuracy.slice(0, 3))).toBeLessThan(0.25);
  expect(mean(accuracy.slice(-5))).toBeGreaterThan(0.6);
  expect(Object.keys(rows[0] as MetricRow)).toEqual(["step", ...Object.keys(GRPO_METRICS)]);
});

const SHORT = { steps: 5, samplesPerPrompt: 2, checkpointEvery: 2 };

test.each([{}, { workers: 2 }, { klIn: "reward", lossMean: "response", normalizeByStd: false }])(
  "a run that is cut off and resumed ends in the same bytes: %o",
  async (config) => {
    await run("whole", { ...SHORT, ...config });
    const controller = new AbortController();
    const cut = run(
      "cut",
      { ...SHORT, ...config },
      {
        signal: controller.signal,
        // After step 3 the last state is that of step 2, so step 3 is done again.
        onProgress: ({ done }) => done === 3 && controller.abort(),
      },
    );
    await expect(cut).rejects.toThrow();
    await run("cut", { ...SHORT, ...config });
    expect(await hashPath(path.join(folder, "cut"))).toBe(
      await hashPath(path.join(folder, "whole")),
    );
    expect((await readdir(path.join(folder, "cut"))).sort()).toEqual([
      "checkpoints",
      "metrics.jsonl",
      "timings.jsonl",
    ]);
  },
);

test("a finished run stays as it is, and goes on only with its state", async () => {
  const short = { ...SHORT, steps: 2 };
  await run("done", short);
  const before = await hashPath(path.join(folder, "done"));
  await run("done", short);
  expect(await hashPath(path.join(folder, "done"))).toBe(before);
  await expect(run("done", { ...short, steps: 3 })).rejects.toMatchObject({ code: "rl.no_state" });
  await run("kept", short, { keepState: true });
  expect(await readdir(path.join(folder, "kept"))).toContain(".state");
  await run("kept", { ...short, steps: 4 });
  await run("whole", { ...short, steps: 4 });
  expect(await hashPath(path.join(folder, "kept"))).toBe(
    await hashPath(path.join(folder, "whole")),
  );
});

import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { generatePuzzles, writePuzzles } from "../../countdown/index.ts";
import { readJsonlLines } from "../../data/jsonl.ts";
import { hashPath } from "../../util/hash.ts";
import type { MetricRow } from "../metrics-file.ts";
import { type PpoConfig, ppoConfigSchema } from "./config.ts";
import { runPpo } from "./ppo.ts";

const BASE = path.join(import.meta.dirname, "../../../assets/models/tiny-plain");
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "ppo-test-"));
  const options = { numberCounts: [3], minNumber: 1, maxNumber: 13, minTarget: 10, maxTarget: 99 };
  const puzzles = generatePuzzles({ ...options, maxIntermediate: 99, count: 8 }, 1);
  await writePuzzles(path.join(folder, "puzzles.jsonl"), puzzles);
});

afterEach(() => rm(folder, { recursive: true, force: true }));

async function run(name: string, config: Partial<PpoConfig>, signal?: AbortSignal) {
  await runPpo({
    model: BASE,
    puzzles: path.join(folder, "puzzles.jsonl"),
    out: path.join(folder, name),
    config: ppoConfigSchema.parse({ promptsPerStep: 8, maxNewTokens: 48, ...config }),
    seed: 1,
    ...(signal === undefined ? {} : { signal }),
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
  const accuracy = (await metrics("learn")).map((row) => row["rollout/accuracy"] ?? 0);
  const mean = (rows: readonly number[]) => rows.reduce((a, b) => a + b, 0) / rows.length;
  expect(mean(accuracy.slice(0, 3))).toBeLessThan(0.25);
  expect(mean(accuracy.slice(-5))).toBeGreaterThan(0.6);
});

test("a run that is cut off and resumed ends in the same bytes", async () => {
  const config = { steps: 5, samplesPerPrompt: 2, checkpointEvery: 2, criticWarmupSteps: 1 };
  await run("whole", config);
  const controller = new AbortController();
  const cut = runPpo({
    model: BASE,
    puzzles: path.join(folder, "puzzles.jsonl"),
    out: path.join(folder, "cut"),
    config: ppoConfigSchema.parse({ promptsPerStep: 8, maxNewTokens: 48, ...config }),
    seed: 1,
    signal: controller.signal,
    // After step 3 the last state is that of step 2, so step 3 is done again.
    onProgress: ({ done }) => done === 3 && controller.abort(),
  });
  await expect(cut).rejects.toThrow();
  expect(await readdir(path.join(folder, "cut", "checkpoints"))).toEqual([
    "step-000000",
    "step-000002",
  ]);
  await run("cut", config);
  expect(await hashPath(path.join(folder, "cut"))).toBe(await hashPath(path.join(folder, "whole")));
});

test("equal seeds give equal bytes", async () => {
  const config = { steps: 2, samplesPerPrompt: 1, criticWarmupSteps: 0 };
  await run("a", config);
  await run("b", config);
  expect(await hashPath(path.join(folder, "a"))).toBe(await hashPath(path.join(folder, "b")));
});

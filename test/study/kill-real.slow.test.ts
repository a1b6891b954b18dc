import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { stringify } from "yaml";
import { Random } from "../../src/random/random.ts";
import { artefacts, attempt, killUntilDone } from "./kill-harness.ts";

const MIN_KILLS = 20;
const MAIN = path.resolve(import.meta.dirname, "../../dist/cli/main.js");

/** Every stage of the chain, as short as it can be. */
const STUDY = {
  name: "small",
  seeds: [1],
  bases: { "tiny-plain": "builtin" },
  arms: ["none", "all_strategies"],
  task: {
    maxIntermediate: 99,
    maxHitShare: 0.08,
    puzzles: { primingTrain: 60, primingValidation: 20, rl: 60, tune: 8, test: 8 },
  },
  priming: { train: 24, validation: 8, maxTokens: 150 },
  sft: { epochs: 1, batchSize: 8 },
  rl: {
    steps: 3,
    promptsPerStep: 8,
    checkpointEvery: 1,
    criticWarmupSteps: 1,
    criticMinibatches: 2,
    maxNewTokens: 32,
  },
  completions: { maxNewTokens: 32 },
};

let work: string;
beforeEach(async () => {
  work = await mkdtemp(path.join(os.tmpdir(), "study-kill-real-"));
});
afterEach(() => rm(work, { recursive: true, force: true }));

it("a real study killed at random moments ends with the bytes of an undisturbed one", async () => {
  const file = path.join(work, "small.yaml");
  await writeFile(file, stringify(STUDY));
  const args = (folder: string) => [MAIN, "study", "run", file, "--out", folder, "--workers", "2"];
  const undisturbed = path.join(work, "undisturbed");
  const started = performance.now();
  expect(await attempt(args(undisturbed))).toMatchObject({ code: 0 });
  const wholeMs = performance.now() - started;
  const expected = await artefacts(undisturbed);
  expect(Object.keys(expected)).toContain("report/index.html");

  const random = Random.of(1, "kill");
  let kills = 0;
  for (let round = 0; kills < MIN_KILLS; round += 1) {
    const folder = path.join(work, `round-${round}`);
    const killed = await killUntilDone(args(folder), random, (stream) => ({
      afterLines: 1, // the study has begun
      delayMs: stream.integer(0, Math.round(wholeMs * 0.6)),
    }));
    expect(killed.last.errors).not.toContain("error");
    expect(killed.last.code).toBe(0);
    expect(await artefacts(folder)).toEqual(expected);
    kills += killed.kills.length;
  }
}, 1_200_000);

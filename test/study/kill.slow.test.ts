import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Random } from "../../src/random/random.ts";
import { artefacts, attempt, killUntilDone } from "./kill-harness.ts";

const MIN_KILLS = 30;

let work: string;
beforeEach(async () => {
  work = await mkdtemp(path.join(os.tmpdir(), "study-kill-"));
  await mkdir(path.join(work, "base"));
  await writeFile(path.join(work, "base", "config.json"), "{}");
});
afterEach(() => rm(work, { recursive: true, force: true }));

const runner = path.join(import.meta.dirname, "run-fake.mjs");

it("a study killed at random moments ends with the bytes of an undisturbed one", async () => {
  const pause = { pauseMs: 5 };
  const study = {
    name: "kills",
    seeds: [1, 2],
    bases: { tiny: "base" },
    arms: ["none", "all_strategies"],
    ...{ task: pause, priming: pause, sft: pause, completions: pause },
    rl: { ...pause, steps: 7 },
  };
  const file = path.join(work, "kills.yaml");
  await writeFile(file, JSON.stringify(study));
  const undisturbed = await attempt([runner, file, path.join(work, "undisturbed")]);
  expect(undisturbed.errors).toBe("");
  const expected = await artefacts(path.join(work, "undisturbed"));
  expect(Object.keys(expected).length).toBeGreaterThan(80);

  const random = Random.of(1, "kill");
  const killedIn = new Map<string, number>();
  let kills = 0;
  for (let round = 0; kills < MIN_KILLS; round += 1) {
    const folder = path.join(work, `round-${round}`);
    const killed = await killUntilDone([runner, file, folder], random, (stream) => ({
      afterLines: stream.integer(0, 40),
      delayMs: stream.integer(0, 12),
    }));
    expect(killed.last).toMatchObject({ code: 0, errors: "" });
    expect(await artefacts(folder)).toEqual(expected);
    kills += killed.kills.length;
    for (const { lines } of killed.kills) {
      const kind = lines.at(-1)?.split(" ")[1] || "start";
      killedIn.set(kind, (killedIn.get(kind) ?? 0) + 1);
    }
  }
  console.log(`${kills} kills:`, Object.fromEntries(killedIn));
  expect(killedIn.size).toBeGreaterThanOrEqual(5); // the kills were spread over the stages
});

import { existsSync } from "node:fs";
import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
// @ts-expect-error plain JavaScript, because worker threads load it too
import { stages as fakeStages } from "../../test/study/fake-stages.mjs";
import { hashPath } from "../util/hash.ts";
import { inlineExecutor } from "./executor.ts";
import { lockFile } from "./lock.ts";
import { planStages } from "./plan.ts";
import { type RunStudyOptions, runStudy, type StudyEvent } from "./run.ts";
import { parseStudy, type SectionSchemas, type Study } from "./schema.ts";
import type { StageTable } from "./stage-table.ts";
import { forecastStudy, listRuns } from "./status.ts";

const table = fakeStages as StageTable;
const anything = z.record(z.string(), z.unknown());
const SECTIONS: SectionSchemas = {
  task: anything,
  priming: anything,
  sft: anything,
  rl: anything,
  completions: anything,
};

let work: string;
let folder: string;

beforeEach(async () => {
  work = await mkdtemp(path.join(os.tmpdir(), "study-run-"));
  folder = path.join(work, "run");
  await mkdir(path.join(work, "base"));
  await writeFile(path.join(work, "base", "config.json"), "{}");
});
afterEach(() => rm(work, { recursive: true, force: true }));

const ONE_ARM = ["none"];
const TWO_ARMS = ["none", "all_strategies"];

function study(sections: Record<string, unknown> = {}, arms = ONE_ARM): Study {
  const file = { name: "test", seeds: [1], bases: { tiny: "base" }, arms, ...sections };
  return parseStudy(JSON.stringify(file), path.join(work, "test.yaml"), SECTIONS);
}

function run(what: Study, options: Partial<RunStudyOptions> = {}) {
  return runStudy(what, {
    folder,
    table,
    executor: inlineExecutor(options.table ?? table, 2),
    now: () => 1_700_000_000_000,
    ...options,
  });
}

describe("runStudy", () => {
  it("runs every stage of the plan once and keeps all of them the second time", async () => {
    const first = await run(study({}, TWO_ARMS));
    expect(first.ran.toSorted()).toEqual(
      planStages(study({}, TWO_ARMS))
        .map(({ id }) => id)
        .sort(),
    );
    expect(existsSync(first.report)).toBe(true);
    const second = await run(study({}, TWO_ARMS));
    expect(second.ran).toEqual([]);
    expect(second.kept).toHaveLength(first.ran.length);
  });

  it("gives condition none no priming and no sft", async () => {
    const { ran } = await run(study());
    expect(ran).toEqual([
      "puzzles",
      "none/seed-1/rl",
      "none/seed-1/completions",
      "none/seed-1/behaviours",
      "analysis",
      "report",
    ]);
  });

  it("reruns only what depends on a changed setting", async () => {
    await run(study({}, TWO_ARMS));
    const before = await hashPath(path.join(folder, "none/seed-1/rl"));
    const { ran } = await run(study({ priming: { phrases: "other" } }, TWO_ARMS));
    expect(ran.toSorted()).toEqual([
      "all_strategies/seed-1/behaviours",
      "all_strategies/seed-1/completions",
      "all_strategies/seed-1/priming",
      "all_strategies/seed-1/rl",
      "all_strategies/seed-1/sft",
      "analysis",
      "report",
    ]);
    expect(await hashPath(path.join(folder, "none/seed-1/rl"))).toBe(before);
  });

  it("stops rerunning where a changed stage writes the same bytes as before", async () => {
    await run(study());
    const same: StageTable = { ...table, rl: { ...table.rl, version: 2 } };
    expect((await run(study(), { table: same })).ran).toEqual(["none/seed-1/rl"]);
  });

  it("gives the same bytes for the same seed in another folder, and others for another seed", async () => {
    await run(study());
    const files = ["study.yaml", "none", "analysis", "report"];
    const first = await Promise.all(files.map((name) => hashPath(path.join(folder, name))));
    folder = path.join(work, "again");
    await run(study());
    expect(await Promise.all(files.map((name) => hashPath(path.join(folder, name))))).toEqual(
      first,
    );
    folder = path.join(work, "other");
    await run(study({ seeds: [2] }));
    expect(await readFile(path.join(folder, "report/index.html"), "utf8")).not.toBe(
      await readFile(path.join(work, "run/report/index.html"), "utf8"),
    );
  });

  it("writes a missing file again", async () => {
    await run(study());
    await rm(path.join(folder, "puzzles/test.jsonl"));
    expect((await run(study())).ran).toEqual(["puzzles"]);
    expect(existsSync(path.join(folder, "puzzles/test.jsonl"))).toBe(true);
  });

  it("names an edited artefact, and writes it again when asked to", async () => {
    await run(study({}, TWO_ARMS));
    const traces = path.join(folder, "all_strategies/seed-1/priming/train.jsonl");
    const original = await readFile(traces, "utf8");
    await appendFile(traces, "edited\n");
    await expect(run(study({}, TWO_ARMS))).rejects.toMatchObject({
      code: "run.edited_artefact",
      message: expect.stringContaining(traces),
      hint: expect.stringContaining("--redo all_strategies/seed-1/priming"),
    });
    const { ran } = await run(study({}, TWO_ARMS), { redo: ["all_strategies/seed-1/priming"] });
    expect(ran).toEqual(["all_strategies/seed-1/priming"]);
    expect(await readFile(traces, "utf8")).toBe(original);
  });

  it("finishes the other arms when one fails, then carries on where it failed", async () => {
    const broken: StageTable = {
      ...table,
      sft: { ...table.sft, run: () => Promise.reject(new Error("no traces left")) },
    };
    await expect(run(study({}, TWO_ARMS), { table: broken })).rejects.toMatchObject({
      code: "run.stage_failed",
      message: "stage all_strategies/seed-1/sft: no traces left",
    });
    expect(existsSync(path.join(folder, "none/seed-1/behaviours"))).toBe(true);
    expect((await run(study({}, TWO_ARMS))).ran.toSorted()).toEqual([
      "all_strategies/seed-1/behaviours",
      "all_strategies/seed-1/completions",
      "all_strategies/seed-1/rl",
      "all_strategies/seed-1/sft",
      "analysis",
      "report",
    ]);
  });

  it("starts nothing new once the disk is full", async () => {
    const full: StageTable = {
      ...table,
      puzzles: {
        ...table.puzzles,
        run: async () => {
          const { writeError } = await import("../data/atomic.ts");
          throw writeError("x", Object.assign(new Error("no space"), { code: "ENOSPC" }));
        },
      },
    };
    await expect(run(study(), { table: full })).rejects.toMatchObject({
      code: "run.stage_failed",
      message: expect.stringContaining("the disk is full"),
      hint: expect.stringContaining("free some space"),
    });
    expect((await run(study())).ran).toContain("report");
  });

  it("stops at a signal with the reason of the signal and carries on afterwards", async () => {
    const controller = new AbortController();
    const onEvent = (event: StudyEvent): void => {
      if (event.type === "progress" && event.stage.kind === "rl") controller.abort();
    };
    await expect(run(study(), { signal: controller.signal, onEvent })).rejects.toThrow(/abort/i);
    const manifest = JSON.parse(await readFile(path.join(folder, "manifest.json"), "utf8"));
    expect(manifest.state).toBe("stopped");
    expect((await run(study())).kept).toContain("puzzles");
  });

  it("refuses a run that a live process or another machine holds", async () => {
    await run(study());
    const holder = { pid: process.pid, host: "elsewhere", processStart: null, startedAt: "then" };
    await writeFile(lockFile(folder), JSON.stringify(holder));
    await expect(run(study())).rejects.toMatchObject({ code: "run.locked" });
    await writeFile(lockFile(folder), JSON.stringify({ ...holder, host: os.hostname() }));
    await expect(run(study())).rejects.toMatchObject({ code: "run.locked" });
  });

  it("takes over the lock of a dead process and says so", async () => {
    await mkdir(folder);
    const dead = { pid: 2 ** 22 + 1, host: os.hostname(), processStart: "1", startedAt: "then" };
    await writeFile(lockFile(folder), JSON.stringify(dead));
    const notes: string[] = [];
    await run(study(), {
      onEvent: (event) => {
        if (event.type === "note") notes.push(event.text);
      },
    });
    expect(notes).toEqual([
      `carrying on after process ${dead.pid}, which began at then and is gone`,
    ]);
    expect(existsSync(lockFile(folder))).toBe(false);
  });

  it("takes over the lock of a process whose id another process has now", async () => {
    await mkdir(folder);
    const recycled = {
      pid: process.pid,
      host: os.hostname(),
      processStart: "1",
      startedAt: "then",
    };
    await writeFile(lockFile(folder), JSON.stringify(recycled));
    expect((await run(study())).ran).toContain("report");
  });

  it("names a stage record that cannot be read", async () => {
    await run(study());
    const record = path.join(folder, "puzzles/stage.json");
    await writeFile(record, "{");
    await expect(run(study())).rejects.toMatchObject({
      code: "run.unreadable",
      message: expect.stringContaining(record),
    });
  });

  it("rejects a --redo that names no stage", async () => {
    await expect(run(study(), { redo: ["nothing"] })).rejects.toMatchObject({
      code: "study.no_stage",
    });
  });
});

describe("forecastStudy", () => {
  const forecast = (what: Study) => forecastStudy(what, { folder, table, workers: 2 });

  it("counts the longest chain and touches nothing", async () => {
    // puzzles 1 s, rl 1 unit of 1 s, completions, behaviours, analysis, report: one after the other
    expect(await forecast(study())).toMatchObject({ seconds: 6, bytes: 6000 });
    expect(existsSync(folder)).toBe(false);
  });

  it("says what is done, what runs again and why, and what follows", async () => {
    await run(study());
    expect(await forecast(study())).toMatchObject({ seconds: 0, bytes: 0 });
    const changed = await forecast(study({ rl: { steps: 8 } }));
    const states = changed.stages.map(({ stage, state, reason }) => [stage.kind, state, reason]);
    expect(states).toEqual([
      ["puzzles", "done", ""],
      ["rl", "stale", "steps: unset -> 8"],
      ["completions", "after", "after none/seed-1/rl"],
      ["behaviours", "after", "after none/seed-1/completions"],
      ["analysis", "after", "after none/seed-1/rl"],
      ["report", "after", "after none/seed-1/rl"],
    ]);
  });

  it("lists the run with its state", async () => {
    await run(study());
    const [listed] = await listRuns(work);
    expect(listed).toMatchObject({ folder, study: "test", state: "finished", done: 6 });
    expect(listed?.holder).toBeUndefined();
  });
});

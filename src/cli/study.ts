/** `habits study run | status | list`: a whole study, from puzzles to the report. */
import os from "node:os";
import path from "node:path";
import { z } from "zod";
import { findStudy, listPresets } from "../study/presets.ts";
import { runStudy } from "../study/run.ts";
import { STUDY_SECTIONS } from "../study/sections.ts";
import { stages, startWorkers } from "../study/stages.ts";
import { forecastStudy, listRuns, type StudyForecast, summarizeRun } from "../study/status.ts";
import { UsageError } from "../util/errors.ts";
import { formatBytes, formatDuration } from "./progress-text.ts";
import { type CommandIo, commandGroup, schemaCommand } from "./schema-command.ts";
import { createStudyDisplay } from "./study-display.ts";
import { readComparison, summaryLines } from "./study-summary.ts";

const runs = z.string().default("runs").describe("folder that holds the runs");
const workers = z
  .number()
  .int()
  .positive()
  .default(os.availableParallelism())
  .describe("stages side by side, one processor core each");

const runOptions = z.strictObject({
  study: z.string().default("quick").describe("recipe, study file, or folder of a run"),
  runs,
  out: z.string().optional().describe("run folder, in place of RUNS/NAME"),
  workers,
  dryRun: z.boolean().default(false).describe("say what would run, how long and how large"),
  resume: z.boolean().default(false).describe("only carry on with a run that has begun"),
  keepState: z
    .boolean()
    .default(false)
    .describe("keep the trainer state of finished training stages"),
  redo: z
    .array(z.string())
    .default([])
    .describe("run again whatever the state: a stage, an arm, or a kind such as rl"),
});

const run = schemaCommand({
  name: "run",
  summary: "run a study, or carry on with it",
  options: runOptions,
  arguments: ["study"],
  run: async (options, io) => {
    const study = await findStudy(options.study, STUDY_SECTIONS);
    const folder = path.resolve(options.out ?? path.join(options.runs, study.name));
    if (options.resume && (await summarizeRun(folder)) === undefined) {
      throw new UsageError(`--resume: no run has begun in "${folder}"`, {
        code: "study.no_run",
        hint: "leave --resume out to start it",
      });
    }
    if (options.dryRun) {
      const forecast = await forecastStudy(study, {
        folder,
        table: stages,
        workers: options.workers,
      });
      showForecast(forecast, { workerCount: options.workers, live: false }, io);
      return;
    }
    io.print(`study ${study.name} in ${path.relative(".", folder)}, ${options.workers} workers`);
    const display = createStudyDisplay(process.stderr, () => performance.now());
    await using executor = await startWorkers(options.workers);
    const result = await runStudy(study, {
      folder,
      table: stages,
      executor,
      now: () => Date.now(),
      redo: options.redo,
      keepState: options.keepState,
      signal: io.signal,
      onEvent: display.onEvent,
    }).finally(display.close);
    const comparison = await readComparison(path.join(folder, "analysis", "comparison.json"));
    const report = path.relative(".", result.report);
    io.result(result, ["", ...summaryLines(comparison), "", `report: ${report}`]);
  },
});

/** @param live a process works on the run at this moment */
function showForecast(
  forecast: StudyForecast,
  { workerCount, live }: { readonly workerCount: number; readonly live: boolean },
  io: CommandIo,
): void {
  const rows = forecast.stages.map(({ stage, state, reason, seconds, bytes }) => {
    const running = live && state === "unfinished";
    return {
      stage: stage.id,
      state: running ? "running" : state,
      reason: running ? "" : reason,
      seconds,
      bytes,
    };
  });
  const width = Math.max(...rows.map(({ stage }) => stage.length));
  const lines = rows.map(({ stage, state, reason, seconds, bytes }) =>
    state === "done"
      ? `${stage.padEnd(width)}  done`
      : `${stage.padEnd(width)}  ${formatDuration(seconds).padEnd(12)}${formatBytes(bytes).padEnd(9)}${[state, reason].filter((text) => text !== "").join(": ")}`,
  );
  const toRun = rows.filter(({ state }) => state !== "done").length;
  io.result({ stages: rows, seconds: forecast.seconds, bytes: forecast.bytes }, [
    ...lines,
    `${toRun} of ${rows.length} stages to run: about ${Math.ceil(forecast.seconds / 60)} min with ${workerCount} workers, ${formatBytes(forecast.bytes)}`,
  ]);
}

const status = schemaCommand({
  name: "status",
  summary: "show how far a run is",
  options: z.strictObject({
    run: z.string().optional().describe("run folder; default: the latest one"),
    runs,
    workers,
  }),
  arguments: ["run"],
  run: async (options, io) => {
    const folder = options.run ?? (await listRuns(options.runs))[0]?.folder;
    if (folder === undefined) {
      throw new UsageError(`no run in "${options.runs}"`, {
        code: "study.no_run",
        hint: "start one with `habits study run quick`",
      });
    }
    const summary = await summarizeRun(folder);
    const study = await findStudy(folder, STUDY_SECTIONS);
    const forecast = await forecastStudy(study, {
      folder: path.resolve(folder),
      table: stages,
      workers: options.workers,
    });
    io.print(
      `${folder}: ${summary?.state ?? "not begun"}${summary?.holder ? `, process ${summary.holder.pid} on ${summary.holder.host} since ${summary.holder.startedAt}` : ""}`,
    );
    const live = summary?.holder !== undefined;
    showForecast(forecast, { workerCount: options.workers, live }, io);
  },
});

const list = schemaCommand({
  name: "list",
  summary: "list the recipes and the runs",
  options: z.strictObject({ runs }),
  run: async (options, io) => {
    const presets = await listPresets();
    const found = await listRuns(options.runs);
    io.result({ recipes: presets, runs: found }, [
      `recipes: ${presets.join(", ")}`,
      ...found.map(
        (one) =>
          `${one.folder}  ${one.state}, ${one.done} stages done, ${one.updatedAt.slice(0, 16).replace("T", " ")}`,
      ),
    ]);
  },
});

export const command = commandGroup("study", "run a whole study, from puzzles to the report", [
  run,
  status,
  list,
]);

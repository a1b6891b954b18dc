/**
 * The real stages: small adapters from a task of the runner to the stage functions of the other rooms, which are loaded
 * when they are first used. `stages` is what a worker thread imports.
 */
import { readdir } from "node:fs/promises";
import path from "node:path";
import { RunError } from "../util/errors.ts";
import { type Executor, workerExecutor } from "./executor.ts";
import { stageCosts } from "./stage-costs.ts";
import type { StageDefinition, StageTable, StageTask, TaskContext } from "./stage-table.ts";

type Run = StageDefinition["run"];

const puzzles: Run = async (task) => {
  const { taskSchema, writeSplits } = await import("./task.ts");
  await writeSplits(taskSchema.parse(task.config), task.out);
};

const priming: Run = async (task, context) => {
  const { generatePriming, primingConfigSchema } = await import("../priming/generate.ts");
  const { Tokenizer } = await import("../model/tokenizer.ts");
  const { condition, ...config } = task.config;
  await generatePriming({
    puzzles: { train: input(task, "train"), validation: input(task, "validation") },
    out: task.out,
    condition: String(condition),
    config: primingConfigSchema.parse(config),
    seed: seedOf(task),
    tokenizer: await Tokenizer.load(input(task, "base")),
    ...context,
  });
};

const sft: Run = async (task, context) => {
  const { sftConfigSchema } = await import("../training/sft/config.ts");
  const { runSft } = await import("../training/sft/sft.ts");
  await runSft({
    model: input(task, "model"),
    train: input(task, "train"),
    validation: input(task, "validation"),
    out: task.out,
    config: sftConfigSchema.parse(task.config),
    seed: seedOf(task),
    threads: task.threads,
    keepState: task.keepState ?? false,
    ...context,
  });
};

const rl: Run = async (task, context) => {
  const { rlConfigSchema } = await import("../training/rl/config.ts");
  const { runRl } = await import("../training/rl/train.ts");
  await runRl({
    model: input(task, "model"),
    puzzles: input(task, "puzzles"),
    out: task.out,
    config: rlConfigSchema.parse(task.config),
    seed: seedOf(task),
    threads: task.threads,
    keepState: task.keepState ?? false,
    ...context,
  });
};

/** Completions of every checkpoint; a file that is there is whole, so a resumed call passes over it. */
const completions: Run = async (task, context) => {
  const { completeCheckpoint, completeConfigSchema } = await import("../sampling/complete.ts");
  const config = completeConfigSchema.parse(task.config);
  const checkpoints = await stepNames(input(task, "checkpoints"), /^step-(\d+)$/);
  const present = new Set(await readdir(task.out));
  for (const [at, { name, step }] of checkpoints.entries()) {
    if (present.has(`${name}.jsonl`)) continue;
    context.signal?.throwIfAborted();
    await completeCheckpoint({
      checkpoint: path.join(input(task, "checkpoints"), name),
      puzzles: input(task, "puzzles"),
      out: path.join(task.out, `${name}.jsonl`),
      step,
      config,
      seed: seedOf(task),
      threads: task.threads,
      ...part(context, at, checkpoints.length),
    });
  }
};

/** Behaviour rows of every completions file; a file that is there is whole. */
const behaviours: Run = async (task, context) => {
  const { judgeExact } = await import("../behaviours/judge-exact.ts");
  const files = await stepNames(input(task, "completions"), /^step-(\d+)\.jsonl$/);
  const present = new Set(await readdir(task.out));
  for (const [at, { name }] of files.entries()) {
    if (present.has(name)) continue;
    context.signal?.throwIfAborted();
    await judgeExact({
      input: path.join(input(task, "completions"), name),
      output: path.join(task.out, name),
      ...(context.signal !== undefined && { signal: context.signal }),
    });
    context.onProgress?.({ done: at + 1, total: files.length, unit: "checkpoints" });
  }
};

const analysis: Run = async (task, context) => {
  const { compareRun } = await import("../analysis/compare.ts");
  await compareRun({ run: task.run, out: path.join(task.out, "comparison.json"), ...context });
};

const report: Run = async (task, context) => {
  const { writeReport } = await import("../report/write-report.ts");
  await writeReport({ run: task.run, out: path.join(task.out, "index.html"), ...context });
};

const version = 1;

/** Every kind of stage, as the study runner runs it. */
export const stages: StageTable = {
  puzzles: { version, resumable: false, run: puzzles, ...stageCosts.puzzles },
  priming: { version, resumable: false, run: priming, ...stageCosts.priming },
  sft: { version: 2, resumable: true, run: sft, ...stageCosts.sft },
  rl: { version: 2, resumable: true, run: rl, ...stageCosts.rl },
  completions: { version, resumable: true, run: completions, ...stageCosts.completions },
  behaviours: { version, resumable: true, run: behaviours, ...stageCosts.behaviours },
  analysis: { version, resumable: false, run: analysis, ...stageCosts.analysis },
  report: { version, resumable: false, run: report, ...stageCosts.report },
};

/** Starts worker threads for the real stages. */
export async function startWorkers(size: number): Promise<Executor> {
  const { prepareRuntime } = await import("../engine/index.ts");
  await prepareRuntime(); // threads take over how this one treats denormal numbers
  return workerExecutor(size, new URL("./stages.js", import.meta.url).href);
}

function input(task: StageTask, name: string): string {
  const found = task.inputs[name];
  if (found !== undefined) return found;
  throw new RunError(`stage ${task.id}: no input "${name}"`, { code: "run.no_input" });
}

function seedOf(task: StageTask): number {
  if (task.seed !== undefined) return task.seed;
  throw new RunError(`stage ${task.id}: expected a seed`, { code: "run.no_seed" });
}

/** Entries named after a step, by ascending step. */
async function stepNames(
  folder: string,
  pattern: RegExp,
): Promise<{ readonly name: string; readonly step: number }[]> {
  const names = await readdir(folder);
  return names
    .flatMap((name) => {
      const step = pattern.exec(name)?.[1];
      return step === undefined ? [] : [{ name, step: Number(step) }];
    })
    .sort((a, b) => a.step - b.step);
}

/** The context of the `at`-th of `count` equal parts of a stage. */
function part(context: TaskContext, at: number, count: number): TaskContext {
  return {
    ...context,
    onProgress: (progress) =>
      context.onProgress?.({
        ...progress,
        done: at * progress.total + progress.done,
        total: count * progress.total,
      }),
  };
}

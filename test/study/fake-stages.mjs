/**
 * A stage table whose stages do no training but behave like real ones: they read their inputs, write several files in
 * several steps with pauses in between, append, keep a state to resume from, and fail when their config says so. Plain
 * JavaScript, so that a worker thread can load it.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { appendFile, mkdir, readdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const digest = (text) => createHash("sha256").update(text).digest("hex");

async function contentOf(target) {
  if (!(await stat(target)).isDirectory()) return readFile(target, "utf8");
  const names = (await readdir(target)).filter((name) => name !== "stage.json").sort();
  const parts = await Promise.all(names.map((name) => contentOf(path.join(target, name))));
  return parts.join("\n");
}

/** Hash of everything that the output may depend on. */
async function fingerprint(task) {
  const inputs = [];
  for (const name of Object.keys(task.inputs).sort()) {
    inputs.push(name, await contentOf(task.inputs[name]));
  }
  return digest(JSON.stringify([task.kind, task.config, task.seed ?? null, inputs]));
}

async function write(task, name, text) {
  const file = path.join(task.out, name);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, text);
}

/** Writes each file in two halves with a pause between: a kill leaves a torn file. */
function writer(namesOf) {
  return async (task, { signal, onProgress }) => {
    const print = await fingerprint(task);
    if (task.config.fail !== undefined) throw new Error(`asked to fail: ${task.config.fail}`);
    const names = await namesOf(task);
    for (const [at, name] of names.entries()) {
      signal?.throwIfAborted();
      await write(task, name, print.slice(0, 20));
      await sleep(task.config.pauseMs ?? 0);
      await write(task, name, `${print} ${name}\n`.repeat(50));
      onProgress?.({ done: at + 1, total: names.length, unit: "files" });
    }
  };
}

/** Appends a metrics line a step and saves its state every second step, as a trainer does. */
async function train(task, { signal, onProgress }) {
  const print = await fingerprint(task);
  const steps = task.config.steps ?? 6;
  const stateFile = path.join(task.out, "state.txt");
  const metrics = path.join(task.out, "metrics.jsonl");
  const first = existsSync(stateFile) ? Number(await readFile(stateFile, "utf8")) : 0;
  const lines = existsSync(metrics) ? (await readFile(metrics, "utf8")).split("\n") : [];
  await write(
    task,
    "metrics.jsonl",
    lines
      .slice(0, first)
      .map((line) => `${line}\n`)
      .join(""),
  );
  for (let step = first + 1; step <= steps; step += 1) {
    signal?.throwIfAborted();
    if (task.config.failAt === step) throw new Error(`asked to fail at step ${step}`);
    await sleep(task.config.pauseMs ?? 0);
    await appendFile(metrics, `${JSON.stringify({ step, value: digest(`${print} ${step}`) })}\n`);
    if (step % 2 === 0 || step === steps) {
      await write(task, `checkpoints/step-${step}/model.txt`, digest(`${print} model ${step}`));
      await write(task, ".state.new", String(step));
      await rename(path.join(task.out, ".state.new"), stateFile);
    }
    onProgress?.({ done: step, total: steps, unit: "steps", metrics: { reward: step / steps } });
  }
}

const fake = (run, resumable = false) => ({
  version: 1,
  resumable,
  run,
  cost: (stage) => ({ units: stage.config.steps ?? 1, bytes: 1000 }),
  secondsPerUnit: 1,
});

const SPLITS = ["priming_train", "priming_validation", "rl", "tune", "test"];

export const stages = {
  puzzles: fake(writer(() => SPLITS.map((split) => `${split}.jsonl`))),
  priming: fake(writer(() => ["train.jsonl", "validation.jsonl"])),
  sft: fake(writer(() => ["metrics.jsonl", "model/config.json", "model/model.safetensors"])),
  rl: fake(train, true),
  completions: fake(
    writer((task) => readdir(task.inputs.checkpoints)),
    true,
  ),
  behaviours: fake(
    writer((task) =>
      readdir(task.inputs.completions).then((names) =>
        names.filter((name) => name !== "stage.json"),
      ),
    ),
  ),
  analysis: fake(writer(() => ["comparison.json"])),
  report: fake(writer(() => ["index.html"])),
};

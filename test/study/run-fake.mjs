/**
 * Runs a study with the fake stages in worker threads and prints one line an event. Arguments: study file, run folder.
 * Imports the built package.
 */
import { z } from "zod";
import { workerExecutor } from "../../dist/study/executor.js";
import { runStudy } from "../../dist/study/run.js";
import { readStudy } from "../../dist/study/schema.js";
import { stages } from "./fake-stages.mjs";

const [file, folder] = process.argv.slice(2);
const anything = z.record(z.string(), z.unknown());
const sections = Object.fromEntries(
  ["task", "priming", "sft", "rl", "completions"].map((name) => [name, anything]),
);
const study = await readStudy(file, sections);
const executor = workerExecutor(2, new URL("./fake-stages.mjs", import.meta.url).href);
await runStudy(study, {
  folder,
  table: stages,
  executor,
  now: () => Date.now(),
  onEvent: (event) => console.log(`${event.type} ${event.stage?.kind ?? ""}`),
});
await executor[Symbol.asyncDispose]();

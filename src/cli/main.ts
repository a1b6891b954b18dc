#!/usr/bin/env node
/** Entry of `habits`: finds the command, loads only its file, prints errors, sets the exit code. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { errorLines, exitCodeOf } from "./schema-command.ts";

/** Name and summary of each command; its file of the same name exports `command`. */
const COMMANDS: Readonly<Record<string, string>> = {
  study: "run a whole study, from puzzles to the report",
  countdown: "make, solve and score Countdown puzzles",
  pretrain: "make the tiny base models again",
  prime: "write priming traces for a condition",
  sft: "fine-tune a checkpoint on traces",
  ppo: "train a checkpoint by PPO on puzzles",
  complete: "sample completions from checkpoints",
  judge: "count the habits in completions",
  report: "write the report of a run",
  bench: "measure speed on this machine",
};

async function main(argv: readonly string[]): Promise<void> {
  const name = argv[0];
  const program = new Command("habits")
    .description("A laboratory for the habits that let language models improve themselves")
    .version(packageVersion())
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  for (const [command, summary] of Object.entries(COMMANDS)) {
    if (command !== name) program.command(command).description(summary).helpOption(false);
    else program.addCommand(await loadCommand(command));
  }
  if (name === undefined) program.outputHelp();
  else await program.parseAsync(argv, { from: "user" });
}

async function loadCommand(name: string): Promise<Command> {
  const extension = path.extname(fileURLToPath(import.meta.url)); // .js when built, .ts under the test runner
  const url = new URL(`./${name}${extension}`, import.meta.url).href;
  const module = (await import(/* @vite-ignore */ url)) as { command: Command };
  return module.command;
}

function packageVersion(): string {
  const file = new URL("../../package.json", import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}

const argv = process.argv.slice(2);
try {
  await main(argv);
} catch (error) {
  for (const line of errorLines(error, argv.includes("--debug"))) process.stderr.write(`${line}\n`);
  process.exitCode = exitCodeOf(error);
}

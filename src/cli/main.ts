#!/usr/bin/env node
/** Entry of `habits`: finds the command, loads only its file, prints errors, sets the exit code. */
import { readFileSync } from "node:fs";
import { Command } from "commander";
import { errorLines, exitCodeOf } from "./schema-command.ts";

interface Entry {
  readonly summary: string;
  readonly load: () => Promise<{ readonly command: Command }>;
}

/** Every command; its file is loaded only when it is called. */
const COMMANDS: Readonly<Record<string, Entry>> = {
  study: {
    summary: "run a whole study, from puzzles to the report",
    load: () => import("./study.ts"),
  },
  countdown: {
    summary: "make, solve and score Countdown puzzles",
    load: () => import("./countdown.ts"),
  },
  pretrain: { summary: "make the tiny base models again", load: () => import("./pretrain.ts") },
  prime: { summary: "write priming traces for a condition", load: () => import("./prime.ts") },
  sft: { summary: "fine-tune a checkpoint on traces", load: () => import("./sft.ts") },
  ppo: { summary: "train a checkpoint by PPO on puzzles", load: () => import("./ppo.ts") },
  grpo: { summary: "train a checkpoint by GRPO on puzzles", load: () => import("./grpo.ts") },
  complete: { summary: "sample completions from checkpoints", load: () => import("./complete.ts") },
  serve: { summary: "serve a checkpoint over OpenAI's API", load: () => import("./serve.ts") },
  judge: { summary: "count the habits in completions", load: () => import("./judge.ts") },
  report: { summary: "write the report of a run", load: () => import("./report.ts") },
  import: {
    summary: "read published results and report their faults",
    load: () => import("./import.ts"),
  },
  bench: { summary: "measure speed on this machine", load: () => import("./bench.ts") },
};

async function main(argv: readonly string[]): Promise<void> {
  const name = argv[0];
  const program = new Command("habits")
    .description("A laboratory for the habits that let language models improve themselves")
    .version(packageVersion())
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  for (const [command, { summary, load }] of Object.entries(COMMANDS)) {
    if (command !== name) program.command(command).description(summary).helpOption(false);
    else program.addCommand((await load()).command);
  }
  if (name === undefined) program.outputHelp();
  else await program.parseAsync(argv, { from: "user" });
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

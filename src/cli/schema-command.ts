/**
 * A command from a zod schema: flags, defaults, help and validation all come from the one object. Each command also
 * takes `--json` and `--debug`. Errors leave through `exitCodeOf`: 2 for usage, 1 for failed work, 130 when interrupted.
 */
import { Command } from "commander";
import type { z } from "zod";
import { HabitsError, messageOf, UsageError } from "../util/errors.ts";
import { type CommandIo, createIo } from "./io.ts";
import { addFlags, parseOptions } from "./schema-flags.ts";

export type { CommandIo } from "./io.ts";

/** What `schemaCommand` needs to know. */
export interface SchemaCommandOptions<S extends z.ZodObject> {
  readonly name: string;
  /** One line for the help of the parent command. */
  readonly summary: string;
  /** Options in camelCase with `.describe()` and `.default()`; unknown flags and keys are errors. */
  readonly options: S;
  /** Keys of `options` that are positional, in order. */
  readonly arguments?: readonly (keyof z.infer<S> & string)[];
  /** True when an interruption is the normal end of the command: it then ends with exit code 0. */
  readonly endsBySignal?: boolean;
  readonly run: (options: z.infer<S>, io: CommandIo) => Promise<void>;
}

/** Makes a command from a schema and a function. */
export function schemaCommand<S extends z.ZodObject>(definition: SchemaCommandOptions<S>): Command {
  const positional = definition.arguments ?? [];
  const command = strict(new Command(definition.name).summary(definition.summary))
    .description(definition.summary)
    .allowExcessArguments(false);
  addFlags(command, definition.options, positional);
  command.option("--json", "machine-readable result on stdout");
  command.option("--debug", "stack traces of errors");
  command.action(async () => {
    // Commander invents a default for `--no-x`; only what the user typed may win over a configuration file.
    const typed = Object.entries(command.opts() as Record<string, unknown>);
    const given: Record<string, unknown> = Object.fromEntries(
      typed.filter(([key]) => command.getOptionValueSource(key) === "cli"),
    );
    positional.forEach((key, at) => {
      given[key] = command.processedArgs[at];
    });
    const configFile = given.config as string | undefined;
    const options = parseOptions(definition.options, given, configFile);
    await interruptible(definition.endsBySignal === true, async (signal) => {
      const io = createIo({
        json: given.json === true,
        signal,
        stdout: process.stdout,
        stderr: process.stderr,
        now: () => performance.now(),
      });
      await definition.run(options, io);
    });
  });
  return command;
}

/** Makes a command that only holds other commands. */
export function commandGroup(name: string, summary: string, commands: readonly Command[]): Command {
  const group = strict(new Command(name).summary(summary).description(summary));
  for (const command of commands) group.addCommand(command);
  return group;
}

/** Turns commander's own exits into exceptions, so that one place prints errors and sets the exit code. */
function strict(command: Command): Command {
  return command.exitOverride().configureOutput({ writeErr: () => undefined });
}

/** Runs work with a signal that Ctrl-C aborts; a second Ctrl-C ends the process at once. */
async function interruptible(
  isNormal: boolean,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const controller = new AbortController();
  const interrupt = (): void => {
    if (controller.signal.aborted) process.exit(130);
    process.stderr.write("\ninterrupted: finishing the current step (again to stop at once)\n");
    controller.abort();
  };
  process.on("SIGINT", interrupt).on("SIGTERM", interrupt);
  try {
    await work(controller.signal);
    if (!isNormal) controller.signal.throwIfAborted();
  } finally {
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
  }
}

/** Exit code for anything that a command threw. */
export function exitCodeOf(error: unknown): number {
  if (isAbort(error)) return 130;
  if (error instanceof UsageError) return 2;
  if (isCommanderError(error)) return error.exitCode === 0 ? 0 : 2;
  return 1;
}

/** The lines that describe an error to a person; none for an interruption or for help that was asked for. */
export function errorLines(error: unknown, debug: boolean): string[] {
  if (exitCodeOf(error) === 0 || isAbort(error)) return [];
  if (debug && error instanceof Error) return [error.stack ?? error.message, ...causes(error)];
  if (isCommanderError(error)) {
    const [message = "", ...more] = error.message.split("\n");
    const hint = more.join(" ").trim() || "run with --help for the commands and options";
    return [message.startsWith("error:") ? message : `error: ${message}`, `  ${hint}`];
  }
  const hint = error instanceof HabitsError ? error.hint : "run again with --debug for the stack";
  return [`error: ${messageOf(error)}`, ...(hint === undefined ? [] : [`  ${hint}`])];
}

function causes(error: Error): string[] {
  const { cause } = error;
  return cause instanceof Error ? [`caused by: ${cause.stack}`, ...causes(cause)] : [];
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}

function isCommanderError(error: unknown): error is Error & { exitCode: number } {
  return (
    error instanceof Error &&
    "exitCode" in error &&
    String((error as { code?: unknown }).code).startsWith("commander.")
  );
}

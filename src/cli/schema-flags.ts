/**
 * Flags from a zod object: one flag a key, the kind of flag from the kind of the key's schema.
 *
 * | schema of the key | flag |
 * |---|---|
 * | boolean | switch `--name`, and `--no-name` when the default is true |
 * | array | `--name a,b` or repeated |
 * | object, record | none: given in the file of `--config FILE` |
 * | anything else | `--name VALUE` |
 */
import { readFileSync } from "node:fs";
import { type Command, Option } from "commander";
import { parse as parseYaml } from "yaml";
import type { z } from "zod";
import { messageOf, UsageError } from "../util/errors.ts";

type Kind = "boolean" | "array" | "object" | "number" | "text";

/** One key of an options schema as the command line sees it. */
interface Flag {
  readonly key: string;
  readonly kind: Kind;
  /** Kind of the items of an array. */
  readonly itemKind: Kind;
  readonly description: string;
  readonly defaultValue: unknown;
  readonly required: boolean;
  readonly choices: readonly string[];
}

interface Unwrapped {
  readonly schema: z.core.$ZodType;
  readonly description: string | undefined;
  readonly defaultValue: unknown;
}

function defOf(schema: z.core.$ZodType): z.core.$ZodTypes["_zod"]["def"] {
  return (schema as z.core.$ZodTypes)._zod.def;
}

/** Passes through `.optional()`, `.default()`, `.nullable()`, `.readonly()` and pipes to the schema that decides the kind. */
function unwrap(schema: z.core.$ZodType, description?: string, defaultValue?: unknown): Unwrapped {
  const def = defOf(schema);
  const text = description ?? (schema as z.ZodType).description;
  switch (def.type) {
    case "default":
    case "prefault":
      return unwrap(def.innerType, text, defaultValue ?? def.defaultValue);
    case "optional":
    case "nullable":
    case "readonly":
    case "nonoptional":
    case "catch":
      return unwrap(def.innerType, text, defaultValue);
    case "pipe":
      return unwrap(def.in, text, defaultValue);
    default:
      return { schema, description: text, defaultValue };
  }
}

function kindOf(schema: z.core.$ZodType): Kind {
  switch (defOf(schema).type) {
    case "boolean":
      return "boolean";
    case "array":
    case "tuple":
      return "array";
    case "object":
    case "record":
      return "object";
    case "number":
      return "number";
    default:
      return "text";
  }
}

/** Describes each key of the schema. */
export function flagsOf(schema: z.ZodObject): Flag[] {
  return Object.entries(schema.shape).map(([key, member]) => {
    const { schema: core, description = "", defaultValue } = unwrap(member);
    const def = defOf(core);
    const item = def.type === "array" ? unwrap(def.element).schema : core;
    const itemDef = defOf(item);
    return {
      key,
      kind: kindOf(core),
      itemKind: kindOf(item),
      description,
      defaultValue,
      required: !(member as z.ZodType).safeParse(undefined).success,
      choices: itemDef.type === "enum" ? Object.values(itemDef.entries).map(String) : [],
    };
  });
}

/** `maxNewTokens` as `max-new-tokens`. */
export function kebabCase(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** Adds the flags and the positional arguments of a schema to a command. */
export function addFlags(command: Command, schema: z.ZodObject, positional: readonly string[]) {
  const flags = flagsOf(schema);
  for (const key of positional) {
    const flag = flags.find((candidate) => candidate.key === key);
    if (flag === undefined) throw new TypeError(`argument "${key}" is not a key of the schema`);
    const name = `${kebabCase(key)}${flag.kind === "array" ? "..." : ""}`;
    command.argument(flag.required ? `<${name}>` : `[${name}]`, helpText(flag));
  }
  for (const flag of flags) {
    if (!positional.includes(flag.key))
      for (const option of optionsOf(flag)) command.addOption(option);
  }
  if (flags.some((flag) => flag.kind === "object")) {
    command.option("--config <file>", "YAML file with any of these options; flags win over it");
  }
}

function optionsOf(flag: Flag): Option[] {
  const name = kebabCase(flag.key);
  const text = helpText(flag);
  switch (flag.kind) {
    case "object":
      return [];
    case "boolean":
      return flag.defaultValue === true
        ? [new Option(`--no-${name}`, text), new Option(`--${name}`).hideHelp()]
        : [new Option(`--${name}`, text)];
    case "array":
      return [
        new Option(`--${name} <list>`, text).argParser((value: string, before?: string[]) => [
          ...(before ?? []),
          ...value.split(","),
        ]),
      ];
    case "number":
      return [new Option(`--${name} <number>`, text)];
    case "text":
      return [new Option(`--${name} <value>`, text)];
  }
}

function helpText(flag: Flag): string {
  const notes: string[] = [];
  if (flag.choices.length > 0) notes.push(`one of ${flag.choices.join(", ")}`);
  if (flag.required) notes.push("required");
  else if (flag.defaultValue !== undefined && flag.kind !== "boolean") {
    notes.push(`default ${String(flag.defaultValue)}`);
  }
  return [flag.description, notes.length > 0 ? `(${notes.join("; ")})` : ""].join(" ").trim();
}

/**
 * Turns the texts of the command line into validated options.
 * @param given values by key as commander collected them, only those that were present
 * @throws UsageError `usage.bad_options` naming every problem by its flag.
 */
export function parseOptions<S extends z.ZodObject>(
  schema: S,
  given: Readonly<Record<string, unknown>>,
  configFile?: string,
): z.infer<S> {
  const values: Record<string, unknown> = configFile === undefined ? {} : readConfig(configFile);
  const positionalOrFlag = flagsOf(schema);
  for (const flag of positionalOrFlag) {
    const value = given[flag.key];
    if (value !== undefined) values[flag.key] = convert(value, flag);
  }
  const result = schema.strict().safeParse(values);
  if (result.success) return result.data as z.infer<S>;
  const problems = result.error.issues.map((issue) => describeIssue(issue, configFile));
  throw new UsageError(problems.join("; "), {
    code: "usage.bad_options",
    hint: "run the command with --help for its options",
  });
}

function describeIssue(issue: z.core.$ZodIssue, configFile: string | undefined): string {
  if (issue.code === "unrecognized_keys") {
    return `"${configFile}": unknown ${issue.keys.map((key) => `"${key}"`).join(", ")}`;
  }
  const [key, ...rest] = issue.path.map(String);
  if (key === undefined) return issue.message;
  const where =
    rest.length > 0 && configFile ? `"${configFile}": ${key}.${rest.join(".")}` : undefined;
  return `${where ?? `--${kebabCase(key)}`}: ${issue.message}`;
}

function convert(value: unknown, flag: Flag): unknown {
  if (Array.isArray(value)) return value.map((item) => convertText(item, flag.itemKind));
  return convertText(value, flag.kind);
}

/** A text that is not a number stays a text, so that the schema reports it. */
function convertText(value: unknown, kind: Kind): unknown {
  if (kind !== "number" || typeof value !== "string" || value.trim() === "") return value;
  const number = Number(value);
  return Number.isNaN(number) ? value : number;
}

function readConfig(file: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = parseYaml(readFileSync(file, "utf8"));
  } catch (cause) {
    throw new UsageError(`reading the configuration "${file}": ${messageOf(cause)}`, {
      code: "usage.bad_config",
      hint: "give the path of a YAML file",
      cause,
    });
  }
  if (value === null || value === undefined) return {};
  if (typeof value !== "object" || Array.isArray(value)) {
    throw new UsageError(`reading the configuration "${file}": expected a mapping of options`, {
      code: "usage.bad_config",
      hint: "write one `name: value` a line",
    });
  }
  return { ...value };
}

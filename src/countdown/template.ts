/**
 * Prompt templates: plain text files with `{numbers}` (comma-separated) and `{target}`. Those of the package stand in
 * `templates/`; a user's own file is given by path. A template's hash identifies it in a manifest.
 */
import { readFileSync } from "node:fs";
import { DataError, messageOf, UsageError } from "../util/errors.ts";
import { sha256 } from "../util/hash.ts";

/** Templates of the package. */
export const TEMPLATE_NAMES = ["plain", "dialogue"] as const;
export type TemplateName = (typeof TEMPLATE_NAMES)[number];

export interface PromptTemplate {
  /** Name of a template of the package, or the path of the file. */
  readonly name: string;
  readonly text: string;
  /** SHA-256 of the text. */
  readonly hash: string;
}

function isTemplateName(name: string): name is TemplateName {
  return (TEMPLATE_NAMES as readonly string[]).includes(name);
}

const cache = new Map<TemplateName, PromptTemplate>();

/**
 * Template of the package by name, or of a file by path. One line feed at the end of the file is not part of it.
 * @throws UsageError `countdown.template_unreadable`; DataError `countdown.template_without_field` when `{numbers}` or `{target}` is missing
 */
export function loadTemplate(nameOrPath: string): PromptTemplate {
  if (!isTemplateName(nameOrPath)) return readTemplate(nameOrPath, nameOrPath);
  let template = cache.get(nameOrPath);
  if (template === undefined) {
    template = readTemplate(nameOrPath, new URL(`./templates/${nameOrPath}.txt`, import.meta.url));
    cache.set(nameOrPath, template);
  }
  return template;
}

function readTemplate(name: string, file: string | URL): PromptTemplate {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    throw new UsageError(`reading the prompt template "${name}": ${messageOf(cause)}`, {
      code: "countdown.template_unreadable",
      hint: `give one of ${TEMPLATE_NAMES.join(", ")} or the path of a text file`,
      cause,
    });
  }
  text = text.replace(/\r\n/g, "\n").replace(/\n$/, "");
  for (const field of ["{numbers}", "{target}"]) {
    if (text.includes(field)) continue;
    throw new DataError(
      `reading the prompt template "${name}": expected the field ${field}, found none`,
      {
        code: "countdown.template_without_field",
        hint: "a template states the puzzle with {numbers} and {target}",
      },
    );
  }
  return { name, text, hash: sha256(text) };
}

/**
 * Prompt of a puzzle, ending with the opened `<think>` when the template does.
 * @param template a loaded template, a name or a path; default `plain`
 * @example renderPrompt({ numbers: [9, 8, 6], target: 66 }) // "Use 9, 8, 6 to make 66.\n<think>"
 */
export function renderPrompt(
  puzzle: { readonly numbers: readonly number[]; readonly target: number },
  template: PromptTemplate | string = "plain",
): string {
  const { text } = typeof template === "string" ? loadTemplate(template) : template;
  return text
    .replaceAll("{numbers}", puzzle.numbers.join(", "))
    .replaceAll("{target}", String(puzzle.target));
}

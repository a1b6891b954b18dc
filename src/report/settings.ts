/** The resolved settings of the study and the record of the run, flattened to one line a value. */
import { type Html, html } from "./html.ts";

/** Longest value that is shown, in characters. */
const MAX_VALUE = 300;

/** Two tables: study.yaml, and the part of manifest.json that is the same for equal runs (no times, no machine). */
export function settingsSection(
  settings: Readonly<Record<string, unknown>>,
  manifest: Readonly<Record<string, unknown>>,
): Html {
  const blocks = [
    { title: "Study", rows: flatten(settings) },
    { title: "Software", rows: flatten(lastingPart(manifest)) },
  ].filter((block) => block.rows.length > 0);
  return html`<div class="settings">${blocks.map(
    ({ title, rows }) =>
      html`<div><h3>${title}</h3><table class="keys"><tbody>${rows.map(
        ([key, value]) => html`<tr><th scope="row">${key}</th><td>${value}</td></tr>\n`,
      )}</tbody></table></div>`,
  )}</div>`;
}

function lastingPart(manifest: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { package: package_, git, versions, bases } = manifest;
  const hashes = Object.entries(isMapping(bases) ? bases : {}).map(([name, base]) => [
    name,
    isMapping(base) ? base.hash : base,
  ]);
  return { package: package_, git, versions, "base model": Object.fromEntries(hashes) };
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Dotted keys with their values; a list of plain values, and an item of a list, stay on one line. */
export function flatten(value: unknown, prefix = "", parent?: unknown): [string, string][] {
  if (Array.isArray(value) && value.every((item) => item === null || typeof item !== "object")) {
    return [[prefix, shorten(value.join(", "))]];
  }
  if (prefix !== "" && isShallow(value) && Array.isArray(parent)) {
    const members = Object.entries(value).map(([key, member]) => `${key} ${member}`);
    return [[prefix, shorten(members.join(", "))]];
  }
  if (typeof value === "object" && value !== null) {
    return Object.entries(value).flatMap(([key, member]) =>
      flatten(member, prefix === "" ? key : `${prefix}.${key}`, value),
    );
  }
  return value === undefined || value === null ? [] : [[prefix, shorten(String(value))]];
}

function isShallow(value: unknown): value is Record<string, unknown> {
  if (!isMapping(value)) return false;
  return Object.values(value).every((member) => member === null || typeof member !== "object");
}

function shorten(text: string): string {
  return text.length > MAX_VALUE ? `${text.slice(0, MAX_VALUE)} …` : text;
}

/** The resolved settings of the study and the record of the run, flattened to one line a value. */
import { type Html, html } from "./html.ts";

/** Longest value that is shown, in characters. */
const MAX_VALUE = 300;

/** A small table for each part of study.yaml, and the part of manifest.json that is the same for equal runs. */
export function settingsSection(
  settings: Readonly<Record<string, unknown>>,
  manifest: Readonly<Record<string, unknown>>,
): Html {
  const plain = Object.entries(settings).filter(([, value]) => !isNested(value));
  const parts = Object.entries(settings).filter(([, value]) => isNested(value));
  const blocks = [
    { title: "study", rows: flatten(Object.fromEntries(plain)) },
    ...parts.map(([title, value]) => ({ title, rows: flatten(value) })),
    { title: "software", rows: flatten(lastingPart(manifest)) },
  ].filter((block) => block.rows.length > 0);
  return html`<div class="settings">${blocks.map(
    ({ title, rows }) =>
      html`<table class="keys"><caption>${title}</caption><tbody>${rows.map(
        ([key, value]) => html`<tr><th scope="row">${key}</th><td>${value}</td></tr>\n`,
      )}</tbody></table>`,
  )}</div>`;
}

/** Mappings, and lists that hold mappings. */
function isNested(value: unknown): boolean {
  return isMapping(value) || (Array.isArray(value) && value.some((item) => isMapping(item)));
}

function lastingPart(manifest: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { package: package_, git, versions, bases } = manifest;
  const hashes = Object.entries(isMapping(bases) ? bases : {}).map(([name, base]) => [
    name,
    isMapping(base) ? base.hash : base,
  ]);
  const { name, version } = isMapping(package_) ? package_ : {};
  return {
    ...(typeof name === "string" ? { [name]: version } : {}),
    git: isMapping(git) ? `${git.commit}${git.dirty === true ? " with changes" : ""}` : git,
    ...(isMapping(versions) ? versions : {}),
    "base model": Object.fromEntries(hashes),
  };
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Dotted keys with their values; a list of plain values, and an item of a list (named by its id), stay on one line. */
export function flatten(value: unknown, prefix = "", parent?: unknown): [string, string][] {
  if (Array.isArray(value) && value.every((item) => item === null || typeof item !== "object")) {
    return [[prefix, shorten(value.join(", "))]];
  }
  if (isShallow(value) && Array.isArray(parent)) {
    const { id, ...rest } = value;
    const members = Object.entries(rest).map(([key, member]) => `${key} ${member}`);
    return [[typeof id === "string" ? id : prefix, shorten(members.join(", "))]];
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

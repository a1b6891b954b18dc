/**
 * HTML by tagged template: every value is escaped unless it is `Html` itself, so text of a model or a file cannot
 * become markup by being forgotten. Characters that are invisible or reorder text are made visible.
 */

/** Markup that is safe to insert; made only by `html` and `trusted`. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }
}

type Value = Html | string | number | readonly Value[] | null | undefined | false;

/** Template tag: literals are markup; strings and numbers are escaped; lists are joined; null, undefined, false are empty. */
export function html(literals: TemplateStringsArray, ...values: readonly Value[]): Html {
  let text = literals[0] as string;
  values.forEach((value, i) => {
    text += render(value) + (literals[i + 1] as string);
  });
  return new Html(text);
}

function render(value: Value): string {
  if (value === null || value === undefined || value === false) return "";
  if (value instanceof Html) return value.text;
  if (typeof value === "object") return value.map(render).join("");
  return escapeHtml(String(value));
}

/** Declares text as markup. Only for our own assets and for SVG that was serialised by the plot library. */
export function trusted(markup: string): Html {
  return new Html(markup);
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Escapes text for element content and quoted attributes alike. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ESCAPES[character] as string);
}

/**
 * Control characters except tab and line feed, marks that change the direction of text (U+061C, U+200E/F, U+202A-E,
 * U+2066-9), invisible joiners, the byte order mark, and surrogates without their other half.
 */
const INVISIBLE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the purpose
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Escapes text that a model wrote, with invisible characters shown as their code point. */
export function modelText(text: string): Html {
  let markup = "";
  let from = 0;
  for (const match of text.matchAll(INVISIBLE)) {
    markup += escapeHtml(text.slice(from, match.index));
    const code = match[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");
    markup += `<span class="invisible">U+${code}</span>`;
    from = match.index + match[0].length;
  }
  return new Html(markup + escapeHtml(text.slice(from)));
}

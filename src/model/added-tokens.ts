/**
 * Added tokens: strings with an id of their own that are cut out of a text before it is split into words. Leftmost, then
 * longest match wins; `single_word`, `lstrip` and `rstrip` as in the Rust tokenizers library.
 *
 * Special tokens (end of text, roles of a chat) are found only on request: text of people and of models must not be able
 * to write them. Other added tokens are ordinary vocabulary and always found.
 */
import type { AddedTokenJson } from "./tokenizer-json.ts";

/** A part of a text: an added token by its id, or text between added tokens. */
export type Section =
  | { readonly id: number }
  | { readonly id?: undefined; readonly text: string; readonly start: number };

const WORD_CHARACTER = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u;

/** Finds a fixed set of added tokens. */
export class AddedTokens {
  readonly #tokens: ReadonlyMap<string, AddedTokenJson>;
  readonly #pattern: RegExp | undefined;

  constructor(
    tokens: readonly AddedTokenJson[],
    contentOf = (token: AddedTokenJson) => token.content,
  ) {
    this.#tokens = new Map(tokens.map((token) => [contentOf(token), token]));
    const longestFirst = [...this.#tokens.keys()].sort((a, b) => b.length - a.length);
    const source = longestFirst.map((content) => content.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"));
    this.#pattern = source.length === 0 ? undefined : new RegExp(source.join("|"), "gu");
  }

  /**
   * Parts of a text in order; empty texts are left out.
   * @param keepSpecial special tokens found in the text stay text
   */
  split(text: string, { keepSpecial }: { readonly keepSpecial: boolean }): Section[] {
    if (this.#pattern === undefined) return text === "" ? [] : [{ text, start: 0 }];
    const sections: Section[] = [];
    let at = 0;
    for (const match of text.matchAll(this.#pattern)) {
      const token = this.#tokens.get(match[0]) as AddedTokenJson;
      let start = match.index;
      let end = start + match[0].length;
      if (keepSpecial && token.special) continue;
      // A match inside white space that the token before has taken is gone with it.
      if (start < at || (token.single_word && !standsAlone(text, start, end))) continue;
      while (token.lstrip && start > at && isSpace(text, start - 1)) start -= 1;
      while (token.rstrip && isSpace(text, end)) end += 1;
      if (start > at) sections.push({ text: text.slice(at, start), start: at });
      sections.push({ id: token.id });
      at = end;
    }
    if (at < text.length) sections.push({ text: text.slice(at), start: at });
    return sections;
  }

  /** The text with every token of the set, as it stands there, replaced. */
  replaceIn(text: string, replace: (content: string) => string): string {
    return this.#pattern === undefined ? text : text.replace(this.#pattern, replace);
  }
}

/** White space as Unicode has it; all of it lies in the first plane. */
function isSpace(text: string, index: number): boolean {
  return /\p{White_Space}/u.test(text[index] ?? "");
}

function standsAlone(text: string, start: number, end: number): boolean {
  const before = [...text.slice(Math.max(0, start - 2), start)].at(-1) ?? "";
  const after = String.fromCodePoint(text.codePointAt(end) ?? 0x20);
  return !WORD_CHARACTER.test(before) && !WORD_CHARACTER.test(after);
}

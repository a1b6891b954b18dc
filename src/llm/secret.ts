/**
 * Keys, and text that a server sent. A key is held where neither JSON, nor string conversion, nor an inspector can reach
 * it, and is cut out of every text that leaves `providers/`, should a server echo it.
 */
import { inspect } from "node:util";
import { UsageError } from "../util/errors.ts";

const SHOWN = "[key]";
/** Below this length a key could be an ordinary word, and cutting it out would ruin answers. */
const SHORTEST_CUT = 8;

/** An API key. */
export class Secret {
  readonly #value: string;

  /**
   * @param name where it comes from, for the message, e.g. `ANTHROPIC_API_KEY`
   * @throws UsageError `usage.bad_key` when it cannot stand in a header; the text does not show it
   */
  constructor(value: string, name: string) {
    const trimmed = value.trim();
    if (!/^[\x21-\x7e]+$/.test(trimmed)) {
      throw new UsageError(
        `reading the key in ${name}: expected printable ASCII without spaces, found ${trimmed === "" ? "nothing" : "other characters"}`,
        { code: "usage.bad_key", hint: `set ${name} again; copy the key without quotes` },
      );
    }
    this.#value = trimmed;
  }

  /** The key itself; only for the header of a request. */
  reveal(): string {
    return this.#value;
  }

  /** The text without the key. */
  redact(text: string): string {
    if (this.#value.length < SHORTEST_CUT) return text;
    return text.includes(this.#value) ? text.replaceAll(this.#value, SHOWN) : text;
  }

  toString(): string {
    return SHOWN;
  }

  toJSON(): string {
    return SHOWN;
  }

  [inspect.custom](): string {
    return SHOWN;
  }
}

const MAX_ERROR_TEXT = 500;

/** A server's text for use in a message: without control characters, which could steer a terminal, and bounded. */
export function boundedText(text: string, maxLength = MAX_ERROR_TEXT): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
  const plain = text.slice(0, maxLength * 4).replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]+/g, " ");
  return plain.length <= maxLength ? plain : `${plain.slice(0, maxLength)}...`;
}

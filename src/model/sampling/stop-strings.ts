/**
 * Stop strings in a text that comes in pieces. The text ends at the stop string that is completed first, among those the
 * longest, so the outcome depends on the text alone and not on how it was cut into tokens. What may be the beginning of
 * a stop string is held back until it is decided.
 */
export class StopScanner {
  readonly #stops: readonly string[];
  #held = "";

  constructor(stops: readonly string[]) {
    this.#stops = stops.filter((stop) => stop !== "");
  }

  /** Takes the next piece; returns the text that is certain now, and the stop string that ended the text. */
  push(piece: string): { readonly text: string; readonly stop?: string } {
    if (this.#stops.length === 0) return { text: piece };
    const text = this.#held + piece;
    let first: { readonly stop: string; readonly start: number; readonly end: number } | undefined;
    for (const stop of this.#stops) {
      const start = text.indexOf(stop);
      const end = start + stop.length;
      if (start < 0) continue;
      if (first === undefined || end < first.end || (end === first.end && start < first.start)) {
        first = { stop, start, end };
      }
    }
    if (first !== undefined) {
      this.#held = "";
      return { text: text.slice(0, first.start), stop: first.stop };
    }
    const from = text.length - this.#openLength(text);
    this.#held = text.slice(from);
    return { text: text.slice(0, from) };
  }

  /** The text that was held back when no stop string can follow any more. */
  finish(): string {
    const rest = this.#held;
    this.#held = "";
    return rest;
  }

  /** Length of the longest end of `text` that begins a stop string. */
  #openLength(text: string): number {
    let longest = 0;
    for (const stop of this.#stops) {
      for (let size = Math.min(stop.length - 1, text.length); size > longest; size -= 1) {
        if (text.endsWith(stop.slice(0, size))) longest = size;
      }
    }
    return longest;
  }
}

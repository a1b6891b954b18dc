/**
 * Text of a growing list of tokens. A token may hold part of a character, and some decoders look at the token before, so
 * each piece is the difference between the decoded texts of a short window with and without the new tokens; a piece that
 * ends in an incomplete character waits for the next token.
 */
const REPLACEMENT = "\uFFFD";

export class TextStream {
  readonly #decode: (ids: readonly number[]) => string;
  readonly #ids: number[] = [];
  /** Window that gives the decoder its context: tokens from here to `#read` are given out already. */
  #start = 0;
  #read = 0;

  constructor(decode: (ids: readonly number[]) => string) {
    this.#decode = decode;
  }

  /** Takes a token; returns the text that is certain now. */
  push(id: number): string {
    this.#ids.push(id);
    const piece = this.#piece();
    if (piece === "" || piece.endsWith(REPLACEMENT)) return "";
    this.#start = this.#read;
    this.#read = this.#ids.length;
    return piece;
  }

  /** The rest when no token follows: an incomplete character becomes U+FFFD, as in the text of all tokens. */
  finish(): string {
    const piece = this.#piece();
    this.#start = this.#read;
    this.#read = this.#ids.length;
    return piece;
  }

  #piece(): string {
    const before = this.#decode(this.#ids.slice(this.#start, this.#read));
    return this.#decode(this.#ids.slice(this.#start)).slice(before.length);
  }
}

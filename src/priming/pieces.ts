/**
 * How text falls into tokens: a tag, a line feed, a number, a word or a symbol, each with the one space before it, is one piece.
 * A comma or full stop and the word after it are one piece too: the verdict on a value (`, no` or `, yes`) is then the token right
 * after the value, which a tiny model learns much faster than a verdict two tokens on. The same expression stands in `tokenizer.json`, so counting pieces is counting tokens.
 */

/** Source of the expression in the syntax shared by JavaScript and the Rust tokenizers library. */
export const PIECE_PATTERN =
  ", [a-z]+|\\. [A-Z][a-z]*| ?</?[a-z]+>|\\n| ?[0-9]+| ?[A-Za-z]+| ?[^\\sA-Za-z0-9]|\\s";

const PIECE = new RegExp(PIECE_PATTERN, "gu");

/** Pieces of a text, in order; joined they are the text again. */
export function splitPieces(text: string): string[] {
  return text.match(PIECE) ?? [];
}

/** Number of tokens of a text under the tokenizer of the tiny bases, end-of-text not counted. */
export function tokenCount(text: string): number {
  return splitPieces(text).length;
}

/**
 * Tokens of a request before it is sent. Two numbers with different uses: an upper bound that holds for every byte-level
 * tokenizer, from which the budget reserves, and an estimate for the price that a person is shown.
 */
import type { JsonObject, LlmRequest } from "./request.ts";

/** Marks of a chat template around each turn, and around the whole; chosen by us, above those of the public templates. */
const TOKENS_PER_MESSAGE = 16;
const TOKENS_PER_REQUEST = 64;

/**
 * Most input tokens that a request can have: a token of a byte-level vocabulary stands for at least one byte. Counts the
 * whole wire format, so that schemas and further members are covered.
 */
export function upperInputTokens(body: JsonObject): number {
  const messages = Array.isArray(body.messages) ? body.messages.length : 0;
  const bytes = Buffer.byteLength(JSON.stringify(body));
  return bytes + TOKENS_PER_REQUEST + TOKENS_PER_MESSAGE * messages;
}

/** Counts the tokens of a text, e.g. with the tokenizer of a model. */
export type CountTokens = (text: string) => number;

/** Estimated input tokens of a request: its texts under `countTokens`, and the usual marks around each turn. */
export function estimateInputTokens(
  request: Pick<LlmRequest, "messages">,
  countTokens: CountTokens = approximateTokens,
): number {
  const marks = 4; // of the public chat templates, a turn costs three to five tokens
  return request.messages.reduce((sum, { content }) => sum + countTokens(content) + marks, 3);
}

/** Pieces into which the tokenizers of large models cut a text before they look at their vocabulary. */
const PIECES = /[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+/gu;
/** Letters of a long word that one token holds on the average; chosen by us on English prompts. */
const LETTERS_PER_TOKEN = 9;

/** Tokens of a text without a tokenizer; within about a tenth of the tokenizers of Llama 3 and Qwen 2.5 on English prompts. */
export function approximateTokens(text: string): number {
  let tokens = 0;
  for (const [piece] of text.matchAll(PIECES)) {
    const bytes = Buffer.byteLength(piece);
    // Other scripts: about one token for each two bytes beyond ASCII.
    const beyondAscii = bytes - piece.length;
    tokens += Math.ceil(Math.max(1, piece.length / LETTERS_PER_TOKEN) + beyondAscii / 4);
  }
  return tokens;
}

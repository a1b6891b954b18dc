/**
 * Word-level vocabulary of the tiny bases and its Hugging Face `tokenizer.json`: every number, operator, tag and word that the
 * prompt, the teacher and the documents use. The model of the file is WordLevel with one Split expression before it and
 * a decoder that joins, so that decoding gives the text back byte for byte.
 */

import { DOCUMENT_TEXTS } from "./document-phrases.ts";
import * as phrases from "./phrases.ts";
import { PIECE_PATTERN, splitPieces } from "./pieces.ts";

export const PAD_TOKEN = "<pad>";
export const EOS_TOKEN = "<eos>";
export const UNKNOWN_TOKEN = "<unk>";

/** Special tokens; their ids are their places. */
export const SPECIAL_TOKENS = [PAD_TOKEN, EOS_TOKEN, UNKNOWN_TOKEN] as const;
export const PAD_ID = 0;
export const EOS_ID = 1;
export const UNKNOWN_ID = 2;

/** Largest number that is one token. */
export const LARGEST_NUMBER = 199;

const TAGS = ["\n", "<think>", "</think>", " </think>", "<answer>", " </answer>"];
const SYMBOLS = [" +", " -", " *", " /", " =", " (", " )", ".", ",", ":", phrases.FILLER];
/** Words of the prompt template and of joints that the teacher writes in code. */
const WORDS = "Use to make or and from";

/** All pieces in the order of their ids: special tokens, tags, symbols, numbers, words in order of the alphabet. */
export const VOCABULARY: readonly string[] = buildVocabulary();

const IDS: ReadonlyMap<string, number> = new Map(VOCABULARY.map((piece, id) => [piece, id]));

function buildVocabulary(): string[] {
  const words = new Set<string>();
  const texts = [WORDS, ` ${WORDS}`, ...Object.values(phrases).flat(2), ...DOCUMENT_TEXTS];
  for (const text of texts) {
    for (const piece of splitPieces(text.replace(/\$[a-z]+/gu, "").replace(/[{}]/gu, ""))) {
      const word = /[A-Za-z]+$/u.exec(piece)?.[0];
      if (word === undefined || piece.includes("<")) continue;
      // A phrase may follow a comma or full stop that another phrase ends with, so each word comes in both forms.
      words.add(` ${word}`);
      if (!piece.startsWith(" ")) words.add(piece);
      words.add(/^[A-Z]/u.test(word) ? `. ${word}` : `, ${word}`);
    }
  }
  const numbers = Array.from({ length: LARGEST_NUMBER + 1 }, (_, value) => ` ${value}`);
  return [...SPECIAL_TOKENS, ...TAGS, ...SYMBOLS, ...numbers, ...[...words].sort()];
}

/** Ids of a text; pieces outside the vocabulary become `<unk>`. Equal to the ids of `tokenizer.json`, and faster. */
export function encodePieces(text: string): number[] {
  return splitPieces(text).map((piece) => IDS.get(piece) ?? UNKNOWN_ID);
}

/** Contents of `tokenizer.json`. */
export function buildTokenizerJson(): object {
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: SPECIAL_TOKENS.map((content, id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: {
      type: "Split",
      pattern: { Regex: PIECE_PATTERN },
      behavior: "Isolated",
      invert: false,
    },
    post_processor: null,
    decoder: { type: "Fuse" },
    model: {
      type: "WordLevel",
      vocab: Object.fromEntries(IDS),
      unk_token: UNKNOWN_TOKEN,
    },
  };
}

/** Contents of `tokenizer_config.json`. */
export function buildTokenizerConfig(): object {
  return {
    tokenizer_class: "PreTrainedTokenizerFast",
    pad_token: PAD_TOKEN,
    eos_token: EOS_TOKEN,
    unk_token: UNKNOWN_TOKEN,
    clean_up_tokenization_spaces: false,
    add_bos_token: false,
    add_eos_token: false,
  };
}

/**
 * Encoder and decoder of any `tokenizer.json` through @huggingface/tokenizers, on sections without added tokens. Deviations
 * of the library (0.2.0) from the Rust reference that are put right here:
 * - `ByteFallback` gives one U+FFFD for each byte of an incomplete character, not one for the whole run.
 * - an id without a token is left out when decoding, not turned into the unknown token.
 */
import {
  ByteFallbackDecoder,
  type HubTokenizer,
  SequenceDecoder,
  Tokenizer,
} from "./hub-tokenizers.ts";
import type { TokenizerJson } from "./tokenizer-json.ts";

const STRICT_UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export class GenericCodec {
  readonly #hub: HubTokenizer;
  readonly #unknownId: number | undefined;

  /**
   * @param json contents of `tokenizer.json`; its added tokens are not looked at
   * @param hasModel false leaves the vocabulary out, for a caller with an encoder of its own: it takes seconds to build
   */
  constructor(json: TokenizerJson, { hasModel }: { readonly hasModel: boolean }) {
    const { decoder, post_processor, pre_tokenizer, normalizer } = json;
    const model = hasModel ? json.model : { type: "BPE", vocab: {}, merges: [] };
    const parts = { model, decoder, post_processor, pre_tokenizer, normalizer };
    const nulls = Object.fromEntries(
      Object.entries(parts).map(([key, part]) => [key, part ?? null]),
    );
    this.#hub = new Tokenizer({ ...json, ...nulls, added_tokens: [] }, {});
    const { unk_token: unknown, unk_id: unknownId } = json.model;
    this.#unknownId = unknownId ?? this.#hub.model.tokens_to_ids.get(unknown ?? "");
    const { decoder: chain } = this.#hub;
    for (const step of chain instanceof SequenceDecoder ? chain.decoders : [chain]) {
      if (step instanceof ByteFallbackDecoder) step.decode_chain = decodeByteFallback;
    }
  }

  normalize(text: string): string {
    return this.#hub.normalizer?.(text) ?? text;
  }

  /**
   * Appends the ids of a normalised section to `out`; text without a token becomes the unknown token, or nothing where
   * the vocabulary has none.
   * @param sectionIndex 0 at the start of the text, where some tokenizers add a space
   * @param forbidden ids that text cannot have
   */
  encode(
    text: string,
    out: number[],
    {
      sectionIndex,
      forbidden,
    }: { readonly sectionIndex: number; readonly forbidden?: ReadonlySet<number> },
  ): void {
    const { pre_tokenizer, model } = this.#hub;
    const pieces = pre_tokenizer?.(text, { section_index: sectionIndex }) ?? [text];
    for (const token of model(pieces)) {
      const found = model.tokens_to_ids.get(token);
      const id = found === undefined || forbidden?.has(found) === true ? this.#unknownId : found;
      if (id !== undefined) out.push(id);
    }
  }

  /** Tokens that the post-processor puts before a text. */
  startTokens(): string[] {
    const mark = "text";
    const tokens = this.#hub.post_processor?.([mark], null, true).tokens ?? [mark];
    return tokens.slice(0, tokens.indexOf(mark));
  }

  /** Text of a list of tokens. */
  decode(tokens: string[]): string {
    if (tokens.length === 0) return "";
    return this.#hub.decoder === null ? tokens.join(" ") : this.#hub.decoder(tokens);
  }
}

/** Joins runs of `<0xAB>` tokens into characters. */
function decodeByteFallback(tokens: string[]): string[] {
  const out: string[] = [];
  let bytes: number[] = [];
  const flush = () => {
    if (bytes.length === 0) return;
    try {
      out.push(STRICT_UTF8.decode(Uint8Array.from(bytes)));
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      out.push("\ufffd".repeat(bytes.length));
    }
    bytes = [];
  };
  for (const token of tokens) {
    const hex = /^<0x([0-9A-Fa-f]{2})>$/.exec(token)?.[1];
    if (hex === undefined) {
      flush();
      out.push(token);
    } else bytes.push(Number.parseInt(hex, 16));
  }
  flush();
  return out;
}

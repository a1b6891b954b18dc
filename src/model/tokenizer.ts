/**
 * Tokenizer of a checkpoint folder (`tokenizer.json` and the files beside it), equal to the Rust tokenizers library
 * (test/golden/tokenization.py). Byte-level BPE has an encoder of its own (byte-level-bpe.ts); everything else is run by
 * @huggingface/tokenizers (generic-codec.ts).
 *
 * Text is data: unless a caller asks, `<|im_end|>` in a text is ten characters and not the token of that name.
 */
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { writeFileAtomic } from "../data/atomic.ts";
import { AddedTokens, type Section } from "./added-tokens.ts";
import { ByteLevelBpe, bytesOfToken } from "./byte-level-bpe.ts";
import { GenericCodec } from "./generic-codec.ts";
import { byteStream, type TokenStream, windowStream } from "./token-stream.ts";
import { readTokenizerFiles, tokenizerFilesOf } from "./tokenizer-files.ts";
import type { SpecialTokens } from "./tokenizer-json.ts";

export interface EncodeOptions {
  /** `text` leaves special tokens that stand in the text as text; `parse` makes them tokens. Default `text`. */
  readonly specialTokens?: "text" | "parse";
}

export interface DecodeOptions {
  /** Writes special tokens by their names instead of leaving them out. */
  readonly keepSpecial?: boolean;
}

/** Encoder and decoder of one vocabulary. */
export class Tokenizer {
  /** Contents of `tokenizer.json` and `tokenizer_config.json`. */
  readonly json: unknown;
  readonly configJson: unknown;
  /** Every file of the tokenizer by its name, as `save` writes it. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Source of the chat template; undefined where the folder has none. */
  readonly chatTemplate: string | undefined;
  /** Names of the tokens with a role. */
  readonly roles: SpecialTokens;
  readonly bosTokenId: number | undefined;
  readonly eosTokenId: number | undefined;
  readonly padTokenId: number | undefined;
  /** Tokens that stand for no text: left out when decoding, and never made from text unless asked. */
  readonly specialIds: ReadonlySet<number>;
  /**
   * Tokens that every text of this model begins with, e.g. `<|begin_of_text|>`; often none. The post-processor of
   * `tokenizer.json` decides alone: like transformers 5, `add_bos_token` of `tokenizer_config.json` is not looked at.
   */
  readonly startIds: readonly number[];

  /** True where tokens are bytes, so that a stream of text is exact. */
  readonly isByteLevel: boolean;

  readonly #tokens: (string | undefined)[] = [];
  readonly #ids: ReadonlyMap<string, number>;
  readonly #rawAdded: AddedTokens;
  readonly #normalizedAdded: AddedTokens;
  readonly #special: AddedTokens;
  readonly #generic: GenericCodec;
  readonly #bpe: ByteLevelBpe | undefined;
  readonly #bytes: (Uint8Array | undefined)[] = [];
  readonly #forbidden: ReadonlySet<number>;

  /**
   * @param json contents of `tokenizer.json`
   * @param configJson contents of `tokenizer_config.json`
   */
  constructor(json: object, configJson: object = {}, files = tokenizerFilesOf(json, configJson)) {
    this.json = json;
    this.configJson = configJson;
    this.files = files.bytes;
    this.chatTemplate = files.chatTemplate;
    this.roles = files.roles;
    const { tokenizer, vocabulary } = files;
    const ids = new Map(vocabulary);
    for (const token of tokenizer.added_tokens) ids.set(token.content, token.id);
    for (const [token, id] of ids) this.#tokens[id] = token;
    this.#ids = ids;
    const idOfRole = (token: string | undefined) =>
      token === undefined ? undefined : ids.get(token);
    this.bosTokenId = idOfRole(files.roles.bos_token);
    this.eosTokenId = idOfRole(files.roles.eos_token);
    this.padTokenId = idOfRole(files.roles.pad_token);
    const added = tokenizer.added_tokens;
    this.specialIds = new Set(added.filter((t) => t.special).map((t) => t.id));
    const unknown = idOfRole(tokenizer.model.unk_token ?? undefined);
    this.#forbidden = new Set([...this.specialIds].filter((id) => id !== unknown));
    this.#bpe = ByteLevelBpe.of(tokenizer, vocabulary);
    this.#generic = new GenericCodec(tokenizer, { hasModel: this.#bpe === undefined });
    this.#rawAdded = new AddedTokens(added.filter((t) => !t.normalized));
    this.#special = new AddedTokens(added.filter((t) => t.special));
    this.#normalizedAdded = new AddedTokens(
      added.filter((t) => t.normalized),
      (token) => this.#generic.normalize(token.content),
    );
    this.isByteLevel = tokenizer.decoder?.type === "ByteLevel";
    this.startIds = this.#generic.startTokens().flatMap((token) => ids.get(token) ?? []);
  }

  /**
   * Reads the tokenizer of a folder.
   * @throws DataError `model.bad_tokenizer`.
   */
  static async load(folder: string): Promise<Tokenizer> {
    return readTokenizerFiles(
      folder,
      (files) => new Tokenizer(files.json, files.configJson, files),
    );
  }

  /** Number of ids: the largest id and one. A model may have more rows than that. */
  get size(): number {
    return this.#tokens.length;
  }

  /** Token ids of a text; nothing is added at the start or the end. */
  encode(text: string, { specialTokens = "text" }: EncodeOptions = {}): number[] {
    const keepSpecial = specialTokens === "text";
    return this.#encode(this.#rawAdded.split(text, { keepSpecial }), { keepSpecial });
  }

  /** The text with `mark` inside each name of a special token, for `encodeShielded`; the text must not hold the mark. */
  shieldSpecial(text: string, mark: string): string {
    return this.#special.replaceIn(text, (name) => {
      const first = String.fromCodePoint(name.codePointAt(0) as number);
      return first + mark + name.slice(first.length);
    });
  }

  /** Token ids of a text in which special tokens count, except where a mark stands inside; marks are taken out. */
  encodeShielded(text: string, mark: string): number[] {
    const sections = this.#rawAdded.split(text, { keepSpecial: false });
    const clean = sections.map((section) =>
      section.id === undefined ? { ...section, text: section.text.replaceAll(mark, "") } : section,
    );
    return this.#encode(clean, { keepSpecial: true });
  }

  #encode(sections: readonly Section[], options: { readonly keepSpecial: boolean }): number[] {
    const out: number[] = [];
    for (const outer of sections) {
      if (outer.id !== undefined) {
        out.push(outer.id);
        continue;
      }
      const normalized = this.#generic.normalize(outer.text);
      for (const inner of this.#normalizedAdded.split(normalized, options)) {
        if (inner.id !== undefined) out.push(inner.id);
        else if (this.#bpe !== undefined) this.#bpe.encode(inner.text, out);
        else {
          const sectionIndex = outer.start === 0 && inner.start === 0 ? 0 : 1;
          this.#generic.encode(inner.text, out, { sectionIndex, forbidden: this.#forbidden });
        }
      }
    }
    return out;
  }

  /**
   * Token ids of a prompt: the start tokens of the model, once, and the text. A prompt is made from a template, which may
   * name special tokens; pass `text` for a prompt of someone else.
   */
  encodePrompt(text: string, options: EncodeOptions = { specialTokens: "parse" }): number[] {
    const ids = this.encode(text, options);
    const hasStart = this.startIds.length > 0 && this.startIds.every((id, i) => ids[i] === id);
    return hasStart ? ids : [...this.startIds, ...ids];
  }

  /** Text of token ids; ids outside the vocabulary give none. Bytes that are no UTF-8 become U+FFFD. */
  decode(ids: readonly number[], options: DecodeOptions = {}): string {
    if (this.isByteLevel) {
      const stream = this.stream(options);
      const text = ids.map((id) => stream.push(id)).join("");
      return text + stream.end();
    }
    const tokens: string[] = [];
    for (const id of ids) {
      const token = this.#tokens[id];
      if (token !== undefined && (options.keepSpecial || !this.specialIds.has(id)))
        tokens.push(token);
    }
    return this.#generic.decode(tokens);
  }

  /** Decoder of tokens as they arrive. */
  stream(options: DecodeOptions = {}): TokenStream {
    if (!this.isByteLevel) return windowStream((ids) => this.decode(ids, options));
    return byteStream((id) =>
      options.keepSpecial || !this.specialIds.has(id) ? this.#bytesOf(id) : undefined,
    );
  }

  /** Id of a token of the vocabulary, or undefined. */
  idOf(token: string): number | undefined {
    return this.#ids.get(token);
  }

  /** Token of an id as the vocabulary writes it, or undefined. */
  tokenOf(id: number): string | undefined {
    return this.#tokens[id];
  }

  /** Writes the files of the tokenizer into a folder, byte for byte those that were loaded. */
  async save(folder: string): Promise<void> {
    await mkdir(folder, { recursive: true });
    for (const [name, bytes] of this.files) await writeFileAtomic(path.join(folder, name), bytes);
  }

  #bytesOf(id: number): Uint8Array | undefined {
    const token = this.#tokens[id];
    if (token === undefined) return undefined;
    const bytes = this.#bytes[id] ?? bytesOfToken(token);
    this.#bytes[id] = bytes;
    return bytes;
  }
}

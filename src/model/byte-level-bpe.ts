/**
 * Byte-level BPE on integers: the encoder of GPT-2, Llama 3, Qwen and most later decoders. It gives the ids of the library's
 * generic path (generic-codec.ts), several times faster: a piece of text is looked up in a cache before it becomes bytes, and
 * merges are pairs of ids in an open-addressed table instead of strings.
 *
 * Merging (Sennrich et al. 2016) takes the pair of lowest rank, leftmost first, until no pair has a rank. A heap makes it
 * O(n log n), so that one long piece (a megabyte of one letter) is not quadratic.
 */
import { SplitPreTokenizer } from "./hub-tokenizers.ts";
import type { ModelJson, PreTokenizerJson, TokenizerJson } from "./tokenizer-json.ts";
import { withoutNewCharacters } from "./unicode-version.ts";

/** The expression of the `ByteLevel` pre-tokenizer. */
const GPT2_PATTERN =
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

/** Pieces kept with their ids; chosen by us: a table of this size holds the words of a large corpus in about 10 MB. */
const CACHE_SIZE = 1 << 16;
const LONGEST_CACHED = 64;

/** Character that stands for each byte in a byte-level vocabulary: printable Latin-1 as itself, the rest from U+0100 on. */
export const BYTE_CHARACTERS: readonly string[] = (() => {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => {
    const isPrintable = (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
    return String.fromCharCode(isPrintable ? byte : next++);
  });
})();

const BYTE_OF_CHARACTER = new Map(BYTE_CHARACTERS.map((character, byte) => [character, byte]));
const UTF8 = new TextEncoder();

/** Bytes of a vocabulary entry; an entry with a character that stands for no byte is plain text, as in the reference. */
export function bytesOfToken(token: string): Uint8Array {
  const bytes = new Uint8Array(token.length);
  for (let i = 0; i < token.length; i += 1) {
    const byte = BYTE_OF_CHARACTER.get(token[i] as string);
    if (byte === undefined) return UTF8.encode(token);
    bytes[i] = byte;
  }
  return bytes;
}

/** Ranks and results of all merges, keyed by the pair of ids. */
class MergeTable {
  readonly #mask: number;
  /** Four numbers a slot: left id or -1, right id, rank, merged id. */
  readonly #slots: Int32Array;

  constructor(merges: NonNullable<ModelJson["merges"]>, vocabulary: ReadonlyMap<string, number>) {
    let size = 1024;
    while (size < 2 * merges.length) size *= 2;
    this.#mask = size - 1;
    this.#slots = new Int32Array(4 * size).fill(-1);
    merges.forEach((merge, rank) => {
      const [left, right] = typeof merge === "string" ? splitMerge(merge) : merge;
      const leftId = vocabulary.get(left);
      const rightId = vocabulary.get(right);
      const merged = vocabulary.get(left + right);
      if (leftId === undefined || rightId === undefined || merged === undefined) {
        throw new Error(
          `merge ${rank} "${left} ${right}": not all three tokens are in model.vocab`,
        );
      }
      const at = this.find(leftId, rightId);
      this.#slots.set([leftId, rightId, rank, merged], at);
    });
  }

  /** Index of the slot that holds the pair, or of the free slot where it belongs. */
  find(left: number, right: number): number {
    const slots = this.#slots;
    let slot = (Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca6b)) >>> 0;
    slot = (slot ^ (slot >>> 15)) & this.#mask;
    while (slots[4 * slot] !== -1 && (slots[4 * slot] !== left || slots[4 * slot + 1] !== right)) {
      slot = (slot + 1) & this.#mask;
    }
    return 4 * slot;
  }

  /** Rank of the pair in a slot; -1 when the slot is free. */
  rankAt(slot: number): number {
    return this.#slots[slot + 2] as number;
  }

  mergedAt(slot: number): number {
    return this.#slots[slot + 3] as number;
  }
}

function splitMerge(merge: string): [string, string] {
  const space = merge.indexOf(" ");
  return [merge.slice(0, space), merge.slice(space + 1)];
}

/** Encoder of sections of text that hold no added token. */
export class ByteLevelBpe {
  readonly #patterns: readonly RegExp[];
  readonly #merges: MergeTable;
  readonly #idOfByte: Int32Array;
  /** Whole pieces that are tokens whatever the merges say; empty unless the model ignores merges for them. */
  readonly #wholePieces: ReadonlyMap<string, number> | undefined;
  readonly #cache = new Map<string, readonly number[]>();

  private constructor(
    model: ModelJson,
    vocabulary: ReadonlyMap<string, number>,
    patterns: readonly RegExp[],
  ) {
    this.#patterns = patterns;
    this.#merges = new MergeTable(model.merges ?? [], vocabulary);
    this.#idOfByte = Int32Array.from(BYTE_CHARACTERS, (c) => vocabulary.get(c) as number);
    this.#wholePieces = model.ignore_merges === true ? vocabulary : undefined;
  }

  /**
   * The encoder of a `tokenizer.json`, or undefined where its parts are not those of a plain byte-level BPE.
   * @param vocabulary the entries of `model.vocab`
   */
  static of(
    { model, pre_tokenizer, decoder }: TokenizerJson,
    vocabulary: ReadonlyMap<string, number>,
  ): ByteLevelBpe | undefined {
    if (model.type !== "BPE" || decoder?.type !== "ByteLevel" || !isPlainBpe(model))
      return undefined;
    if (BYTE_CHARACTERS.some((character) => !vocabulary.has(character))) return undefined;
    const patterns = patternsOf(pre_tokenizer);
    return patterns === undefined ? undefined : new ByteLevelBpe(model, vocabulary, patterns);
  }

  /** Appends the ids of a normalised section to `out`. */
  encode(text: string, out: number[]): void {
    // Pieces are cut from the text by the lengths found in a stand-in of equal length.
    const standIn = withoutNewCharacters(text);
    let at = 0;
    for (const piece of split(standIn, this.#patterns)) {
      const end = at + piece.length;
      const ids = this.#encodePiece(standIn === text ? piece : text.slice(at, end));
      for (let i = 0; i < ids.length; i += 1) out.push(ids[i] as number);
      at = end;
    }
  }

  #encodePiece(piece: string): readonly number[] {
    const cached = this.#cache.get(piece);
    if (cached !== undefined) return cached;
    const bytes = UTF8.encode(piece);
    const whole = this.#wholePieces?.get(byteCharacters(bytes));
    const ids = whole === undefined ? this.#merge(bytes) : [whole];
    if (piece.length <= LONGEST_CACHED) {
      if (this.#cache.size >= CACHE_SIZE) this.#cache.clear();
      // A piece is a slice that would keep its whole text alive; a copy is not.
      this.#cache.set(Buffer.from(piece, "utf16le").toString("utf16le"), ids);
    }
    return ids;
  }

  /** Hot loop: symbols form a linked list over byte positions; the heap holds `rank * n + position` of candidate pairs. */
  #merge(bytes: Uint8Array): number[] {
    const n = bytes.length;
    const merges = this.#merges;
    const ids = Int32Array.from(bytes, (byte) => this.#idOfByte[byte] as number);
    const next = Int32Array.from(ids, (_, i) => (i + 1 < n ? i + 1 : -1));
    const previous = Int32Array.from(ids, (_, i) => i - 1);
    const heap = new MinHeap();
    const propose = (position: number) => {
      const right = next[position]!;
      if (right < 0) return;
      const rank = merges.rankAt(merges.find(ids[position]!, ids[right]!));
      if (rank >= 0) heap.push(rank * n + position);
    };
    for (let i = 0; i + 1 < n; i += 1) propose(i);
    for (let key = heap.pop(); key !== undefined; key = heap.pop()) {
      const position = key % n;
      const right = next[position]!;
      // A removed symbol has id -1; a pair whose sides changed since has another rank or none.
      if (ids[position]! < 0 || right < 0) continue;
      const slot = merges.find(ids[position]!, ids[right]!);
      if (merges.rankAt(slot) !== Math.floor(key / n)) continue;
      ids[position] = merges.mergedAt(slot);
      ids[right] = -1;
      const after = next[right]!;
      next[position] = after;
      if (after >= 0) previous[after] = position;
      propose(position);
      if (previous[position]! >= 0) propose(previous[position]!);
    }
    const out: number[] = [];
    for (let at = 0; at >= 0 && at < n; at = next[at]!) out.push(ids[at]!);
    return out;
  }
}

/** Binary heap of numbers, smallest first. */
class MinHeap {
  readonly #keys: number[] = [];

  push(key: number): void {
    const keys = this.#keys;
    let at = keys.push(key) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (keys[parent]! <= key) break;
      keys[at] = keys[parent]!;
      at = parent;
    }
    keys[at] = key;
  }

  pop(): number | undefined {
    const keys = this.#keys;
    const top = keys[0];
    const last = keys.pop();
    if (keys.length === 0 || last === undefined) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= keys.length) break;
      if (child + 1 < keys.length && keys[child + 1]! < keys[child]!) child += 1;
      if (keys[child]! >= last) break;
      keys[at] = keys[child]!;
      at = child;
    }
    keys[at] = last;
    return top;
  }
}

function byteCharacters(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += BYTE_CHARACTERS[byte];
  return text;
}

function isPlainBpe(model: ModelJson): boolean {
  return (
    (model.dropout ?? 0) === 0 &&
    (model.continuing_subword_prefix ?? "") === "" &&
    (model.end_of_word_suffix ?? "") === ""
  );
}

/** Expressions that isolate their matches one after the other, or undefined for a pre-tokenizer of another kind. */
function patternsOf(json: PreTokenizerJson | null | undefined): RegExp[] | undefined {
  const steps = json?.type === "Sequence" ? (json.pretokenizers ?? []) : [json];
  const last = steps.at(-1);
  if (last?.type !== "ByteLevel" || last.add_prefix_space === true) return undefined;
  const patterns: RegExp[] = [];
  for (const step of steps.slice(0, -1)) {
    if (
      step?.type === "Split" &&
      step.behavior === "Isolated" &&
      step.invert !== true &&
      step.pattern
    ) {
      patterns.push(compilePattern(step.pattern));
    } else if (step?.type === "Digits") {
      patterns.push(step.individual_digits === true ? /\p{N}/gu : /\p{N}+/gu);
    } else {
      return undefined;
    }
  }
  if (last.use_regex !== false) patterns.push(compilePattern({ Regex: GPT2_PATTERN }));
  return patterns;
}

/**
 * The library's translation of an Oniguruma expression. Ignoring case, Oniguruma takes the long s (U+017F) for an s and
 * the Kelvin sign (U+212A) for a k, which the translation leaves out.
 */
function compilePattern(pattern: { readonly Regex: string } | { readonly String: string }): RegExp {
  const options = { type: "Split", pattern, behavior: "Isolated", invert: false };
  const { source, flags } = new SplitPreTokenizer(options).pattern;
  const ignoresCase = "Regex" in pattern && pattern.Regex.includes("(?i");
  if (!ignoresCase) return new RegExp(source, flags);
  return new RegExp(
    source.replaceAll("[sS]", "[sS\u017f]").replaceAll("[kK]", "[kK\u212a]"),
    flags,
  );
}

/** The matches of the first expression and the text between them, each divided by the expressions that follow. */
function* split(text: string, patterns: readonly RegExp[]): Generator<string> {
  const [pattern, ...rest] = patterns;
  if (pattern === undefined) {
    if (text !== "") yield text;
    return;
  }
  let at = 0;
  for (const match of text.matchAll(pattern)) {
    if (match.index > at) yield* split(text.slice(at, match.index), rest);
    if (match[0] !== "") yield* split(match[0], rest);
    at = match.index + match[0].length;
  }
  if (at < text.length) yield* split(text.slice(at), rest);
}

/**
 * Sequences that are decoded side by side, with their cached keys and values in one rectangle: (B, K, C, d) for each layer and
 * side. A decoding step returns only the new keys and values, which are written into it here. B and C follow the live
 * sequences: finished ones are compacted away, C grows in blocks. What a row computes does not depend on B, C or its place.
 */
import type { Program } from "../../engine/index.ts";
import type { ModelConfig } from "../config.ts";
import { MASKED } from "../transformer.ts";
import { batchBucket, cacheBucket, cacheNames } from "./programs.ts";
import type { Sequence } from "./sequence.ts";

/** Where the cached keys and values of a sequence are: row `index` of arrays with room for `capacity` positions. */
export interface KeyValueSource {
  readonly arrays: Readonly<Record<string, Float32Array>>;
  readonly index: number;
  readonly capacity: number;
}

/** A sequence to be taken in. */
export interface Entry {
  readonly sequence: Sequence;
  readonly source: KeyValueSource;
}

export class DecodeGroup {
  readonly #config: ModelConfig;
  readonly #names: readonly string[];
  #rows: (Sequence | undefined)[] = [];
  #capacity = 0;
  #cache: Record<string, Float32Array> = {};
  #mask = new Float32Array(0);
  /** Results of a step, written in place by the runtime. */
  #results: Record<string, Float32Array> = {};

  constructor(config: ModelConfig) {
    this.#config = config;
    this.#names = cacheNames(config);
  }

  /** Live sequences. */
  get sequences(): Sequence[] {
    return this.#rows.filter((row) => row !== undefined);
  }

  /** Removes a sequence; its row is free at once. */
  remove(sequence: Sequence): boolean {
    const at = this.#rows.indexOf(sequence);
    if (at >= 0) this.#rows[at] = undefined;
    return at >= 0;
  }

  /** Takes a sequence out, to be put into another group before this one takes its next step. */
  takeOut(sequence: Sequence): Entry {
    const index = this.#rows.indexOf(sequence);
    this.#rows[index] = undefined;
    return { sequence, source: { arrays: this.#cache, index, capacity: this.#capacity } };
  }

  /** Makes room for the next position of each row, takes in new sequences, and drops empty rows that are not needed. */
  arrange(entries: readonly Entry[]): void {
    const live = this.#rows.flatMap((sequence, index) =>
      sequence === undefined ? [] : [{ sequence, index }],
    );
    const all = [...live, ...entries];
    const B = all.length === 0 ? 0 : batchBucket(all.length);
    const longest = all.reduce((most, { sequence }) => Math.max(most, sequence.length), 0);
    const needed = cacheBucket(longest + 1);
    const stays = B === this.#rows.length && needed <= this.#capacity;
    if (stays && entries.length === 0) return;
    const old = { arrays: this.#cache, capacity: this.#capacity };
    let moved: readonly { sequence: Sequence; source: KeyValueSource }[] = entries;
    if (!stays) {
      this.#allocate(B, B === this.#rows.length ? Math.max(needed, this.#capacity) : needed);
      const kept = live.map(({ sequence, index }) => ({ sequence, source: { ...old, index } }));
      moved = [...kept, ...entries];
    }
    let to = 0;
    for (const { sequence, source } of moved) {
      while (this.#rows[to] !== undefined) to += 1;
      this.#rows[to] = sequence;
      this.#copyIn(to, sequence.length, source);
    }
  }

  /** One decoding step: each live sequence reads its last token and chooses the next. */
  async step(
    programOf: (B: number, C: number, withLogits: boolean) => Promise<Program>,
    weights: Readonly<Record<string, Float32Array>>,
  ): Promise<void> {
    const [B, C] = [this.#rows.length, this.#capacity];
    const tokens = new Int32Array(B).fill(this.#config.padTokenId);
    const positions = new Int32Array(B);
    const inverseTemperature = new Float32Array(B).fill(1);
    let withLogits = false;
    this.#rows.forEach((row, b) => {
      if (row === undefined) return;
      tokens[b] = row.token;
      positions[b] = row.length;
      inverseTemperature[b] = row.inverseTemperature;
      withLogits ||= row.settings.topLogProbs !== undefined;
    });
    const program = await programOf(B, C, withLogits);
    if (withLogits) this.#results.logits ??= new Float32Array(B * this.#config.vocabSize);
    const step = { tokens, positions, inverse_temperature: inverseTemperature, mask: this.#mask };
    await program.run({ ...weights, ...step, ...this.#cache }, this.#results);
    this.#writeBack(B, C);
    const probabilities = this.#results.probabilities as Float32Array;
    this.#rows.forEach((row, b) => {
      if (row === undefined) return;
      this.#mask[b * C + row.length] = 0;
      row.length += 1;
      const logits = withLogits ? this.#results.logits : undefined;
      row.choose(probabilities, b * this.#config.vocabSize, this.#config, logits);
      if (row.stopReason !== undefined) this.#rows[b] = undefined;
    });
  }

  /** Writes the new keys and values of the live rows into the cache. */
  #writeBack(B: number, C: number): void {
    const { kvHeads: K, headDim: d } = this.#config;
    for (const name of this.#names) {
      const from = this.#results[`new.${name}`] as Float32Array;
      const to = this.#cache[name] as Float32Array;
      for (let b = 0; b < B; b += 1) {
        const row = this.#rows[b];
        if (row === undefined) continue;
        for (let h = b * K; h < (b + 1) * K; h += 1) {
          const target = (h * C + row.length) * d;
          for (let i = 0; i < d; i += 1) to[target + i] = from[h * d + i] as number;
        }
      }
    }
  }

  #allocate(B: number, capacity: number): void {
    const { kvHeads: K, headDim: d, vocabSize: V } = this.#config;
    this.#rows = new Array<undefined>(B).fill(undefined);
    this.#capacity = capacity;
    this.#mask = new Float32Array(B * capacity).fill(MASKED);
    this.#cache = {};
    this.#results = { probabilities: new Float32Array(B * V) };
    for (const name of this.#names) {
      this.#cache[name] = new Float32Array(B * K * capacity * d);
      this.#results[`new.${name}`] = new Float32Array(B * K * d);
    }
  }

  /** Copies the first `length` positions of a sequence into row `b`. */
  #copyIn(b: number, length: number, { arrays, index, capacity }: KeyValueSource): void {
    const { kvHeads: K, headDim: d } = this.#config;
    const C = this.#capacity;
    for (const name of this.#names) {
      const from = arrays[name] as Float32Array;
      const to = this.#cache[name] as Float32Array;
      for (let h = 0; h < K; h += 1) {
        const start = (index * K + h) * capacity * d;
        to.set(from.subarray(start, start + length * d), (b * K + h) * C * d);
      }
    }
    this.#mask.fill(MASKED, b * C, (b + 1) * C).fill(0, b * C, b * C + length);
  }
}

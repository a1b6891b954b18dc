/**
 * Continuous batching: sequences are admitted between decoding steps and leave when they end. The prompts of newly admitted
 * sequences are read in rectangles of similar length, each distinct prompt once; its samples get copies of its keys and values.
 */
import type { Program, ProgramCache } from "../../engine/index.ts";
import type { ModelConfig } from "../config.ts";
import { DecodeGroup, type Entry, type KeyValueSource } from "./decode-group.ts";
import { softmaxOf } from "./distribution.ts";
import {
  batchBucket,
  cacheNames,
  cacheTier,
  decodeProgram,
  prefillProgram,
  promptBucket,
} from "./programs.ts";
import type { Prompt, Sequence } from "./sequence.ts";

/** Most tokens of one prefill rectangle of several prompts; more cost memory and are no faster. */
const PREFILL_TOKENS = 8192;

/** A prompt that several sequences may share. */
export class SharedPrompt implements Prompt {
  readonly ids: readonly number[];
  /** Sequences that are still to start from it; its keys and values are kept so long. */
  uses: number;
  state: { readonly source: KeyValueSource; readonly logits: Float32Array } | undefined;

  constructor(ids: readonly number[], uses: number) {
    this.ids = ids;
    this.uses = uses;
  }
}

export class Decoder {
  readonly #config: ModelConfig;
  readonly #programs: ProgramCache;
  readonly #weights: Readonly<Record<string, Float32Array>>;
  /** Groups by tier of the length of their sequences. */
  readonly #groups = new Map<number, DecodeGroup>();
  #prefilledPrompts = 0;

  constructor(
    config: ModelConfig,
    programs: ProgramCache,
    weights: Readonly<Record<string, Float32Array>>,
  ) {
    this.#config = config;
    this.#programs = programs;
    this.#weights = weights;
  }

  /** Sequences that are being decoded. */
  get sequences(): Sequence[] {
    return [...this.#groups.values()].flatMap((group) => group.sequences);
  }

  /** Prompts that were read so far. */
  get prefilledPrompts(): number {
    return this.#prefilledPrompts;
  }

  /** Reads the prompts of new sequences and chooses the first token of each. */
  async admit(sequences: readonly Sequence<SharedPrompt>[]): Promise<void> {
    const fresh = new Set(sequences.map(({ prompt }) => prompt));
    await this.#prefill([...fresh].filter(({ state }) => state === undefined));
    const entries: Entry[] = [];
    for (const sequence of sequences) {
      const { prompt } = sequence;
      const { source, logits } = prompt.state as NonNullable<SharedPrompt["state"]>;
      const V = this.#config.vocabSize;
      const at = source.index * V;
      const probabilities = softmaxOf(logits, at, V, sequence.inverseTemperature);
      sequence.length = prompt.ids.length;
      sequence.choose(probabilities, 0, this.#config, logits.subarray(at, at + V));
      if (sequence.stopReason === undefined) entries.push({ sequence, source });
      prompt.uses -= 1;
      if (prompt.uses === 0) prompt.state = undefined;
    }
    this.#distribute(entries);
  }

  /** One token for each sequence; the ones that end are removed. */
  async step(): Promise<void> {
    this.#regroup();
    const programOf = (B: number, C: number, withLogits: boolean): Promise<Program> =>
      decodeProgram(this.#programs, this.#config, B, C, withLogits);
    for (const group of this.#groups.values()) await group.step(programOf, this.#weights);
  }

  /** Takes a sequence out of the batch before its end. */
  remove(sequence: Sequence): void {
    for (const group of this.#groups.values()) if (group.remove(sequence)) return;
  }

  /** Moves sequences that outgrew their tier, and fits every group to its live sequences. */
  #regroup(): void {
    const outgrown = [...this.#groups].flatMap(([tier, group]) =>
      group.sequences
        .filter((sequence) => cacheTier(sequence.length + 1) !== tier)
        .map((sequence) => group.takeOut(sequence)),
    );
    this.#distribute(outgrown);
    for (const [tier, group] of this.#groups) {
      if (group.sequences.length === 0) this.#groups.delete(tier);
      else group.arrange([]);
    }
  }

  #distribute(entries: readonly Entry[]): void {
    const tiers = new Set(entries.map(({ sequence }) => cacheTier(sequence.length + 1)));
    for (const tier of tiers) {
      const members = entries.filter(({ sequence }) => cacheTier(sequence.length + 1) === tier);
      const group = this.#groups.get(tier) ?? new DecodeGroup(this.#config);
      this.#groups.set(tier, group);
      group.arrange(members);
    }
  }

  /** Reads prompts in rectangles of similar length. */
  async #prefill(prompts: readonly SharedPrompt[]): Promise<void> {
    const ascending = [...prompts].sort((a, b) => a.ids.length - b.ids.length);
    let rectangle: SharedPrompt[] = [];
    for (const prompt of ascending) {
      const shortest = rectangle[0]?.ids.length ?? prompt.ids.length;
      const tokens = (rectangle.length + 1) * prompt.ids.length;
      const fits = tokens <= PREFILL_TOKENS && prompt.ids.length <= 2 * shortest;
      if (rectangle.length > 0 && !fits) {
        await this.#prefillRectangle(rectangle);
        rectangle = [];
      }
      rectangle.push(prompt);
    }
    if (rectangle.length > 0) await this.#prefillRectangle(rectangle);
  }

  async #prefillRectangle(prompts: readonly SharedPrompt[]): Promise<void> {
    const B = batchBucket(prompts.length);
    const T = promptBucket((prompts[prompts.length - 1] as SharedPrompt).ids.length);
    const tokens = new Int32Array(B * T).fill(this.#config.padTokenId);
    const last = new Int32Array(B);
    prompts.forEach(({ ids }, b) => {
      tokens.set(ids, b * T);
      last[b] = b * T + ids.length - 1;
    });
    const program = await prefillProgram(this.#programs, this.#config, B, T);
    const out = await program.run({ ...this.#weights, tokens, last });
    const arrays = Object.fromEntries(
      cacheNames(this.#config).map((name) => [name, out[`new.${name}`] as Float32Array]),
    );
    const logits = out.logits as Float32Array;
    prompts.forEach((prompt, index) => {
      prompt.state = { source: { arrays, index, capacity: T }, logits };
    });
    this.#prefilledPrompts += prompts.length;
  }
}

/**
 * The only source of randomness. A `Random` is a seeded xoroshiro128+ stream (pure-rand); sub-streams are derived
 * by name from the seed, never from the state, so the order in which streams are made does not matter.
 * Named streams in use: `puzzle`, `teacher`, `corpus`, `init`, `minibatch`, `sampling`, `bootstrap`.
 */
import { createHash } from "node:crypto";
import {
  type xoroshiro128plus,
  xoroshiro128plusFromState,
} from "pure-rand/generator/xoroshiro128plus";

type Generator = ReturnType<typeof xoroshiro128plus>;

/** Serialisable position of a stream; restoring it continues the same sequence. */
export interface RandomState {
  readonly key: string;
  readonly state: readonly number[];
}

/** A seeded stream of random numbers. */
export class Random {
  readonly #key: string;
  readonly #generator: Generator;

  private constructor(key: string, generator: Generator) {
    this.#key = key;
    this.#generator = generator;
  }

  /** Stream for a seed and a path of names; equal arguments give equal streams. */
  static of(seed: number | string, ...names: readonly (string | number)[]): Random {
    const key = [String(seed), ...names.map(String)].join("/");
    const digest = createHash("sha256").update(key).digest();
    return new Random(
      key,
      xoroshiro128plusFromState([0, 4, 8, 12].map((at) => digest.readInt32LE(at))),
    );
  }

  /** Continues a stream from a saved state. */
  static restore(saved: RandomState): Random {
    return new Random(saved.key, xoroshiro128plusFromState([...saved.state]));
  }

  /** Position of this stream, to be given to `restore`. */
  save(): RandomState {
    return { key: this.#key, state: [...this.#generator.getState()] };
  }

  /** Stream named below this one; independent of how much of this one was used. */
  stream(...names: readonly (string | number)[]): Random {
    return Random.of(this.#key, ...names);
  }

  /** Unsigned 32-bit integer. */
  uint32(): number {
    return this.#generator.next() >>> 0;
  }

  /** Number in [0, 1) with 53 random bits. */
  uniform(): number {
    const high = this.uint32() >>> 5; // 27 bits
    const low = this.uint32() >>> 6; // 26 bits
    return (high * 67_108_864 + low) / 9_007_199_254_740_992;
  }

  /** Integer in [low, high], both included; the range must be below 2^32. Bias is below 2^-20 for ranges to 4096. */
  integer(low: number, high: number): number {
    return low + Math.floor((this.uint32() / 4_294_967_296) * (high - low + 1));
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.uniform() < probability;
  }

  /** One element of a non-empty list. */
  pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new RangeError("cannot pick from an empty list");
    return items[this.integer(0, items.length - 1)] as T;
  }

  /** New list with the same elements in random order (Fisher-Yates). */
  shuffle<T>(items: readonly T[]): T[] {
    const result = [...items];
    for (let i = result.length - 1; i > 0; i -= 1) {
      const j = this.integer(0, i);
      [result[i], result[j]] = [result[j] as T, result[i] as T];
    }
    return result;
  }

  /** Standard normal number (Box-Muller, one of the pair). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }
}

/**
 * Batched sampling with a key-value cache. The cache is a buffer (B, H, C, d) for each layer and side; a decoding step returns
 * only the new keys and values, which are written into it here. C grows in blocks of 32 positions and finished sequences
 * are compacted away, so that a step costs what its live sequences need. Programs are built once for each (B, C) bucket.
 *
 * Randomness of a sequence comes from its own stream, named by the seed and the key of its request.
 */
import {
  GraphBuilder,
  gather,
  mul,
  type Program,
  ProgramCache,
  reshape,
  softmax,
  type Tensor,
} from "../engine/index.ts";
import { Random } from "../random/random.ts";
import { DataError } from "../util/errors.ts";
import type { ModelConfig } from "./config.ts";
import { languageModelSpecs, type Parameters } from "./parameters.ts";
import {
  declareParameters,
  decodeStep,
  type LayerKeyValues,
  logitsOf,
  MASKED,
  trunk,
} from "./transformer.ts";

export interface SampleRequest {
  readonly promptIds: readonly number[];
  /** Names the random stream of this sequence below the seed, e.g. `[puzzleId, sample]`. */
  readonly key: readonly (string | number)[];
}

export interface SampledSequence {
  /** Generated tokens, with the end-of-text token when the sequence ended by itself. */
  readonly ids: number[];
  /** Log-probability of each generated token under the sampling distribution. */
  readonly logProbs: number[];
  readonly stopReason: "stop" | "length";
}

export interface SampleOptions {
  readonly seed: number | string;
  readonly maxNewTokens: number;
  /** 1 samples from the model's distribution; 0 takes the most likely token. */
  readonly temperature: number;
  /** Sequences that are decoded side by side; 256 where a caller has no reason for less. */
  readonly batchSize: number;
  readonly signal?: AbortSignal;
  /** Called after each finished sequence. */
  readonly onSequence?: (index: number) => void;
}

const CACHE_BLOCK = 32;
const BATCH_BUCKETS = [1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512];

interface Row {
  readonly request: number;
  readonly random: Random;
  readonly ids: number[];
  readonly logProbs: number[];
  /** Positions already in the cache. */
  length: number;
  token: number;
}

/** Sampling programs of one model shape; weights are given at each call. */
export class Sampler {
  readonly #config: ModelConfig;
  readonly #programs: ProgramCache;

  constructor(config: ModelConfig, options: { readonly threads?: number } = {}) {
    this.#config = config;
    this.#programs = new ProgramCache(options);
  }

  /**
   * Samples one sequence for each request, in the order of the requests.
   * @throws DataError `model.prompt_too_long` when prompt and new tokens exceed the positions of the model.
   */
  async sample(
    parameters: Parameters,
    requests: readonly SampleRequest[],
    options: SampleOptions,
  ): Promise<SampledSequence[]> {
    const results = new Array<SampledSequence>(requests.length);
    for (let start = 0; start < requests.length; start += options.batchSize) {
      options.signal?.throwIfAborted();
      const chunk = requests.slice(start, start + options.batchSize);
      await new Batch(this.#config, this.#programs, parameters, options).run(
        chunk,
        (i, sequence) => {
          results[start + i] = sequence;
          options.onSequence?.(start + i);
        },
      );
    }
    return results;
  }

  /** Releases the compiled programs. */
  async dispose(): Promise<void> {
    await this.#programs.dispose();
  }
}

/** Decoding state of one batch. */
class Batch {
  readonly #config: ModelConfig;
  readonly #programs: ProgramCache;
  readonly #parameters: Parameters;
  readonly #options: SampleOptions;
  readonly #headDim: number;
  #rows: (Row | undefined)[] = [];
  /** Positions that a row of the cache holds. */
  #capacity = 0;
  /** Cached keys and values by input name, (B, H, C, d). */
  #cache: Record<string, Float32Array> = {};
  #mask = new Float32Array(0);

  constructor(
    config: ModelConfig,
    programs: ProgramCache,
    parameters: Parameters,
    options: SampleOptions,
  ) {
    this.#config = config;
    this.#programs = programs;
    this.#parameters = parameters;
    this.#options = options;
    this.#headDim = config.hiddenSize / config.heads;
  }

  async run(
    requests: readonly SampleRequest[],
    finish: (index: number, sequence: SampledSequence) => void,
  ): Promise<void> {
    let probabilities = await this.#prefill(requests);
    for (;;) {
      this.#draw(probabilities, finish);
      const live = this.#rows.filter((row) => row !== undefined);
      if (live.length === 0) return;
      this.#options.signal?.throwIfAborted();
      const longest = live.reduce((most, row) => Math.max(most, row.length), 0);
      this.#resize(bucketOf(live.length), roundUp(longest + 1, CACHE_BLOCK));
      probabilities = await this.#decode();
    }
  }

  /** Reads the prompts, fills the cache, and returns the next-token probabilities (B, V). */
  async #prefill(requests: readonly SampleRequest[]): Promise<Float32Array> {
    const { config, B } = { config: this.#config, B: bucketOf(requests.length) };
    const longest = requests.reduce((most, r) => Math.max(most, r.promptIds.length), 1);
    if (longest + this.#options.maxNewTokens > config.maxPositions) {
      throw new DataError(
        `sampling: a prompt of ${longest} tokens and ${this.#options.maxNewTokens} new tokens exceed the model's ${config.maxPositions} positions`,
        {
          code: "model.prompt_too_long",
          hint: "lower maxNewTokens or use a model with more positions",
        },
      );
    }
    const T = roundUp(longest, 4);
    const tokens = new Int32Array(B * T).fill(config.padTokenId);
    const last = new Int32Array(B);
    this.#rows = Array.from({ length: B }, (_, b) => {
      const request = requests[b];
      if (request === undefined) return undefined;
      tokens.set(request.promptIds, b * T);
      last[b] = b * T + request.promptIds.length - 1;
      const random = Random.of(this.#options.seed, "sampling", ...request.key);
      return {
        request: b,
        random,
        ids: [],
        logProbs: [],
        length: request.promptIds.length,
        token: 0,
      };
    });
    const program = await this.#programs.get(`prefill/${B}/${T}`, () => prefillGraph(config, B, T));
    const out = await this.#run(program, { tokens, last });
    this.#capacity = roundUp(longest + 1, CACHE_BLOCK);
    for (const name of cacheNames(config)) {
      const from = out[`new.${name}`] as Float32Array;
      this.#cache[name] = repack(
        from,
        B * config.heads,
        T * this.#headDim,
        this.#capacity * this.#headDim,
      );
    }
    this.#resetMask(B);
    return out.probabilities as Float32Array;
  }

  /** Chooses the next token of every live row and retires the rows that end. */
  #draw(
    probabilities: Float32Array,
    finish: (index: number, sequence: SampledSequence) => void,
  ): void {
    const V = this.#config.vocabSize;
    this.#rows.forEach((row, b) => {
      if (row === undefined) return;
      const at = b * V;
      const token =
        this.#options.temperature === 0
          ? indexOfMaximum(probabilities, at, V)
          : drawIndex(probabilities, at, V, row.random.uniform());
      row.ids.push(token);
      row.logProbs.push(Math.log(probabilities[at + token] as number));
      row.token = token;
      const ended = token === this.#config.eosTokenId;
      if (ended || row.ids.length >= this.#options.maxNewTokens) {
        const { ids, logProbs } = row;
        finish(row.request, { ids, logProbs, stopReason: ended ? "stop" : "length" });
        this.#rows[b] = undefined;
      }
    });
  }

  /** One decoding step for all rows; returns the next-token probabilities (B, V). */
  async #decode(): Promise<Float32Array> {
    const B = this.#rows.length;
    const C = this.#capacity;
    const { heads } = this.#config;
    const d = this.#headDim;
    const tokens = new Int32Array(B);
    const positions = new Int32Array(B);
    this.#rows.forEach((row, b) => {
      tokens[b] = row?.token ?? this.#config.padTokenId;
      positions[b] = row?.length ?? 0;
    });
    const program = await this.#programs.get(`decode/${B}/${C}`, () =>
      decodeGraph(this.#config, B, C),
    );
    const out = await this.#run(program, { tokens, positions, mask: this.#mask, ...this.#cache });
    for (const name of cacheNames(this.#config)) {
      const from = out[`new.${name}`] as Float32Array;
      const to = this.#cache[name] as Float32Array;
      for (let b = 0; b < B; b += 1) {
        const row = this.#rows[b];
        if (row === undefined) continue;
        for (let h = b * heads; h < (b + 1) * heads; h += 1) {
          const target = (h * C + row.length) * d;
          for (let i = 0; i < d; i += 1) to[target + i] = from[h * d + i] as number;
        }
      }
    }
    this.#rows.forEach((row, b) => {
      if (row === undefined) return;
      this.#mask[b * C + row.length] = 0;
      row.length += 1;
    });
    return out.probabilities as Float32Array;
  }

  async #run(
    program: Program,
    inputs: Record<string, Float32Array | Int32Array>,
  ): Promise<Record<string, unknown>> {
    const temperature = new Float32Array([1 / (this.#options.temperature || 1)]);
    return program.run({ ...this.#parameters.views, ...inputs, inverse_temperature: temperature });
  }

  /** Moves the live rows to the front of a batch of B rows with room for `capacity` positions. */
  #resize(B: number, capacity: number): void {
    if (B === this.#rows.length && capacity <= this.#capacity) return;
    const grown = Math.max(capacity, this.#capacity);
    const live = this.#rows.flatMap((row, b) => (row === undefined ? [] : [{ row, b }]));
    const rowSize = this.#config.heads * this.#capacity * this.#headDim;
    for (const name of cacheNames(this.#config)) {
      const old = this.#cache[name] as Float32Array;
      const next = new Float32Array(B * this.#config.heads * grown * this.#headDim);
      live.forEach(({ b }, to) => {
        const part = old.subarray(b * rowSize, (b + 1) * rowSize);
        repack(
          part,
          this.#config.heads,
          this.#capacity * this.#headDim,
          grown * this.#headDim,
          next.subarray(to * this.#config.heads * grown * this.#headDim),
        );
      });
      this.#cache[name] = next;
    }
    this.#capacity = grown;
    this.#rows = Array.from({ length: B }, (_, b) => live[b]?.row);
    this.#resetMask(B);
  }

  #resetMask(B: number): void {
    this.#mask = new Float32Array(B * this.#capacity).fill(MASKED);
    this.#rows.forEach((row, b) => {
      this.#mask.fill(0, b * this.#capacity, b * this.#capacity + (row?.length ?? 1));
    });
  }
}

function cacheNames(config: ModelConfig): string[] {
  return Array.from({ length: config.layers }, (_, l) => [`key.${l}`, `value.${l}`]).flat();
}

/** Copies `count` blocks of `from` elements into blocks of `to` elements, the rest of each staying as it was. */
function repack(
  source: Float32Array,
  count: number,
  from: number,
  to: number,
  target: Float32Array = new Float32Array(count * to),
): Float32Array {
  const length = Math.min(from, to);
  for (let i = 0; i < count; i += 1)
    target.set(source.subarray(i * from, i * from + length), i * to);
  return target;
}

function finishSampling(
  graph: GraphBuilder,
  config: ModelConfig,
  weights: Record<string, Tensor>,
  hidden: Tensor,
): void {
  const inverse = graph.input("inverse_temperature", [1]);
  graph.output("probabilities", softmax(mul(logitsOf(config, weights, hidden), inverse)));
}

function outputKeyValues(graph: GraphBuilder, keyValues: readonly LayerKeyValues[]): void {
  keyValues.forEach(({ key, value }, layer) => {
    graph.output(`new.key.${layer}`, key);
    graph.output(`new.value.${layer}`, value);
  });
}

/** tokens (B, T), last (B) = row of each last prompt token in (B * T) -> probabilities (B, V), new keys and values. */
function prefillGraph(config: ModelConfig, B: number, T: number) {
  const graph = new GraphBuilder(`prefill-${B}x${T}`);
  const weights = declareParameters(graph, languageModelSpecs(config));
  const keyValues: LayerKeyValues[] = [];
  const hidden = trunk(graph, config, weights, graph.input("tokens", [B, T], "int32"), keyValues);
  const rows = reshape(hidden, [B * T, config.hiddenSize]);
  finishSampling(graph, config, weights, gather(rows, graph.input("last", [B], "int32")));
  outputKeyValues(graph, keyValues);
  return graph.build();
}

/** tokens, positions (B), mask (B, 1, 1, C), cache (B, H, C, d) -> probabilities (B, V), new keys and values (B, H, 1, d). */
function decodeGraph(config: ModelConfig, B: number, C: number) {
  const graph = new GraphBuilder(`decode-${B}x${C}`);
  const weights = declareParameters(graph, languageModelSpecs(config));
  const shape = [B, config.heads, C, config.hiddenSize / config.heads];
  const cache = Array.from({ length: config.layers }, (_, layer) => ({
    key: graph.input(`key.${layer}`, shape),
    value: graph.input(`value.${layer}`, shape),
  }));
  const inputs = {
    tokens: graph.input("tokens", [B], "int32"),
    positions: graph.input("positions", [B], "int32"),
    mask: graph.input("mask", [B, 1, 1, C]),
    cache,
  };
  const keyValues: LayerKeyValues[] = [];
  finishSampling(graph, config, weights, decodeStep(graph, config, weights, inputs, keyValues));
  outputKeyValues(graph, keyValues);
  return graph.build();
}

function bucketOf(count: number): number {
  return BATCH_BUCKETS.find((bucket) => bucket >= count) ?? count;
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}

function indexOfMaximum(values: Float32Array, at: number, count: number): number {
  let best = 0;
  for (let i = 1; i < count; i += 1) {
    if ((values[at + i] as number) > (values[at + best] as number)) best = i;
  }
  return best;
}

/** First index whose cumulative probability exceeds `u`; rounding at the end of the sum falls to the likeliest token. */
function drawIndex(values: Float32Array, at: number, count: number, u: number): number {
  let cumulative = 0;
  for (let i = 0; i < count; i += 1) {
    cumulative += values[at + i] as number;
    if (u < cumulative) return i;
  }
  return indexOfMaximum(values, at, count);
}

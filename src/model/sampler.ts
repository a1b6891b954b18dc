/**
 * Sampling of many requests. The result of a request depends on the weights, its prompt, its settings, the seed and its key
 * (id of the prompt, number of the sample) alone: not on the other requests, their order, or how many are decoded side by
 * side. With one thread this holds to the last bit (docs/methods/sampling.md). Requests with equal prompts share one
 * prefill; a place that falls free is given to the next request.
 */
import { type CompileOptions, ProgramCache } from "../engine/index.ts";
import { DataError } from "../util/errors.ts";
import type { ModelConfig } from "./config.ts";
import type { Parameters } from "./parameters.ts";
import { Decoder, SharedPrompt } from "./sampling/decoder.ts";
import type { SampleRequest } from "./sampling/requests.ts";
import {
  Sequence,
  type SequenceSettings,
  type TextSettings,
  type TokenRecord,
} from "./sampling/sequence.ts";

export type { Device } from "../engine/index.ts";
export type { SampleRequest } from "./sampling/requests.ts";

export interface SampledSequence {
  /** Generated tokens, with the end-of-text token when the sequence ended by itself. */
  readonly ids: number[];
  /** Log-probability of each generated token under the distribution that it was drawn from; greedy: at temperature 1. */
  readonly logProbs: number[];
  readonly stopReason: "stop" | "length";
  /** With `text`: the generated text, cut before a stop string. */
  readonly text?: string;
  /** With `topLogProbs`: the model's own log-probabilities (temperature 1, no filters), end token left out. */
  readonly records?: readonly TokenRecord[];
}

export interface SampleOptions extends SequenceSettings {
  readonly seed: number | string;
  /** Sequences that are decoded side by side; 256 where a caller has no reason for less. */
  readonly batchSize: number;
  /** Asks for text, and for its end at stop strings. */
  readonly text?: TextSettings;
  readonly signal?: AbortSignal;
  /** Called after each finished sequence. */
  readonly onSequence?: (index: number) => void;
}

/** Share of the places that must be free before new requests are read: a prefill holds up the others. */
const REFILL_SHARE = 1 / 8;

/** Sampling programs of one model shape; weights are given at each call. */
export class Sampler {
  readonly #config: ModelConfig;
  readonly #programs: ProgramCache;

  constructor(config: ModelConfig, options: CompileOptions = {}) {
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
    for (const { promptIds } of requests) {
      checkLength(this.#config, promptIds.length, options.maxNewTokens);
    }
    const decoder = new Decoder(this.#config, this.#programs, parameters.views);
    const prompts = sharePrompts(requests);
    const results = new Array<SampledSequence>(requests.length);
    const live = new Map<Sequence, number>();
    let next = 0;
    while (next < requests.length || live.size > 0) {
      options.signal?.throwIfAborted();
      const free = Math.min(options.batchSize - live.size, requests.length - next);
      if (free > 0 && (live.size === 0 || free >= options.batchSize * REFILL_SHARE)) {
        const wave = Array.from({ length: free }, (_, i) => {
          const { key } = requests[next + i] as SampleRequest;
          const prompt = prompts[next + i] as SharedPrompt;
          return new Sequence(prompt, { ...options, key }, options.text);
        });
        wave.forEach((sequence, i) => {
          live.set(sequence, next + i);
        });
        next += free;
        await decoder.admit(wave);
      } else {
        await decoder.step();
      }
      for (const [sequence, index] of live) {
        if (sequence.stopReason === undefined) continue;
        live.delete(sequence);
        results[index] = resultOf(sequence, sequence.stopReason, options);
        options.onSequence?.(index);
      }
    }
    return results;
  }

  /** Releases the compiled programs. */
  async dispose(): Promise<void> {
    await this.#programs.dispose();
  }
}

/** The prompt of each request, one object for equal prompts. */
function sharePrompts(requests: readonly SampleRequest[]): SharedPrompt[] {
  const known = new Map<string, SharedPrompt>();
  return requests.map(({ promptIds }) => {
    const name = promptIds.join();
    const prompt = known.get(name) ?? new SharedPrompt(promptIds, 0);
    known.set(name, prompt);
    prompt.uses += 1;
    return prompt;
  });
}

function resultOf(
  sequence: Sequence,
  stopReason: "stop" | "length",
  options: SampleOptions,
): SampledSequence {
  const { ids, logProbs } = sequence;
  const { text, records } = sequence.takeChunk();
  return {
    ids,
    logProbs,
    stopReason,
    ...(options.text === undefined ? {} : { text }),
    ...(options.topLogProbs === undefined ? {} : { records }),
  };
}

/** @throws DataError `model.empty_prompt`, `model.prompt_too_long` */
function checkLength(config: ModelConfig, length: number, maxNewTokens: number): void {
  if (length === 0) {
    throw new DataError("sampling: expected a prompt of at least one token, found none", {
      code: "model.empty_prompt",
      hint: "start with some text, or with the token that begins a text of this model",
    });
  }
  if (length + maxNewTokens <= config.maxPositions) return;
  throw new DataError(
    `sampling: a prompt of ${length} tokens and ${maxNewTokens} new tokens exceed the model's ${config.maxPositions} positions`,
    {
      code: "model.prompt_too_long",
      hint: "lower maxNewTokens or use a model with more positions",
    },
  );
}

/**
 * One sequence being sampled: its settings, its random stream, its tokens, and its text where that is wanted. A token depends
 * on the distribution that the model gives and on this state alone, never on the rest of the batch.
 *
 * Two log-probabilities are kept apart. `logProbs` are those of the distribution that was drawn from, temperature and filters
 * included (for greedy decoding: of the distribution at temperature 1); training needs them. `records` hold those of
 * the model itself, at temperature 1 and without filters; a server reports them.
 */
import { Random } from "../../random/random.ts";
import type { TokenStream } from "../token-stream.ts";
import {
  drawCandidate,
  drawIndex,
  type Filters,
  filterDistribution,
  hasFilter,
  indexOfMaximum,
  logSumExp,
} from "./distribution.ts";
import { StopScanner } from "./stop-strings.ts";

/** How the tokens of a sequence are chosen and where it ends. */
export interface SequenceSettings extends Filters {
  /** Most tokens to generate. */
  readonly maxNewTokens: number;
  /** 1 samples from the model's distribution; 0 takes the most likely token. */
  readonly temperature: number;
  /** Records the model's log-probability of each token, and of this many likeliest ones. */
  readonly topLogProbs?: number | undefined;
}

/** Text of a sequence while it grows. */
export interface TextSettings {
  /** Starts a decoder of tokens as they come, as `Tokenizer.stream`. */
  readonly stream: () => TokenStream;
  /** The text ends before the first of these that appears in it. */
  readonly stop?: readonly string[] | undefined;
}

/** Token ids of a prompt, shared by its samples. */
export interface Prompt {
  readonly ids: readonly number[];
}

/** The model's own log-probabilities at one place of a sequence. */
export interface TokenRecord {
  readonly id: number;
  readonly logProb: number;
  /** Likeliest tokens first. */
  readonly top: readonly { readonly id: number; readonly logProb: number }[];
  /** UTF-16 offset in the generated text at which the token begins. */
  readonly textOffset: number;
}

/** What became certain since the last look. */
export interface SequenceChunk {
  readonly text: string;
  readonly records: readonly TokenRecord[];
}

export class Sequence<P extends Prompt = Prompt> {
  readonly prompt: P;
  readonly settings: SequenceSettings;
  /** Generated tokens, with the end token when the sequence ended by itself. */
  readonly ids: number[] = [];
  /** Log-probability of each generated token under the distribution that it was drawn from. */
  readonly logProbs: number[] = [];
  /** Why it ended; absent while it is being sampled. */
  stopReason: "stop" | "length" | undefined;
  /** The stop string that ended it. */
  stopString: string | undefined;
  /** Positions that the cache holds. */
  length = 0;
  /** Generated text that is certain. */
  text = "";
  readonly #random: Random;
  readonly #stream: TokenStream | undefined;
  readonly #scanner: StopScanner;
  /** Records whose text is not certain yet, and certain ones that were not taken. */
  #records: TokenRecord[] = [];
  #takenLength = 0;
  /** Length of the decoded text, with what the stop scanner holds back. */
  #decodedLength = 0;

  /** @param key names the random stream below the seed: id of the prompt and number of the sample */
  constructor(
    prompt: P,
    settings: SequenceSettings & {
      readonly seed: number | string;
      readonly key: readonly (string | number)[];
    },
    text?: TextSettings,
  ) {
    this.prompt = prompt;
    this.settings = settings;
    this.#random = Random.of(settings.seed, "sampling", ...settings.key);
    this.#stream = text?.stream();
    this.#scanner = new StopScanner(text?.stop ?? []);
  }

  /** The token to feed next. */
  get token(): number {
    return this.ids[this.ids.length - 1] as number;
  }

  /** Factor of the logits before the softmax. */
  get inverseTemperature(): number {
    return 1 / (this.settings.temperature || 1);
  }

  /**
   * Chooses the next token from the probabilities (temperature applied) that start at `at`, and ends the sequence if it must.
   * @param logits the logits of the same place, for the model's own log-probabilities
   */
  choose(
    probabilities: Float32Array,
    at: number,
    model: { readonly vocabSize: number; readonly eosTokenIds: readonly number[] },
    logits?: Float32Array,
  ): void {
    const { token, probability } = this.#draw(probabilities, at, model.vocabSize);
    this.ids.push(token);
    this.logProbs.push(Math.log(probability));
    const ended = model.eosTokenIds.includes(token);
    if (this.settings.topLogProbs !== undefined && logits !== undefined && !ended) {
      this.#records.push({
        ...recordOf(logits, at, model.vocabSize, token, this.settings.topLogProbs),
        textOffset: this.#decodedLength,
      });
    }
    if (ended) this.stopReason = "stop";
    else this.#append(token);
    if (this.stopReason === undefined && this.ids.length >= this.settings.maxNewTokens) {
      this.stopReason = "length";
    }
    if (this.stopReason !== undefined && this.stopString === undefined) this.#flush();
  }

  /** Text and records that became certain since the last call; needs text settings. */
  takeChunk(): SequenceChunk {
    const text = this.text.slice(this.#takenLength);
    this.#takenLength = this.text.length;
    // A record is certain when its text is: nothing is held back, or its token begins before what is.
    const nothingHeld =
      this.#decodedLength === this.text.length ||
      (this.stopReason !== undefined && this.stopString === undefined);
    const certain = nothingHeld
      ? this.#records.length
      : this.#records.findLastIndex(({ textOffset }) => textOffset < this.text.length) + 1;
    return { text, records: this.#records.splice(0, certain) };
  }

  #draw(probabilities: Float32Array, at: number, vocabSize: number) {
    const { settings } = this;
    if (settings.temperature === 0) {
      const token = indexOfMaximum(probabilities, at, vocabSize);
      return { token, probability: probabilities[at + token] as number };
    }
    const u = this.#random.uniform();
    if (!hasFilter(settings, vocabSize)) {
      const token = drawIndex(probabilities, at, vocabSize, u);
      return { token, probability: probabilities[at + token] as number };
    }
    const candidates = filterDistribution(probabilities, at, vocabSize, settings);
    const index = drawCandidate(candidates, u);
    return {
      token: candidates.ids[index] as number,
      probability: candidates.probabilities[index] as number,
    };
  }

  #append(token: number): void {
    if (this.#stream === undefined) return;
    this.#scan(this.#stream.push(token));
  }

  #flush(): void {
    if (this.#stream === undefined) return;
    this.#scan(this.#stream.end());
    if (this.stopString === undefined) this.text += this.#scanner.finish();
  }

  #scan(piece: string): void {
    if (piece === "") return;
    this.#decodedLength += piece.length;
    const { text, stop } = this.#scanner.push(piece);
    this.text += text;
    if (stop === undefined) return;
    this.stopString = stop;
    this.stopReason = "stop";
  }
}

function recordOf(
  logits: Float32Array,
  at: number,
  count: number,
  token: number,
  topCount: number,
): Omit<TokenRecord, "textOffset"> {
  const total = logSumExp(logits, at, count);
  const logProbOf = (id: number) => (logits[at + id] as number) - total;
  const top: number[] = [];
  for (let id = 0; id < count && topCount > 0; id += 1) {
    const value = logits[at + id] as number;
    const last = logits[at + (top[top.length - 1] as number)] as number;
    if (top.length >= topCount && value <= last) continue;
    if (top.length >= topCount) top.pop();
    let to = top.length;
    while (to > 0 && (logits[at + (top[to - 1] as number)] as number) < value) to -= 1;
    top.splice(to, 0, id);
  }
  return {
    id: token,
    logProb: logProbOf(token),
    top: top.map((id) => ({ id, logProb: logProbOf(id) })),
  };
}

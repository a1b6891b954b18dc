/**
 * Shape of a decoder-only transformer of the Llama family: Llama 1 to 3.2, Qwen2 and Qwen2.5 (biases of query, key and value),
 * Qwen3 (query and key of each head normalised). Reading and writing `config.json` is in hub-config.ts.
 */
import type { RopeScaling } from "./rope.ts";

/** `model_type` of a Hugging Face configuration. */
export type Architecture = "llama" | "qwen2" | "qwen3";

/**
 * Shape of a model; letters in comments elsewhere: V vocabSize, D hiddenSize, F intermediateSize, L layers, H heads, K kvHeads,
 * G = H / K query heads that share a key/value head, d headDim.
 */
export interface ModelConfig {
  readonly architecture: Architecture;
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly layers: number;
  /** Query heads. */
  readonly heads: number;
  /** Key/value heads; divides `heads`. */
  readonly kvHeads: number;
  readonly headDim: number;
  /** Biases on the query, key and value projections (Qwen2). */
  readonly qkvBias: boolean;
  /** RMSNorm over the elements of each query and key head, before rotation (Qwen3). */
  readonly queryKeyNorm: boolean;
  readonly ropeTheta: number;
  /** Absent: frequencies as they are. */
  readonly ropeScaling?: RopeScaling;
  readonly normEpsilon: number;
  readonly tieEmbeddings: boolean;
  /** Longest sequence in tokens, prompt and response together. */
  readonly maxPositions: number;
  /** Fills rectangles; 0 where the checkpoint names none. */
  readonly padTokenId: number;
  /** Ends a training text: the first of `eosTokenIds`. */
  readonly eosTokenId: number;
  /** Tokens that end a generated text. */
  readonly eosTokenIds: readonly number[];
  /** Fields of the `config.json` read that decide nothing here; they are written back. */
  readonly otherFields?: Readonly<Record<string, unknown>>;
}

/** The sizes that a plain Llama shape is made from. */
export type PlainShape = Pick<
  ModelConfig,
  | "vocabSize"
  | "hiddenSize"
  | "intermediateSize"
  | "layers"
  | "heads"
  | "ropeTheta"
  | "normEpsilon"
  | "tieEmbeddings"
  | "maxPositions"
  | "padTokenId"
  | "eosTokenId"
>;

/** A Llama shape with one key/value head for each query head and heads of size D / H. */
export function plainLlama(shape: PlainShape): ModelConfig {
  return {
    ...shape,
    architecture: "llama",
    kvHeads: shape.heads,
    headDim: shape.hiddenSize / shape.heads,
    qkvBias: false,
    queryKeyNorm: false,
    eosTokenIds: [shape.eosTokenId],
  };
}

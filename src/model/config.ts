/**
 * Shape of a decoder-only transformer of the Llama family, read from and written as Hugging Face `config.json`.
 * This version supports the plain Llama shape: rotate-half RoPE without scaling, RMSNorm, SwiGLU, one key/value head
 * for each query head, no biases.
 */
import { z } from "zod";
import { DataError } from "../util/errors.ts";

/** Shape of a model; letters in comments elsewhere: V vocabSize, D hiddenSize, F intermediateSize, L layers, H heads. */
export interface ModelConfig {
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly layers: number;
  readonly heads: number;
  readonly ropeTheta: number;
  readonly normEpsilon: number;
  readonly tieEmbeddings: boolean;
  /** Longest sequence in tokens, prompt and response together. */
  readonly maxPositions: number;
  readonly padTokenId: number;
  readonly eosTokenId: number;
}

const positive = z.number().int().positive();

/** The fields of `config.json` that decide what a model computes; others are passed over. */
const hubConfigSchema = z.object({
  model_type: z.literal("llama"),
  vocab_size: positive,
  hidden_size: positive,
  intermediate_size: positive,
  num_hidden_layers: positive,
  num_attention_heads: positive,
  num_key_value_heads: positive.optional(),
  head_dim: positive.nullish(),
  rms_norm_eps: z.number().positive(),
  rope_theta: z.number().positive().optional(),
  rope_parameters: z.object({ rope_theta: z.number(), rope_type: z.literal("default") }).nullish(),
  rope_scaling: z.null().optional(),
  attention_bias: z.literal(false).optional(),
  mlp_bias: z.literal(false).optional(),
  hidden_act: z.literal("silu"),
  tie_word_embeddings: z.boolean().default(false),
  max_position_embeddings: positive,
  pad_token_id: z.number().int().nullish(),
  eos_token_id: z.number().int(),
});

/**
 * Reads a parsed `config.json`.
 * @param where file name for the message
 * @throws DataError `model.unsupported_config` naming each field that this engine cannot compute.
 */
export function parseModelConfig(value: unknown, where: string): ModelConfig {
  const parsed = hubConfigSchema.safeParse(value);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((i) => `${i.path.join(".")}: ${i.message}`).join("; ");
    throw unsupported(where, problems);
  }
  const hub = parsed.data;
  const heads = hub.num_attention_heads;
  if ((hub.num_key_value_heads ?? heads) !== heads) {
    throw unsupported(where, `num_key_value_heads: expected ${heads}, one for each query head`);
  }
  if (
    hub.hidden_size % heads !== 0 ||
    (hub.head_dim ?? hub.hidden_size / heads) * heads !== hub.hidden_size
  ) {
    throw unsupported(where, `head_dim: expected hidden_size / num_attention_heads`);
  }
  return {
    vocabSize: hub.vocab_size,
    hiddenSize: hub.hidden_size,
    intermediateSize: hub.intermediate_size,
    layers: hub.num_hidden_layers,
    heads,
    ropeTheta: hub.rope_parameters?.rope_theta ?? hub.rope_theta ?? 10_000,
    normEpsilon: hub.rms_norm_eps,
    tieEmbeddings: hub.tie_word_embeddings,
    maxPositions: hub.max_position_embeddings,
    padTokenId: hub.pad_token_id ?? 0,
    eosTokenId: hub.eos_token_id,
  };
}

function unsupported(where: string, problems: string): DataError {
  return new DataError(`loading "${where}": unsupported model: ${problems}`, {
    code: "model.unsupported_config",
    hint: "supported: model_type llama, silu, no biases, no RoPE scaling, equal query and key/value heads",
  });
}

/** The `config.json` object that Python transformers loads as `LlamaForCausalLM`. */
export function toHubConfig(config: ModelConfig): Record<string, unknown> {
  return {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    vocab_size: config.vocabSize,
    hidden_size: config.hiddenSize,
    intermediate_size: config.intermediateSize,
    num_hidden_layers: config.layers,
    num_attention_heads: config.heads,
    num_key_value_heads: config.heads,
    head_dim: config.hiddenSize / config.heads,
    hidden_act: "silu",
    rms_norm_eps: config.normEpsilon,
    rope_theta: config.ropeTheta,
    tie_word_embeddings: config.tieEmbeddings,
    max_position_embeddings: config.maxPositions,
    attention_bias: false,
    mlp_bias: false,
    pad_token_id: config.padTokenId,
    bos_token_id: null,
    eos_token_id: config.eosTokenId,
    torch_dtype: "float32",
  };
}

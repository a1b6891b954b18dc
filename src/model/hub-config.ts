/**
 * Hugging Face `config.json` of Llama, Qwen2 and Qwen3, in the forms of transformers 4 (`rope_theta`, `rope_scaling`) and 5
 * (`rope_parameters`). Every field that changes what a model computes is understood or refused by name; the rest is kept and
 * written back.
 */
import { z } from "zod";
import { DataError } from "../util/errors.ts";
import type { Architecture, ModelConfig } from "./config.ts";
import type { CheckpointDType } from "./dtype.ts";
import type { RopeScaling } from "./rope.ts";

const positive = z.number().int().positive();
const tokenId = z.number().int().nonnegative();
const rope = z.looseObject({
  rope_theta: z.number().positive().optional(),
  rope_type: z.string().optional(),
  type: z.string().optional(), // older name of rope_type
  factor: z.number().positive().optional(),
  low_freq_factor: z.number().positive().optional(),
  high_freq_factor: z.number().positive().optional(),
  original_max_position_embeddings: positive.optional(),
  partial_rotary_factor: z.literal(1).optional(),
});

const hubConfigSchema = z.looseObject({
  model_type: z.enum(["llama", "qwen2", "qwen3"]),
  vocab_size: positive,
  hidden_size: positive,
  intermediate_size: positive,
  num_hidden_layers: positive,
  num_attention_heads: positive,
  num_key_value_heads: positive.nullish(),
  head_dim: positive.nullish(),
  rms_norm_eps: z.number().positive().default(1e-6),
  rope_theta: z.number().positive().optional(),
  rope_parameters: rope.nullish(),
  rope_scaling: rope.nullish(),
  attention_bias: z.literal(false).optional(),
  mlp_bias: z.literal(false).optional(),
  hidden_act: z.literal("silu").default("silu"),
  use_sliding_window: z.literal(false).optional(),
  layer_types: z.array(z.literal("full_attention")).nullish(),
  quantization_config: z.null().optional(),
  partial_rotary_factor: z.literal(1).optional(),
  tie_word_embeddings: z.boolean().default(false),
  max_position_embeddings: positive,
  pad_token_id: z.number().int().nullish(),
  eos_token_id: z.union([tokenId, z.array(tokenId).min(1)]),
});
type HubConfig = z.infer<typeof hubConfigSchema>;

/** Fields that `toHubConfig` writes itself, or that say nothing about the model. */
const OWN_FIELDS = new Set([
  ...Object.keys(hubConfigSchema.shape).filter((field) => field !== "layer_types"),
  "architectures",
  "torch_dtype",
  "dtype",
  "transformers_version",
  "_name_or_path",
]);

/** What transformers takes where a configuration names no number: Qwen's classes have fixed defaults. */
const DEFAULTS = {
  llama: {},
  qwen2: { kvHeads: 32 },
  qwen3: { kvHeads: 32, headDim: 128 },
} as const satisfies Record<Architecture, { kvHeads?: number; headDim?: number }>;

/**
 * Reads a parsed `config.json`.
 * @param where file name for the message
 * @throws DataError `model.unsupported_config` naming each field that this engine cannot compute.
 */
export function parseModelConfig(value: unknown, where: string): ModelConfig {
  const parsed = hubConfigSchema.safeParse(value);
  if (!parsed.success) {
    throw unsupported(
      where,
      parsed.error.issues.map((issue) => {
        const found = issue.path.reduce<unknown>(
          (inner, key) => (inner as Record<PropertyKey, unknown> | null | undefined)?.[key],
          value,
        );
        return `${issue.path.join(".")}: ${issue.message}, found ${JSON.stringify(found) ?? "nothing"}`;
      }),
    );
  }
  const hub = parsed.data;
  const defaults: { kvHeads?: number; headDim?: number } = DEFAULTS[hub.model_type];
  const heads = hub.num_attention_heads;
  const kvHeads = hub.num_key_value_heads ?? defaults.kvHeads ?? heads;
  const headDim = hub.head_dim ?? defaults.headDim ?? hub.hidden_size / heads;
  const problems: string[] = [];
  if (heads % kvHeads !== 0) {
    problems.push(`num_key_value_heads: expected a divisor of ${heads}, found ${kvHeads}`);
  }
  if (headDim % 2 !== 0) problems.push(`head_dim: expected an even number, found ${headDim}`);
  const ropeScaling = readScaling(hub, problems);
  if (problems.length > 0) throw unsupported(where, problems);
  const eosTokenIds = [hub.eos_token_id].flat();
  const other = otherFields(value as Record<string, unknown>);
  return {
    architecture: hub.model_type,
    vocabSize: hub.vocab_size,
    hiddenSize: hub.hidden_size,
    intermediateSize: hub.intermediate_size,
    layers: hub.num_hidden_layers,
    heads,
    kvHeads,
    headDim,
    qkvBias: hub.model_type === "qwen2",
    queryKeyNorm: hub.model_type === "qwen3",
    ropeTheta: hub.rope_parameters?.rope_theta ?? hub.rope_theta ?? 10_000,
    ...(ropeScaling === undefined ? {} : { ropeScaling }),
    normEpsilon: hub.rms_norm_eps,
    tieEmbeddings: hub.tie_word_embeddings,
    maxPositions: hub.max_position_embeddings,
    padTokenId: Math.max(0, hub.pad_token_id ?? 0), // Llama 1 wrote -1 for none
    eosTokenId: eosTokenIds[0] as number,
    eosTokenIds,
    ...(Object.keys(other).length === 0 ? {} : { otherFields: other }),
  };
}

function readScaling(hub: HubConfig, problems: string[]): RopeScaling | undefined {
  const field = hub.rope_parameters == null ? "rope_scaling" : "rope_parameters";
  const settings = hub[field];
  const kind = settings?.rope_type ?? settings?.type ?? "default";
  if (settings == null || kind === "default") return undefined;
  if (kind !== "llama3") {
    problems.push(
      `${field}.rope_type: expected "default" or "llama3", found ${JSON.stringify(kind)}`,
    );
    return undefined;
  }
  const number = (name: "factor" | "low_freq_factor" | "high_freq_factor"): number => {
    const found = settings[name];
    if (found === undefined) problems.push(`${field}.${name}: expected a number, found nothing`);
    return found ?? Number.NaN;
  };
  return {
    factor: number("factor"),
    lowFrequencyFactor: number("low_freq_factor"),
    highFrequencyFactor: number("high_freq_factor"),
    originalMaxPositions: settings.original_max_position_embeddings ?? hub.max_position_embeddings,
  };
}

function otherFields(value: Record<string, unknown>): Record<string, unknown> {
  const other = Object.fromEntries(Object.entries(value).filter(([key]) => !OWN_FIELDS.has(key)));
  // Kept as it was: no padding token is not the same as token 0.
  if (value.pad_token_id === null) other.pad_token_id = null;
  if (other.bos_token_id === null) delete other.bos_token_id; // what toHubConfig writes anyway
  return other;
}

function unsupported(where: string, problems: readonly string[]): DataError {
  return new DataError(`loading "${where}": unsupported model: ${problems.join("; ")}`, {
    code: "model.unsupported_config",
    hint: 'supported: model_type llama, qwen2 or qwen3 with silu, full attention, RoPE of type "default" or "llama3", no other biases than those of qwen2, no quantization',
  });
}

const CLASSES = {
  llama: "LlamaForCausalLM",
  qwen2: "Qwen2ForCausalLM",
  qwen3: "Qwen3ForCausalLM",
} as const satisfies Record<Architecture, string>;

/** The `config.json` object that Python transformers, 4 or 5, loads as a causal language model. */
export function toHubConfig(
  config: ModelConfig,
  dtype: CheckpointDType = "float32",
): Record<string, unknown> {
  const { architecture, ropeScaling: scaling } = config;
  return {
    architectures: [CLASSES[architecture]],
    model_type: architecture,
    vocab_size: config.vocabSize,
    hidden_size: config.hiddenSize,
    intermediate_size: config.intermediateSize,
    num_hidden_layers: config.layers,
    num_attention_heads: config.heads,
    num_key_value_heads: config.kvHeads,
    head_dim: config.headDim,
    hidden_act: "silu",
    rms_norm_eps: config.normEpsilon,
    rope_theta: config.ropeTheta,
    ...(scaling === undefined
      ? {}
      : {
          rope_scaling: {
            rope_type: "llama3",
            factor: scaling.factor,
            low_freq_factor: scaling.lowFrequencyFactor,
            high_freq_factor: scaling.highFrequencyFactor,
            original_max_position_embeddings: scaling.originalMaxPositions,
          },
        }),
    tie_word_embeddings: config.tieEmbeddings,
    max_position_embeddings: config.maxPositions,
    ...(architecture === "qwen2" ? {} : { attention_bias: false }),
    ...(architecture === "llama" ? { mlp_bias: false } : { use_sliding_window: false }),
    pad_token_id: config.padTokenId,
    bos_token_id: null,
    eos_token_id: config.eosTokenIds.length > 1 ? config.eosTokenIds : config.eosTokenId,
    torch_dtype: dtype,
    ...config.otherFields,
  };
}

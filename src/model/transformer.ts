/**
 * The Llama-family decoder as a graph: pre-norm blocks of rotary attention and SwiGLU (Touvron et al. 2023, section 2.2),
 * rotate-half RoPE as in the Hugging Face implementation, optional tied embeddings.
 * Shapes: B sequences, T positions, D hidden size, H heads, d = D / H, F intermediate size, V vocabulary, C cached positions.
 */
import {
  add,
  concat,
  type GraphBuilder,
  gather,
  matmul,
  mul,
  reshape,
  rmsNorm,
  rotaryEmbedding,
  silu,
  slice,
  softmax,
  sum,
  type Tensor,
  transpose,
} from "../engine/index.ts";
import type { ModelConfig } from "./config.ts";
import type { ParameterSpec } from "./parameters.ts";

/** Additive score of a position that must not be seen; exp of it is exactly 0 in float32. */
export const MASKED = -1e9;

/** Declares the graph parameters of a model and returns them by name. */
export function declareParameters(
  graph: GraphBuilder,
  specs: readonly ParameterSpec[],
): Record<string, Tensor> {
  return Object.fromEntries(
    specs.map((spec) => [spec.name, graph.parameter(spec.name, spec.shape)]),
  );
}

/** Rotary angles' cosines and sines for positions 0..positions-1, each (positions, d / 2). */
export function rotaryTables(
  config: ModelConfig,
  positions: number,
): { readonly cos: Float32Array; readonly sin: Float32Array; readonly half: number } {
  const half = config.hiddenSize / config.heads / 2;
  const cos = new Float32Array(positions * half);
  const sin = new Float32Array(positions * half);
  for (let position = 0; position < positions; position += 1) {
    for (let i = 0; i < half; i += 1) {
      const angle = position / config.ropeTheta ** (i / half);
      cos[position * half + i] = Math.cos(angle);
      sin[position * half + i] = Math.sin(angle);
    }
  }
  return { cos, sin, half };
}

/** Keys and values of one layer, (B, H, T, d) each. */
export interface LayerKeyValues {
  readonly key: Tensor;
  readonly value: Tensor;
}

interface Attention {
  readonly query: Tensor;
  readonly key: Tensor;
  readonly value: Tensor;
}

/** Heads of one layer before attention: x (B, T, D) -> query, key, value (B, H, T, d), query and key rotated. */
function projectHeads(
  x: Tensor,
  weights: Record<string, Tensor>,
  layer: number,
  config: ModelConfig,
  rotary: { readonly cos: Tensor; readonly sin: Tensor },
): Attention {
  const [B, T] = x.shape as [number, number, number];
  const D = config.hiddenSize;
  const normed = rmsNorm(x, weight(weights, `layers.${layer}.attention_norm`), {
    epsilon: config.normEpsilon,
  });
  const qkv = matmul(normed, weight(weights, `layers.${layer}.qkv`), { transposeB: true }); // (B, T, 3D)
  const head = (index: number): Tensor => {
    const part = slice(qkv, { axis: 2, start: index * D, end: (index + 1) * D });
    return transpose(reshape(part, [B, T, config.heads, D / config.heads]), [0, 2, 1, 3]);
  };
  return {
    query: rotaryEmbedding(head(0), rotary.cos, rotary.sin),
    key: rotaryEmbedding(head(1), rotary.cos, rotary.sin),
    value: head(2),
  };
}

/** Adds the attention output and the SwiGLU block: x (B, T, D), attended (B, H, T, d) -> (B, T, D). */
function finishBlock(
  x: Tensor,
  attended: Tensor,
  weights: Record<string, Tensor>,
  layer: number,
  config: ModelConfig,
): Tensor {
  const F = config.intermediateSize;
  const merged = reshape(transpose(attended, [0, 2, 1, 3]), x.shape); // (B, T, D)
  const out = matmul(merged, weight(weights, `layers.${layer}.attention_out`), {
    transposeB: true,
  });
  const afterAttention = add(x, out);
  const normed = rmsNorm(afterAttention, weight(weights, `layers.${layer}.mlp_norm`), {
    epsilon: config.normEpsilon,
  });
  const gateUp = matmul(normed, weight(weights, `layers.${layer}.gate_up`), { transposeB: true });
  const gate = slice(gateUp, { axis: 2, start: 0, end: F });
  const up = slice(gateUp, { axis: 2, start: F, end: 2 * F });
  const down = matmul(mul(silu(gate), up), weight(weights, `layers.${layer}.down`), {
    transposeB: true,
  });
  return add(afterAttention, down);
}

function weight(weights: Record<string, Tensor>, name: string): Tensor {
  return weights[name] as Tensor;
}

/**
 * Hidden states after the last norm of right-padded sequences: tokens (B, T) int32 -> (B, T, D). Each position sees itself and
 * earlier ones, so padding on the right changes nothing before it. Keys and values of each layer are put into `keyValues`.
 */
export function trunk(
  graph: GraphBuilder,
  config: ModelConfig,
  weights: Record<string, Tensor>,
  tokens: Tensor,
  keyValues: LayerKeyValues[] = [],
): Tensor {
  const T = tokens.shape[1] as number;
  const tables = rotaryTables(config, T);
  const rotary = {
    cos: graph.constant(tables.cos, [T, tables.half]),
    sin: graph.constant(tables.sin, [T, tables.half]),
  };
  const causal = new Float32Array(T * T);
  for (let row = 0; row < T; row += 1) causal.fill(MASKED, row * T + row + 1, (row + 1) * T);
  const mask = graph.constant(causal, [T, T]);
  const scale = 1 / Math.sqrt(config.hiddenSize / config.heads);

  let x = gather(weight(weights, "embed"), tokens); // (B, T, D)
  for (let layer = 0; layer < config.layers; layer += 1) {
    const { query, key, value } = projectHeads(x, weights, layer, config, rotary);
    keyValues.push({ key, value });
    const scores = add(matmul(query, key, { transposeB: true, alpha: scale }), mask); // (B, H, T, T)
    x = finishBlock(x, matmul(softmax(scores), value), weights, layer, config);
  }
  return rmsNorm(x, weight(weights, "norm"), { epsilon: config.normEpsilon });
}

/** Hidden states (..., D) -> logits (..., V). */
export function logitsOf(
  config: ModelConfig,
  weights: Record<string, Tensor>,
  hidden: Tensor,
): Tensor {
  const head = weight(weights, config.tieEmbeddings ? "embed" : "head");
  return matmul(hidden, head, { transposeB: true });
}

/** Inputs of one decoding step over a cache with room for C positions. */
export interface DecodeInputs {
  /** (B) int32: the token to read. */
  readonly tokens: Tensor;
  /** (B) int32: its position. */
  readonly positions: Tensor;
  /** (B, 1, 1, C): 0 for a cached position to be seen, MASKED for the rest. */
  readonly mask: Tensor;
  /** Cached keys and values of each layer, (B, H, C, d). */
  readonly cache: readonly LayerKeyValues[];
}

/**
 * One decoding step: hidden states (B, D) of one new token a sequence, which sees the cache and itself. The new keys and values
 * (B, H, 1, d) are put into `keyValues`; the caller writes them into the cache.
 */
export function decodeStep(
  graph: GraphBuilder,
  config: ModelConfig,
  weights: Record<string, Tensor>,
  inputs: DecodeInputs,
  keyValues: LayerKeyValues[],
): Tensor {
  const B = inputs.tokens.shape[0] as number;
  const C = inputs.mask.shape[3] as number;
  const tables = rotaryTables(config, config.maxPositions);
  const angles = (table: Float32Array): Tensor => {
    const constant = graph.constant(table, [config.maxPositions, tables.half]);
    return reshape(gather(constant, inputs.positions), [B, 1, 1, tables.half]);
  };
  const rotary = { cos: angles(tables.cos), sin: angles(tables.sin) };
  const scale = 1 / Math.sqrt(config.hiddenSize / config.heads);

  let x = reshape(gather(weight(weights, "embed"), inputs.tokens), [B, 1, config.hiddenSize]);
  for (let layer = 0; layer < config.layers; layer += 1) {
    const { query, key, value } = projectHeads(x, weights, layer, config, rotary); // (B, H, 1, d)
    keyValues.push({ key, value });
    const cached = inputs.cache[layer] as LayerKeyValues;
    const past = matmul(query, cached.key, { transposeB: true, alpha: scale }); // (B, H, 1, C)
    const self = mul(
      sum(mul(query, key), { axes: [3], keepDims: true }), // (B, H, 1, 1)
      graph.constant(scale),
    );
    const probabilities = softmax(concat([add(past, inputs.mask), self], 3)); // (B, H, 1, C + 1)
    const fromPast = matmul(slice(probabilities, { axis: 3, start: 0, end: C }), cached.value);
    const fromSelf = mul(slice(probabilities, { axis: 3, start: C, end: C + 1 }), value);
    x = finishBlock(x, add(fromPast, fromSelf), weights, layer, config);
  }
  const hidden = rmsNorm(x, weight(weights, "norm"), { epsilon: config.normEpsilon });
  return reshape(hidden, [B, config.hiddenSize]);
}

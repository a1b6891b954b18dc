/**
 * The Llama-family decoder as a graph: pre-norm blocks of rotary attention and SwiGLU (Touvron et al. 2023, section 2.2) with
 * grouped key/value heads (Ainslie et al. 2023), rotate-half RoPE as in the Hugging Face implementation, optional tied embeddings;
 * biases of Qwen2 and query/key norms of Qwen3 where the shape has them.
 * Shapes: B sequences, T positions, D hidden size, H query heads, K key/value heads, G = H / K, d head size, F intermediate
 * size, V vocabulary, C cached positions.
 */
import {
  add,
  broadcastTo,
  concat,
  equal,
  type GraphBuilder,
  gather,
  logicalAnd,
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
  where,
} from "../engine/index.ts";
import type { ModelConfig } from "./config.ts";
import { withAdapter } from "./lora.ts";
import type { ParameterSpec } from "./parameters.ts";
import { type Site, siteShape } from "./projections.ts";
import { rotaryTables } from "./rope.ts";

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

/**
 * Tensors by name: those of `languageModelSpecs`, and for adapted models those of the adapters (lora.ts), which every function
 * here then takes into account.
 */
type Weights = Readonly<Record<string, Tensor>>;

/** Keys and values of one layer, (B, K, T, d) each. */
export interface LayerKeyValues {
  readonly key: Tensor;
  readonly value: Tensor;
}

/** Several texts in one row, which do not see each other. */
export interface Packing {
  /** (B, T) int32: a position sees the earlier positions of its row that have its number. */
  readonly segments: Tensor;
  /** (B, T) int32: place within the text, below T. */
  readonly positions: Tensor;
}

interface Rotary {
  readonly cos: Tensor;
  readonly sin: Tensor;
}

function weight(weights: Weights, name: string): Tensor {
  return weights[name] as Tensor;
}

/** Results of the projections that share input x (B, T, in) and a stored tensor: (B, T, width) each. */
function project(
  x: Tensor,
  weights: Weights,
  layer: number,
  site: Site,
  config: ModelConfig,
): Tensor[] {
  const name = `layers.${layer}.${site}`;
  const product = matmul(x, weight(weights, name), { transposeB: true });
  const bias = weights[`${name}_bias`];
  let end = 0;
  return siteShape(config, site).widths.map((width, part) => {
    const start = end;
    end += width;
    const plain = slice(product, { axis: 2, start, end });
    const biased = bias === undefined ? plain : add(plain, slice(bias, { axis: 0, start, end }));
    return withAdapter(biased, x, weights, { layer, site, part });
  });
}

/** One layer before attention: x (B, T, D) -> query (B, H, T, d), key and value (B, K, T, d), query and key rotated. */
function projectHeads(
  x: Tensor,
  weights: Weights,
  layer: number,
  config: ModelConfig,
  rotary: Rotary,
): { readonly query: Tensor; readonly key: Tensor; readonly value: Tensor } {
  const [B, T] = x.shape as [number, number, number];
  const { headDim: d } = config;
  const epsilon = config.normEpsilon;
  const normed = rmsNorm(x, weight(weights, `layers.${layer}.attention_norm`), { epsilon });
  const [query, key, value] = project(normed, weights, layer, "qkv", config) as [
    Tensor,
    Tensor,
    Tensor,
  ];
  const split = (part: Tensor, norm?: string): Tensor => {
    const byHead = reshape(part, [B, T, part.shape[2]! / d, d]);
    const scale = norm === undefined ? undefined : weights[`layers.${layer}.${norm}`];
    const scaled = scale === undefined ? byHead : rmsNorm(byHead, scale, { epsilon });
    return transpose(scaled, [0, 2, 1, 3]);
  };
  return {
    query: rotaryEmbedding(split(query, "query_norm"), rotary.cos, rotary.sin),
    key: rotaryEmbedding(split(key, "key_norm"), rotary.cos, rotary.sin),
    value: split(value),
  };
}

/** Adds the attention output and the SwiGLU block: x (B, T, D), attended (B, H, T, d) -> (B, T, D). */
function finishBlock(
  x: Tensor,
  attended: Tensor,
  weights: Weights,
  layer: number,
  config: ModelConfig,
): Tensor {
  const [B, T] = x.shape as [number, number, number];
  const merged = reshape(transpose(attended, [0, 2, 1, 3]), [B, T, config.heads * config.headDim]);
  const [out] = project(merged, weights, layer, "attention_out", config);
  const afterAttention = add(x, out!);
  const normed = rmsNorm(afterAttention, weight(weights, `layers.${layer}.mlp_norm`), {
    epsilon: config.normEpsilon,
  });
  const [gate, up] = project(normed, weights, layer, "gate_up", config);
  const [down] = project(mul(silu(gate!), up!), weights, layer, "down", config);
  return add(afterAttention, down!);
}

/**
 * Additive mask (G T, T), or (B, 1, G T, T) for packed rows. The G query heads of a key/value head are stacked along the
 * positions, so that they share one matrix product and the keys are not copied.
 */
function attentionMask(
  graph: GraphBuilder,
  T: number,
  G: number,
  packing: Packing | undefined,
): Tensor {
  if (packing === undefined) {
    const causal = new Float32Array(T * T);
    for (let row = 0; row < T; row += 1) causal.fill(MASKED, row * T + row + 1, (row + 1) * T);
    const mask = reshape(graph.constant(causal, [T, T]), [1, T, T]);
    return reshape(broadcastTo(mask, [G, T, T]), [G * T, T]);
  }
  const B = packing.segments.shape[0] as number;
  const causal = Uint8Array.from({ length: T * T }, (_, i) => Number(i % T <= Math.floor(i / T)));
  const sameText = equal(
    reshape(packing.segments, [B, T, 1]),
    reshape(packing.segments, [B, 1, T]),
  );
  const seen = logicalAnd(sameText, graph.constant(causal, [T, T])); // (B, T, T)
  const mask = where(seen, graph.constant(0), graph.constant(MASKED));
  const stacked = broadcastTo(reshape(mask, [B, 1, T, T]), [B, G, T, T]);
  return reshape(stacked, [B, 1, G * T, T]);
}

/** Angles by position in the row (T, d / 2), or by place within the text (B, 1, T, d / 2). */
function rotaryAngles(
  graph: GraphBuilder,
  config: ModelConfig,
  rows: number,
  positions?: Tensor,
): Rotary {
  const { cos, sin, half } = rotaryTables(config, rows);
  const angles = (table: Float32Array): Tensor => {
    const constant = graph.constant(table, [rows, half]);
    if (positions === undefined) return constant;
    const [B, T = 1] = positions.shape as [number, number?];
    return reshape(gather(constant, positions), [B, 1, T, half]);
  };
  return { cos: angles(cos), sin: angles(sin) };
}

/**
 * Hidden states after the last norm of right-padded sequences: tokens (B, T) int32 -> (B, T, D). Each position sees itself and
 * earlier ones, so padding on the right changes nothing before it. Keys and values of each layer are put into `keyValues`.
 */
export function trunk(
  graph: GraphBuilder,
  config: ModelConfig,
  weights: Weights,
  tokens: Tensor,
  keyValues: LayerKeyValues[] = [],
  packing?: Packing,
): Tensor {
  const [B, T] = tokens.shape as [number, number];
  const { heads: H, kvHeads: K, headDim: d } = config;
  const stackedRows = (H / K) * T;
  const rotary = rotaryAngles(graph, config, T, packing?.positions);
  const mask = attentionMask(graph, T, H / K, packing);
  const alpha = 1 / Math.sqrt(d);

  let x = gather(weight(weights, "embed"), tokens); // (B, T, D)
  for (let layer = 0; layer < config.layers; layer += 1) {
    const { query, key, value } = projectHeads(x, weights, layer, config, rotary);
    keyValues.push({ key, value });
    const stacked = reshape(query, [B, K, stackedRows, d]);
    const scores = add(matmul(stacked, key, { transposeB: true, alpha }), mask); // (B, K, G T, T)
    const attended = reshape(matmul(softmax(scores), value), [B, H, T, d]);
    x = finishBlock(x, attended, weights, layer, config);
  }
  return rmsNorm(x, weight(weights, "norm"), { epsilon: config.normEpsilon });
}

/** Hidden states (..., D) -> logits (..., V). */
export function logitsOf(config: ModelConfig, weights: Weights, hidden: Tensor): Tensor {
  const head = weight(weights, config.tieEmbeddings ? "embed" : "head");
  return matmul(hidden, head, { transposeB: true });
}

/** Inputs of one decoding step over a cache with room for C positions. */
export interface DecodeInputs {
  /** (B) int32: the token to read. */
  readonly tokens: Tensor;
  /** (B) int32: its position, at most C. */
  readonly positions: Tensor;
  /** (B, 1, 1, C): 0 for a cached position to be seen, MASKED for the rest. */
  readonly mask: Tensor;
  /** Cached keys and values of each layer, (B, K, C, d). */
  readonly cache: readonly LayerKeyValues[];
}

/**
 * One decoding step: hidden states (B, D) of one new token a sequence, which sees the cache and itself. The new keys and values
 * (B, K, 1, d) are put into `keyValues`; the caller writes them into the cache.
 */
export function decodeStep(
  graph: GraphBuilder,
  config: ModelConfig,
  weights: Weights,
  inputs: DecodeInputs,
  keyValues: LayerKeyValues[],
): Tensor {
  const B = inputs.tokens.shape[0] as number;
  const C = inputs.mask.shape[3] as number;
  const { heads: H, kvHeads: K, headDim: d } = config;
  const rotary = rotaryAngles(graph, config, C + 1, inputs.positions);
  const scale = 1 / Math.sqrt(d);

  let x = reshape(gather(weight(weights, "embed"), inputs.tokens), [B, 1, config.hiddenSize]);
  for (let layer = 0; layer < config.layers; layer += 1) {
    const { query, key, value } = projectHeads(x, weights, layer, config, rotary);
    keyValues.push({ key, value });
    const cached = inputs.cache[layer] as LayerKeyValues;
    const stacked = reshape(query, [B, K, H / K, d]);
    const past = matmul(stacked, cached.key, { transposeB: true, alpha: scale }); // (B, K, G, C)
    const self = mul(
      sum(mul(stacked, key), { axes: [3], keepDims: true }), // (B, K, G, 1)
      graph.constant(scale),
    );
    const probabilities = softmax(concat([add(past, inputs.mask), self], 3)); // (B, K, G, C + 1)
    const fromPast = matmul(slice(probabilities, { axis: 3, start: 0, end: C }), cached.value);
    const fromSelf = mul(slice(probabilities, { axis: 3, start: C, end: C + 1 }), value);
    const attended = reshape(add(fromPast, fromSelf), [B, H, 1, d]);
    x = finishBlock(x, attended, weights, layer, config);
  }
  const hidden = rmsNorm(x, weight(weights, "norm"), { epsilon: config.normEpsilon });
  return reshape(hidden, [B, config.hiddenSize]);
}

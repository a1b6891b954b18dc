/** Graphs of prefill and decoding, compiled once for each rectangle, and the sizes that rectangles are rounded up to. */
import {
  GraphBuilder,
  gather,
  mul,
  type Program,
  type ProgramCache,
  reshape,
  softmax,
  type Tensor,
} from "../../engine/index.ts";
import type { ModelConfig } from "../config.ts";
import { languageModelSpecs } from "../parameters.ts";
import {
  declareParameters,
  decodeStep,
  type LayerKeyValues,
  logitsOf,
  trunk,
} from "../transformer.ts";

/** A lone row is computed beside an empty one: a product with one row takes another path whose results differ in the last bits. */
const BATCH_BUCKETS = [2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512];
const CACHE_BLOCK = 32;

/** Rows of a batch that holds `count` sequences. */
export function batchBucket(count: number): number {
  return BATCH_BUCKETS.find((bucket) => bucket >= count) ?? roundUp(count, 128);
}

/** Positions of a cache that holds `length`: multiples of 32, from 256 on four sizes for each doubling. */
export function cacheBucket(length: number): number {
  return roundUp(length, Math.max(CACHE_BLOCK, octaveBelow(length) / 4));
}

/** Positions of a rectangle of prompts whose longest has `length`: multiples of 4, from 64 on eight sizes for each doubling. */
export function promptBucket(length: number): number {
  return roundUp(length, Math.max(4, octaveBelow(length) / 8));
}

/**
 * Rows whose caches are kept in one rectangle: all those below 256 positions, then each doubling by itself, so that a short
 * sequence does not pay for a long one.
 */
export function cacheTier(length: number): number {
  return Math.max(256, octaveBelow(length) * 2);
}

/** Largest power of two below `value`. */
function octaveBelow(value: number): number {
  let power = 1;
  while (power * 2 < value) power *= 2;
  return power;
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}

/** Names of the cache tensors of every layer. */
export function cacheNames(config: ModelConfig): string[] {
  return Array.from({ length: config.layers }, (_, l) => [`key.${l}`, `value.${l}`]).flat();
}

function outputKeyValues(graph: GraphBuilder, keyValues: readonly LayerKeyValues[]): void {
  keyValues.forEach(({ key, value }, layer) => {
    graph.output(`new.key.${layer}`, key);
    graph.output(`new.value.${layer}`, value);
  });
}

/**
 * tokens (B, T), last (B) = row of each last prompt token in (B * T) -> logits (B, V), new keys and values (B, K, T, d).
 */
export function prefillProgram(
  programs: ProgramCache,
  config: ModelConfig,
  B: number,
  T: number,
): Promise<Program> {
  return programs.get(`prefill/${B}/${T}`, () => {
    const graph = new GraphBuilder(`prefill-${B}x${T}`);
    const weights = declareParameters(graph, languageModelSpecs(config));
    const keyValues: LayerKeyValues[] = [];
    const hidden = trunk(graph, config, weights, graph.input("tokens", [B, T], "int32"), keyValues);
    const rows = reshape(hidden, [B * T, config.hiddenSize]);
    const last = gather(rows, graph.input("last", [B], "int32"));
    graph.output("logits", logitsOf(config, weights, last));
    outputKeyValues(graph, keyValues);
    return graph.build();
  });
}

/**
 * tokens, positions (B), inverse_temperature (B, 1), mask (B, 1, 1, C), cache (B, K, C, d) -> probabilities (B, V), new keys
 * and values (B, K, 1, d), and with `withLogits` also logits (B, V).
 */
export function decodeProgram(
  programs: ProgramCache,
  config: ModelConfig,
  B: number,
  C: number,
  withLogits: boolean,
): Promise<Program> {
  return programs.get(`decode/${B}/${C}${withLogits ? "/logits" : ""}`, () => {
    const graph = new GraphBuilder(`decode-${B}x${C}`);
    const weights = declareParameters(graph, languageModelSpecs(config));
    const shape = [B, config.kvHeads, C, config.headDim];
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
    const logits = logitsOf(config, weights, decodeStep(graph, config, weights, inputs, keyValues));
    const inverse: Tensor = graph.input("inverse_temperature", [B, 1]);
    graph.output("probabilities", softmax(mul(logits, inverse)));
    if (withLogits) graph.output("logits", logits);
    outputKeyValues(graph, keyValues);
    return graph.build();
  });
}

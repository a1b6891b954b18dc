/** Tensor names of a Hugging Face checkpoint. The fused tensors of parameters.ts are several of them, by rows. */
import type { ModelConfig } from "./config.ts";
import { sizeOf } from "./parameters.ts";
import { SITES, siteShape } from "./projections.ts";

/** A tensor of a checkpoint and the part of a stored tensor that it is. */
export interface HubPart {
  readonly hubName: string;
  readonly internalName: string;
  readonly shape: readonly number[];
  /** Offset in elements inside the stored tensor. */
  readonly offset: number;
}

/** All tensors of a language model, in the order of storage. */
export function hubParts(config: ModelConfig): HubPart[] {
  const { hiddenSize: D, intermediateSize: F, headDim: d } = config;
  const parts: HubPart[] = [];
  const add = (internalName: string, named: readonly (readonly [string, readonly number[]])[]) => {
    let offset = 0;
    for (const [hubName, shape] of named) {
      parts.push({ hubName, internalName, shape, offset });
      offset += sizeOf(shape);
    }
  };
  const qkvRows = siteShape(config, "qkv").widths;
  add("embed", [["model.embed_tokens.weight", [config.vocabSize, D]]]);
  for (let layer = 0; layer < config.layers; layer += 1) {
    const to = `layers.${layer}`;
    const hub = `model.layers.${layer}`;
    const qkv = (kind: string, columns: readonly number[]) =>
      SITES.qkv.map(
        (part, i) => [`${hub}.self_attn.${part}.${kind}`, [qkvRows[i]!, ...columns]] as const,
      );
    add(`${to}.attention_norm`, [[`${hub}.input_layernorm.weight`, [D]]]);
    add(`${to}.qkv`, qkv("weight", [D]));
    if (config.qkvBias) add(`${to}.qkv_bias`, qkv("bias", []));
    if (config.queryKeyNorm) {
      add(`${to}.query_norm`, [[`${hub}.self_attn.q_norm.weight`, [d]]]);
      add(`${to}.key_norm`, [[`${hub}.self_attn.k_norm.weight`, [d]]]);
    }
    add(`${to}.attention_out`, [[`${hub}.self_attn.o_proj.weight`, [D, config.heads * d]]]);
    add(`${to}.mlp_norm`, [[`${hub}.post_attention_layernorm.weight`, [D]]]);
    add(
      `${to}.gate_up`,
      SITES.gate_up.map((part) => [`${hub}.mlp.${part}.weight`, [F, D]] as const),
    );
    add(`${to}.down`, [[`${hub}.mlp.down_proj.weight`, [D, F]]]);
  }
  add("norm", [["model.norm.weight", [D]]]);
  if (!config.tieEmbeddings) add("head", [["lm_head.weight", [config.vocabSize, D]]]);
  return parts;
}

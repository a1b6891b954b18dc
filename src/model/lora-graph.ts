/**
 * Low-rank adapters in the graph (Hu et al. 2021, section 4.1): y = W x + s B A dropout(x), with s = alpha / rank. The tensors of the
 * adapters go into the same record as the weights, under the names below, so that every program on weights works with and
 * without them.
 */
import { add, matmul, mul, type Tensor, where } from "../engine/index.ts";

/** Projections of a layer by the stored tensor that holds them, in the order of its rows. */
export const SITES = {
  qkv: ["q_proj", "k_proj", "v_proj"],
  attention_out: ["o_proj"],
  gate_up: ["gate_proj", "up_proj"],
  down: ["down_proj"],
} as const;
export type Site = keyof typeof SITES;
export type Projection = (typeof SITES)[Site][number];

/** Name of the scalar s in the record of weights. */
export const ADAPTER_SCALE = "lora_scale";

/** Name of an adapter's matrix in the record of weights: A (rank, in) or B (out, rank). */
export function adapterName(layer: number, projection: Projection, side: "a" | "b"): string {
  return `layers.${layer}.${projection}.lora_${side}`;
}

/** Name of the dropout mask of a site, bool (B, T, in): shared by the projections that read the same input. */
export function dropoutName(layer: number, site: Site): string {
  return `layers.${layer}.${site}.dropout`;
}

/** y (B, T, out) plus what the adapter of a projection adds for x (B, T, in); y itself where there is none. */
export function withAdapter(
  y: Tensor,
  x: Tensor,
  weights: Readonly<Record<string, Tensor>>,
  at: { readonly layer: number; readonly site: Site; readonly part: number },
): Tensor {
  const projection = SITES[at.site][at.part] as Projection;
  const a = weights[adapterName(at.layer, projection, "a")];
  const b = weights[adapterName(at.layer, projection, "b")];
  const scale = weights[ADAPTER_SCALE];
  if (a === undefined || b === undefined || scale === undefined) return y;
  const kept = weights[dropoutName(at.layer, at.site)];
  const input = kept === undefined ? x : where(kept, x, 0);
  const inner = mul(matmul(input, a, { transposeB: true }), scale); // (B, T, rank)
  return add(y, matmul(inner, b, { transposeB: true }));
}

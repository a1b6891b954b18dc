/** The linear layers of a block, by the stored tensor whose rows they are (parameters.ts). */
import type { ModelConfig } from "./config.ts";

/** Projections of a stored tensor, in the order of its rows. Those of one tensor read the same input. */
export const SITES = {
  qkv: ["q_proj", "k_proj", "v_proj"],
  attention_out: ["o_proj"],
  gate_up: ["gate_proj", "up_proj"],
  down: ["down_proj"],
} as const;
export type Site = keyof typeof SITES;
export type Projection = (typeof SITES)[Site][number];

export const SITE_NAMES = Object.keys(SITES) as readonly Site[];
export const PROJECTIONS: readonly Projection[] = SITE_NAMES.flatMap((site) => [...SITES[site]]);

/** Columns of a stored tensor, and rows of each projection in it. */
export function siteShape(
  config: ModelConfig,
  site: Site,
): { readonly inputs: number; readonly widths: readonly number[] } {
  const { hiddenSize: D, intermediateSize: F } = config;
  const [queryRows, keyRows] = [config.heads * config.headDim, config.kvHeads * config.headDim];
  switch (site) {
    case "qkv":
      return { inputs: D, widths: [queryRows, keyRows, keyRows] };
    case "attention_out":
      return { inputs: queryRows, widths: [D] };
    case "gate_up":
      return { inputs: D, widths: [F, F] };
    case "down":
      return { inputs: F, widths: [D] };
  }
}

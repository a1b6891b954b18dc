/**
 * Low-rank adapters (Hu et al. 2021, section 4.1): y = W x + s B A dropout(x), with s = alpha / rank, A random and B zero at the start.
 * A projection inside a fused tensor has an adapter of its own. The tensors of the adapters go into the same record as the weights, so
 * that every program on weights works with and without them; the base weights are inputs of the graph and get no gradient.
 * Deviation from PEFT: projections that read the same input (query, key and value; gate and up) share a dropout mask.
 */
import { add, type GraphBuilder, matmul, mul, type Tensor, where } from "../engine/index.ts";
import type { Random } from "../random/random.ts";
import type { ModelConfig } from "./config.ts";
import type { ParameterSpec, Parameters } from "./parameters.ts";
import {
  PROJECTIONS,
  type Projection,
  SITE_NAMES,
  SITES,
  type Site,
  siteShape,
} from "./projections.ts";

/** What is adapted, and how. */
export interface LoraSpec {
  readonly rank: number;
  /** The product of the adapter is multiplied by alpha / rank. */
  readonly alpha: number;
  /** Share of the adapters' inputs that is zeroed while training. */
  readonly dropout: number;
  /** Adapted projections of every layer; default all seven. */
  readonly targets?: readonly Projection[];
}

/** Name of the scalar that multiplies every adapter, in the record of weights. */
const SCALE = "lora_scale";

/** Name of an adapter's matrix: A (rank, in) or B (out, rank). */
export function adapterName(layer: number, projection: Projection, side: "a" | "b"): string {
  return `layers.${layer}.${projection}.lora_${side}`;
}

/** Name of the dropout mask of a site, bool (B, T, in). */
function dropoutName(layer: number, site: Site): string {
  return `layers.${layer}.${site}.dropout`;
}

/** Place of a projection in a model. */
export interface ProjectionPlace {
  readonly layer: number;
  readonly site: Site;
  readonly projection: Projection;
  readonly inputs: number;
  readonly outputs: number;
  /** First row in the stored tensor. */
  readonly firstRow: number;
}

/** Adapted projections, in the order of storage. */
export function adaptedProjections(
  config: ModelConfig,
  { targets = PROJECTIONS }: Pick<LoraSpec, "targets">,
): ProjectionPlace[] {
  const places: ProjectionPlace[] = [];
  for (let layer = 0; layer < config.layers; layer += 1) {
    for (const site of SITE_NAMES) {
      const { inputs, widths } = siteShape(config, site);
      let firstRow = 0;
      SITES[site].forEach((projection, part) => {
        const outputs = widths[part]!;
        if (targets.includes(projection))
          places.push({ layer, site, projection, inputs, outputs, firstRow });
        firstRow += outputs;
      });
    }
  }
  return places;
}

/** Trainable tensors of the adapters. */
export function adapterSpecs(config: ModelConfig, spec: LoraSpec): ParameterSpec[] {
  return adaptedProjections(config, spec).flatMap(({ layer, projection, inputs, outputs }) => [
    { name: adapterName(layer, projection, "a"), shape: [spec.rank, inputs], init: "uniform" },
    { name: adapterName(layer, projection, "b"), shape: [outputs, spec.rank], init: "zeros" },
  ]);
}

/** Declares weights that are fed but not trained. */
export function declareFrozen(
  graph: GraphBuilder,
  specs: readonly ParameterSpec[],
): Record<string, Tensor> {
  return Object.fromEntries(specs.map(({ name, shape }) => [name, graph.input(name, shape)]));
}

/**
 * What a program needs besides base weights and adapters: the scale, and with `training` and a dropout above 0 the masks as
 * inputs, to be fed with `dropoutMasks`.
 */
export function declareAdapterInputs(
  graph: GraphBuilder,
  config: ModelConfig,
  spec: LoraSpec,
  training?: { readonly B: number; readonly T: number },
): Record<string, Tensor> {
  const drops = training !== undefined && spec.dropout > 0;
  const scale = spec.alpha / spec.rank / (drops ? 1 - spec.dropout : 1);
  const tensors: Record<string, Tensor> = { [SCALE]: graph.constant(scale) };
  if (!drops) return tensors;
  for (const { name, inputs } of maskedSites(config, spec)) {
    tensors[name] = graph.input(name, [training.B, training.T, inputs], "bool");
  }
  return tensors;
}

/** Masks of one rectangle (B, T): 1 where an input is kept. Probabilities are rounded to 2^-16. */
export function dropoutMasks(
  config: ModelConfig,
  spec: LoraSpec,
  { B, T }: { readonly B: number; readonly T: number },
  random: Random,
): Record<string, Uint8Array> {
  if (spec.dropout === 0) return {};
  const limit = Math.round(spec.dropout * 65_536);
  const masks: Record<string, Uint8Array> = {};
  for (const { name, inputs } of maskedSites(config, spec)) {
    const mask = new Uint8Array(B * T * inputs);
    for (let i = 0; i < mask.length; i += 2) {
      const bits = random.uint32();
      mask[i] = Number((bits & 0xffff) >= limit);
      if (i + 1 < mask.length) mask[i + 1] = Number(bits >>> 16 >= limit);
    }
    masks[name] = mask;
  }
  return masks;
}

function maskedSites(config: ModelConfig, spec: LoraSpec) {
  const sites = new Map<string, number>();
  for (const { layer, site, inputs } of adaptedProjections(config, spec)) {
    sites.set(dropoutName(layer, site), inputs);
  }
  return [...sites].map(([name, inputs]) => ({ name, inputs }));
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
  const scale = weights[SCALE];
  if (a === undefined || b === undefined || scale === undefined) return y;
  const kept = weights[dropoutName(at.layer, at.site)];
  const input = kept === undefined ? x : where(kept, x, 0);
  const inner = mul(matmul(input, a, { transposeB: true }), scale); // (B, T, rank)
  return add(y, matmul(inner, b, { transposeB: true }));
}

/**
 * Writes the weights of the adapted model, W + s B A, into `target`, which may be `base` itself or a copy of its layout; tensors without
 * an adapter are copied.
 */
export function mergeAdapters(
  config: ModelConfig,
  spec: LoraSpec,
  base: Parameters,
  adapters: Parameters,
  target: Parameters = base,
): void {
  if (target !== base) target.flat.set(base.flat);
  const scale = spec.alpha / spec.rank;
  for (const place of adaptedProjections(config, spec)) {
    const { layer, site, projection, inputs, outputs, firstRow } = place;
    const a = adapters.views[adapterName(layer, projection, "a")]!;
    const b = adapters.views[adapterName(layer, projection, "b")]!;
    const weight = target.views[`layers.${layer}.${site}`]!;
    const delta = new Float64Array(inputs);
    for (let row = 0; row < outputs; row += 1) {
      delta.fill(0);
      for (let k = 0; k < spec.rank; k += 1) {
        const factor = scale * b[row * spec.rank + k]!;
        for (let column = 0; column < inputs; column += 1) {
          delta[column]! += factor * a[k * inputs + column]!;
        }
      }
      const start = (firstRow + row) * inputs;
      for (let column = 0; column < inputs; column += 1) weight[start + column]! += delta[column]!;
    }
  }
}

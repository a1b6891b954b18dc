/**
 * Named float32 tensors that share one flat buffer, so that the optimizer, the gradient norm and copies are single loops.
 * Query, key and value projections of a layer are one tensor ((H + 2K) d, D), gate and up projections one (2F, D): the names
 * of a Hugging Face checkpoint are row ranges of these (see hub-tensors.ts).
 */
import type { Random } from "../random/random.ts";
import { InternalError } from "../util/errors.ts";
import type { ModelConfig } from "./config.ts";

export interface ParameterSpec {
  readonly name: string;
  readonly shape: readonly number[];
  /**
   * How a fresh model fills it. Random ones are normal: `embedding` with standard deviation 0.02, `matrix` with 1 / sqrt(inputs), `residual` like
   * `matrix` divided by sqrt(2 layers). `uniform` draws from ±1 / sqrt(inputs), as PEFT starts adapters.
   */
  readonly init: "ones" | "zeros" | "embedding" | "matrix" | "residual" | "uniform";
}

/** Flat storage with a view for each tensor. */
export class Parameters {
  readonly specs: readonly ParameterSpec[];
  readonly flat: Float32Array;
  readonly views: Readonly<Record<string, Float32Array>>;

  constructor(specs: readonly ParameterSpec[], flat?: Float32Array) {
    const total = specs.reduce((sum, spec) => sum + sizeOf(spec.shape), 0);
    if (flat !== undefined && flat.length !== total) {
      throw new InternalError(`parameters: expected ${total} numbers, found ${flat.length}`, {
        code: "model.parameter_size",
      });
    }
    this.specs = specs;
    this.flat = flat ?? new Float32Array(total);
    const views: Record<string, Float32Array> = {};
    let offset = 0;
    for (const spec of specs) {
      const size = sizeOf(spec.shape);
      views[spec.name] = this.flat.subarray(offset, offset + size);
      offset += size;
    }
    this.views = views;
  }

  /** Zero-filled storage of the same layout, for gradients and moments. */
  zerosLike(): Parameters {
    return new Parameters(this.specs);
  }

  /** Independent copy. */
  clone(): Parameters {
    return new Parameters(this.specs, this.flat.slice());
  }

  /** Copies the tensors that both sides have by name; returns the names of this side that got no value. */
  copyFrom(source: Parameters): string[] {
    const missing: string[] = [];
    for (const { name } of this.specs) {
      const from = source.views[name];
      if (from === undefined) missing.push(name);
      else this.views[name]?.set(from);
    }
    return missing;
  }

  /** Fills every tensor as its spec says; the order of draws is the order of the specs. */
  initialise(random: Random, layers: number): this {
    for (const spec of this.specs) {
      const view = this.views[spec.name] as Float32Array;
      if (spec.init === "ones") view.fill(1);
      else if (spec.init === "zeros") view.fill(0);
      else if (spec.init === "uniform") {
        const bound = 1 / Math.sqrt(spec.shape[1] ?? 1);
        for (let i = 0; i < view.length; i += 1) view[i] = bound * (2 * random.uniform() - 1);
      } else {
        const deviation = deviationOf(spec, layers);
        for (let i = 0; i < view.length; i += 1) view[i] = deviation * random.normal();
      }
    }
    return this;
  }
}

function deviationOf({ init, shape }: ParameterSpec, layers: number): number {
  if (init === "embedding") return 0.02; // GPT-2 (Radford et al. 2019, section 2.3), as is the depth scaling
  const fanIn = 1 / Math.sqrt(shape[1] ?? 1);
  return init === "residual" ? fanIn / Math.sqrt(2 * layers) : fanIn;
}

/** Number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** Tensors of a language model, in storage order. */
export function languageModelSpecs(config: ModelConfig): ParameterSpec[] {
  const { vocabSize: V, hiddenSize: D, intermediateSize: F, headDim: d } = config;
  const specs: ParameterSpec[] = [{ name: "embed", shape: [V, D], init: "embedding" }];
  for (let layer = 0; layer < config.layers; layer += 1) {
    const add = (name: string, shape: readonly number[], init: ParameterSpec["init"]) =>
      specs.push({ name: `layers.${layer}.${name}`, shape, init });
    const qkvRows = (config.heads + 2 * config.kvHeads) * d;
    add("attention_norm", [D], "ones");
    add("qkv", [qkvRows, D], "matrix");
    if (config.qkvBias) add("qkv_bias", [qkvRows], "zeros");
    if (config.queryKeyNorm) {
      add("query_norm", [d], "ones");
      add("key_norm", [d], "ones");
    }
    add("attention_out", [D, config.heads * d], "residual");
    add("mlp_norm", [D], "ones");
    add("gate_up", [2 * F, D], "matrix");
    add("down", [D, F], "residual");
  }
  specs.push({ name: "norm", shape: [D], init: "ones" });
  if (!config.tieEmbeddings) specs.push({ name: "head", shape: [V, D], init: "embedding" });
  return specs;
}

/** Tensors of a critic: the trunk of the language model and a value head (1, D) that starts at zero. */
export function criticSpecs(config: ModelConfig): ParameterSpec[] {
  const trunk = languageModelSpecs(config).filter((spec) => spec.name !== "head");
  return [...trunk, { name: "value_head", shape: [1, config.hiddenSize], init: "zeros" }];
}

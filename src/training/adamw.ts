/**
 * AdamW with decoupled weight decay (Loshchilov and Hutter 2019, algorithm 2), as torch.optim.AdamW computes it.
 * Matrices decay; vectors (norm weights) do not. Moments are float32, like the parameters.
 */
import { type Parameters, sizeOf } from "../model/parameters.ts";

export interface AdamWOptions {
  readonly betas: readonly [number, number];
  readonly epsilon: number;
  readonly weightDecay: number;
}

/** Optimizer state of one set of parameters. */
export class AdamW {
  readonly parameters: Parameters;
  readonly firstMoment: Parameters;
  readonly secondMoment: Parameters;
  readonly #options: AdamWOptions;
  /** Updates made so far. */
  steps = 0;

  constructor(parameters: Parameters, options: AdamWOptions) {
    this.parameters = parameters;
    this.firstMoment = parameters.zerosLike();
    this.secondMoment = parameters.zerosLike();
    this.#options = options;
  }

  /** One update with gradients multiplied by `gradientScale` (from clipping). */
  step(gradients: Parameters, learningRate: number, gradientScale = 1): void {
    const [beta1, beta2] = this.#options.betas;
    this.steps += 1;
    const stepSize = learningRate / (1 - beta1 ** this.steps);
    const rootCorrection = Math.sqrt(1 - beta2 ** this.steps);
    let offset = 0;
    for (const spec of this.parameters.specs) {
      const end = offset + sizeOf(spec.shape);
      const decay = spec.shape.length > 1 ? 1 - learningRate * this.#options.weightDecay : 1;
      updateRange(
        this.parameters.flat,
        gradients.flat,
        this.firstMoment.flat,
        this.secondMoment.flat,
        {
          start: offset,
          end,
          beta1,
          beta2,
          stepSize,
          rootCorrection,
          epsilon: this.#options.epsilon,
          decay,
          gradientScale,
        },
      );
      offset = end;
    }
  }
}

interface UpdateRange {
  readonly start: number;
  readonly end: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly stepSize: number;
  readonly rootCorrection: number;
  readonly epsilon: number;
  readonly decay: number;
  readonly gradientScale: number;
}

/** Hot loop: index checks are off on purpose. */
function updateRange(
  weights: Float32Array,
  gradients: Float32Array,
  first: Float32Array,
  second: Float32Array,
  range: UpdateRange,
): void {
  const { beta1, beta2, stepSize, rootCorrection, epsilon, decay, gradientScale } = range;
  for (let i = range.start; i < range.end; i += 1) {
    const gradient = gradients[i]! * gradientScale;
    const m = beta1 * first[i]! + (1 - beta1) * gradient;
    const v = beta2 * second[i]! + (1 - beta2) * gradient * gradient;
    first[i] = m;
    second[i] = v;
    weights[i] = weights[i]! * decay - (stepSize * m) / (Math.sqrt(v) / rootCorrection + epsilon);
  }
}

/** Euclidean norm of all gradients together. */
export function gradientNorm(gradients: Parameters): number {
  let total = 0;
  const { flat } = gradients;
  for (let i = 0; i < flat.length; i += 1) total += flat[i]! * flat[i]!;
  return Math.sqrt(total);
}

/** Factor that brings gradients of the given norm to at most `maxGradNorm` (torch.nn.utils.clip_grad_norm_). */
export function clipScale(norm: number, maxGradNorm: number): number {
  return Math.min(1, maxGradNorm / (norm + 1e-6));
}

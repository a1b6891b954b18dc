/**
 * Angles of rotary position embedding (Su et al. 2021, section 3.2) with the frequency scaling of Llama 3.1.
 * Rounded to float32 where transformers rounds (frequency, then position times frequency): a model was trained with those
 * angles, and far positions turn by thousands of radians.
 */

/** Llama 3.1: slow frequencies are divided by `factor`, fast ones kept, those between interpolated. */
export interface RopeScaling {
  readonly factor: number;
  readonly lowFrequencyFactor: number;
  readonly highFrequencyFactor: number;
  /** Positions that the model was first trained on. */
  readonly originalMaxPositions: number;
}

export interface RopeShape {
  readonly headDim: number;
  readonly ropeTheta: number;
  readonly ropeScaling?: RopeScaling;
}

/** Radians per position of each pair of elements, (d / 2). */
export function rotaryFrequencies({ headDim, ropeTheta, ropeScaling }: RopeShape): Float32Array {
  const frequencies = new Float32Array(headDim / 2);
  for (let i = 0; i < frequencies.length; i += 1) {
    const power = Math.fround(ropeTheta ** Math.fround((2 * i) / headDim));
    const plain = Math.fround(1 / power);
    frequencies[i] = ropeScaling === undefined ? plain : scaleFrequency(plain, ropeScaling);
  }
  return frequencies;
}

/** transformers, modeling_rope_utils.py, `_compute_llama3_parameters`. */
function scaleFrequency(frequency: number, scaling: RopeScaling): number {
  const { factor, lowFrequencyFactor: low, highFrequencyFactor: high } = scaling;
  const turns = (scaling.originalMaxPositions * frequency) / (2 * Math.PI); // within the original positions
  if (turns < low) return frequency / factor;
  if (turns > high) return frequency;
  const smooth = (turns - low) / (high - low);
  return (1 - smooth) * (frequency / factor) + smooth * frequency;
}

/** Cosines and sines of the angles of positions 0 to positions - 1, each (positions, d / 2). */
export function rotaryTables(
  shape: RopeShape,
  positions: number,
): { readonly cos: Float32Array; readonly sin: Float32Array; readonly half: number } {
  const frequencies = rotaryFrequencies(shape);
  const half = frequencies.length;
  const cos = new Float32Array(positions * half);
  const sin = new Float32Array(positions * half);
  for (let position = 0; position < positions; position += 1) {
    for (let i = 0; i < half; i += 1) {
      const angle = Math.fround(position * frequencies[i]!);
      cos[position * half + i] = Math.cos(angle);
      sin[position * half + i] = Math.sin(angle);
    }
  }
  return { cos, sin, half };
}

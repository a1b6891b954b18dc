/**
 * Half-precision numbers as bits: IEEE 754 binary16 and bfloat16 to and from float32. Narrowing rounds to nearest, ties to even, as
 * PyTorch does. Tensors are little-endian in files, as on every processor that Node runs the engine on.
 */

/** Number type of the tensors in a checkpoint folder. */
export type CheckpointDType = "float32" | "float16" | "bfloat16";

export const CHECKPOINT_DTYPES = ["float32", "float16", "bfloat16"] as const;

/** Bytes of one number. */
export const DTYPE_BYTES: Readonly<Record<CheckpointDType, number>> = {
  float32: 4,
  float16: 2,
  bfloat16: 2,
};

/** Largest finite binary16 number; what rounds above it becomes infinite. */
export const FLOAT16_MAX = 65_504;

/** Every binary16 number by its bits, made at first use. */
let float16Values: Float32Array | undefined;

function float16Table(): Float32Array {
  if (float16Values !== undefined) return float16Values;
  const table = new Float32Array(65_536);
  for (let bits = 0; bits < 65_536; bits += 1) {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 0x1f;
    const fraction = bits & 0x3ff;
    if (exponent === 0) table[bits] = sign * fraction * 2 ** -24;
    else if (exponent < 31) table[bits] = sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
    else table[bits] = fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  }
  float16Values = table;
  return table;
}

/** Widens half-precision bits into `target`, from its start. */
export function widen(
  bits: Uint16Array,
  dtype: "float16" | "bfloat16",
  target: Float32Array,
): void {
  if (dtype === "bfloat16") {
    const words = new Uint32Array(target.buffer, target.byteOffset, bits.length);
    for (let i = 0; i < bits.length; i += 1) words[i] = bits[i]! << 16;
    return;
  }
  const table = float16Table();
  for (let i = 0; i < bits.length; i += 1) target[i] = table[bits[i]!]!;
}

/** Half-precision bits nearest to each number. */
export function narrow(source: Float32Array, dtype: "float16" | "bfloat16"): Uint16Array {
  const words = new Uint32Array(source.buffer, source.byteOffset, source.length);
  const bits = new Uint16Array(source.length);
  const convert = dtype === "bfloat16" ? bfloat16Bits : float16Bits;
  for (let i = 0; i < words.length; i += 1) bits[i] = convert(words[i]!);
  return bits;
}

/** The upper half of a float32, rounded; a NaN keeps its sign and stays quiet. */
function bfloat16Bits(word: number): number {
  if ((word & 0x7fff_ffff) > 0x7f80_0000) return (word >>> 16) | 0x40;
  return (word + 0x7fff + ((word >>> 16) & 1)) >>> 16; // a carry may reach infinity, which is right
}

function float16Bits(word: number): number {
  const sign = (word >>> 16) & 0x8000;
  const magnitude = word & 0x7fff_ffff;
  if (magnitude > 0x7f80_0000) return sign | 0x7e00; // NaN
  if (magnitude >= 0x4780_0000) return sign | 0x7c00; // 2^16 and above
  if (magnitude >= 0x3880_0000) {
    // Normal numbers, from 2^-14: the exponent is rebased by 112, 13 bits of fraction go.
    const rebased = magnitude - 0x3800_0000;
    return sign | ((rebased + 0xfff + ((rebased >>> 13) & 1)) >>> 13);
  }
  // Below 2^-14 a unit is 2^-24: shift the fraction, with its hidden bit, to that place.
  const shift = 126 - (magnitude >>> 23);
  if (shift > 24) return sign;
  const fraction = (magnitude & 0x7f_ffff) | 0x80_0000;
  const kept = fraction >>> shift;
  const rest = fraction & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return sign | (kept + Number(rest > half || (rest === half && (kept & 1) === 1)));
}

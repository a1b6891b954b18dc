/** Inverse of a small symmetric positive definite matrix. */

/** Smallest pivot, relative to the largest entry of the diagonal, that counts as more than rounding. */
const SMALLEST_PIVOT = 1e-11;

/**
 * Inverse of a symmetric positive definite matrix (k, k), row by row, through its Cholesky factor; undefined when the
 * matrix is singular up to rounding.
 */
export function invertSymmetric(matrix: Float64Array, k: number): Float64Array | undefined {
  const scale = Array.from({ length: k }, (_, i) => Math.sqrt(matrix[i * k + i] as number));
  if (scale.some((value) => !(value > 0))) return undefined;
  // Scaled to a unit diagonal, so that the pivot test does not depend on the units of the columns.
  const L = new Float64Array(k * k);
  for (let i = 0; i < k; i += 1) {
    for (let j = 0; j <= i; j += 1) {
      let sum = (matrix[i * k + j] as number) / ((scale[i] as number) * (scale[j] as number));
      for (let m = 0; m < j; m += 1) sum -= (L[i * k + m] as number) * (L[j * k + m] as number);
      if (i === j) {
        if (!(sum > SMALLEST_PIVOT)) return undefined;
        L[i * k + i] = Math.sqrt(sum);
      } else L[i * k + j] = sum / (L[j * k + j] as number);
    }
  }
  const inverse = new Float64Array(k * k);
  const column = new Float64Array(k);
  for (let c = 0; c < k; c += 1) {
    for (let i = 0; i < k; i += 1) {
      let sum = i === c ? 1 : 0;
      for (let m = 0; m < i; m += 1) sum -= (L[i * k + m] as number) * (column[m] as number);
      column[i] = sum / (L[i * k + i] as number);
    }
    for (let i = k - 1; i >= 0; i -= 1) {
      let sum = column[i] as number;
      for (let m = i + 1; m < k; m += 1) sum -= (L[m * k + i] as number) * (column[m] as number);
      column[i] = sum / (L[i * k + i] as number);
      inverse[i * k + c] = (column[i] as number) / ((scale[i] as number) * (scale[c] as number));
    }
  }
  return inverse;
}

/**
 * Chance that at least one of k samples is right, from n samples of which c are right: 1 - C(n-c, k) / C(n, k), unbiased
 * for every k <= n (Chen et al. 2021, arXiv 2107.03374).
 */

/** @throws RangeError unless 0 <= c <= n and 1 <= k <= n. */
export function passAtK(n: number, c: number, k: number): number {
  if (!(c >= 0 && c <= n && k >= 1 && k <= n)) {
    throw new RangeError(
      `pass@k: expected 0 <= c <= n and 1 <= k <= n, found n ${n}, c ${c}, k ${k}`,
    );
  }
  if (n - c < k) return 1;
  let missed = 1; // C(n-c, k) / C(n, k) as a product of ratios below 1
  for (let i = n - c + 1; i <= n; i += 1) missed *= 1 - k / i;
  return 1 - missed;
}

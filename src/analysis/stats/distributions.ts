/**
 * Normal and Student t distribution functions and their inverses, to about 1e-12.
 * Sources: incomplete beta by its continued fraction (DLMF 8.17.22) with the modified Lentz method; log gamma by the
 * Lanczos sum with g = 7 and 9 terms; normal by the everywhere positive series of Marsaglia (2004),
 * Phi(x) = 1/2 + phi(x) (x + x^3/3 + x^5/15 + ...). Inverses by bisection, which cannot diverge.
 */

const LANCZOS = [
  0.999_999_999_999_809_93, 676.520_368_121_885_1, -1259.139_216_722_402_8, 771.323_428_777_653_13,
  -176.615_029_162_140_6, 12.507_343_278_686_905, -0.138_571_095_265_720_12,
  9.984_369_578_019_572e-6, 1.505_632_735_149_311_6e-7,
] as const;

/** log Gamma(x) for x >= 0.5. */
function logGamma(x: number): number {
  const z = x - 1;
  let sum: number = LANCZOS[0];
  for (let i = 1; i < LANCZOS.length; i += 1) sum += (LANCZOS[i] as number) / (z + i);
  const t = z + 7.5;
  return 0.5 * Math.log(2 * Math.PI) + (z + 0.5) * Math.log(t) - t + Math.log(sum);
}

/** Continued fraction of the incomplete beta; converges fast for x < (a + 1) / (a + b + 2). */
function betaFraction(x: number, a: number, b: number): number {
  const tiny = 1e-300;
  let c = 1;
  let d = 1 - ((a + b) * x) / (a + 1);
  d = 1 / (Math.abs(d) < tiny ? tiny : d);
  let fraction = d;
  for (let m = 1; m <= 10_000; m += 1) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / nonZero(1 + even * d);
    c = nonZero(1 + even / c);
    fraction *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / nonZero(1 + odd * d);
    c = nonZero(1 + odd / c);
    fraction *= d * c;
    if (Math.abs(d * c - 1) < 1e-15) break;
  }
  return fraction;

  function nonZero(value: number): number {
    return Math.abs(value) < tiny ? tiny : value;
  }
}

/** Regularised incomplete beta I_x(a, b) for a, b >= 0.5. */
function regularizedBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const logFront =
    logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x);
  const front = Math.exp(logFront);
  return x < (a + 1) / (a + b + 2)
    ? (front * betaFraction(x, a, b)) / a
    : 1 - (front * betaFraction(1 - x, b, a)) / b;
}

/** P(T <= t) for Student's t with `df` >= 1 degrees of freedom (need not be whole). */
export function studentCdf(t: number, df: number): number {
  const tail = 0.5 * regularizedBeta(df / (df + t * t), df / 2, 0.5);
  return t > 0 ? 1 - tail : tail;
}

/** P(Z <= x) for the standard normal. */
export function normalCdf(x: number): number {
  if (Math.abs(x) > 8) return x > 0 ? 1 : 0;
  let term = x;
  let sum = x;
  for (let k = 3; Math.abs(term) > 1e-18 * Math.abs(sum); k += 2) {
    term *= (x * x) / k;
    sum += term;
  }
  return 0.5 + (sum * Math.exp(-0.5 * x * x)) / Math.sqrt(2 * Math.PI);
}

/**
 * The t with P(T <= t) = probability.
 * @throws RangeError for a probability outside (0, 1) or df < 1.
 */
export function studentQuantile(probability: number, df: number): number {
  if (!(df >= 1)) throw new RangeError(`t quantile: expected df >= 1, found ${df}`);
  return invert((t) => studentCdf(t, df), probability);
}

/**
 * The z with P(Z <= z) = probability.
 * @throws RangeError for a probability outside (0, 1).
 */
export function normalQuantile(probability: number): number {
  return invert(normalCdf, probability);
}

/** Inverse of a symmetric distribution function; works in the upper half and mirrors. */
function invert(cdf: (x: number) => number, probability: number): number {
  if (!(probability > 0 && probability < 1)) {
    throw new RangeError(`quantile: expected a probability inside (0, 1), found ${probability}`);
  }
  if (probability < 0.5) return -invert(cdf, 1 - probability);
  let low = 0;
  let high = 1;
  while (cdf(high) < probability) high *= 2;
  for (let i = 0; i < 100 && high - low > 1e-14 * high; i += 1) {
    const middle = (low + high) / 2;
    if (cdf(middle) < probability) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

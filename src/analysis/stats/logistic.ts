/**
 * Logistic regression by Newton's method with cluster-robust standard errors: bread A = (X'WX)^-1, meat the sum over
 * clusters of the outer product of the cluster's score, times G/(G-1) * (n-1)/(n-k) (Liang and Zeger 1986; the
 * correction of statsmodels and Stata). Golden values: test/golden/outcomes.py.
 *
 * Shapes: n rows, k columns, G clusters; `design` (n, k) row by row.
 */
import { normalQuantile } from "./distributions.ts";
import { DEFAULT_LEVEL, type Interval } from "./interval.ts";
import { invertSymmetric } from "./linear.ts";

export interface LogisticProblem {
  /** (n, k) row by row, with the constant column where one is wanted. */
  readonly design: Float64Array;
  readonly columns: number;
  /** (n), 0 or 1. */
  readonly outcome: Uint8Array;
  /** (n), the cluster of each row as a number from 0. */
  readonly clusters: Int32Array;
}

export type LogisticFit =
  | {
      readonly kind: "fit";
      readonly coefficients: readonly number[];
      readonly standardErrors: readonly number[];
      readonly rows: number;
      readonly clusters: number;
    }
  | { readonly kind: "undefined"; readonly reason: string };

/** Log odds beyond which a coefficient is taken to run off to infinity; chosen by us. */
const SEPARATED = 15;
const MAX_STEPS = 40;

/** Maximum likelihood fit; undefined with a reason for collinear columns and for outcomes that a column separates. */
export function fitLogistic(problem: LogisticProblem): LogisticFit {
  const { design, columns: k, outcome } = problem;
  const n = outcome.length;
  if (n <= k) return undefinedFit(`${n} rows do not determine ${k} coefficients`);
  const beta = new Float64Array(k);
  for (let step = 0; step < MAX_STEPS; step += 1) {
    const { score, information } = derivatives(design, outcome, beta);
    const bread = invertSymmetric(information, k);
    if (bread === undefined) return undefinedFit("the columns do not determine the coefficients");
    let largest = 0;
    for (let i = 0; i < k; i += 1) {
      let move = 0;
      for (let j = 0; j < k; j += 1) move += (bread[i * k + j] as number) * (score[j] as number);
      beta[i] = (beta[i] as number) + move;
      largest = Math.max(largest, Math.abs(move));
    }
    if (beta.some((value) => !(Math.abs(value) < SEPARATED))) {
      return undefinedFit("a column separates solved from unsolved completions");
    }
    if (largest < 1e-10) return { kind: "fit", ...robustErrors(problem, beta), rows: n };
  }
  return undefinedFit(`no convergence in ${MAX_STEPS} steps`);
}

/** Odds ratio of one coefficient with its normal interval over clusters. */
export function oddsRatioOf(
  fit: Extract<LogisticFit, { kind: "fit" }>,
  column: number,
): { oddsRatio: number; interval: Interval } {
  const center = fit.coefficients[column] as number;
  const half = normalQuantile(0.5 + DEFAULT_LEVEL / 2) * (fit.standardErrors[column] as number);
  const interval: Interval = {
    kind: "interval",
    lower: Math.exp(center - half),
    upper: Math.exp(center + half),
    level: DEFAULT_LEVEL,
    method: "logistic regression, clustered by puzzle",
    over: "puzzles",
  };
  return { oddsRatio: Math.exp(center), interval };
}

/** Score X'(y - p) and information X'WX at `beta`. */
function derivatives(design: Float64Array, outcome: Uint8Array, beta: Float64Array) {
  const k = beta.length;
  const score = new Float64Array(k);
  const information = new Float64Array(k * k);
  for (let row = 0, at = 0; row < outcome.length; row += 1, at += k) {
    const p = probability(design, at, beta);
    const residual = (outcome[row] as number) - p;
    const weight = p * (1 - p);
    for (let i = 0; i < k; i += 1) {
      const x = design[at + i] as number;
      if (x === 0) continue;
      score[i] = (score[i] as number) + x * residual;
      const scaled = x * weight;
      for (let j = 0; j <= i; j += 1) {
        const to = i * k + j;
        information[to] = (information[to] as number) + scaled * (design[at + j] as number);
      }
    }
  }
  for (let i = 0; i < k; i += 1) {
    for (let j = 0; j < i; j += 1) information[j * k + i] = information[i * k + j] as number;
  }
  return { score, information };
}

function probability(design: Float64Array, at: number, beta: Float64Array): number {
  let eta = 0;
  for (let i = 0; i < beta.length; i += 1) eta += (design[at + i] as number) * (beta[i] as number);
  return 1 / (1 + Math.exp(-eta));
}

function robustErrors({ design, outcome, clusters }: LogisticProblem, beta: Float64Array) {
  const k = beta.length;
  const n = outcome.length;
  const bread = invertSymmetric(derivatives(design, outcome, beta).information, k) as Float64Array;
  let groups = 0;
  for (const cluster of clusters) groups = Math.max(groups, cluster + 1);
  const scores = new Float64Array(groups * k);
  for (let row = 0, at = 0; row < n; row += 1, at += k) {
    const residual = (outcome[row] as number) - probability(design, at, beta);
    const to = (clusters[row] as number) * k;
    for (let i = 0; i < k; i += 1) {
      scores[to + i] = (scores[to + i] as number) + residual * (design[at + i] as number);
    }
  }
  const scale = (groups / (groups - 1)) * ((n - 1) / (n - k));
  const standardErrors = Array.from({ length: k }, (_, i) => {
    let variance = 0; // row i of A, times the meat, times row i of A
    for (let g = 0; g < groups; g += 1) {
      let dot = 0;
      for (let j = 0; j < k; j += 1) {
        dot += (bread[i * k + j] as number) * (scores[g * k + j] as number);
      }
      variance += dot * dot;
    }
    return Math.sqrt(scale * variance);
  });
  return { coefficients: [...beta], standardErrors, clusters: groups };
}

function undefinedFit(reason: string): LogisticFit {
  return { kind: "undefined", reason };
}

/**
 * Generalised advantage estimation (Schulman et al. 2016, equations 11-16) over the tokens of one response.
 * The response always ends its episode: there is no bootstrap value after the last token, also when it was cut off by the length
 * limit, as in the published set-up.
 */

export interface GaeOptions {
  readonly gamma: number;
  readonly gaeLambda: number;
}

/** Advantages and returns (advantage + value) of N tokens from their rewards (N) and values (N). */
export function computeGae(
  rewards: ArrayLike<number>,
  values: ArrayLike<number>,
  { gamma, gaeLambda }: GaeOptions,
): { readonly advantages: Float32Array; readonly returns: Float32Array } {
  const length = rewards.length;
  const advantages = new Float32Array(length);
  const returns = new Float32Array(length);
  let running = 0;
  for (let t = length - 1; t >= 0; t -= 1) {
    const nextValue = t + 1 < length ? values[t + 1]! : 0;
    const delta = rewards[t]! + gamma * nextValue - values[t]!;
    running = delta + gamma * gaeLambda * running;
    advantages[t] = running;
    returns[t] = running + values[t]!;
  }
  return { advantages, returns };
}

/**
 * Shifts and scales all advantages together to mean 0 and variance 1, in place. The variance is the unbiased one over tokens and
 * 1e-8 is added to it, as veRL's masked_whiten does.
 */
export function whitenAdvantages(advantages: readonly Float32Array[]): void {
  let count = 0;
  let total = 0;
  for (const own of advantages) {
    for (const value of own) total += value;
    count += own.length;
  }
  if (count < 2) return;
  const mean = total / count;
  let squares = 0;
  for (const own of advantages) for (const value of own) squares += (value - mean) ** 2;
  const scale = 1 / Math.sqrt(squares / (count - 1) + 1e-8);
  for (const own of advantages) {
    for (let i = 0; i < own.length; i += 1) own[i] = (own[i]! - mean) * scale;
  }
}

/** 1 - Var(returns - values) / Var(returns) over all tokens; null when the returns do not vary. */
export function explainedVariance(
  returns: readonly Float32Array[],
  values: readonly Float32Array[],
): number | null {
  const variance = (pick: (i: number, t: number) => number): number => {
    let [count, mean, squares] = [0, 0, 0]; // Welford's running mean and sum of squares
    returns.forEach((own, i) => {
      for (let t = 0; t < own.length; t += 1) {
        count += 1;
        const difference = pick(i, t) - mean;
        mean += difference / count;
        squares += difference * (pick(i, t) - mean);
      }
    });
    return squares / count;
  };
  const spread = variance((i, t) => returns[i]![t]!);
  if (!(spread > 1e-12)) return null;
  return 1 - variance((i, t) => returns[i]![t]! - values[i]![t]!) / spread;
}

/**
 * Advantages relative to the group: rewards of the responses to one prompt, minus their mean, divided by their standard deviation
 * (Shao et al. 2024, equation 4.1.2) or not (Liu et al. 2025, "Dr. GRPO"). The deviation is the unbiased one, and DEVIATION_FLOOR is
 * added to it, as veRL and TRL do.
 */
const DEVIATION_FLOOR = 1e-6;

/** One advantage for each reward; rewards of a group stand one after the other. */
export function groupAdvantages(
  rewards: readonly number[],
  { groupSize, normalizeByStd }: { readonly groupSize: number; readonly normalizeByStd: boolean },
): number[] {
  return rewards.map((reward, i) => {
    const start = i - (i % groupSize);
    const group = rewards.slice(start, start + groupSize);
    const mean = group.reduce((sum, r) => sum + r, 0) / group.length;
    if (!normalizeByStd) return reward - mean;
    const squares = group.reduce((sum, r) => sum + (r - mean) ** 2, 0);
    const deviation = Math.sqrt(squares / Math.max(1, group.length - 1));
    return (reward - mean) / (deviation + DEVIATION_FLOOR);
  });
}

/** Share of groups whose rewards are all equal: they say nothing about what is better. */
export function uniformGroupShare(rewards: readonly number[], groupSize: number): number {
  const groups = Math.ceil(rewards.length / groupSize);
  let uniform = 0;
  for (let g = 0; g < groups; g += 1) {
    const group = rewards.slice(g * groupSize, (g + 1) * groupSize);
    if (group.every((reward) => reward === group[0])) uniform += 1;
  }
  return uniform / groups;
}

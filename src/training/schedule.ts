/** Learning-rate schedules as factors of the peak rate. */

export type ScheduleKind = "cosine" | "linear" | "constant";

/**
 * Factor in [0, 1] for update `step` (from 0) of `total`: linear warm-up over the first `warmup` updates, then the decay. The first
 * update has factor 1 / warmup, and the decay reaches 0 just after the last update.
 */
export function scheduleFactor(
  kind: ScheduleKind,
  step: number,
  { total, warmup }: { readonly total: number; readonly warmup: number },
): number {
  if (step < warmup) return (step + 1) / warmup;
  if (kind === "constant") return 1;
  const progress = Math.min(1, (step - warmup) / Math.max(1, total - warmup));
  return kind === "linear" ? 1 - progress : 0.5 * (1 + Math.cos(Math.PI * progress));
}

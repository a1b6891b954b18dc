/**
 * The claims of the study, judged on accuracy at each arm's final step (rules in verdict.ts). Every claim is always
 * listed; one whose arms are missing is `not measured`. Source of the claims: Gandhi et al. 2025 (arXiv 2503.01307);
 * the thresholds are ours.
 */
import type { Random } from "../random/random.ts";
import type { Claim, Verdict } from "./comparison-schema.ts";
import { percent, points, range, times } from "./format.ts";
import { armLabel, conditionLabel } from "./labels.ts";
import type { MeasuredArm } from "./measure.ts";
import {
  type Estimate,
  estimateDifference,
  estimateMean,
  estimateRatio,
  type Interval,
  undefinedInterval,
} from "./stats/index.ts";
import { judgeAbove, judgeNoBetter, judgeRatio, judgeShare, judgeWithin } from "./verdict.ts";

/** Conditions that show at least one habit and right answers. */
export const HABIT_CONDITIONS = [
  "all_strategies",
  "only_backtracking",
  "backtracking_verification",
  "backtracking_subgoal",
  "backtracking_backward",
] as const;

export const TIMES_UNPRIMED = 3;
export const TIMES_EMPTY = 1.5;
export const ABSOLUTE_ACCURACY = 0.6;
/** Five percentage points: the margin of "as well as" and of "no better". */
export const MARGIN = 0.05;

/** What the judging of claims needs. */
export interface ClaimContext {
  readonly arms: readonly MeasuredArm[];
  readonly mainBase: string;
  /** Stream `bootstrap`; each claim draws from its own sub-stream. */
  readonly random: Random;
}

/** An arm of a claim, with its accuracy; `arm` undefined when the study does not have it. */
interface Side {
  readonly label: string;
  readonly arm: MeasuredArm | undefined;
  readonly accuracy: Estimate;
}

/** Every claim with its estimate, interval, verdict and reading. */
export function judgeClaims(context: ClaimContext): Claim[] {
  const side = (condition: string): Side => sideOf(context, context.mainBase, condition);
  const claims: Claim[] = [];
  for (const condition of HABIT_CONDITIONS) {
    const arm = side(condition);
    claims.push(
      ratioClaim(context, condition, arm, side("none"), TIMES_UNPRIMED),
      ratioClaim(context, condition, arm, side("empty_cot"), TIMES_EMPTY),
      shareClaim(condition, arm),
    );
  }
  claims.push(withinClaim(context, side("incorrect_only"), side("all_strategies")));
  claims.push(noBetterClaim(context, side("length_matched"), side("empty_cot")));
  claims.push(baseClaim(context));
  return claims;
}

function sideOf(context: ClaimContext, base: string, condition: string): Side {
  const arm = context.arms.find(
    ({ summary }) => summary.base === base && summary.condition === condition,
  );
  return {
    label: armLabel({ condition, base }, context.mainBase),
    arm,
    accuracy: estimateMean(arm?.finalAccuracy ?? [], "share"),
  };
}

function ratioClaim(
  context: ClaimContext,
  condition: string,
  a: Side,
  b: Side,
  threshold: number,
): Claim {
  const id = `${condition}/${b.arm?.summary.condition ?? (threshold === TIMES_EMPTY ? "empty_cot" : "none")}`;
  const estimate = estimateRatio(a.arm?.finalAccuracy ?? [], b.arm?.finalAccuracy ?? [], {
    random: context.random.stream(id),
  });
  const ratio =
    estimate.value === null
      ? "no ratio can be formed"
      : `${times(estimate.value)} times as much (${intervalText(estimate.interval, times)})`;
  return claimOf({
    id,
    group: "habits",
    statement: `Priming with ${conditionLabel(condition)} ends at ${threshold} times ${b.label} or more.`,
    criterion: `ratio of accuracies at least ${threshold}, and the 95 % intervals of the two arms disjoint`,
    quantity: "ratio",
    threshold,
    estimate,
    sides: [a, b],
    verdict: judgeRatio(a.accuracy, b.accuracy, estimate.interval, threshold),
    finding: `${capital(a.label)} ends at ${accuracyText(a)}, ${b.label} at ${accuracyText(b)}: ${ratio}`,
  });
}

function shareClaim(condition: string, a: Side): Claim {
  return claimOf({
    id: `${condition}/absolute`,
    group: "habits",
    statement: `Priming with ${conditionLabel(condition)} ends at ${100 * ABSOLUTE_ACCURACY} % or more.`,
    criterion: `95 % interval of the accuracy at or above ${100 * ABSOLUTE_ACCURACY} %`,
    quantity: "share",
    threshold: ABSOLUTE_ACCURACY,
    estimate: a.accuracy,
    sides: [a],
    verdict: judgeShare(a.accuracy, ABSOLUTE_ACCURACY),
    finding: `${capital(a.label)} solves ${accuracyText(a)} (${intervalText(a.accuracy.interval, percent)})`,
  });
}

function withinClaim(context: ClaimContext, a: Side, b: Side): Claim {
  const estimate = differenceOf(context, "incorrect_only/all_strategies", a, b);
  return claimOf({
    id: "incorrect_only/all_strategies",
    group: "controls",
    statement: "Traces that show the habits but end in wrong answers prime as well as right ones.",
    criterion: `95 % interval of the paired difference inside ±${100 * MARGIN} points`,
    quantity: "difference",
    threshold: MARGIN,
    estimate,
    sides: [a, b],
    verdict: judgeWithin(estimate, MARGIN),
    finding: differenceText(a, b, estimate),
  });
}

function noBetterClaim(context: ClaimContext, a: Side, b: Side): Claim {
  const estimate = differenceOf(context, "length_matched/empty_cot", a, b);
  return claimOf({
    id: "length_matched/empty_cot",
    group: "controls",
    statement: "Thoughts of the same length without content are no better than empty ones.",
    criterion: `95 % interval of the paired difference reaches 0 and ends below +${100 * MARGIN} points`,
    quantity: "difference",
    threshold: MARGIN,
    estimate,
    sides: [a, b],
    verdict: judgeNoBetter(estimate, MARGIN),
    finding: differenceText(a, b, estimate),
  });
}

/** The base that saw some habits in pretraining against the one that did not, both unprimed. */
function baseClaim(context: ClaimContext): Claim {
  const unprimed = context.arms.filter(({ summary }) => summary.condition === "none");
  const bases = unprimed.map(({ summary }) => summary.base);
  const rich = bases.find((base) => base.includes("habits"));
  const poor = bases.find((base) => base !== rich && base.includes("plain"));
  const a = sideOf(context, rich ?? "tiny-habits", "none");
  const b = sideOf(context, poor ?? "tiny-plain", "none");
  const estimate = differenceOf(context, "bases/none", a, b);
  return claimOf({
    id: "bases/none",
    group: "bases",
    statement:
      "A base that has seen some of the habits improves by itself; one that has not, does not.",
    criterion: "95 % interval of the paired difference of the unprimed bases above 0",
    quantity: "difference",
    threshold: 0,
    estimate,
    sides: [a, b],
    verdict: judgeAbove(estimate),
    finding: differenceText(a, b, estimate),
  });
}

function differenceOf(context: ClaimContext, id: string, a: Side, b: Side): Estimate {
  return estimateDifference(a.arm?.finalAccuracy ?? [], b.arm?.finalAccuracy ?? [], {
    random: context.random.stream(id),
  });
}

type Draft = Omit<Claim, "arms" | "over" | "reading"> & {
  readonly sides: readonly Side[];
  readonly finding: string;
};

function claimOf({ sides, finding, ...draft }: Draft): Claim {
  const missing = sides.filter((one) => one.accuracy.value === null);
  const arms = sides.map((one) => ({
    id: one.arm?.summary.id ?? one.label,
    step: one.arm?.summary.finalStep ?? null,
    value: one.accuracy.value,
    interval: one.accuracy.interval,
  }));
  if (missing.length > 0) {
    const names = missing.map((one) => `“${one.label}”`).join(" and ");
    const reading = `This study has no measurement of ${names}.`;
    const estimate = { ...draft.estimate, interval: undefinedInterval("not measured") };
    return { ...draft, estimate, arms, verdict: "not measured", over: null, reading };
  }
  // A ratio is also judged by the arms' own intervals; the others by their estimate alone.
  const own = draft.quantity === "ratio" ? sides.map((one) => one.accuracy) : [];
  const over = overOf([draft.estimate, ...own]);
  const reading = `${scope(sides, over)}${finding}${ending(draft.verdict)}`;
  return { ...draft, arms, over, reading };
}

/** Seeds only when no part of the evidence had to fall back to puzzles. */
function overOf(evidence: readonly Estimate[]): "seeds" | "puzzles" {
  const defined = evidence.filter(({ interval }) => interval.kind === "interval");
  const seeds = defined.every(
    ({ interval }) => interval.kind === "interval" && interval.over === "seeds",
  );
  return seeds && defined.length > 0 ? "seeds" : "puzzles";
}

function scope(sides: readonly Side[], over: "seeds" | "puzzles"): string {
  const fewest = Math.min(...sides.map((one) => one.accuracy.bySeed.length));
  if (fewest === 1) return "One seed only: ";
  return over === "puzzles" ? "Over puzzles, not seeds: " : "";
}

function ending(verdict: Verdict): string {
  switch (verdict) {
    case "holds":
      return ".";
    case "fails":
      return "; this contradicts the claim.";
    case "undecided":
      return "; this does not decide it.";
    case "not measured":
      return ".";
  }
}

function differenceText(a: Side, b: Side, estimate: Estimate): string {
  const difference =
    estimate.value === null
      ? estimate.interval.kind === "undefined"
        ? estimate.interval.reason
        : ""
      : `${points(estimate.value)} points (${intervalText(estimate.interval, points)})`;
  return `${capital(a.label)} ends at ${accuracyText(a)}, ${b.label} at ${accuracyText(b)}: ${difference}`;
}

function accuracyText(side: Side): string {
  return side.accuracy.value === null ? "an unknown accuracy" : percent(side.accuracy.value);
}

function intervalText(interval: Interval, format: (value: number) => string): string {
  if (interval.kind === "undefined") return `no interval: ${interval.reason}`;
  return `${range(interval, format)} over ${interval.over}`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The opening of the report: what was run and what came out, in one paragraph made from the comparison. */
import type { Claim } from "../analysis/comparison-schema.ts";
import { percent, range } from "../analysis/format.ts";
import { conditionLabel } from "../analysis/labels.ts";
import type { ReportContext } from "./context.ts";
import { type Html, html } from "./html.ts";
import { finalOf } from "./outcomes.ts";

/** One paragraph: size of the study, the main outcome, and how many claims hold. */
export function summaryParagraph(context: ReportContext): Html {
  const { comparison } = context;
  const seeds = new Set(comparison.arms.flatMap((arm) => arm.seeds)).size;
  const steps = Math.max(0, ...comparison.arms.flatMap((arm) => arm.steps.map((one) => one.step)));
  const puzzles = Math.max(
    0,
    ...comparison.arms.flatMap((arm) =>
      arm.steps.flatMap((s) => s.seeds.map((one) => one.puzzles)),
    ),
  );
  return html`<p class="lead">${count(comparison.arms.length, "condition")} with ${count(seeds, "seed")} each,
${count(steps, "step")} of reinforcement learning, every checkpoint sampled on ${count(puzzles, "held-out puzzle")}.
${mainOutcome(context)} ${claimCount(comparison.claims)}</p>`;
}

function mainOutcome({ comparison }: ReportContext): Html {
  const parts = ["all_strategies", "empty_cot", "none"].flatMap((condition) => {
    const arm = comparison.arms.find(
      (one) => one.condition === condition && one.base === comparison.mainBase,
    );
    const final = arm === undefined ? undefined : finalOf(arm)?.accuracy;
    if (final === undefined || final.value === null) return [];
    const interval =
      final.interval.kind === "interval"
        ? ` (${range(final.interval, (value) => (100 * value).toFixed(1))})`
        : "";
    return [html`${conditionLabel(condition)} <b>${percent(final.value)}</b>${interval}`];
  });
  if (parts.length === 0) return html`No checkpoint has been sampled yet.`;
  const joined = parts.map((one, at) => html`${at > 0 && html`, `}${one}`);
  return html`Accuracy at the end, with 95 % intervals: ${joined}.`;
}

function claimCount(claims: readonly Claim[]): Html {
  const number = (verdict: string): number =>
    claims.filter((claim) => claim.verdict === verdict).length;
  const measured = claims.length - number("not measured");
  if (measured === 0) return html`None of the ${claims.length} claims could be measured.`;
  const oneSeed = claims.some((claim) => claim.over === "puzzles");
  const scope = oneSeed ? "; verdicts marked “one seed” say nothing about other seeds" : "";
  const [hold, fail, open] = [number("holds"), number("fails"), number("undecided")];
  const parts = [
    `${hold} ${hold === 1 ? "holds" : "hold"}`,
    `${fail} ${fail === 1 ? "fails" : "fail"}`,
    `${open} ${open === 1 ? "is" : "are"} undecided`,
  ];
  const all = measured === claims.length ? "Of" : `${measured} of`;
  const were = measured === claims.length ? "" : " were measured:";
  return html`${all} ${claims.length} claims${were} ${parts.join(", ")}${scope}.`;
}

function count(n: number, noun: string): string {
  return `${n.toLocaleString("en")} ${noun}${n === 1 ? "" : "s"}`;
}

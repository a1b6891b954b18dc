/** The claims: a matrix of the habit conditions against three tests, the other claims, and every reading in words. */

import { HABIT_CONDITIONS } from "../analysis/claims.ts";
import type { Claim, Verdict } from "../analysis/comparison-schema.ts";
import { percent, points, range, times } from "../analysis/format.ts";
import { conditionLabel } from "../analysis/labels.ts";
import type { Interval } from "../analysis/stats/index.ts";
import type { ReportContext } from "./context.ts";
import { type Html, html, trusted } from "./html.ts";

const GLYPHS: Readonly<Record<Verdict, string>> = {
  holds: "●",
  fails: "✕",
  undecided: "◐",
  "not measured": "–",
};

/** Verdict with its glyph; a verdict that rests on one seed says so. */
export function verdictChip(claim: Claim): Html {
  const scope = claim.over === "puzzles" && html` <span class="scope">${scopeWord(claim)}</span>`;
  const kind = claim.verdict.replace(" ", "-");
  return html`<span class="verdict ${kind}"><span aria-hidden="true">${GLYPHS[claim.verdict]}</span> ${claim.verdict}${scope}</span>`;
}

function scopeWord(claim: Claim): string {
  return claim.estimate.bySeed.length <= 1 ? "one seed" : "over puzzles";
}

/** The whole section. */
export function claimsSection({ comparison }: ReportContext): Html {
  const measured = comparison.claims.filter((claim) => claim.verdict !== "not measured");
  return html`${habitMatrix(measured)}${otherClaims(measured)}${missingNote(comparison.claims)}
<details class="numbers"><summary>Every claim in words</summary><dl class="readings">${comparison.claims.map(
    (claim) => html`<dt>${claim.statement} ${verdictChip(claim)}</dt>
<dd>${claim.reading} <small>Rule: ${claim.criterion}.</small></dd>`,
  )}</dl></details>`;
}

const TESTS = ["none", "empty_cot", "absolute"] as const;

/** Habit conditions against the three tests; a condition without any measurement has no row. */
function habitMatrix(measured: readonly Claim[]): Html | null {
  const rows = HABIT_CONDITIONS.flatMap((condition) => {
    const cells = TESTS.map((test) => measured.find((one) => one.id === `${condition}/${test}`));
    if (cells.every((cell) => cell === undefined)) return [];
    return [
      html`<tr><th scope="row">${conditionLabel(condition)}</th>${cells.map(claimCell)}</tr>\n`,
    ];
  });
  if (rows.length === 0) return null;
  return html`<table class="claims matrix">
<caption>Do primed habits pay? Accuracy after reinforcement learning, tested three ways</caption>
<thead><tr><th scope="col">Primed with</th>
<th scope="col">at least 3 × unprimed</th><th scope="col">at least 1.5 × empty thought</th><th scope="col">at least 60 %</th></tr></thead>
<tbody>${rows}</tbody></table>`;
}

function otherClaims(measured: readonly Claim[]): Html | null {
  const rows = measured.filter((claim) => claim.group !== "habits");
  if (rows.length === 0) return null;
  return html`<table class="claims">
<caption>Is it the habit, the right answer, or the length?</caption>
<thead><tr><th scope="col">Claim</th><th scope="col">Estimate, 95 % interval</th></tr></thead>
<tbody>${rows.map(
    (claim) =>
      html`<tr><th scope="row">${claim.statement}<small>${claim.criterion}</small></th>${claimCell(claim)}</tr>\n`,
  )}</tbody></table>`;
}

/** How many claims the study could not measure, and for want of which arms. */
function missingNote(claims: readonly Claim[]): Html | null {
  const missing = claims.filter((claim) => claim.verdict === "not measured");
  if (missing.length === 0) return null;
  const arms = missing.flatMap((claim) => claim.arms.filter((arm) => arm.value === null));
  const names = [...new Set(arms.map((arm) => arm.id))].join("; ");
  return html`<p class="note">Not measured: ${missing.length} of ${claims.length} claims, because this study does not
have: ${names}.</p>`;
}

const HEADINGS: Readonly<Record<string, string>> = {
  none: "vs unprimed",
  empty_cot: "vs empty thought",
  absolute: "accuracy",
};

function claimCell(claim: Claim | undefined): Html {
  if (claim === undefined)
    return html`<td><span class="verdict not-measured">– not measured</span></td>`;
  const test = claim.id.split("/")[1] as string;
  const heading = claim.group === "habits" ? (HEADINGS[test] ?? "") : "";
  const { value, interval } = claim.estimate;
  if (value === null) {
    const why = interval.kind === "undefined" ? interval.reason : "";
    return html`<td data-label="${heading}" title="${claim.reading}"><span class="estimate range">${why}</span>${verdictChip(claim)}</td>`;
  }
  const text = FORMATS[claim.quantity];
  return html`<td data-label="${heading}" title="${claim.reading}"><span class="estimate"><b>${text.value(value)}</b>
<span class="range">${range(interval, text.end)}</span></span><span class="evidence">${intervalGlyph(claim, interval, value)}${verdictChip(claim)}</span></td>`;
}

interface QuantityFormat {
  readonly value: (value: number) => string;
  readonly end: (value: number) => string;
  /** Ends of the axis of the little interval, in the units of `scale`. */
  readonly axis: readonly [number, number];
  readonly scale: (value: number) => number;
}

const FORMATS: Readonly<Record<Claim["quantity"], QuantityFormat>> = {
  ratio: {
    value: (value) => `${times(value)} ×`,
    end: times,
    axis: [Math.log(0.5), Math.log(32)],
    scale: (value) => Math.log(Math.max(value, 1e-6)),
  },
  share: {
    value: percent,
    end: (value) => (100 * value).toFixed(1),
    axis: [0, 1],
    scale: (value) => value,
  },
  difference: {
    value: (value) => `${points(value)} points`,
    end: points,
    axis: [-0.35, 0.35],
    scale: (value) => value,
  },
};

/** The interval as a line with its estimate, and the threshold as a rule; the same axis for all claims of a kind. */
function intervalGlyph(claim: Claim, interval: Interval, value: number): Html {
  const { axis, scale } = FORMATS[claim.quantity];
  const [low, high] = axis;
  const width = 112;
  const at = (one: number): string => {
    const share = (scale(one) - low) / (high - low);
    return (4 + (width - 8) * Math.min(1, Math.max(0, share))).toFixed(1);
  };
  const thresholds = claim.id.startsWith("incorrect_only")
    ? [-claim.threshold, claim.threshold]
    : [claim.threshold];
  const rules = thresholds.map(
    (one) => `<line x1="${at(one)}" x2="${at(one)}" y1="1" y2="17" class="threshold"/>`,
  );
  const zero =
    claim.quantity === "difference"
      ? `<line x1="${at(0)}" x2="${at(0)}" y1="6" y2="12" class="zero"/>`
      : "";
  const span =
    interval.kind === "interval"
      ? `<line x1="${at(interval.lower)}" x2="${at(interval.upper)}" y1="9" y2="9" class="span"/>`
      : "";
  return trusted(
    `<svg class="glyph" viewBox="0 0 ${width} 18" width="${width}" height="18" aria-hidden="true">` +
      `<line x1="0" x2="${width}" y1="9" y2="9" class="axis"/>${zero}${rules.join("")}${span}` +
      `<circle cx="${at(value)}" cy="9" r="3.5"/></svg>`,
  );
}

/**
 * How well a detector agrees with hand labels: precision and recall of instances, matched by overlap of spans, and agreement
 * of counts. The labelled texts stand in gold/traces.jsonl; half of each style is held out from tuning.
 */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { BEHAVIOURS, type Behaviour, type Span, spanSchema } from "../data/rows.ts";
import { detectBehaviours } from "./detect.ts";

const integer = z.number().int();
const spans = z.array(spanSchema);

/** A text with hand labels. */
export const goldTraceSchema = z.strictObject({
  id: z.string(),
  style: z.string(),
  split: z.enum(["tune", "held_out"]),
  numbers: z.array(integer),
  target: integer,
  text: z.string(),
  spans: z.strictObject({
    verification: spans,
    backtracking: spans,
    subgoal_setting: spans,
    backward_chaining: spans,
  }),
});
export type GoldTrace = z.infer<typeof goldTraceSchema>;

/** The labelled texts that come with the package. */
export function readGoldTraces(): GoldTrace[] {
  const file = new URL("./gold/traces.jsonl", import.meta.url);
  const lines = readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "");
  return lines.map((line) => goldTraceSchema.parse(JSON.parse(line)));
}

/** Agreement on one habit over some texts. */
export interface Agreement {
  /** Instances labelled by hand. */
  readonly labelled: number;
  readonly detected: number;
  /** Pairs of a labelled and a detected instance whose spans overlap, each used once. */
  readonly matched: number;
  /** matched / detected; undefined when nothing was detected. */
  readonly precision: number | undefined;
  /** matched / labelled; undefined when nothing was labelled. */
  readonly recall: number | undefined;
  /** Harmonic mean of the two; undefined when either is. */
  readonly f1: number | undefined;
  /** Share of texts with equal counts. */
  readonly equalCounts: number;
  /** Matched pairs in which both say whether the check is true, and the pairs that agree. */
  readonly judged: number;
  readonly judgedEqual: number;
}

/** Overlapping pairs of two lists in the order of the text, each span used once. */
export function matchSpans(
  labelled: readonly Span[],
  detected: readonly Span[],
): { readonly label: Span; readonly found: Span }[] {
  const pairs: { label: Span; found: Span }[] = [];
  let next = 0;
  for (const label of labelled) {
    while (next < detected.length && (detected[next] as Span).end <= label.start) next += 1;
    const found = detected[next];
    if (found === undefined || found.start >= label.end) continue;
    pairs.push({ label, found });
    next += 1;
  }
  return pairs;
}

/** Agreement of the exact detectors with hand labels on one habit. */
export function measureAgreement(traces: readonly GoldTrace[], behaviour: Behaviour): Agreement {
  const sums = { labelled: 0, detected: 0, matched: 0, equal: 0, judged: 0, judgedEqual: 0 };
  for (const trace of traces) {
    const labels = trace.spans[behaviour];
    const found = detectBehaviours(trace.text, trace)[behaviour].spans;
    const pairs = matchSpans(labels, found);
    sums.labelled += labels.length;
    sums.detected += found.length;
    sums.matched += pairs.length;
    sums.equal += labels.length === found.length ? 1 : 0;
    for (const pair of pairs) {
      if (pair.label.valid === undefined || pair.found.valid === undefined) continue;
      sums.judged += 1;
      sums.judgedEqual += pair.label.valid === pair.found.valid ? 1 : 0;
    }
  }
  const precision = sums.detected === 0 ? undefined : sums.matched / sums.detected;
  const recall = sums.labelled === 0 ? undefined : sums.matched / sums.labelled;
  return {
    labelled: sums.labelled,
    detected: sums.detected,
    matched: sums.matched,
    precision,
    recall,
    f1: harmonicMean(precision, recall),
    equalCounts: sums.equal / traces.length,
    judged: sums.judged,
    judgedEqual: sums.judgedEqual,
  };
}

function harmonicMean(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return undefined;
  return a + b === 0 ? 0 : (2 * a * b) / (a + b);
}

/** Agreement per split and habit on the labelled texts that come with the package. */
export function goldAgreement(): {
  split: GoldTrace["split"];
  behaviour: Behaviour;
  agreement: Agreement;
}[] {
  const traces = readGoldTraces();
  return (["tune", "held_out"] as const).flatMap((split) => {
    const part = traces.filter((trace) => trace.split === split);
    return BEHAVIOURS.map((behaviour) => ({
      split,
      behaviour,
      agreement: measureAgreement(part, behaviour),
    }));
  });
}

/** Lines of a table of agreement, for a terminal or a Markdown page. */
export function renderAgreement(rows: ReturnType<typeof goldAgreement>): string[] {
  const percent = (share: number | undefined): string =>
    share === undefined ? "-" : (100 * share).toFixed(1);
  const head = [
    "split",
    "habit",
    "labelled",
    "detected",
    "precision",
    "recall",
    "F1",
    "equal counts",
  ];
  const cells = rows.map(({ split, behaviour, agreement }) => [
    split,
    behaviour,
    String(agreement.labelled),
    String(agreement.detected),
    percent(agreement.precision),
    percent(agreement.recall),
    percent(agreement.f1),
    percent(agreement.equalCounts),
  ]);
  const widths = head.map((title, at) =>
    Math.max(title.length, ...cells.map((row) => (row[at] as string).length)),
  );
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, at) => cell.padEnd(widths[at] as number)).join(" | ")} |`;
  const rule = `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`;
  return [line(head), rule, ...cells.map(line)];
}

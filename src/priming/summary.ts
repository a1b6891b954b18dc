/** What the priming stage tells about the traces that it wrote: `summary.json`. */
import { BEHAVIOURS, type Behaviour } from "../data/rows.ts";
import type { WrittenTrace } from "./teacher.ts";

/** Comparison of a control with the traces that it is made from. */
export interface MatchProof {
  readonly with: "all_strategies";
  puzzles: number;
  sameAnswer: number;
  /** Puzzles whose two completions have equally many tokens. */
  sameTokens: number;
}

/** Distribution of whole numbers; `histogram[i]` counts those from `i * width` to `(i + 1) * width - 1`. */
export interface Distribution {
  readonly mean: number;
  readonly p10: number;
  readonly p50: number;
  readonly p90: number;
  readonly largest: number;
  readonly width: number;
  readonly histogram: readonly number[];
}

export interface SplitSummary {
  readonly traces: number;
  readonly correct: number;
  /** Puzzles without a trace, by reason. */
  readonly rejected: Readonly<Record<string, number>>;
  /** Traces by the way in which they end: `hit`, or a failure. */
  readonly endings: Readonly<Record<string, number>>;
  /** Mean instances a trace, and share of the traces with at least one; undefined where no trace has a record. */
  readonly habits:
    | Readonly<Record<Behaviour, { readonly mean: number; readonly share: number }>>
    | undefined;
  /** Undefined for no traces. */
  readonly tokens: Distribution | undefined;
  readonly attempts: Distribution | undefined;
  /** Controls only. */
  readonly match: MatchProof | undefined;
}

export interface PrimingSummary {
  readonly condition: string;
  readonly seed: number;
  readonly config: object;
  readonly train: SplitSummary;
  readonly validation: SplitSummary;
}

/** The part of a trace that is summed up. */
export type SummarizedTrace = Pick<WrittenTrace, "correct" | "tokens"> & {
  readonly record: WrittenTrace["record"] | null;
  readonly attempts?: number;
  readonly ending?: string;
};

const TOKENS_WIDTH = 20;
const ATTEMPTS_WIDTH = 2;

/** Sums up the traces of one split. */
export function summarize(
  traces: readonly SummarizedTrace[],
  rejected: Readonly<Record<string, number>>,
  match?: MatchProof,
): SplitSummary {
  const endings: Record<string, number> = {};
  for (const { ending } of traces) {
    if (ending !== undefined) endings[ending] = (endings[ending] ?? 0) + 1;
  }
  const attempts = traces.flatMap((trace) => trace.attempts ?? []);
  return {
    traces: traces.length,
    correct: traces.filter(({ correct }) => correct).length,
    rejected,
    endings,
    habits: habitsOf(traces),
    tokens: distributionOf(
      traces.map(({ tokens }) => tokens),
      TOKENS_WIDTH,
    ),
    attempts: distributionOf(attempts, ATTEMPTS_WIDTH),
    match,
  };
}

function habitsOf(traces: readonly SummarizedTrace[]): SplitSummary["habits"] {
  const recorded = traces.flatMap(({ record }) => (record === null ? [] : [record]));
  if (recorded.length === 0) return undefined;
  const entries = BEHAVIOURS.map((behaviour) => {
    const counts = recorded.map((record) => record[behaviour].count ?? 0);
    const sum = counts.reduce((total, count) => total + count, 0);
    const shown = counts.filter((count) => count > 0).length;
    return [behaviour, { mean: sum / recorded.length, share: shown / recorded.length }] as const;
  });
  return Object.fromEntries(entries) as NonNullable<SplitSummary["habits"]>;
}

function distributionOf(values: readonly number[], width: number): Distribution | undefined {
  if (values.length === 0) return undefined;
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))] as number;
  const largest = sorted.at(-1) as number;
  const histogram = Array.from({ length: Math.floor(largest / width) + 1 }, () => 0);
  for (const value of sorted) (histogram[Math.floor(value / width)] as number) += 1;
  const mean = sorted.reduce((sum, value) => sum + value, 0) / sorted.length;
  return { mean, p10: at(0.1), p50: at(0.5), p90: at(0.9), largest, width, histogram };
}

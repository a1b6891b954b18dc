/**
 * Verification: a result compared with the target in words or signs, or a computation made again after a word of checking.
 * Words on the same value before the next computation belong to one instance.
 */
import type { Span } from "../data/rows.ts";
import { sameValue } from "./expression.ts";
import type { Clause, Computation, Segments } from "./segment.ts";
import { readComparison, readVerdict } from "./statement.ts";

/** What the counter must know of the text before a clause. */
export interface VerificationContext {
  readonly segments: Segments;
  readonly target: number;
  /** Result of the last step; NaN before the first. */
  readonly last: number;
  /** The clause directly follows a result, so that a bare verdict speaks of it. */
  readonly adjacent: boolean;
  /** An aim other than the target is open, so that a bare verdict speaks of the aim. */
  readonly openAim: boolean;
}

interface OpenInstance {
  readonly span: { start: number; end: number; valid?: boolean };
  readonly value: number;
  readonly recheck: boolean;
}

/** Counts verifications; clauses and computations are told to it in the order of the text. */
export class VerificationCounter {
  readonly spans: Span[] = [];
  #open: OpenInstance | undefined;

  /** A computation ends the instance that is open. */
  onComputation(): void {
    this.#open = undefined;
  }

  /** A computation that is made again as a check. */
  onRecheck(computation: Computation, valid: boolean): void {
    const span = { start: computation.start, end: computation.end, valid };
    this.spans.push(span);
    this.#open = { span, value: computation.result, recheck: true };
  }

  /** Takes a clause; true when it compares a result with the target. */
  onClause(clause: Clause, context: VerificationContext): boolean {
    const { segments, target, last } = context;
    if (Number.isNaN(last)) return false;
    const named = readComparison(clause, segments, context);
    const verdict = named === undefined && context.adjacent && !context.openAim;
    const statement = verdict ? readVerdict(clause, segments) : named;
    if (statement === undefined) return false;
    const value = Number.isNaN(statement.subject) ? last : statement.subject;
    const undecided = clause.question || statement.claim === undefined;
    const valid = undecided ? undefined : statement.claim?.(value, target);
    const open = this.#open;
    const same = open !== undefined && (sameValue(open.value, value) || statement.bare);
    if (same && (statement.bare || !open.recheck)) {
      if (open.span.valid === undefined && valid !== undefined) open.span.valid = valid;
      return true;
    }
    const span: OpenInstance["span"] = { start: clause.start, end: clause.end };
    if (valid !== undefined) span.valid = valid;
    this.spans.push(span);
    this.#open = { span, value, recheck: false };
    return true;
  }
}

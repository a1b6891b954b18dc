/**
 * The error hierarchy. Each class names the boundary that was crossed; `code` is stable and safe to match on.
 * A message says what was being done, what was expected, what was found, where, and what to do next.
 */

export interface ErrorDetails {
  /** Stable identifier, e.g. `data.bad_row`. */
  readonly code: string;
  /** One sentence on what to do next; the command line prints it on its own line. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/** Base of every error that this package throws on purpose. */
export class HabitsError extends Error {
  readonly code: string;
  readonly hint: string | undefined;

  constructor(message: string, details: ErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.code = details.code;
    this.hint = details.hint;
  }
}

/** Flags or configuration that cannot be used. Exit code 2. */
export class UsageError extends HabitsError {}

/** A file, row or column that does not hold what is expected. */
export class DataError extends HabitsError {}

/** Shapes that do not fit, found while a graph is built. */
export class ShapeError extends HabitsError {}

/** A graph that breaks a rule or uses an operator that a backend lacks. */
export class GraphError extends HabitsError {}

/** A run folder, its lock, its artefacts, or a training run that cannot go on. */
export class RunError extends HabitsError {}

/** A defect of this package. */
export class InternalError extends HabitsError {}

/** Message of anything thrown, for use inside another message. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** True for a Node system error with the given code, such as `ENOENT`. */
export function hasErrorCode(error: unknown, code: string): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === code;
}

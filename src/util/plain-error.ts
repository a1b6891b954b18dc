/** Errors as plain data, to cross a thread boundary without losing class, code or hint. */
import {
  DataError,
  GraphError,
  HabitsError,
  InternalError,
  RunError,
  ShapeError,
  UsageError,
} from "./errors.ts";

/** An error as plain data. */
export interface PlainError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly code: string | undefined;
  readonly hint: string | undefined;
}

const CLASSES = { DataError, GraphError, InternalError, RunError, ShapeError, UsageError };

/** Anything thrown, as plain data. */
export function toPlainError(error: unknown): PlainError {
  const known = error instanceof HabitsError ? error : undefined;
  return {
    name: error instanceof Error ? error.name : "Error",
    message: error instanceof Error ? error.message : String(error),
    stack: error instanceof Error ? error.stack : undefined,
    code: known?.code,
    hint: known?.hint,
  };
}

/** The error again, of the same class where it is one of ours. */
export function fromPlainError(plain: PlainError): Error {
  const Class = CLASSES[plain.name as keyof typeof CLASSES];
  const error =
    Class === undefined || plain.code === undefined
      ? new Error(plain.message)
      : new Class(plain.message, {
          code: plain.code,
          ...(plain.hint !== undefined && { hint: plain.hint }),
        });
  error.name = plain.name;
  if (plain.stack !== undefined) error.stack = plain.stack;
  return error;
}

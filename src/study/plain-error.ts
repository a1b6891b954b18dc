/** Errors of stages: a full disk has its own error, also where the failing write was not one of ours. */
import { writeError } from "../data/atomic.ts";
import { hasErrorCode } from "../util/errors.ts";

/** @param folder where the stage writes, for the message */
export function nameDiskFull(error: unknown, folder: string): unknown {
  return hasErrorCode(error, "ENOSPC") ? writeError(folder, error) : error;
}

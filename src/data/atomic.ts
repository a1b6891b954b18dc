/** Files that are either absent or whole: written under a temporary name in the same folder, flushed, then renamed. */
import { mkdir, open, rename, rm } from "node:fs/promises";
import path from "node:path";
import { DataError, hasErrorCode } from "../util/errors.ts";

/**
 * Writes a whole file atomically; the parent folder is made when it is missing.
 * @throws DataError `data.disk_full` when the disk has no room, `data.write_failed` otherwise.
 */
export async function writeFileAtomic(file: string, content: string | Uint8Array): Promise<void> {
  const folder = path.dirname(file);
  const temporary = path.join(folder, `.${path.basename(file)}.${process.pid}.tmp`);
  try {
    await mkdir(folder, { recursive: true });
    const handle = await open(temporary, "w");
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw writeError(file, cause);
  }
}

/** Error for a failed write to `file`, with the reason of the operating system and what to do. */
export function writeError(file: string, cause: unknown): DataError {
  if (hasErrorCode(cause, "ENOSPC")) {
    return new DataError(`writing "${file}": the disk is full`, {
      code: "data.disk_full",
      hint: "free some space, then run the same command again: finished work is kept",
      cause,
    });
  }
  return new DataError(`writing "${file}": ${String((cause as Error).message ?? cause)}`, {
    code: "data.write_failed",
    hint: "check that the folder exists and may be written to",
    cause,
  });
}

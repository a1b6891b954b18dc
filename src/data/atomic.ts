/** Files that are either absent or whole: written under a temporary name in the same folder, flushed, then renamed. */
import { type FileHandle, mkdir, open, rename, rm } from "node:fs/promises";
import path from "node:path";
import { DataError, HabitsError, hasErrorCode, messageOf } from "../util/errors.ts";

/**
 * Writes a whole file atomically; the parent folder is made when it is missing.
 * @throws DataError `data.disk_full` when the disk has no room, `data.write_failed` otherwise.
 */
export async function writeFileAtomic(file: string, content: string | Uint8Array): Promise<void> {
  await writeAtomic(file, (handle) => handle.writeFile(content));
}

/**
 * Writes a file of any size atomically from pieces of text. An error of the source leaves no file and is passed on.
 * @throws DataError as `writeFileAtomic`
 */
export async function writeTextAtomic(file: string, pieces: AsyncIterable<string>): Promise<void> {
  await writeAtomic(file, async (handle) => {
    for await (const piece of pieces) await handle.writeFile(piece);
  });
}

/**
 * Writes a file of any size atomically from pieces of bytes, each below 2 GB.
 * @throws DataError as `writeFileAtomic`
 */
export async function writeBytesAtomic(
  file: string,
  pieces: AsyncIterable<Uint8Array>,
): Promise<void> {
  await writeAtomic(file, async (handle) => {
    for await (const piece of pieces) await handle.writeFile(piece);
  });
}

async function writeAtomic(
  file: string,
  write: (handle: FileHandle) => Promise<void>,
): Promise<void> {
  const folder = path.dirname(file);
  const temporary = path.join(folder, `.${path.basename(file)}.${process.pid}.tmp`);
  try {
    await mkdir(folder, { recursive: true });
    const handle = await open(temporary, "w");
    try {
      await write(handle);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined);
    if (!isSystemError(cause)) throw cause;
    throw writeError(file, cause);
  }
}

/** True for errors of the operating system; any other comes from the source of the content. */
function isSystemError(error: unknown): boolean {
  return !(error instanceof HabitsError) && error instanceof Error && "syscall" in error;
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
  return new DataError(`writing "${file}": ${messageOf(cause)}`, {
    code: "data.write_failed",
    hint: "check that the folder exists and may be written to",
    cause,
  });
}

/**
 * One writer a run folder: `.lock.json` names the process that holds it. The file appears whole (written aside, then
 * linked), a lock of a dead process on this machine is taken over, and a recycled process id is told apart by the
 * start time of the process. Locks of other machines are never broken, for their processes cannot be seen from here.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { z } from "zod";
import { writeError } from "../data/atomic.ts";
import { hasErrorCode, messageOf, RunError } from "../util/errors.ts";

const lockSchema = z.strictObject({
  pid: z.int(),
  host: z.string(),
  /** Start of the process as the operating system tells it; null where it does not. */
  processStart: z.string().nullable(),
  /** ISO time at which the lock was taken. */
  startedAt: z.string(),
});
export type LockHolder = z.infer<typeof lockSchema>;

/** A held lock. */
export interface RunLock extends AsyncDisposable {
  /** The dead process whose lock was taken over. */
  readonly takenOverFrom: LockHolder | undefined;
}

export function lockFile(folder: string): string {
  return path.join(folder, ".lock.json");
}

/**
 * Takes the lock of a run folder.
 * @throws RunError `run.locked` when a live process, or one on another machine, holds it.
 */
export async function takeLock(folder: string, startedAt: string): Promise<RunLock> {
  const file = lockFile(folder);
  const holder: LockHolder = {
    pid: process.pid,
    host: os.hostname(),
    processStart: processStart(process.pid) ?? null,
    startedAt,
  };
  const aside = path.join(folder, `.lock.${process.pid}.tmp`);
  await writeFile(aside, `${JSON.stringify(holder)}\n`).catch((cause: unknown) => {
    throw writeError(aside, cause);
  });
  let takenOverFrom: LockHolder | undefined;
  try {
    while (!(await linkIfFree(aside, file))) {
      const current = await readLock(file);
      if (current === undefined) continue; // released in between
      if (!isStale(current)) throw lockedError(file, current);
      takenOverFrom = current;
      await breakLock(file, current);
    }
  } finally {
    await rm(aside, { force: true });
  }
  return {
    takenOverFrom,
    [Symbol.asyncDispose]: () => rm(file, { force: true }),
  };
}

/** The live or foreign holder of a run folder; undefined when it is free or its holder is dead. */
export async function lockHolder(folder: string): Promise<LockHolder | undefined> {
  const current = await readLock(lockFile(folder));
  return current === undefined || isStale(current) ? undefined : current;
}

async function linkIfFree(aside: string, file: string): Promise<boolean> {
  try {
    await link(aside, file);
    return true;
  } catch (cause) {
    if (hasErrorCode(cause, "EEXIST")) return false;
    throw writeError(file, cause);
  }
}

async function readLock(file: string): Promise<LockHolder | undefined> {
  try {
    return lockSchema.parse(JSON.parse(await readFile(file, "utf8")));
  } catch (cause) {
    if (hasErrorCode(cause, "ENOENT")) return undefined;
    throw new RunError(`reading the lock "${file}": ${messageOf(cause)}`, {
      code: "run.unreadable",
      hint: "if no other process works on this run, remove the file",
      cause,
    });
  }
}

function isStale(holder: LockHolder): boolean {
  if (holder.host !== os.hostname()) return false;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    return hasErrorCode(error, "ESRCH"); // EPERM: alive, of another user
  }
  const start = processStart(holder.pid);
  return start !== undefined && holder.processStart !== null && start !== holder.processStart;
}

/** Moves a stale lock away; puts it back if another process replaced it at the same moment. */
async function breakLock(file: string, stale: LockHolder): Promise<void> {
  const moved = `${file}.${process.pid}.tmp`;
  try {
    await rename(file, moved);
  } catch (cause) {
    if (hasErrorCode(cause, "ENOENT")) return;
    throw cause;
  }
  const found = await readLock(moved);
  const same = found?.pid === stale.pid && found.startedAt === stale.startedAt;
  if (!same) await linkIfFree(moved, file);
  await rm(moved, { force: true });
}

function lockedError(file: string, holder: LockHolder): RunError {
  const elsewhere = holder.host !== os.hostname();
  return new RunError(
    `the run "${path.dirname(file)}" is in use by process ${holder.pid} on "${holder.host}" since ${holder.startedAt}`,
    {
      code: "run.locked",
      hint: elsewhere
        ? `wait for it; if that process is gone, remove "${file}"`
        : "wait for it to end, or stop it, then run the same command again",
    },
  );
}

/** Start of a process in the words of the operating system; undefined when it cannot be told. */
function processStart(pid: number): string | undefined {
  try {
    if (process.platform === "linux") {
      // Field 22 of stat, in clock ticks since boot; the command name before it may hold spaces.
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
    }
    const started = execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    return started.trim() || undefined;
  } catch {
    return undefined; // no such process, or a system without `ps`: then the process id alone decides
  }
}

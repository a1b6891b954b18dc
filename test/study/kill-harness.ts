/**
 * Kills a study by SIGKILL at random moments until it gets through, and compares what it wrote with the artefacts of an
 * undisturbed run.
 */
import { spawn } from "node:child_process";
import { readdir } from "node:fs/promises";
import path from "node:path";
import type { Random } from "../../src/random/random.ts";
import { hashFile } from "../../src/util/hash.ts";

/** Files of a run that two equal runs may differ in. */
const VOLATILE = new Set(["manifest.json", "timings.jsonl"]);

/** Hash of every artefact of a run folder by its path. */
export async function artefacts(folder: string): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || VOLATILE.has(entry.name)) continue;
    const file = path.join(entry.parentPath, entry.name);
    hashes[path.relative(folder, file)] = await hashFile(file);
  }
  return hashes;
}

/** One start of a study that may be killed. */
export interface Attempt {
  /** True when it was killed, false when it ended by itself. */
  readonly killed: boolean;
  readonly code: number | null;
  /** What it printed. */
  readonly lines: readonly string[];
  readonly errors: string;
}

/** When to kill: after so many lines of output, and then so many milliseconds. */
export interface KillPoint {
  readonly afterLines: number;
  readonly delayMs: number;
}

/** Starts `node` with the given arguments; kills it at the given point, or lets it end. */
export function attempt(args: readonly string[], kill?: KillPoint): Promise<Attempt> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
    let text = "";
    let errors = "";
    let timer: NodeJS.Timeout | undefined;
    const check = (): void => {
      if (kill === undefined || timer !== undefined) return;
      if (text.split("\n").length - 1 < kill.afterLines) return;
      timer = setTimeout(() => child.kill("SIGKILL"), kill.delayMs);
    };
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      check();
    });
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      errors += chunk;
    });
    child.once("error", reject);
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      const lines = text.split("\n").filter((line) => line !== "");
      resolve({ killed: signal === "SIGKILL", code, lines, errors });
    });
    check();
  });
}

/** Starts a study again and again, killing it at the drawn points, until it ends by itself. */
export async function killUntilDone(
  args: readonly string[],
  random: Random,
  draw: (random: Random) => KillPoint,
): Promise<{ readonly kills: readonly Attempt[]; readonly last: Attempt }> {
  const kills: Attempt[] = [];
  for (;;) {
    const one = await attempt(args, draw(random));
    if (!one.killed) return { kills, last: one };
    kills.push(one);
  }
}

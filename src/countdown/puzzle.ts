/** A puzzle's identity: the hash of its sorted numbers and its target, so that order does not make a new puzzle. */
import { createHash } from "node:crypto";
import type { Puzzle } from "../data/rows.ts";

export type { Puzzle } from "../data/rows.ts";

/**
 * Content hash of the sorted numbers and the target: the first 16 hexadecimal digits (64 bits) of a SHA-256. Among a
 * million puzzles two ids collide with a chance of about 3e-8.
 */
export function puzzleId(numbers: readonly number[], target: number): string {
  const sorted = [...numbers].sort((a, b) => a - b);
  return createHash("sha256")
    .update(`${sorted.join(",")}=${target}`)
    .digest("hex")
    .slice(0, 16);
}

/** Puzzle row with its id. */
export function makePuzzle(numbers: readonly number[], target: number, split: string): Puzzle {
  return { id: puzzleId(numbers, target), numbers: [...numbers], target, split };
}

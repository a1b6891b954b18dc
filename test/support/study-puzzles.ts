/** Puzzles of the laptop study, for tests. */
import { generatePuzzles, type Puzzle } from "../../src/countdown/index.ts";

/** Solvable puzzles with numbers 1 to 13, whole values to 99, targets 10 to 99. */
export function drawStudyPuzzles(count: number, seed: number, numbers = 3): Puzzle[] {
  return generatePuzzles(
    {
      count,
      numberCounts: [numbers],
      minNumber: 1,
      maxNumber: 13,
      minTarget: 10,
      maxTarget: 99,
      maxIntermediate: 99,
      maxHitShare: 0.08,
    },
    seed,
  );
}

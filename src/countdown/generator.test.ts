import { describe, expect, it } from "vitest";
import { sha256 } from "../util/hash.ts";
import { type GeneratorOptions, generatePuzzles, generateSplits } from "./generator.ts";
import { makePuzzle, puzzleId } from "./puzzle.ts";
import { countSolutions, difficulty } from "./solver.ts";

/** The task of the laptop study: three numbers to 13, whole intermediate values to 99. */
const TINY = {
  numberCounts: [3],
  maxNumber: 13,
  minTarget: 10,
  maxTarget: 99,
  maxIntermediate: 99,
} as const satisfies Partial<GeneratorOptions>;

describe("puzzleId", () => {
  it("is the same for every order of the numbers and differs otherwise", () => {
    expect(puzzleId([9, 8, 6], 66)).toBe(puzzleId([6, 9, 8], 66));
    // printf '6,8,9=66' | sha256sum
    expect(puzzleId([9, 8, 6], 66)).toBe(sha256("6,8,9=66").slice(0, 16));
    expect(puzzleId([9, 10, 100], 66)).toBe(puzzleId([100, 10, 9], 66)); // sorted as numbers
    const ids = [puzzleId([9, 8, 6], 67), puzzleId([9, 8], 66), puzzleId([98, 6], 66)];
    expect(new Set([...ids, puzzleId([9, 8, 6], 66)]).size).toBe(4);
  });
});

describe("generatePuzzles", () => {
  it("gives the same puzzles for the same seed and others for another", () => {
    const draw = (seed: number) => JSON.stringify(generatePuzzles({ count: 300 }, seed));
    expect(draw(1)).toBe(draw(1));
    expect(draw(1)).not.toBe(draw(2));
  });

  it("keeps to its ranges, without repeats, with right ids", () => {
    const options = { minNumber: 2, maxNumber: 30, minTarget: 5, maxTarget: 50 };
    const puzzles = generatePuzzles({ count: 2000, ...options, split: "a" }, 3);
    expect(new Set(puzzles.map((puzzle) => puzzle.id)).size).toBe(2000);
    for (const { id, numbers, target, split } of puzzles) {
      expect([3, 4]).toContain(numbers.length);
      expect(Math.min(...numbers) >= 2 && Math.max(...numbers) <= 30).toBe(true);
      expect(target >= 5 && target <= 50 && split === "a").toBe(true);
      expect(id).toBe(puzzleId(numbers, target));
    }
  });

  it("gives only solvable puzzles by default, by the full enumeration", () => {
    const puzzles = generatePuzzles({ count: 150, numberCounts: [2, 3, 4] }, 4);
    for (const puzzle of puzzles) expect(countSolutions(puzzle)).toBeGreaterThan(0);
  });

  it("gives unsolvable ones too when asked", () => {
    const puzzles = generatePuzzles({ count: 100, numberCounts: [3], solvable: false }, 5);
    // about 4 % of random puzzles of three numbers to 100 have a solution
    expect(puzzles.filter((puzzle) => countSolutions(puzzle) === 0).length).toBeGreaterThan(80);
  });

  it("weights the counts of numbers by repetition", () => {
    const puzzles = generatePuzzles({ count: 4000, numberCounts: [3, 4, 4, 4] }, 6);
    const three = puzzles.filter((puzzle) => puzzle.numbers.length === 3).length;
    // binomial(4000, 1/4): mean 1000, standard deviation 27
    expect(Math.abs(three - 1000)).toBeLessThan(5 * 27);
  });

  it("counts only bounded expressions and drops easy puzzles", () => {
    const options = { ...TINY, maxHitShare: 0.08, annotate: true, count: 300 };
    for (const puzzle of generatePuzzles(options, 7)) {
      const { solutions, share } = difficulty(puzzle, { maxIntermediate: 99 });
      expect(puzzle.solutions).toBe(solutions);
      expect(puzzle.difficulty).toBe(share);
      expect(solutions > 0 && share <= 0.08).toBe(true);
    }
  });

  it("does not draw excluded puzzles", () => {
    const first = generatePuzzles({ ...TINY, count: 100 }, 8);
    const exclude = first.map((puzzle) => puzzle.id);
    const second = generatePuzzles({ ...TINY, count: 100, exclude }, 8);
    expect(second.filter((puzzle) => exclude.includes(puzzle.id))).toEqual([]);
  });

  it("says how many there are when the space is used up", () => {
    // two numbers, 1 or 2, target 1 to 4: 1+1 1*1 1/1 | 1+2 2-1 1*2 2/1 | 2+2 2*2 2/2
    const space = { numberCounts: [2], maxNumber: 2, minTarget: 1, maxTarget: 4 };
    const all = generatePuzzles({ ...space, count: 7 }, 9);
    const shown = all.map(({ numbers, target }) => [...numbers.sort(), target].join(" ")).sort();
    expect(shown).toEqual(["1 1 1", "1 1 2", "1 2 1", "1 2 2", "1 2 3", "2 2 1", "2 2 4"]);
    expect(() => generatePuzzles({ ...space, count: 8 }, 9)).toThrow(/expected 8, found 7/);
  });

  it("names every option that cannot be used", () => {
    const bad = { count: 1, numberCounts: [7], minTarget: 9, maxTarget: 3 };
    expect(() => generatePuzzles(bad, 1)).toThrow(/from 1 to 6, found 7; the target range 9 to 3/);
  });
});

describe("generateSplits", () => {
  it("gives splits of the asked sizes without a common puzzle", () => {
    const splits = generateSplits(TINY, { train: 1500, tune: 200, test: 300 }, 1);
    expect(Object.values(splits).map((rows) => rows.length)).toEqual([1500, 200, 300]);
    expect(splits.test.every((puzzle) => puzzle.split === "test")).toBe(true);
    const sorted = Object.values(splits)
      .flat()
      .map(({ numbers, target }) => `${[...numbers].sort((a, b) => a - b)} ${target}`);
    expect(new Set(sorted).size).toBe(2000);
  });

  it("draws the first split as generatePuzzles does", () => {
    const { train } = generateSplits({}, { train: 50, test: 5 }, 11);
    expect(train).toEqual(generatePuzzles({ count: 50, split: "train" }, 11));
  });
});

describe("makePuzzle", () => {
  it("keeps the order of the numbers", () => {
    expect(makePuzzle([9, 8, 6], 66, "x")).toEqual({
      id: puzzleId([6, 8, 9], 66),
      numbers: [9, 8, 6],
      target: 66,
      split: "x",
    });
  });
});

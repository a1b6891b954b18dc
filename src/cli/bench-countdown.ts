/** `habits bench countdown`: puzzles drawn, completions scored and puzzles solved a second, on one core. */
import { cpus, loadavg } from "node:os";
import { z } from "zod";
import {
  difficulty,
  formatExpression,
  generatePuzzles,
  type Puzzle,
  scoreCompletion,
  solve,
} from "../countdown/index.ts";
import { Random } from "../random/random.ts";
import type { CommandIo } from "./io.ts";
import { formatNumber } from "./progress-text.ts";
import { schemaCommand } from "./schema-command.ts";

const whole = z.number().int().positive();

/** Rates of one kind of work, in units a second. */
interface Rates {
  readonly best: number;
  readonly median: number;
  /** Best rate by processor time: what an idle core would give when others share this one. */
  readonly processor: number;
}

/** `habits bench countdown`. */
export const benchCountdown = schemaCommand({
  name: "countdown",
  summary: "puzzles drawn and completions scored a second",
  options: z.object({
    puzzles: whole.default(50_000).describe("puzzles of 3 or 4 numbers to draw in each round"),
    scorings: whole.default(200_000).describe("completions to score in each round"),
    rounds: whole.default(7).describe("rounds; the best and the median are shown"),
    seed: z.number().int().default(0).describe("seed of the first round"),
  }),
  async run({ puzzles, scorings, rounds, seed }, io) {
    const rows = completions(generatePuzzles({ count: 2000 }, seed));
    const four = generatePuzzles({ count: 200, numberCounts: [4] }, seed);
    const six = generatePuzzles({ count: 1, numberCounts: [6] }, seed);
    const work = {
      generate: () => generatePuzzles({ count: puzzles }, seed).length,
      score: () => scoreAll(rows, scorings),
      "solve 4 numbers": () => four.reduce((sum, puzzle) => sum + difficulty(puzzle).solutions, 0),
      "solve 6 numbers": () => six.reduce((sum, puzzle) => sum + difficulty(puzzle).solutions, 0),
    };
    const units = {
      generate: puzzles,
      score: scorings,
      "solve 4 numbers": four.length,
      "solve 6 numbers": six.length,
    };
    const rates = measure(work, units, { rounds, io });
    const machine = {
      cpu: cpus()[0]?.model ?? "unknown",
      node: process.version,
      load: loadavg()[0] ?? 0,
    };
    io.result({ machine, units: "per second", rates }, [
      `${machine.cpu}, Node ${machine.node}, load ${machine.load.toFixed(1)}, one thread`,
      ...Object.entries(rates).map(
        ([name, { best, median, processor }]) =>
          `${name.padEnd(16)} ${formatNumber(best)}/s best, ${formatNumber(median)}/s median, ` +
          `${formatNumber(processor)} a second of processor time`,
      ),
    ]);
  },
});

/** Runs every kind of work once to warm up, then round by round, so that a slow spell hits all of them. */
function measure<Name extends string>(
  work: Readonly<Record<Name, () => number>>,
  units: Readonly<Record<Name, number>>,
  { rounds, io }: { readonly rounds: number; readonly io: CommandIo },
): Record<Name, Rates> {
  const names = Object.keys(work) as Name[];
  const expected = new Map(names.map((name) => [name, work[name]()]));
  const wallS = new Map<Name, number[]>(names.map((name) => [name, []]));
  const processorS = new Map<Name, number[]>(names.map((name) => [name, []]));
  const onProgress = io.progress("bench");
  for (let round = 1; round <= rounds; round += 1) {
    for (const name of names) {
      io.signal.throwIfAborted();
      const before = process.cpuUsage();
      const start = performance.now();
      const result = work[name]();
      wallS.get(name)?.push((performance.now() - start) / 1000);
      const { user, system } = process.cpuUsage(before);
      processorS.get(name)?.push((user + system) / 1e6);
      if (result !== expected.get(name)) throw new Error(`${name}: two rounds differ`);
    }
    onProgress({ done: round, total: rounds, unit: "rounds" });
  }
  const rates = names.map((name): [Name, Rates] => {
    const wall = (wallS.get(name) ?? []).sort((a, b) => a - b);
    const rate = (seconds: number | undefined): number => units[name] / (seconds ?? Number.NaN);
    return [
      name,
      {
        best: rate(wall[0]),
        median: rate(wall[Math.floor((wall.length - 1) / 2)]),
        processor: rate(Math.min(...(processorS.get(name) ?? []))),
      },
    ];
  });
  return Object.fromEntries(rates) as Record<Name, Rates>;
}

interface Row {
  readonly text: string;
  readonly puzzle: Puzzle;
}

/** Completions of about 200 characters, half of them right. */
function completions(puzzles: readonly Puzzle[]): Row[] {
  const random = Random.of(0, "bench");
  return puzzles.map((puzzle, i) => {
    const [solution] = solve(puzzle);
    const right = solution === undefined ? "" : formatExpression(solution);
    const wrong = random.shuffle(puzzle.numbers).join(random.pick([" + ", " * ", " - "]));
    const thought = ` ${wrong} = ${puzzle.target + 1}, not ${puzzle.target}.`.repeat(4);
    const answer = i % 2 === 0 ? right : wrong;
    return { puzzle, text: `${thought}</think>\n<answer> ${answer} </answer>` };
  });
}

function scoreAll(rows: readonly Row[], scorings: number): number {
  let correct = 0;
  for (let i = 0; i < scorings; i += 1) {
    const { text, puzzle } = rows[i % rows.length] as Row;
    if (scoreCompletion(text, puzzle).correct) correct += 1;
  }
  return correct;
}

/** `habits bench judge`: texts judged a second by the exact detectors, on one core. */
import { cpus, loadavg } from "node:os";
import { z } from "zod";
import { detectBehaviours } from "../behaviours/detect.ts";
import { readGoldTraces } from "../behaviours/gold.ts";
import { generatePuzzles } from "../countdown/index.ts";
import { teacherOptionsSchema } from "../priming/options.ts";
import { writeTrace } from "../priming/teacher.ts";
import { Random } from "../random/random.ts";
import { formatNumber } from "./progress-text.ts";
import { schemaCommand } from "./schema-command.ts";

const whole = z.number().int().positive();
/** Rates are given for texts of this length, whatever the lengths of the texts. */
const UNIT_CHARACTERS = 500;

interface JudgedText {
  readonly text: string;
  readonly numbers: readonly number[];
  readonly target: number;
}

/** `habits bench judge`. */
export const benchJudge = schemaCommand({
  name: "judge",
  summary: "texts judged a second by the exact detectors",
  options: z.object({
    megacharacters: whole.default(2).describe("millions of characters to judge in each round"),
    rounds: whole.default(9).describe("rounds; the best and the median are shown"),
    seed: z.number().int().default(0).describe("seed of the traces"),
  }),
  async run({ megacharacters, rounds, seed }, io) {
    const kinds = { "teacher traces": teacherTraces(seed), "gold texts": readGoldTraces() };
    const onProgress = io.progress("bench");
    const rates: Record<string, { best: number; median: number }> = {};
    for (const [name, texts] of Object.entries(kinds)) {
      judgeAll(texts, 1e6); // warm up
      const found: number[] = [];
      for (let round = 1; round <= rounds; round += 1) {
        io.signal.throwIfAborted();
        const before = process.cpuUsage();
        const characters = judgeAll(texts, megacharacters * 1e6);
        const { user, system } = process.cpuUsage(before);
        found.push(characters / UNIT_CHARACTERS / ((user + system) / 1e6));
        onProgress({ done: round, total: rounds, unit: "rounds" });
      }
      found.sort((a, b) => a - b);
      rates[name] = {
        best: found.at(-1) ?? Number.NaN,
        median: found[Math.floor(found.length / 2)] ?? Number.NaN,
      };
    }
    const machine = {
      cpu: cpus()[0]?.model ?? "unknown",
      node: process.version,
      load: loadavg()[0] ?? 0,
    };
    io.result({ machine, units: "500-character texts per second of processor time", rates }, [
      `${machine.cpu}, Node ${machine.node}, load ${machine.load.toFixed(1)}, one thread`,
      ...Object.entries(rates).map(
        ([name, { best, median }]) =>
          `${name.padEnd(16)} ${formatNumber(best)} best, ${formatNumber(median)} median ` +
          "texts of 500 characters a second of processor time",
      ),
    ]);
  },
});

/** Judges the texts over and over until `characters` are read; the characters read. */
function judgeAll(texts: readonly JudgedText[], characters: number): number {
  let read = 0;
  let instances = 0;
  while (read < characters) {
    for (const { text, numbers, target } of texts) {
      instances += detectBehaviours(text, { numbers, target }).verification.spans.length;
      read += text.length;
    }
  }
  if (instances === 0) throw new Error("no instance was found");
  return read;
}

function teacherTraces(seed: number): JudgedText[] {
  const puzzles = generatePuzzles({ count: 300, numberCounts: [3], maxNumber: 13 }, seed);
  const options = teacherOptionsSchema.parse({ tooLong: "give_up" });
  return puzzles.flatMap(({ id, numbers, target }) => {
    const trace = writeTrace({ numbers, target }, "all_strategies", Random.of(seed, id), options);
    return "rejected" in trace ? [] : [{ text: trace.completion, numbers, target }];
  });
}

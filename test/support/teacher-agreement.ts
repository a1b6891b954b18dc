/** Comparison of the detectors with the teacher's own record, for tests. */
import { detectBehaviours } from "../../src/behaviours/detect.ts";
import type { Puzzle } from "../../src/data/rows.ts";
import { teacherOptionsSchema } from "../../src/priming/options.ts";
import { type TaughtCondition, writeTrace } from "../../src/priming/teacher.ts";
import { Random } from "../../src/random/random.ts";

/** Traces that were compared, and those on which counts, spans or validity differ in any way. */
export interface TeacherAgreement {
  readonly traces: number;
  readonly differing: readonly { completion: string; record: unknown; detected: unknown }[];
}

/** Ways in which the study writes traces: whole searches, and searches that give up. */
const VARIANTS = [{}, { giveUpShare: 0.5, tooLong: "give_up" as const }];

/** Writes one trace of every puzzle in every variant and judges it. */
export function compareWithTeacher(
  puzzles: readonly Puzzle[],
  condition: TaughtCondition,
  seeds: readonly number[],
): TeacherAgreement {
  let traces = 0;
  const differing: { completion: string; record: unknown; detected: unknown }[] = [];
  for (const variant of VARIANTS) {
    const options = teacherOptionsSchema.parse(variant);
    for (const seed of seeds) {
      for (const puzzle of puzzles) {
        const trace = writeTrace(puzzle, condition, Random.of(seed, puzzle.id), options);
        if ("rejected" in trace) continue;
        traces += 1;
        const detected = detectBehaviours(trace.completion, puzzle);
        if (JSON.stringify(detected) === JSON.stringify(trace.record)) continue;
        differing.push({ completion: trace.completion, record: trace.record, detected });
      }
    }
  }
  return { traces, differing };
}

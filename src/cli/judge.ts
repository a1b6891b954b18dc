/** `habits judge`: counts the habits in completions, or measures the detectors on the labelled texts. */
import { z } from "zod";
import { goldAgreement, renderAgreement } from "../behaviours/gold.ts";
import { judgeExact, MAX_TEXT_LENGTH } from "../behaviours/judge-exact.ts";
import { BEHAVIOURS } from "../data/rows.ts";
import { UsageError } from "../util/errors.ts";
import type { CommandIo } from "./io.ts";
import { schemaCommand } from "./schema-command.ts";

const options = z.object({
  judge: z.enum(["exact"]).default("exact").describe("who counts: `exact` detectors"),
  in: z.string().optional().describe("completion rows: JSONL or parquet"),
  out: z.string().optional().describe("behaviour rows to write: JSONL"),
  maxTextLength: z
    .number()
    .int()
    .positive()
    .default(MAX_TEXT_LENGTH)
    .describe("longest text that is judged, in UTF-16 code units"),
  gold: z
    .boolean()
    .default(false)
    .describe("print the agreement of the detectors with the texts labelled by hand"),
});

/** `habits judge`. */
export const command = schemaCommand({
  name: "judge",
  summary: "count the habits in completions",
  options,
  async run({ in: input, out: output, maxTextLength, gold }, io) {
    if (gold) {
      const rows = goldAgreement();
      io.result(rows, renderAgreement(rows));
      return;
    }
    if (input === undefined || output === undefined) {
      throw new UsageError("judge: expected --in FILE and --out FILE, or --gold", {
        code: "usage.bad_options",
        hint: "run `habits judge --help`",
      });
    }
    await judge({ input, output, maxTextLength }, io);
  },
});

async function judge(
  files: { input: string; output: string; maxTextLength: number },
  io: CommandIo,
): Promise<void> {
  const onProgress = io.progress("judge");
  const summary = await judgeExact({ ...files, signal: io.signal, onProgress });
  io.result({ judge: "exact", ...summary }, [
    `${summary.rows} completions judged, rows in ${files.output}`,
    ...BEHAVIOURS.map(
      (habit) => `  ${habit} ${summary.means[habit]?.toFixed(2) ?? "-"} a completion`,
    ),
    ...Object.entries(summary.failed).map(([reason, rows]) => `  not judged: ${reason} ${rows}`),
  ]);
}

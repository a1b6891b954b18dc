/** `habits import`: read published results, say what is wrong with them, and write them for the report's overlay. */
import { z } from "zod";
import { importPublished } from "../analysis/published/import.ts";
import { scoreCompletion } from "../countdown/index.ts";
import { writeFileAtomic } from "../data/atomic.ts";
import { schemaCommand } from "./schema-command.ts";

const options = z.object({
  results: z
    .string()
    .describe("results CSV, or a folder with completions_step<N>.jsonl or all_results.json"),
  out: z
    .string()
    .optional()
    .describe("JSON file for `habits report --published`; without it nothing is written"),
});

export const command = schemaCommand({
  name: "import",
  summary: "read published results and report their faults",
  options,
  arguments: ["results"],
  async run({ results, out }, io) {
    const result = await importPublished(
      results,
      (text, puzzle) => scoreCompletion(text, { ...puzzle, numbers: [...puzzle.numbers] }).correct,
    );
    if (out !== undefined) await writeFileAtomic(out, `${JSON.stringify(result)}\n`);
    const names = new Set(result.points.map((point) => point.name));
    const usable = result.points.filter((point) => point.usable).length;
    io.result({ ...result, ...(out === undefined ? {} : { out }) }, [
      `${result.source}: ${result.points.length} points of ${names.size} runs, ${usable} without a fault`,
      ...result.faults.map((fault) => `  ${fault.code}: ${fault.text}`),
      ...(out === undefined ? [] : [`written: ${out}`]),
    ]);
  },
});

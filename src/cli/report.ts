/** `habits report`: write the report of a run. */
import { z } from "zod";
import { writeReport } from "../report/write-report.ts";
import { schemaCommand } from "./schema-command.ts";

const options = z.object({
  run: z.string().describe("run folder, such as runs/quick"),
  out: z
    .string()
    .optional()
    .describe("output file; without it report/index.html in the run folder"),
  seed: z.number().int().default(1).describe("seed of the bootstrap"),
  published: z
    .array(z.string())
    .optional()
    .describe("files of `habits import` to show beside our curves"),
});

export const command = schemaCommand({
  name: "report",
  summary: "write the report of a run",
  options,
  arguments: ["run"],
  async run({ run, out, seed, published }, io) {
    const written = await writeReport({
      run,
      seed,
      ...(out === undefined ? {} : { out }),
      ...(published === undefined ? {} : { published }),
      signal: io.signal,
      onProgress: io.progress("comparing"),
    });
    const megabytes = (written.sizeBytes / 1e6).toFixed(2);
    io.result(written, [
      `report: ${written.file} (${megabytes} MB)`,
      `numbers: ${written.json}, figures: ${written.figures.length} SVG files`,
    ]);
  },
});

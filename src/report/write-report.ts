/**
 * The report stage: compares a run and writes one self-contained HTML file. The same run gives the same bytes: of the
 * manifest only what does not change between equal runs is shown.
 */
import path from "node:path";
import { buildComparison } from "../analysis/compare.ts";
import { readRunFolder } from "../analysis/run-folder.ts";
import { readTrainingCurves } from "../analysis/training-curves.ts";
import { writeFileAtomic } from "../data/atomic.ts";
import type { StageContext } from "../util/progress.ts";
import { armStyles } from "./arm-style.ts";
import { renderPage } from "./page.ts";
import { readSamples } from "./samples.ts";
import { TRAINING_METRICS } from "./training.ts";

export interface WriteReportOptions extends StageContext {
  /** Run folder. */
  readonly run: string;
  /** Output file; default report/index.html in the run folder. */
  readonly out?: string;
  /** Seed of the bootstrap; default 1. */
  readonly seed?: number;
}

export interface WrittenReport {
  readonly file: string;
  readonly sizeBytes: number;
}

/**
 * Compares the run afresh, so that the report always fits the rows, and writes the page; nothing else is written.
 * @throws RunError for a folder that is not a run, DataError for a row that does not fit its schema.
 */
export async function writeReport(options: WriteReportOptions): Promise<WrittenReport> {
  const { run, out, ...rest } = options;
  const comparison = await buildComparison({ run, ...rest });
  const folder = await readRunFolder(run);
  const page = renderPage({
    comparison,
    styles: armStyles(comparison.arms, comparison.mainBase),
    training: await readTrainingCurves(folder.arms, Object.keys(TRAINING_METRICS)),
    samples: await readSamples(folder.arms),
    settings: folder.settings,
    manifest: folder.manifest,
  });
  const file = out ?? path.join(run, "report", "index.html");
  await writeFileAtomic(file, page);
  return { file, sizeBytes: Buffer.byteLength(page) };
}

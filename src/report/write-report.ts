/**
 * The report stage: compares a run and writes one self-contained HTML file, and beside it the numbers as JSON and the
 * figures as SVG. The same run gives the same bytes: of the manifest only what does not change between equal runs is
 * shown.
 */
import path from "node:path";
import { buildComparison } from "../analysis/compare.ts";
import { readPublished } from "../analysis/published/import.ts";
import { readRunFolder } from "../analysis/run-folder.ts";
import { readTrainingCurves } from "../analysis/training-curves.ts";
import { writeFileAtomic } from "../data/atomic.ts";
import type { StageContext } from "../util/progress.ts";
import { armStyles } from "./arm-style.ts";
import { figureFiles } from "./figures.ts";
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
  /** Files of `habits import`, laid over our curves. */
  readonly published?: readonly string[];
}

export interface WrittenReport {
  readonly file: string;
  readonly sizeBytes: number;
  /** The numbers of the page. */
  readonly json: string;
  /** The figures as SVG. */
  readonly figures: readonly string[];
}

/**
 * Compares the run afresh, so that the report always fits the rows, and writes the page. Beside `index.html` stand
 * `report.json` and `figures/`; beside a page of another name, `<name>.json` and `<name>-figures/`.
 * @throws RunError for a folder that is not a run, DataError for a row that does not fit its schema.
 */
export async function writeReport(options: WriteReportOptions): Promise<WrittenReport> {
  const { run, out, published: publishedFiles = [], ...rest } = options;
  const comparison = await buildComparison({ run, ...rest });
  const folder = await readRunFolder(run);
  const published = await Promise.all(publishedFiles.map((file) => readPublished(file)));
  const styles = armStyles(comparison.arms, comparison.mainBase);
  const page = renderPage({
    comparison,
    styles,
    training: await readTrainingCurves(folder.arms, Object.keys(TRAINING_METRICS)),
    samples: await readSamples(folder.arms),
    published,
    settings: folder.settings,
    manifest: folder.manifest,
  });
  const file = out ?? path.join(run, "report", "index.html");
  const names = companions(file);
  const figures = figureFiles({ comparison, styles });
  for (const { name, svg } of figures) await writeFileAtomic(path.join(names.figures, name), svg);
  const list = figures.map(({ name }) => path.posix.join(path.basename(names.figures), name));
  const numbers = { format: 1, figures: list, comparison, published };
  await writeFileAtomic(names.json, `${JSON.stringify(numbers)}\n`);
  await writeFileAtomic(file, page); // last: who finds the page finds the rest
  return {
    file,
    sizeBytes: Buffer.byteLength(page),
    json: names.json,
    figures: figures.map(({ name }) => path.join(names.figures, name)),
  };
}

function companions(page: string): { json: string; figures: string } {
  const stem = path.basename(page, path.extname(page));
  const at = (name: string): string => path.join(path.dirname(page), name);
  return stem === "index"
    ? { json: at("report.json"), figures: at("figures") }
    : { json: at(`${stem}.json`), figures: at(`${stem}-figures`) };
}

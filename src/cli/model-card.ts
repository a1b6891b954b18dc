/** Model card of a tiny base: what it was made from, and its accuracy and habit rates without priming, measured on fresh puzzles. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { detectBehaviours } from "../behaviours/detect.ts";
import { generatePuzzles, writePuzzles } from "../countdown/index.ts";
import { writeFileAtomic } from "../data/atomic.ts";
import { readJsonl } from "../data/jsonl.ts";
import { BEHAVIOURS, completionSchema } from "../data/rows.ts";
import { loadCheckpoint } from "../model/checkpoint.ts";
import { completeCheckpoint, completeConfigSchema } from "../sampling/complete.ts";

const CARD_PUZZLES = 1024;
/** A seed of its own: the puzzles of the card are drawn apart from those of any study. */
const CARD_SEED = "model-card";

export interface CardArguments {
  /** Folder with `model/`, where the card is written as `model/README.md`. */
  readonly out: string;
  readonly base: string;
  readonly command: string;
  /** Settings by name, for the table. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly loss: number;
}

/** Measures the model and writes its card. */
export async function writeModelCard(args: CardArguments): Promise<void> {
  const model = path.join(args.out, "model");
  const { parameters } = await loadCheckpoint(model);
  const rows = await sampleCompletions(model);
  const share = (of: (row: (typeof rows)[number]) => boolean): string =>
    `${((100 * rows.filter(of).length) / rows.length).toFixed(1)} %`;
  const cells = rows.map((row) => detectBehaviours(row.generated, row.ground_truth));
  const habits = BEHAVIOURS.map((behaviour) => {
    const counts = cells.map((cell) => cell[behaviour].count).filter((count) => count !== null);
    const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
    return `| ${behaviour}, mean per completion | ${mean.toFixed(3)} |`;
  });
  const settings = Object.entries(args.settings).map(
    ([name, value]) => `| ${name} | ${JSON.stringify(value)} |`,
  );
  const lines = [
    `# ${args.base}`,
    "",
    `A decoder of the Llama shape with ${parameters.flat.length.toLocaleString("en")} parameters and word-level tokens, made from nothing but`,
    "generated documents about small whole numbers (`src/priming/documents.ts`). It exists to be trained further on Countdown puzzles; it knows no other language.",
    "",
    `Made by \`${args.command}\`; final training loss ${args.loss.toFixed(4)} nats a token.`,
    "",
    `Measured on ${rows.length} puzzles (3 numbers 1-13, target 10-99), one completion each at temperature 1, without priming:`,
    "",
    "| measure | value |",
    "|---|---|",
    `| accuracy | ${share((row) => row.correct)} |`,
    `| complete answer | ${share((row) => row.answer !== null)} |`,
    `| ends by itself | ${share((row) => row.stop_reason === "stop")} |`,
    ...habits,
    "",
    "| setting | value |",
    "|---|---|",
    ...settings,
    "",
  ];
  await writeFileAtomic(path.join(model, "README.md"), lines.join("\n"));
}

async function sampleCompletions(model: string) {
  const folder = await mkdtemp(path.join(tmpdir(), "model-card-"));
  try {
    const puzzles = path.join(folder, "puzzles.jsonl");
    const out = path.join(folder, "completions.jsonl");
    const options = {
      numberCounts: [3],
      minNumber: 1,
      maxNumber: 13,
      minTarget: 10,
      maxTarget: 99,
    };
    const limits = { maxIntermediate: 99, maxHitShare: 0.08, count: CARD_PUZZLES };
    await writePuzzles(puzzles, generatePuzzles({ ...options, ...limits }, CARD_SEED));
    const config = completeConfigSchema.parse({});
    await completeCheckpoint({ checkpoint: model, puzzles, out, step: 0, config, seed: 1 });
    return await readJsonl(out, completionSchema);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Sample completions: for each arm the same first puzzles of the test file, at its first and last step, first seed,
 * first sample. Nothing is selected by content.
 */
import { access } from "node:fs/promises";
import { HABIT_LABELS } from "../analysis/labels.ts";
import { type ArmFolder, finalStep, type SeedFolder, stepFile } from "../analysis/run-folder.ts";
import { readJsonl } from "../data/jsonl.ts";
import {
  BEHAVIOURS,
  type BehaviourRow,
  behaviourRowSchema,
  type Completion,
  completionSchema,
} from "../data/rows.ts";
import type { ReportContext } from "./context.ts";
import { HABIT_LETTERS, highlight, MAX_CHARACTERS } from "./highlight.ts";
import { type Html, html, modelText } from "./html.ts";
import { swatch } from "./outcomes.ts";

/** A completion with its habits, if they were judged. */
export interface Sample {
  readonly completion: Completion;
  readonly behaviours: BehaviourRow | undefined;
}

export interface ArmSamples {
  readonly arm: string;
  readonly seed: number;
  /** First and last step; one entry where they are the same. */
  readonly steps: readonly { readonly step: number; readonly samples: readonly Sample[] }[];
}

/** Puzzles shown for each arm. */
export const SAMPLE_PUZZLES = 3;

/** Reads the samples of every arm that has completions. */
export async function readSamples(arms: readonly ArmFolder[]): Promise<ArmSamples[]> {
  const result: ArmSamples[] = [];
  for (const arm of arms) {
    const seed = arm.seeds[0];
    const last = finalStep(arm);
    const first = seed?.steps[0];
    if (seed === undefined || first === undefined || last === undefined) continue;
    const steps: ArmSamples["steps"][number][] = [];
    for (const step of new Set([first, last])) {
      steps.push({ step, samples: await readStep(seed, step) });
    }
    result.push({ arm: arm.id, seed: seed.seed, steps });
  }
  return result;
}

async function readStep(seed: SeedFolder, step: number): Promise<Sample[]> {
  const completions = await readJsonl(stepFile(seed, "completions", step), completionSchema);
  const file = stepFile(seed, "behaviours", step);
  const judged = await access(file).then(
    () => true,
    () => false,
  );
  const rows = judged ? await readJsonl(file, behaviourRowSchema) : [];
  const chosen = completions
    .filter((row) => row.sample === 0)
    .sort((a, b) => a.index - b.index)
    .slice(0, SAMPLE_PUZZLES);
  return chosen.map((completion) => ({
    completion,
    behaviours: rows.find((row) => row.puzzle_id === completion.puzzle_id && row.sample === 0),
  }));
}

/** Legend and one folded block an arm, before and after side by side; the first two are open. */
export function samplesSection(context: ReportContext, samples: readonly ArmSamples[]): Html {
  return html`<p>The first ${SAMPLE_PUZZLES} puzzles of the test file, the same for every condition; nothing is
selected. Marks are instances found by the detectors; a letter stands where one starts.</p>
<p class="habit-legend">${BEHAVIOURS.map(
    (habit) =>
      html`<span><mark class="h-${HABIT_LETTERS[habit]}" data-k="${HABIT_LETTERS[habit]}">${HABIT_LABELS[habit]}</mark></span>`,
  )}<span><mark class="h-V wrong" data-k="V">a check that is false</mark></span></p>
${samples.map((arm) => armBlock(context, arm))}
<p class="note">Texts longer than ${MAX_CHARACTERS.toLocaleString("en")} characters are cut with a note.</p>`;
}

function armBlock(context: ReportContext, arm: ArmSamples): Html {
  const style = context.styles.find((one) => one.id === arm.arm);
  if (style === undefined) return html``;
  const { condition, base } = context.comparison.arms[style.index] ?? {};
  const open =
    base === context.comparison.mainBase &&
    (condition === "all_strategies" || condition === "none");
  const rows = Array.from({ length: SAMPLE_PUZZLES }, (_, at) => puzzleBlock(arm, at));
  return html`<details class="samples"${open && html` open`}><summary>${swatch(style)} ${style.label} <small>seed ${arm.seed}</small></summary>${rows}</details>\n`;
}

function puzzleBlock(arm: ArmSamples, at: number): Html {
  const first = arm.steps[0]?.samples[at];
  if (first === undefined) return html``;
  return html`<div class="puzzle"><p class="prompt">${modelText(first.completion.prompt)}</p>
<div class="pair">${arm.steps.map(({ step, samples }) => sampleBlock(step, samples[at]))}</div></div>`;
}

function sampleBlock(step: number, sample: Sample | undefined): Html {
  if (sample === undefined) return html`<div></div>`;
  const { completion, behaviours } = sample;
  const outcome = completion.correct ? "right" : "wrong";
  const ended = completion.stop_reason === "length" ? ", cut off at the limit" : "";
  const counts = behaviours === undefined ? html` · habits not judged` : habitCounts(behaviours);
  return html`<div class="sample"><p class="meta">step ${step} · <b class="${outcome}">${outcome}</b> · ${completion.tokens} tokens${ended}${counts}</p>
<pre dir="ltr"><bdi>${highlight(completion.generated, behaviours)}</bdi></pre></div>`;
}

function habitCounts(row: BehaviourRow): Html {
  const found = BEHAVIOURS.flatMap((habit) => {
    const { count } = row[habit];
    if (count === null) return [`${HABIT_LETTERS[habit]} not judged`];
    return count > 0 ? [`${HABIT_LETTERS[habit]} ${count}`] : [];
  });
  return found.length === 0 ? html` · no habit` : html` · ${found.join(", ")}`;
}

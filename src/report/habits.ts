/** The four habits by step, and the length of the completions with the share that was cut off. */
import { percent, plain } from "../analysis/format.ts";
import { HABIT_LABELS } from "../analysis/labels.ts";
import { BEHAVIOURS, type Behaviour } from "../data/rows.ts";
import { lineChart } from "./chart.ts";
import { type ReportContext, seriesOf } from "./context.ts";
import { HABIT_LETTERS } from "./highlight.ts";
import { type Html, html } from "./html.ts";
import { percentTick, stepTable } from "./outcomes.ts";
import { foldedTables } from "./table.ts";

/** Ticks of counts and lengths without needless digits. */
export function plainTick(value: number): string {
  return String(Number(value.toPrecision(3)));
}

function share(value: number): string {
  return (100 * value).toFixed(1);
}

/** One panel a habit: instances per completion by step. */
export function habitsSection(context: ReportContext): Html {
  return html`<div class="panels two">${BEHAVIOURS.map((habit) => habitPanel(context, habit))}</div>
<p class="note">Mean number of instances per completion, counted by the exact detectors; bands are 95 % intervals as
above. ${unjudgedNote(context)}</p>
${foldedTables([
  ...BEHAVIOURS.map((habit) =>
    stepTable(
      context,
      `${HABIT_LABELS[habit]}: instances per completion`,
      (step) => step.habits[habit].mean,
      plain,
    ),
  ),
  ...BEHAVIOURS.map((habit) =>
    stepTable(
      context,
      `${HABIT_LABELS[habit]}: share of completions with at least one, per cent`,
      (step) => step.habits[habit].share,
      share,
    ),
  ),
])}`;
}

function habitPanel(context: ReportContext, habit: Behaviour): Html {
  const chart = lineChart({
    series: seriesOf(context, (step) => step.habits[habit].mean),
    width: 480,
    height: 250,
    format: plainTick,
    endLabels: "short",
    xLabel: "step",
    description: `${HABIT_LABELS[habit]} per completion by training step`,
    readout: plain,
  });
  const letter = HABIT_LETTERS[habit];
  return html`<figure class="panel"><h4><span class="key h-${letter}">${letter}</span> ${HABIT_LABELS[habit]}</h4>${chart}</figure>`;
}

/** How many judgements failed; they are in no mean. */
function unjudgedNote({ comparison }: ReportContext): string {
  const steps = comparison.arms.flatMap((arm) => arm.steps);
  const failed = steps.reduce(
    (sum, step) => sum + BEHAVIOURS.reduce((n, habit) => n + step.habits[habit].unjudged, 0),
    0,
  );
  const all = steps.reduce(
    (sum, step) => sum + BEHAVIOURS.length * step.seeds.reduce((n, s) => n + s.completions, 0),
    0,
  );
  return failed === 0
    ? "No judgement failed."
    : `${failed.toLocaleString("en")} of ${all.toLocaleString("en")} judgements failed; they are left out of the means.`;
}

/** Tokens per completion, share cut off at the token limit, and share with a complete answer tag. */
export function lengthSection(context: ReportContext): Html {
  const panel = (
    title: string,
    pick: "tokens" | "truncated" | "format",
    format: (value: number) => string,
  ): Html => {
    const chart = lineChart({
      series: seriesOf(context, (step) => step[pick]),
      width: 480,
      height: 250,
      format,
      ...(pick === "tokens" ? {} : { ceiling: 1 }),
      endLabels: "short",
      xLabel: "step",
      description: `${title} by training step`,
      readout: pick === "tokens" ? plain : percent,
    });
    return html`<figure class="panel"><h4>${title}</h4>${chart}</figure>`;
  };
  return html`<div class="panels two">
${panel("Tokens per completion", "tokens", plainTick)}
${panel("Cut off at the token limit, per cent", "truncated", percentTick)}
${panel("With a complete answer, per cent", "format", percentTick)}
</div>
${foldedTables([
  stepTable(context, "Tokens per completion", (step) => step.tokens, plain),
  stepTable(context, "Cut off at the token limit, per cent", (step) => step.truncated, share),
  stepTable(context, "With a complete answer, per cent", (step) => step.format, share),
])}`;
}

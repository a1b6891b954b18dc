/** Training curves of PPO by arm. */
import type { TrainingCurves } from "../analysis/training-curves.ts";
import type { ArmStyle } from "./arm-style.ts";
import { lineChart, type Series } from "./chart.ts";
import type { ReportContext } from "./context.ts";
import { type Html, html } from "./html.ts";
import { foldedTables } from "./table.ts";

/** Metrics shown, in order, where a run has them. */
export const TRAINING_METRICS: Readonly<Record<string, string>> = {
  "rollout/score": "Score of the rollouts, before the KL penalty",
  "kl/reference": "KL to the reference model, nats per token",
  "value/explained_variance": "Explained variance of the critic",
  "policy/entropy": "Entropy of the policy, nats per token",
  "policy/approx_kl": "KL of one update, nats per token",
  "policy/clip_fraction": "Share of clipped ratios",
};

function significant(value: number): string {
  return String(Number(value.toPrecision(3)));
}

/** A panel for each metric that any arm has. */
export function trainingSection(context: ReportContext, training: readonly TrainingCurves[]): Html {
  const keys = Object.keys(TRAINING_METRICS).filter((key) =>
    training.some((arm) => arm.curves[key] !== undefined),
  );
  return html`<div class="panels two">${keys.map((key) => metricPanel(context, training, key))}</div>
<p class="note">Means over seeds; long runs are averaged in blocks of steps.</p>
${foldedTables([
  {
    caption: "Last point of each training curve",
    columns: ["", ...keys.map((key) => TRAINING_METRICS[key] as string)],
    rows: training.map((arm) => ({
      head: styleOf(context, arm.arm)?.label ?? arm.arm,
      cells: keys.map((key) => {
        const last = arm.curves[key]?.at(-1);
        return last === undefined ? "–" : significant(last.value);
      }),
    })),
  },
])}`;
}

function metricPanel(
  context: ReportContext,
  training: readonly TrainingCurves[],
  key: string,
): Html {
  const title = TRAINING_METRICS[key] as string;
  const series: Series[] = training.flatMap((arm) => {
    const style = styleOf(context, arm.arm);
    const points = arm.curves[key];
    if (style === undefined || points === undefined) return [];
    return [{ style, points: points.map(({ step, value }) => ({ x: step, y: value })) }];
  });
  const chart = lineChart({
    series,
    width: 480,
    height: 230,
    format: significant,
    endLabels: "short",
    xLabel: "step",
    dots: false,
    bands: false,
    description: `${title} by training step`,
    readout: significant,
  });
  return html`<figure class="panel"><h4>${title}</h4>${chart}</figure>`;
}

function styleOf(context: ReportContext, id: string): ArmStyle | undefined {
  return context.styles.find((style) => style.id === id);
}

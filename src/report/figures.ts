/**
 * The figures of the page as SVG files: drawn as on the page, colours resolved to those of the light scheme, on white.
 * The panels are those of the published study: accuracy by step, each habit by step, length, before and after.
 */
import { readFileSync } from "node:fs";
import { HABIT_LABELS } from "../analysis/labels.ts";
import { BEHAVIOURS } from "../data/rows.ts";
import { passSeries } from "./best-of-n.ts";
import { type LineChartOptions, lineChart } from "./chart.ts";
import { type ReportContext, seriesOf } from "./context.ts";
import { plainTick } from "./habits.ts";
import { escapeHtml, type Html } from "./html.ts";
import { outcomeSvg, percentTick } from "./outcomes.ts";

export interface FigureFile {
  readonly name: string;
  readonly svg: string;
}

/** Every figure that the run has numbers for. */
export function figureFiles(context: ReportContext): FigureFile[] {
  if (!context.comparison.arms.some((arm) => arm.steps.length > 0)) return [];
  const chart = (options: Pick<LineChartOptions, "series" | "format" | "description">): Html =>
    lineChart({ xLabel: "step", ...options, width: 980, height: 430, endLabels: "long" });
  const passes = passSeries(context);
  const figures: (readonly [string, string, Html])[] = [
    ["before-after", "Accuracy before and after reinforcement learning", outcomeSvg(context)],
    ...(["accuracy", "tokens"] as const).map((key) => {
      const title = key === "accuracy" ? "Accuracy by step, per cent" : "Tokens per completion";
      const series = seriesOf(context, (step) => step[key]);
      const format = key === "accuracy" ? percentTick : plainTick;
      return [key, title, chart({ series, format, description: title })] as const;
    }),
    ...BEHAVIOURS.map((habit) => {
      const title = `${HABIT_LABELS[habit]}: instances per completion`;
      const series = seriesOf(context, (step) => step.habits[habit].mean);
      return [habit, title, chart({ series, format: plainTick, description: title })] as const;
    }),
  ];
  if (passes.length > 0) {
    const title = "pass@k by tokens, per cent";
    const options = { series: passes, format: percentTick, description: title };
    figures.push(["pass-at-k", title, lineChart({ ...options, ...PASS_SIZE })]);
  }
  const colours = coloursOf(context);
  return figures.map(([name, title, figure]) => ({
    name: `${name}.svg`,
    svg: standalone(figure.text, title, colours),
  }));
}

const PASS_SIZE = {
  width: 980,
  height: 430,
  endLabels: "long",
  xLabel: "generated tokens per puzzle",
} as const;

/** Custom properties of the light scheme: those of the style sheet's first block, and the arms. */
function coloursOf({ styles }: ReportContext): ReadonlyMap<string, string> {
  const css = readFileSync(new URL("./report.css", import.meta.url), "utf8");
  const root = css.slice(0, css.indexOf("}"));
  const found = [...root.matchAll(/(--[\w-]+):\s*([^;]+);/g)];
  const shared = found.map(([, name, value]) => [name as string, value as string] as const);
  return new Map([...shared, ...styles.map((one) => [`--arm-${one.index}`, one.light] as const)]);
}

/** An SVG document of its own from the markup of the page. */
function standalone(markup: string, title: string, colours: ReadonlyMap<string, string>): string {
  const resolved = markup
    .replace(/var\((--[\w-]+)\)/g, (whole, name: string) => colours.get(name) ?? whole)
    .replaceAll("&nbsp;", "&#160;");
  const open = resolved.indexOf(">");
  const space = resolved.includes("xmlns=") ? "" : ' xmlns="http://www.w3.org/2000/svg"';
  return `${resolved.slice(0, open)}${space}><title>${escapeHtml(title)}</title><rect width="100%" height="100%" fill="#ffffff"/>${resolved.slice(open + 1)}\n`;
}

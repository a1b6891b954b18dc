/**
 * How an arm looks in every figure: colour, dash and marker belong to its condition, so that a line is known by two
 * marks besides its colour. Colours start from the palettes of Okabe and Ito (2008) and Tol (2021), which stay apart
 * for the common kinds of colour blindness; each has a lighter twin for the dark scheme.
 */
import type { ArmSummary } from "../analysis/comparison-schema.ts";
import { armLabel } from "../analysis/labels.ts";

export type Marker =
  | "circle"
  | "square"
  | "diamond"
  | "triangle"
  | "triangle2"
  | "star"
  | "cross"
  | "times"
  | "wye"
  | "hexagon";

export interface ArmStyle {
  readonly id: string;
  /** Position in the study; `arm-<index>` is the class of everything that belongs to the arm. */
  readonly index: number;
  readonly label: string;
  readonly short: string;
  readonly light: string;
  readonly dark: string;
  readonly dash: string | undefined;
  readonly marker: Marker;
  readonly width: number;
}

interface Look {
  readonly short: string;
  readonly light: string;
  readonly dark: string;
  readonly dash?: string;
  readonly marker: Marker;
  readonly width?: number;
}

const LOOKS: Readonly<Record<string, Look>> = {
  none: { short: "unprimed", light: "#6a7079", dark: "#a4abb5", marker: "circle", width: 2 },
  negative_control: {
    short: "no habits",
    light: "#a87900",
    dark: "#e0b64a",
    dash: "7 3",
    marker: "square",
  },
  only_backtracking: { short: "B", light: "#3f97d3", dark: "#7cc4f0", marker: "triangle" },
  backtracking_verification: { short: "B+V", light: "#00916a", dark: "#35c99c", marker: "square" },
  backtracking_subgoal: { short: "B+S", light: "#7d7d17", dark: "#c6c65c", marker: "diamond" },
  backtracking_backward: { short: "B+C", light: "#4232a3", dark: "#a195f2", marker: "star" },
  all_strategies: {
    short: "all four",
    light: "#0062a3",
    dark: "#4fb0f0",
    marker: "circle",
    width: 2.75,
  },
  incorrect_only: {
    short: "all, wrong",
    light: "#8d2257",
    dark: "#e07db1",
    dash: "6 3",
    marker: "hexagon",
  },
  empty_cot: {
    short: "empty",
    light: "#d96b00",
    dark: "#ff9f40",
    dash: "2 3",
    marker: "triangle2",
  },
  length_matched: {
    short: "filler",
    light: "#c9566b",
    dark: "#f08c9c",
    dash: "7 3 2 3",
    marker: "times",
  },
};
const CUSTOM: readonly Look[] = [
  { short: "", light: "#1f1f1f", dark: "#f2f2f2", dash: "1 3", marker: "wye" },
  { short: "", light: "#5b3a1e", dark: "#d0a57e", dash: "4 2", marker: "cross" },
  { short: "", light: "#008b95", dark: "#52d0d8", dash: "8 2", marker: "diamond" },
];

/** Style of every arm, in the order of the study. */
export function armStyles(arms: readonly ArmSummary[], mainBase: string): ArmStyle[] {
  let custom = 0;
  return arms.map((arm, index) => {
    const own = arm.base === mainBase ? LOOKS[arm.condition] : undefined;
    const look = own ?? (CUSTOM[custom++ % CUSTOM.length] as Look);
    const shortCondition = LOOKS[arm.condition]?.short ?? arm.condition;
    const otherBase = arm.condition === "none" ? arm.base : `${arm.base} ${shortCondition}`;
    return {
      id: arm.id,
      index,
      label: armLabel(arm, mainBase),
      short: arm.base === mainBase ? shortCondition : otherBase,
      light: look.light,
      dark: look.dark,
      dash: look.dash,
      marker: look.marker,
      width: look.width ?? 1.75,
    };
  });
}

/** Colour of an arm as a reference to its custom property, which the style sheet sets for both schemes. */
export function colourOf(style: ArmStyle): string {
  return `var(--arm-${style.index})`;
}

/** Style sheet rules: the colours of both schemes, and hiding an arm whose box in the legend is not ticked. */
export function armRules(styles: readonly ArmStyle[]): string {
  const light = styles.map((style) => `--arm-${style.index}:${style.light}`).join(";");
  const dark = styles.map((style) => `--arm-${style.index}:${style.dark}`).join(";");
  const toggles = styles.map(
    ({ index }) => `body:has(#show-${index}:not(:checked)) .arm-${index}{display:none}`,
  );
  return [
    `:root{${light}}`,
    `@media screen and (prefers-color-scheme:dark){:root{${dark}}}`,
    ...toggles,
  ].join("\n");
}

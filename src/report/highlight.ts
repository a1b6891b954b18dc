/**
 * Model text with the habits marked by span. Spans of different habits may overlap: the text is cut at every span end,
 * and each piece is marked with all habits that cover it. A letter stands where an instance starts, so that the marks
 * can be told apart without colour.
 */
import { HABIT_LABELS } from "../analysis/labels.ts";
import { BEHAVIOURS, type Behaviour, type BehaviourCells } from "../data/rows.ts";
import { type Html, html, modelText } from "./html.ts";

/** Letter of each habit in the text and in the legend. */
export const HABIT_LETTERS: Readonly<Record<Behaviour, string>> = {
  verification: "V",
  backtracking: "B",
  subgoal_setting: "S",
  backward_chaining: "C",
};

/** Longest text that is shown in full; chosen by us: about four times the token limit of the tiny models. */
export const MAX_CHARACTERS = 4000;

interface Mark {
  readonly habit: Behaviour;
  readonly start: number;
  readonly end: number;
  readonly valid: boolean | undefined;
}

/** Escaped text with `<mark>` elements; text beyond `limit` is left out with a note of how much. */
export function highlight(
  text: string,
  cells: BehaviourCells | undefined,
  limit: number = MAX_CHARACTERS,
): Html {
  const shown = wholeCharacters(text, Math.min(limit, text.length));
  const marks = marksOf(cells, text, shown);
  const cuts = [...new Set([0, shown, ...marks.flatMap((mark) => [mark.start, mark.end])])];
  cuts.sort((a, b) => a - b);
  const pieces: Html[] = [];
  for (let i = 0; i + 1 < cuts.length; i += 1) {
    const [start, end] = [cuts[i] as number, cuts[i + 1] as number];
    const covering = marks.filter((mark) => mark.start <= start && mark.end >= end);
    pieces.push(piece(text.slice(start, end), start, covering));
  }
  const hidden = text.length - shown;
  const note =
    hidden > 0 &&
    html`<span class="cut"> … ${hidden.toLocaleString("en")} more characters not shown</span>`;
  return html`${pieces}${note}`;
}

function piece(text: string, start: number, covering: readonly Mark[]): Html {
  if (covering.length === 0) return modelText(text);
  const habits = BEHAVIOURS.filter((habit) => covering.some((mark) => mark.habit === habit));
  const starting = covering.filter((mark) => mark.start === start);
  const letters = starting.map((mark) => HABIT_LETTERS[mark.habit]).join("");
  const title = covering.map(describe).join(" + ");
  const classes = habits.map((habit) => `h-${HABIT_LETTERS[habit]}`).join(" ");
  const wrong = covering.some((mark) => mark.valid === false) && " wrong";
  return html`<mark class="${classes}${wrong}" title="${title}"${overlapStyle(habits)}${
    letters !== "" && html` data-k="${letters}"`
  }>${modelText(text)}</mark>`;
}

/** Where habits overlap: one underline each, stacked, over the tint of the first. */
function overlapStyle(habits: readonly Behaviour[]): Html | false {
  const [first] = habits;
  if (habits.length < 2 || first === undefined) return false;
  const colour = (habit: Behaviour): string => `var(--${HABIT_LETTERS[habit]})`;
  const lines = habits.map(
    (habit, at) =>
      `linear-gradient(${colour(habit)} 0 0) 0 calc(100% - ${3 * at}px)/100% 2px no-repeat`,
  );
  const tint = `color-mix(in srgb, ${colour(first)} 16%, transparent)`;
  const padding = 3 * habits.length - 1;
  return html` style="background:${lines.join(",")},${tint};border:0;padding-bottom:${padding}px"`;
}

function describe(mark: Mark): string {
  const label = HABIT_LABELS[mark.habit];
  if (mark.valid === undefined) return label;
  return `${label} (${mark.valid ? "true" : "false"})`;
}

/** Spans of all habits, inside the shown text, with ends moved off the middle of a surrogate pair. */
function marksOf(cells: BehaviourCells | undefined, text: string, shown: number): Mark[] {
  if (cells === undefined) return [];
  return BEHAVIOURS.flatMap((habit) =>
    cells[habit].spans.flatMap((span) => {
      const start = wholeCharacters(text, Math.max(0, span.start));
      const end = Math.min(wholeCharacters(text, span.end), shown);
      return start < end ? [{ habit, start, end, valid: span.valid }] : [];
    }),
  );
}

/** The offset itself, or one less where it would split a surrogate pair. */
function wholeCharacters(text: string, offset: number): number {
  const before = text.charCodeAt(offset - 1);
  const after = text.charCodeAt(offset);
  const splits = before >= 0xd800 && before < 0xdc00 && after >= 0xdc00 && after < 0xe000;
  return splits ? offset - 1 : offset;
}

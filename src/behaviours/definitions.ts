/**
 * What counts as an instance of each habit, and which characters it covers. docs/methods/behaviours.md has the long form.
 *
 * Text inside `<answer>...</answer>` (or after an unclosed `<answer>`) is never looked at. An equation is an expression with at
 * least one operator, then `=` or a word for it (is, gives, makes), then a value. Habits are counted independently.
 *
 * Span of an instance told in words: its CLAUSE. A clause starts after the nearest delimiter, break word or equation before the
 * cue, and stops at the nearest delimiter, break word or equation after it; spaces are trimmed. Delimiters: `, ; : . ! ?`
 * brackets, line feed, dash. Break words: see BREAK_WORDS; they are in no clause. In a list of values, "9, 8 and 6", neither
 * the comma nor `and` breaks.
 * Span of an instance told by an equation: the equation, from its first operand to the end of its result.
 *
 * - verification: the clause that compares a result with the target: in `9 + 8 = 17, not 66.` it is `not 66`; or the equation
 *   that is computed again after a word of checking. Further words on the same value before the next equation are the same
 *   instance, and its span is the first clause. `valid`: the statement holds for the value as written (computed again: the
 *   arithmetic is right); absent when it cannot be decided ("close to 66"). General dismissals ("dead end", "does not work")
 *   speak of the attempt, not of its result: no verification. Only the target counts: "that is the 11 we need" does not.
 * - backtracking: the first clause that leaves the attempt ("go back to 17"); without such words the first equation of the new
 *   combination. Words, and all further such words until the next equation, and the new combination are ONE instance. A new
 *   combination does not use the last result. None before the first equation; none for an equation computed again, for a
 *   backward equation, for a part of the last equation worked out, or for a side result that the attempt joins with its other
 *   result later. A value that equals the last result is taken for it where it fits the table.
 * - subgoal_setting: the clause that names an aim other than the target; values joined by "or" are one aim; the same aim named
 *   again is no new instance. An aim in the same sentence as a backward inference of the same value belongs to that inference.
 * - backward_chaining: the equation that has the target, or a value so derived, as an operand (`66 + 6 = 72`, then `72 / 8 = 9`),
 *   or the clause that says it in words ("we need 72 before subtracting 6"); the same inference again is no new instance.
 */
import type { Behaviour } from "../data/rows.ts";

/** Words that end one clause and begin another; they belong to neither. */
export const BREAK_WORDS: readonly string[] = [
  "and",
  "so",
  "but",
  "then",
  "because",
  "since",
  "while",
];

/** One sentence on each habit, for reports and help texts. */
export const DEFINITIONS: Readonly<Record<Behaviour, string>> = {
  verification:
    "A result is compared with the target, or a computation is checked again; each time counts.",
  backtracking:
    "An attempt is left for the numbers or an earlier state, in words or by a new combination without the last result.",
  subgoal_setting:
    "An intermediate value or step is named as an aim before the target; distinct aims count.",
  backward_chaining:
    "A value is derived from the target by an inverse operation; distinct inferences count.",
};

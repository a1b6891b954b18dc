/** Names of conditions, bases and habits for people. */
import type { Behaviour } from "../data/rows.ts";

const CONDITION_LABELS: Readonly<Record<string, string>> = {
  none: "unprimed",
  negative_control: "right answers, no habits",
  only_backtracking: "backtracking only",
  backtracking_verification: "backtracking + verification",
  backtracking_subgoal: "backtracking + subgoals",
  backtracking_backward: "backtracking + backward chaining",
  all_strategies: "all strategies",
  incorrect_only: "all strategies, wrong answers",
  empty_cot: "empty thought",
  length_matched: "length-matched filler",
};

/** Label of a condition; an unknown one, such as a custom file, is shown as it is. */
export function conditionLabel(condition: string): string {
  return CONDITION_LABELS[condition] ?? condition;
}

/** Label of an arm: its condition, with the base in front where it is not the main one. */
export function armLabel(arm: { condition: string; base: string }, mainBase: string): string {
  const label = conditionLabel(arm.condition);
  return arm.base === mainBase ? label : `${arm.base}, ${label}`;
}

/** Label of each habit. */
export const HABIT_LABELS: Readonly<Record<Behaviour, string>> = {
  verification: "Verification",
  backtracking: "Backtracking",
  subgoal_setting: "Subgoal setting",
  backward_chaining: "Backward chaining",
};

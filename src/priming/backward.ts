/**
 * Thoughts that work back from the target: one number after the other is kept for the last step, the values from which that
 * step would reach the target are derived, and the other numbers are searched for one of them. With `all` the derived
 * values are named as aims, and every complete attempt is compared with the target.
 */
import type { Step } from "../countdown/index.ts";
import type { Random } from "../random/random.ts";
import { writeCheck, writeEnd } from "./forward.ts";
import * as phrases from "./phrases.ts";
import {
  type Attempt,
  attempts,
  type Combination,
  combinations,
  type Need,
  needs,
  sharedSteps,
} from "./search.ts";
import { givenItem, type Item } from "./steps.ts";
import { nearer, type SearchTask, type Thought } from "./thought.ts";
import { TraceWriter } from "./writer.ts";

/** Habits of a backward search beside backtracking and backward chaining. */
export interface BackwardHabits {
  /** Also subgoals and verification. */
  readonly all: boolean;
}

interface State {
  readonly task: SearchTask;
  readonly habits: BackwardHabits;
  readonly writer: TraceWriter;
  readonly aims: Set<string>;
  readonly inferences: Set<string>;
  /** Nearest complete attempt that was written. */
  nearest: Item | undefined;
  count: number;
}

/** Writes a backward search that stops at its first hit; undefined when there is none and it may not give up. */
export function writeBackward(
  task: SearchTask,
  habits: BackwardHabits,
  random: Random,
): Thought | undefined {
  const state: State = {
    task,
    habits,
    writer: new TraceWriter(random),
    aims: new Set(),
    inferences: new Set(),
    nearest: undefined,
    count: 0,
  };
  state.writer.phrase(phrases.OPENING, { target: task.target });
  const tried = new Set<number>();
  for (let at = task.numbers.length - 1; at >= 0; at -= 1) {
    const held = task.numbers[at] as number;
    if (tried.has(held)) continue;
    tried.add(held);
    if (state.count >= task.giveUpAfter) break;
    const answer = searchWith(
      state,
      held,
      task.numbers.filter((_, other) => other !== at),
    );
    if (answer !== undefined) return finish(state, answer, true);
  }
  if (state.nearest === undefined || state.count < task.giveUpAfter) return undefined;
  state.writer.phrase(phrases.SETTLE, { value: state.nearest.value });
  return finish(state, state.nearest, false);
}

function finish(state: State, answer: Item, hit: boolean): Thought {
  const { writer, count } = state;
  return { text: writer.text, record: writer.record(), answer, hit, attempts: count };
}

/** Goes through one choice of the last number; the hit, if there is one. */
function searchWith(state: State, held: number, rest: readonly number[]): Item | undefined {
  const { task, writer } = state;
  const wanted = needs(task.target, held, task.range);
  const found = [...attempts(rest, task.range)];
  if (wanted.length === 0 || found.length === 0) return undefined;
  if (state.count > 0) writer.phrase(phrases.GO_BACK, {}, { behaviour: "backtracking" });
  writer.phrase(phrases.KEEP_LAST, { held });
  writeInverses(state, wanted);
  if (state.habits.all) writeAim(state, wanted, rest);
  else if (writer.chance(0.5)) writer.phrase(phrases.OTHERS, { rest: listed(rest, "and") });
  const values = new Set<number>();
  let before: Attempt | undefined;
  for (const attempt of found) {
    if (values.has(attempt.result.value)) continue;
    values.add(attempt.result.value);
    writePartial(state, attempt, before);
    before = attempt;
    state.count += 1;
    const need = wanted.find(({ value }) => value === attempt.result.value);
    if (need === undefined) continue;
    // The same words as before a miss: only the look at the target can tell which verdict follows.
    writer.plain(",");
    writer.equation(need.last);
    conclude(state, true);
    return { value: task.target, expression: need.complete(attempt.result.expression) };
  }
  writeMiss(state, (before as Attempt).result, held);
  return undefined;
}

/** Steps over the numbers that are not held; after the first attempt they begin a new combination. */
function writePartial({ writer }: State, attempt: Attempt, before: Attempt | undefined): void {
  const fresh = attempt.steps.slice(sharedSteps(before, attempt));
  let leaves = before !== undefined;
  if (before !== undefined && isUnclear(fresh[0] as Step, before)) {
    writer.plain(".");
    writer.phrase(phrases.GO_BACK, {}, { behaviour: "backtracking" });
    leaves = false;
  } else if (before !== undefined) writer.plain(",");
  for (const [at, step] of fresh.entries()) {
    if (at > 0) writer.plain(",");
    writer.equation(step, leaves && at === 0 ? { behaviour: "backtracking" } : undefined);
  }
}

/** True when a step with an operand equal to the last result would read as going on with it. */
function isUnclear({ left, right }: Step, before: Attempt): boolean {
  return left === before.result.value || right === before.result.value;
}

/** Follows the last value of a branch without a hit to the end, by the step that comes nearest. */
function writeMiss(state: State, last: Item, held: number): void {
  const { task, writer } = state;
  let best: Combination | undefined;
  for (const made of combinations(last, givenItem(held), task.range)) {
    if (best === undefined || nearer(best.item, made.item, task.target) === made.item) best = made;
  }
  if (best === undefined) {
    writer.plain(".");
    return;
  }
  state.nearest = nearer(state.nearest, best.item, task.target);
  writer.plain(",");
  writer.equation(best.step);
  conclude(state, false);
}

function conclude(state: State, hit: boolean): void {
  if (state.habits.all) writeCheck(state.writer, hit, state.task.target);
  else writeEnd(state.writer, hit);
}

function writeInverses(state: State, wanted: readonly Need[]): void {
  const { writer, inferences } = state;
  for (const [at, { inverse }] of wanted.entries()) {
    if (at > 0) writer.plain(",");
    const key = `${inverse.left}${inverse.operator}${inverse.right}`;
    writer.equation(inverse, inferences.has(key) ? undefined : { behaviour: "backward_chaining" });
    inferences.add(key);
  }
  writer.plain(".");
}

/** Names the derived values as one aim: ` Aim for 72 or 60 or 11 from 9 and 8:`. */
function writeAim(state: State, wanted: readonly Need[], rest: readonly number[]): void {
  const { writer, aims } = state;
  const value = wanted.map((need) => need.value).join(" or ");
  const mark = aims.has(value) ? undefined : { behaviour: "subgoal_setting" as const };
  aims.add(value);
  writer.phrase(phrases.DERIVED_AIM, { value, rest: listed(rest, "and") }, mark);
}

/** `9, 8 and 6` */
export function listed(values: readonly number[], word: string): string {
  if (values.length < 2) return values.join("");
  return `${values.slice(0, -1).join(", ")} ${word} ${values.at(-1)}`;
}

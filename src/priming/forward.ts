/** Thoughts that search forward from the numbers: backtracking alone, with verification, or with subgoals. */
import type { BehaviourCells } from "../data/rows.ts";
import type { Random } from "../random/random.ts";
import type { Item, Step, ValueRange } from "./expression.ts";
import * as phrases from "./phrases.ts";
import { type Attempt, attempts } from "./search.ts";
import { TraceWriter } from "./writer.ts";

/** What a search is given. */
export interface SearchTask {
  readonly numbers: readonly number[];
  readonly target: number;
  readonly range: ValueRange;
  /** Attempts after which the search ends at the end of the branch; Infinity for none. */
  readonly giveUpAfter: number;
}

/** A written thought and where it ended. */
export interface Thought {
  /** From the space after `<think>` up to `</think>`. */
  readonly text: string;
  readonly record: BehaviourCells;
  /** Expression of the hit, or of the nearest value seen. */
  readonly answer: Item;
  readonly hit: boolean;
  readonly attempts: number;
}

/** Habits of a forward search beside backtracking. */
export interface ForwardHabits {
  readonly verification: boolean;
  readonly subgoals: boolean;
}

/** Share of changes of attempt or branch that are told in words; chosen by us: each word costs tokens. */
const SIBLING_WORDS = { silent: 0.08, checked: 0.05, plain: 0.15 };
const BRANCH_WORDS = 0.7;

/** Writes a forward search that stops at its first hit; undefined when there is none and it may not give up. */
export function writeForward(
  task: SearchTask,
  habits: ForwardHabits,
  random: Random,
): Thought | undefined {
  const writer = new TraceWriter(random);
  const aims = new Set<number>();
  let before: Attempt | undefined;
  let nearest: Item | undefined;
  let count = 0;
  for (const attempt of attempts(task.numbers, task.range)) {
    if (count >= task.giveUpAfter && attempt.shared === 0 && nearest !== undefined) break;
    writeAttempt(writer, attempt, before, { task, habits, aims });
    count += 1;
    const { result } = attempt;
    const hit = result.value === task.target;
    if (habits.verification) writeCheck(writer, hit, task.target);
    else writer.plain(".");
    if (hit) {
      return { text: writer.text, record: writer.record(), answer: result, hit, attempts: count };
    }
    nearest = nearer(nearest, result, task.target);
    before = attempt;
  }
  if (nearest === undefined || count < task.giveUpAfter) return undefined;
  writer.phrase(phrases.SETTLE, { value: nearest.value });
  const record = writer.record();
  return { text: writer.text, record, answer: nearest, hit: false, attempts: count };
}

interface AttemptContext {
  readonly task: SearchTask;
  readonly habits: ForwardHabits;
  readonly aims: Set<number>;
}

/** Steps of an attempt that the attempt before does not have, with the words that lead to them. */
function writeAttempt(
  writer: TraceWriter,
  attempt: Attempt,
  before: Attempt | undefined,
  context: AttemptContext,
): void {
  const { habits, aims } = context;
  const fresh = attempt.steps.slice(attempt.shared);
  const inWords = before !== undefined && writeLeaving(writer, attempt, before, habits);
  let backtracks = before !== undefined && !inWords;
  for (const [at, step] of fresh.entries()) {
    const last = at === fresh.length - 1;
    if (habits.subgoals && !last) writeAim(writer, step, aims);
    writer.equation(step, backtracks ? { behaviour: "backtracking" } : undefined);
    backtracks = false;
    if (!last) writer.plain(",");
  }
}

/** True when words were written that leave the attempt before. */
function writeLeaving(
  writer: TraceWriter,
  attempt: Attempt,
  before: Attempt,
  habits: ForwardHabits,
): boolean {
  if (attempt.shared > 0) {
    const kept = attempt.steps[attempt.shared - 1] as Step;
    const share = habits.verification ? SIBLING_WORDS.checked : SIBLING_WORDS.plain;
    if (!writer.chance(share)) return false;
    writer.phrase(phrases.BACK_TO_VALUE, { value: kept.value }, { behaviour: "backtracking" });
    return true;
  }
  if (!writer.chance(BRANCH_WORDS)) return false;
  const left = before.steps[0] as Step;
  writer.phrase(phrases.BACK_TO_NUMBERS, { value: left.value }, { behaviour: "backtracking" });
  return true;
}

function writeAim(writer: TraceWriter, step: Step, aims: Set<number>): void {
  const table = aims.size === 0 ? phrases.FIRST_AIM : phrases.NEXT_AIM;
  const named = aims.has(step.value);
  writer.phrase(table, { value: step.value }, named ? undefined : { behaviour: "subgoal_setting" });
  aims.add(step.value);
}

/** Compares the value just reached with the target, in words. */
export function writeCheck(writer: TraceWriter, hit: boolean, target: number): void {
  const table = hit ? phrases.CHECK_HIT : phrases.CHECK_MISS;
  writer.phrase(table, { target }, { behaviour: "verification", valid: true });
}

/** The item whose value is nearer to the target; the earlier one of equals. */
export function nearer(best: Item | undefined, item: Item, target: number): Item {
  if (best === undefined) return item;
  return Math.abs(item.value - target) < Math.abs(best.value - target) ? item : best;
}

/** Thoughts that search forward from the numbers: backtracking alone, with verification, or with subgoals. */
import type { Step } from "../countdown/index.ts";
import type { Random } from "../random/random.ts";
import * as phrases from "./phrases.ts";
import { type Attempt, attempts, sharedSteps } from "./search.ts";
import type { Item } from "./steps.ts";
import { nearer, type SearchTask, type Thought } from "./thought.ts";
import { TraceWriter } from "./writer.ts";

/** Habits of a forward search beside backtracking. */
export interface ForwardHabits {
  readonly verification: boolean;
  readonly subgoals: boolean;
}

/** Share of changes of attempt or branch that are told in words; chosen by us: each word costs tokens. */
const SIBLING_WORDS = { checked: 0.05, plain: 0.15 };
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
  writer.phrase(phrases.OPENING, { target: task.target });
  for (const attempt of attempts(task.numbers, task.range)) {
    if (count >= task.giveUpAfter && sharedSteps(before, attempt) === 0 && nearest !== undefined)
      break;
    writeAttempt(writer, attempt, before, { task, habits, aims });
    count += 1;
    const { result } = attempt;
    const hit = result.value === task.target;
    if (habits.verification) writeCheck(writer, hit, task.target);
    else writeEnd(writer, hit);
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
  const { habits } = context;
  const shared = sharedSteps(before, attempt);
  const fresh = attempt.steps.slice(shared);
  // An equation that stands in the text already would read as computed again, not as a new attempt.
  const unclear = writer.has(fresh[0] as Step);
  const inWords = before !== undefined && writeLeaving(writer, before, { shared, habits, unclear });
  let backtracks = before !== undefined && !inWords;
  for (const [at, step] of fresh.entries()) {
    const last = at === fresh.length - 1;
    if (habits.subgoals && !last) writeAim(writer, step, context);
    writer.equation(step, backtracks ? { behaviour: "backtracking" } : undefined);
    backtracks = false;
    if (!last) writer.plain(",");
  }
}

interface Leaving {
  /** Steps of the attempt before that are kept. */
  readonly shared: number;
  readonly habits: ForwardHabits;
  /** Words are needed, because the next equation alone would not show it. */
  readonly unclear: boolean;
}

/** True when words were written that leave the attempt before. */
function writeLeaving(writer: TraceWriter, before: Attempt, leaving: Leaving): boolean {
  const { shared, habits, unclear } = leaving;
  const mark = { behaviour: "backtracking" } as const;
  if (shared > 0) {
    const share = habits.verification ? SIBLING_WORDS.checked : SIBLING_WORDS.plain;
    if (!unclear && !writer.chance(share)) return false;
    const kept = before.steps[shared - 1] as Step;
    writer.phrase(phrases.BACK_TO_VALUE, { value: kept.result }, mark);
    return true;
  }
  if (!unclear && !writer.chance(BRANCH_WORDS)) return false;
  const left = before.steps[0] as Step;
  writer.phrase(phrases.BACK_TO_NUMBERS, { value: left.result }, mark);
  return true;
}

/** Names the result of a step as an aim before it is reached; the target itself is no aim of this kind. */
function writeAim(writer: TraceWriter, { result }: Step, { task, aims }: AttemptContext): void {
  if (result === task.target) return;
  const table = aims.size === 0 ? phrases.FIRST_AIM : phrases.NEXT_AIM;
  const mark = aims.has(result) ? undefined : ({ behaviour: "subgoal_setting" } as const);
  writer.phrase(table, { value: result }, mark);
  aims.add(result);
}

/**
 * Ends an attempt that has no verdict: a hit ends the thought right after the value. A full stop on both would leave the
 * decision to the token after it, two tokens from the value, which a tiny model hardly learns.
 */
export function writeEnd(writer: TraceWriter, hit: boolean): void {
  if (!hit) writer.plain(".");
}

/** Compares the value just reached with the target, in words. */
export function writeCheck(writer: TraceWriter, hit: boolean, target: number): void {
  const table = hit ? phrases.CHECK_HIT : phrases.CHECK_MISS;
  writer.phrase(table, { target }, { behaviour: "verification", valid: true });
}

/**
 * Whether the habits of a text are real. Four tallies for each completion:
 * - checks whose verdict is true (`valid` of the detector), and of those the ones whose computation is true as well;
 * - backtracks after which the text takes another way: the steps up to the next backtrack are not those of the attempt
 *   that was left (changed), and at least one of them was tried nowhere before in the text (fresh);
 * - written computations (`9 * 8 = 72`) that are true.
 * A step is two numbers and a sign; computations in words are not read. What follows the last backtrack of a text that
 * was cut off at the limit cannot be known and counts as open.
 */
import type { BehaviourRow, Completion, Span } from "../data/rows.ts";

/** Instances in one completion, or their sums. */
export interface ValidityTally {
  /** Checks whose verdict the detector could decide, and those that it could not. */
  readonly checks: number;
  readonly checksUndecided: number;
  readonly checksTrue: number;
  /** True, and the last computation before the verdict is right. */
  readonly checksSound: number;
  /** Backtracks with something after them to compare, and those without. */
  readonly backtracks: number;
  readonly backtracksOpen: number;
  readonly changed: number;
  readonly fresh: number;
  readonly computations: number;
  readonly computationsTrue: number;
}

/** Tallies of one completion; without a behaviour row only the computations are counted. */
export function tallyValidity(
  completion: Completion,
  behaviours: BehaviourRow | undefined,
): ValidityTally {
  const text = withoutAnswers(completion.generated);
  const computations = readComputations(text);
  const checks = tallyChecks(behaviours?.verification.spans ?? [], computations);
  const cutOff = completion.stop_reason === "length";
  return {
    ...checks,
    ...tallyBacktracks(text, behaviours?.backtracking.spans ?? [], cutOff),
    computations: computations.length,
    computationsTrue: computations.filter((one) => one.isTrue).length,
  };
}

/** The text with every answer blanked, so that offsets stay. */
function withoutAnswers(text: string): string {
  return text.replace(/<answer>[\s\S]*?(?:<\/answer>|$)/g, (answer) => " ".repeat(answer.length));
}

interface WrittenComputation {
  readonly end: number;
  readonly isTrue: boolean;
}

const SIGN = "[-+*/x\\u00d7\\u00f7\\u2212]";
const TOKEN = /\d+(?:\.\d+)?|\S/g;
const SIGNS_AND_BRACKETS = "+-*/x\u00d7\u00f7\u2212()";

/** Tokens of the longest expression that is read: 12 numbers, 11 signs and some brackets; chosen by us. */
const LONGEST = 40;

/** Computations with their result, in the order of the text; an expression that does not parse is passed over. */
function readComputations(text: string): WrittenComputation[] {
  const found: WrittenComputation[] = [];
  let expression: string[] = [];
  let awaited: number | undefined; // value of the expression before an equals sign
  for (const match of text.matchAll(TOKEN)) {
    const token = match[0];
    if (token === "=") {
      const hasSign = expression.length > 2 && expression.length <= LONGEST;
      awaited = hasSign ? evaluate(expression.join(" ")) : undefined;
      expression = [];
    } else if (isNumber(token)) {
      if (awaited !== undefined) {
        const isTrue = Math.abs(awaited - Number(token)) < 1e-9 * Math.max(1, Number(token));
        found.push({ end: match.index + token.length, isTrue });
        awaited = undefined;
      }
      if (isNumber(expression.at(-1) ?? "")) expression = [];
      expression.push(token);
    } else {
      awaited = undefined; // a result below 0 has no use in this task and is not read
      if (!SIGNS_AND_BRACKETS.includes(token)) expression = [];
      else if (expression.length > 0 || token === "(") expression.push(token);
    }
  }
  return found;
}

function isNumber(token: string): boolean {
  return token !== "" && token >= "0" && token < ":";
}

/** Value of an expression of numbers, + - * / and parentheses; undefined when it is not one. */
export function evaluate(expression: string): number | undefined {
  const tokens = expression.match(/\d+(?:\.\d+)?|[^\s]/g) ?? [];
  let at = 0;
  const value = sum();
  return at === tokens.length && Number.isFinite(value) ? value : undefined;

  function sum(): number {
    let total = product();
    while (isOneOf(tokens[at], "+-\u2212")) {
      const sign = tokens[at++] === "+" ? 1 : -1;
      total += sign * product();
    }
    return total;
  }
  function product(): number {
    let total = factor();
    while (isOneOf(tokens[at], "*x\u00d7/\u00f7")) {
      const divides = isOneOf(tokens[at++], "/\u00f7");
      const next = factor();
      total = divides ? total / next : total * next;
    }
    return total;
  }
  function factor(): number {
    const token = tokens[at++];
    if (token !== "(") return Number(token ?? Number.NaN);
    const inner = sum();
    return tokens[at++] === ")" ? inner : Number.NaN;
  }
}

function isOneOf(token: string | undefined, signs: string): boolean {
  return token !== undefined && signs.includes(token);
}

function tallyChecks(spans: readonly Span[], computations: readonly WrittenComputation[]) {
  const tally = { checks: 0, checksUndecided: 0, checksTrue: 0, checksSound: 0 };
  for (const span of spans) {
    if (span.valid === undefined) {
      tally.checksUndecided += 1;
      continue;
    }
    tally.checks += 1;
    if (!span.valid) continue;
    tally.checksTrue += 1;
    const checked = computations.findLast((one) => one.end <= span.end);
    if (checked === undefined || checked.isTrue) tally.checksSound += 1;
  }
  return tally;
}

const STEP = new RegExp(String.raw`(?<!\d)(\d+)[ )]{0,9}(${SIGN})[ (]{0,9}(?=(\d+))`, "g");

/** Steps of a part of the text, in order, alike when only the order of a sum or product differs. */
function stepsOf(text: string): string[] {
  return [...text.matchAll(STEP)].map(([, a = "", sign = "", b = ""]) => {
    const commutes = isOneOf(sign, "+*x\u00d7");
    const name = isOneOf(sign, "*x\u00d7") ? "*" : isOneOf(sign, "/\u00f7") ? "/" : sign;
    return commutes && Number(a) > Number(b) ? `${b}${name}${a}` : `${a}${name}${b}`;
  });
}

function tallyBacktracks(text: string, spans: readonly Span[], cutOff: boolean) {
  const tally = { backtracks: 0, backtracksOpen: 0, changed: 0, fresh: 0 };
  if (spans.length === 0) return tally;
  const starts = spans.map((span) => span.start);
  const parts = [0, ...starts].map((start, i) =>
    stepsOf(text.slice(start, starts[i] ?? undefined)),
  );
  const seen = new Set(parts[0]);
  for (let i = 1; i < parts.length; i += 1) {
    const steps = parts[i] as string[];
    if (steps.length === 0 && cutOff && i === parts.length - 1) {
      tally.backtracksOpen += 1;
      continue;
    }
    tally.backtracks += 1;
    if (steps.length > 0 && steps.join() !== (parts[i - 1] as string[]).join()) tally.changed += 1;
    if (steps.some((step) => !seen.has(step))) tally.fresh += 1;
    for (const step of steps) seen.add(step);
  }
  return tally;
}

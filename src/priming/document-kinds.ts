/** Writers of each kind of pretraining document. */
import {
  difficulty,
  type Expression,
  formatExpression,
  type Operator,
  renderPrompt,
  type Step,
} from "../countdown/index.ts";
import type { Random } from "../random/random.ts";
import type { DocumentOptions } from "./document-options.ts";
import * as texts from "./document-phrases.ts";
import { teacherOptionsSchema } from "./options.ts";
import * as phrases from "./phrases.ts";
import { type Attempt, attempts } from "./search.ts";
import { apply, equation, operation, type ValueRange } from "./steps.ts";
import { answerText, writeTrace } from "./teacher.ts";
import { fillPhrase } from "./writer.ts";

function rangeOf(options: DocumentOptions): ValueRange {
  return { smallest: 1, largest: options.largestValue };
}

interface DrawnPuzzle {
  readonly numbers: number[];
  readonly target: number;
  readonly attempts: readonly Attempt[];
}

/** Numbers, and a target that some expression over them reaches. */
function drawPuzzle(random: Random, options: DocumentOptions): DrawnPuzzle {
  for (;;) {
    const numbers = Array.from({ length: options.numbers }, () =>
      random.integer(1, options.largestNumber),
    );
    const all = [...attempts(numbers, rangeOf(options))];
    const targets = all
      .map(({ result }) => result.value)
      .filter((value) => value >= options.smallestTarget && value <= options.largestTarget);
    if (targets.length > 0) return { numbers, target: random.pick(targets), attempts: all };
  }
}

/** A puzzle and one attempt at it, by chance right or wrong, without a word about which. */
export function writeAttempt(random: Random, options: DocumentOptions): string {
  const { numbers, target, attempts: all } = drawPuzzle(random, options);
  const hits = all.filter(({ result }) => result.value === target);
  const { steps, result } = random.pick(random.chance(options.rightShare) ? hits : all);
  const prompt = renderPrompt({ numbers, target });
  const answer = answerOf(result.expression);
  if (random.chance(options.emptyShare)) return `${prompt} ${answer}`;
  const [opening, between, end] = random.pick(phrases.DIRECT);
  const thought = steps.map((step, at) => `${at === 0 ? opening : between} ${equation(step)}`);
  return `${prompt}${thought.join("")}${end}${answer}`;
}

function answerOf(expression: Expression): string {
  return answerText(formatExpression(expression));
}

/**
 * A puzzle and a search with verification and backtracking. Only puzzles that more of their expressions hit than a study of the
 * tiny bases takes: no puzzle of such a study stands solved in a document, and its numbers look like those of the others.
 */
export function writeSearch(random: Random, options: DocumentOptions): string {
  const { giveUpShare, largestValue } = options;
  const teacher = teacherOptionsSchema.parse({ giveUpShare, largestValue });
  for (;;) {
    const puzzle = drawPuzzle(random, options);
    const { share } = difficulty(puzzle, { maxIntermediate: largestValue });
    if (share <= options.searchHitShare) continue;
    const trace = writeTrace(puzzle, "backtracking_verification", random, teacher);
    if (!("rejected" in trace)) return renderPrompt(puzzle) + trace.completion;
  }
}

/**
 * Weights of the operators in facts. Sums and differences are four fifths of the facts there are in the range (1,196 each of 3,012), and
 * the last to be learnt: with equal weights a base had 80 % of the large ones right after 2,400 updates, and 97 % of the products.
 */
const OPERATORS: readonly Operator[] = ["+", "+", "+", "+", "-", "-", "-", "-", "*", "*", "/"];
/** Share of the facts on two numbers of a puzzle; the others have the value of a step on the left. */
const NUMBERS_SHARE = 0.15;

/** A true step as the task has them: two numbers, or a value of a step and a number. */
function drawStep(random: Random, options: DocumentOptions): Step {
  const operator = random.pick(OPERATORS);
  const turned = operator === "+" || operator === "*" ? random.chance(0.1) : false;
  const largest = random.chance(NUMBERS_SHARE) ? options.largestNumber : options.largestValue;
  for (;;) {
    const value = random.integer(1, largest);
    const number = random.integer(1, options.largestNumber);
    const swap = turned || (operator === "-" && value < number);
    const [left, right] = swap ? [number, value] : [value, number];
    const result = apply(operator, left, right);
    if (result !== undefined && result >= 1 && result <= options.largestValue) {
      return { left, operator, right, result };
    }
  }
}

const INVERSE: Readonly<Record<Operator, Operator>> = { "+": "-", "-": "+", "*": "/", "/": "*" };

/** A true step with the given result. */
function stepTo(result: number, random: Random, options: DocumentOptions): Step {
  for (;;) {
    const operator = random.pick(OPERATORS);
    const right = random.integer(1, options.largestNumber);
    const left = apply(INVERSE[operator], result, right);
    if (left !== undefined && left >= 1 && left <= options.largestValue) {
      return { left, operator, right, result };
    }
  }
}

/** A true step with the given value on its left. */
function stepFrom(left: number, random: Random, options: DocumentOptions): Step {
  for (;;) {
    const operator = random.pick(OPERATORS);
    const right = random.integer(1, options.largestNumber);
    const result = apply(operator, left, right);
    if (result !== undefined && result >= 1 && result <= options.largestValue) {
      return { left, operator, right, result };
    }
  }
}

/** Arithmetic: all steps on one pair in the order of the teacher, a list of equations, or sentences. */
export function writeFacts(random: Random, options: DocumentOptions): string {
  const style = random.uniform();
  if (style < 0.3) return writePair(random, options);
  const facts = Array.from({ length: random.integer(3, 8) }, () => drawStep(random, options));
  if (style < 0.7) return ` ${facts.map(equation).join(", ")}.`;
  return facts.map((step) => factSentence(step, random)).join("");
}

function factSentence(step: Step, random: Random): string {
  const slots = { equation: equation(step), sum: operation(step), value: step.result };
  return fillPhrase(random.pick(texts.FACTS), slots);
}

function writePair(random: Random, options: DocumentOptions): string {
  const largest = random.chance(NUMBERS_SHARE) ? options.largestNumber : options.largestValue;
  const pair = [random.integer(1, largest), random.integer(1, options.largestNumber)];
  const steps = [...attempts(pair, rangeOf(options))].map(({ steps: [step] }) => step as Step);
  return ` ${steps.map(equation).join(", ")}.`;
}

/** Share of the results in comparisons that are made equal to the number; others are equal by chance. */
const EQUAL_SHARE = 0.3;
/** Most results after one number: as many as the attempts of a long trace, so that the look back is as far. */
const MOST_COMPARISONS = 20;

/** Results, each with a verdict on whether it is a given number: equal and unequal are told apart only by looking. */
export function writeComparisons(random: Random, options: DocumentOptions): string {
  const target = random.integer(1, options.largestValue);
  let text = fillPhrase(random.pick(texts.COMPARE_WITH), { target });
  for (let left = random.integer(2, MOST_COMPARISONS); left > 0; left -= 1) {
    const equal = random.chance(EQUAL_SHARE);
    const step = equal ? stepTo(target, random, options) : drawStep(random, options);
    if (random.chance(0.3)) text += ` ${equation(stepTo(step.left, random, options))},`;
    const verdict = step.result === target ? phrases.CHECK_HIT : phrases.CHECK_MISS;
    text += ` ${equation(step)}${fillPhrase(random.pick(verdict), { target })}`;
  }
  return text;
}

/** Rounds of results until one is among some given values; a step from that value ends the round. */
export function writeLookFor(random: Random, options: DocumentOptions): string {
  let text = "";
  for (let rounds = random.integer(1, 4); rounds > 0; rounds -= 1) {
    text += writeLookRound(random, options);
  }
  return text;
}

function writeLookRound(random: Random, options: DocumentOptions): string {
  const wanted = Array.from({ length: random.integer(1, 4) }, () =>
    random.integer(1, options.largestValue),
  );
  let text = fillPhrase(random.pick(texts.LOOK_FOR), { list: wanted.join(" or ") });
  for (let left = random.integer(2, 6); left > 0; left -= 1) {
    const hits = random.chance(0.2);
    const step = hits ? stepTo(random.pick(wanted), random, options) : drawStep(random, options);
    text += ` ${equation(step)}`;
    if (wanted.includes(step.result))
      return `${text}, ${equation(stepFrom(step.result, random, options))}.`;
    text += left === 1 ? "." : ",";
  }
  return text;
}

/** Most results before the given number is reached: as many as the attempts of a long trace. */
const MOST_RESULTS = 20;

/**
 * Results that end where a given number is reached, with no word about it: a model that has read these can tell a hit where
 * the thought has no verdict. Half of the documents go on with the last step as the answer.
 */
export function writeStopAt(random: Random, options: DocumentOptions): string {
  const target = random.integer(1, options.largestValue);
  let text = fillPhrase(random.pick(texts.COMPARE_WITH), { target });
  const write = (step: Step): void => {
    if (random.chance(0.5)) text += ` ${equation(stepTo(step.left, random, options))},`;
    text += ` ${equation(step)}`;
  };
  for (let left = random.integer(0, MOST_RESULTS - 1); left > 0; left -= 1) {
    const step = drawStep(random, options);
    if (step.result === target) continue;
    write(step);
    text += ".";
  }
  const last = stepTo(target, random, options);
  write(last);
  return random.chance(0.5) ? text : text + answerText(operation(last));
}

const LOOSE_TABLES: readonly (readonly string[])[] = [
  phrases.BACK_TO_VALUE,
  phrases.BACK_TO_NUMBERS,
  phrases.GO_BACK,
  phrases.FIRST_AIM,
  phrases.NEXT_AIM,
  phrases.DERIVED_AIM,
  phrases.KEEP_LAST,
  phrases.OTHERS,
  texts.LAST_WORDS,
  phrases.SETTLE,
];

/** Loose sentences: everyday ones, and phrases of the teacher out of their place. */
export function writePlain(random: Random): string {
  const number = () => random.integer(1, 99);
  let text = "";
  for (let left = random.integer(3, 7); left > 0; left -= 1) {
    const table = random.chance(0.5) ? texts.PLAIN : random.pick(LOOSE_TABLES);
    const sentence = fillPhrase(random.pick(table), {
      a: number(),
      b: number(),
      c: number(),
      value: number(),
      held: random.integer(1, 13),
      rest: `${number()} and ${number()}`,
    });
    text += /[.:]$/u.test(sentence) ? sentence : `${sentence} ${number()}.`;
  }
  return text;
}

/**
 * Pretraining documents of the two tiny bases. `tiny-plain` reads arithmetic, comparisons outside any puzzle, plain sentences
 * with all words of the phrase tables, and single attempts at puzzles, mostly wrong, without any habit. `tiny-habits` reads the same
 * and a share of searches with verification and backtracking.
 */
import { z } from "zod";
import type { Random } from "../random/random.ts";
import * as texts from "./document-phrases.ts";
import { apply, equation, formatExpression, type Operator, type Step } from "./expression.ts";
import { teacherOptionsSchema } from "./options.ts";
import * as phrases from "./phrases.ts";
import { type Attempt, attempts } from "./search.ts";
import { answerText, writeTrace } from "./teacher.ts";

/** The two bases. */
export const BASES = ["tiny-plain", "tiny-habits"] as const;
export type Base = (typeof BASES)[number];

/** Kinds of documents. */
export const DOCUMENT_KINDS = [
  "attempt",
  "fact",
  "compare",
  "look_for",
  "plain",
  "search",
] as const;
export type DocumentKind = (typeof DOCUMENT_KINDS)[number];

const weight = z.number().min(0);

export const documentOptionsSchema = z.strictObject({
  /** Weights of the kinds, by documents. */
  attempt: weight.default(0.4).describe("single attempts at a puzzle, without habits"),
  fact: weight.default(0.3).describe("arithmetic"),
  compare: weight.default(0.15).describe("results compared with a number, outside any puzzle"),
  look_for: weight.default(0.07).describe("results looked up in a list, outside any puzzle"),
  plain: weight.default(0.08).describe("sentences with all words of the phrase tables"),
  search: weight.default(0).describe("searches with verification and backtracking"),
  rightShare: z.number().min(0).max(1).default(0).describe("share of attempts that are made right"),
  emptyShare: z
    .number()
    .min(0)
    .max(1)
    .default(0.15)
    .describe("share of attempts without a thought"),
  largestNumber: z.number().int().min(2).default(13),
  largestValue: z.number().int().max(199).default(99),
  smallestTarget: z.number().int().default(10),
  largestTarget: z.number().int().default(99),
  count: z.number().int().min(3).max(6).default(3).describe("numbers of a puzzle"),
});
export type DocumentOptions = z.infer<typeof documentOptionsSchema>;

/** Default settings of a base. */
export function documentOptionsOf(base: Base): DocumentOptions {
  return documentOptionsSchema.parse(base === "tiny-habits" ? { search: 0.08 } : {});
}

/** Text of one document of a kind, without the end-of-text token. */
export function writeDocument(
  kind: DocumentKind,
  random: Random,
  options: DocumentOptions,
): string {
  switch (kind) {
    case "attempt":
      return writeAttempt(random, options);
    case "fact":
      return writeFacts(random, options);
    case "compare":
      return writeComparisons(random, options);
    case "look_for":
      return writeLookFor(random, options);
    case "plain":
      return writePlain(random);
    case "search":
      return writeSearch(random, options);
  }
}

/** Endless stream of documents in the proportions of the options. */
export function* documents(
  random: Random,
  options: DocumentOptions,
): Generator<{ readonly kind: DocumentKind; readonly text: string }> {
  const total = DOCUMENT_KINDS.reduce((sum, kind) => sum + options[kind], 0);
  for (;;) {
    let draw = random.uniform() * total;
    const kind = DOCUMENT_KINDS.find((candidate) => {
      draw -= options[candidate];
      return draw < 0;
    });
    const drawn = kind ?? "attempt";
    yield { kind: drawn, text: writeDocument(drawn, random, options) };
  }
}

/** Prompt of a puzzle in the template `plain`. */
export function promptText(numbers: readonly number[], target: number): string {
  return `Use ${numbers.join(", ")} to make ${target}.\n<think>`;
}

function drawPuzzle(
  random: Random,
  options: DocumentOptions,
): { numbers: number[]; target: number; all: Attempt[]; hits: Attempt[] } {
  const range = { smallest: 1, largest: options.largestValue };
  for (;;) {
    const numbers = Array.from({ length: options.count }, () =>
      random.integer(1, options.largestNumber),
    );
    const all = [...attempts(numbers, range)];
    const reachable = all.filter(
      ({ result }) =>
        result.value >= options.smallestTarget && result.value <= options.largestTarget,
    );
    if (reachable.length === 0) continue;
    const target = random.pick(reachable).result.value;
    return { numbers, target, all, hits: all.filter(({ result }) => result.value === target) };
  }
}

function writeAttempt(random: Random, options: DocumentOptions): string {
  const { numbers, target, all, hits } = drawPuzzle(random, options);
  const attempt = random.pick(random.chance(options.rightShare) ? hits : all);
  const prompt = promptText(numbers, target);
  const answer = answerText(formatExpression(attempt.result.expression));
  if (random.chance(options.emptyShare)) return `${prompt} ${answer}`;
  const [opening, between, end] = random.pick(phrases.DIRECT);
  const steps = attempt.steps.map(
    (step, at) => `${at === 0 ? opening : between} ${equation(step)}`,
  );
  return `${prompt}${steps.join("")}${end}${answer}`;
}

function writeSearch(random: Random, options: DocumentOptions): string {
  const teacher = teacherOptionsSchema.parse({
    giveUpShare: 0.5,
    largestValue: options.largestValue,
  });
  for (;;) {
    const { numbers, target } = drawPuzzle(random, options);
    const trace = writeTrace({ numbers, target }, "backtracking_verification", random, teacher);
    if (!("rejected" in trace)) return promptText(numbers, target) + trace.completion;
  }
}

/** A true step on values as the task has them: two numbers, or a value of a step and a number. */
function drawStep(random: Random, options: DocumentOptions): Step {
  const operators: readonly Operator[] = ["+", "-", "*", "/"];
  for (;;) {
    const first = random.integer(
      1,
      random.chance(0.4) ? options.largestNumber : options.largestValue,
    );
    const second = random.integer(1, options.largestNumber);
    const operator = random.pick(operators);
    const swap = operator === "-" || operator === "/" ? first < second : random.chance(0.1);
    const [left, right] = swap ? [second, first] : [first, second];
    const value = apply(operator, left, right);
    if (value !== undefined && value >= 1 && value <= options.largestValue) {
      return { left, operator, right, value };
    }
  }
}

/** A true step with the given result. */
function stepTo(value: number, random: Random, options: DocumentOptions): Step {
  for (;;) {
    const operator = random.pick(["+", "-", "*", "/"] as const);
    const right = random.integer(1, options.largestNumber);
    const left =
      operator === "+"
        ? value - right
        : operator === "-"
          ? value + right
          : operator === "*"
            ? value / right
            : value * right;
    if (Number.isInteger(left) && left >= 1 && left <= options.largestValue) {
      return { left, operator, right, value };
    }
  }
}

function fill(phrase: string, slots: Readonly<Record<string, string | number>>): string {
  return phrase
    .replace(/[{}]/gu, "")
    .replace(/\$([a-z]+)/gu, (_, name: string) => String(slots[name] ?? ""));
}

function writeFacts(random: Random, options: DocumentOptions): string {
  const style = random.uniform();
  if (style < 0.3) return writeTable(random, options);
  const facts = Array.from({ length: random.integer(3, 8) }, () => drawStep(random, options));
  if (style < 0.7) return ` ${facts.map(equation).join(", ")}.`;
  return facts
    .map((step) =>
      fill(random.pick(texts.FACTS), {
        equation: equation(step),
        sum: `${step.left} ${step.operator} ${step.right}`,
        value: step.value,
      }),
    )
    .join("");
}

/** All operations on one pair, in the order of the teacher. */
function writeTable(random: Random, options: DocumentOptions): string {
  const first = random.integer(
    1,
    random.chance(0.5) ? options.largestNumber : options.largestValue,
  );
  const pairs = attempts([first, random.integer(1, options.largestNumber)], {
    smallest: 1,
    largest: options.largestValue,
  });
  return ` ${[...pairs].map(({ steps }) => equation(steps[0] as Step)).join(", ")}.`;
}

function writeComparisons(random: Random, options: DocumentOptions): string {
  const target = random.integer(1, options.largestValue);
  let text = fill(random.pick(texts.COMPARE_WITH), { target });
  for (let left = random.integer(2, 5); left > 0; left -= 1) {
    const equal = random.chance(0.4);
    const step = equal ? stepTo(target, random, options) : drawStep(random, options);
    const table = step.value === target ? phrases.CHECK_HIT : phrases.CHECK_MISS;
    text += ` ${equation(step)}${fill(random.pick(table), { target })}`;
  }
  return text;
}

function writeLookFor(random: Random, options: DocumentOptions): string {
  const wanted = Array.from({ length: random.integer(1, 4) }, () =>
    random.integer(1, options.largestValue),
  );
  const list =
    wanted.length === 1 ? `${wanted[0]}` : `${wanted.slice(0, -1).join(", ")} or ${wanted.at(-1)}`;
  let text = fill(random.pick(texts.LOOK_FOR), { list });
  for (let left = random.integer(1, 6); left > 0; left -= 1) {
    const step = random.chance(0.3)
      ? stepTo(random.pick(wanted), random, options)
      : drawStep(random, options);
    text += ` ${equation(step)}`;
    if (wanted.includes(step.value))
      return `${text}.${fill(random.pick(texts.FOUND), step as never)}`;
    text += left === 1 ? "." : ",";
  }
  return text;
}

const LOOSE_TABLES: readonly (readonly string[])[] = [
  phrases.BACK_TO_VALUE,
  phrases.BACK_TO_NUMBERS,
  phrases.GO_BACK,
  phrases.FIRST_AIM,
  phrases.NEXT_AIM,
  phrases.KEEP_LAST,
  phrases.OTHERS,
  phrases.LAST_STEP,
  phrases.SETTLE,
];

/** Loose sentences: everyday ones, and phrases of the teacher out of their place. */
function writePlain(random: Random): string {
  let text = "";
  for (let left = random.integer(3, 7); left > 0; left -= 1) {
    const number = () => random.integer(1, 99);
    const phrase = random.chance(0.5)
      ? random.pick(texts.PLAIN)
      : random.pick(random.pick(LOOSE_TABLES));
    const slots = {
      a: number(),
      b: number(),
      c: number(),
      value: number(),
      target: number(),
      held: random.integer(1, 13),
      rest: `${number()} and ${number()}`,
    };
    const sentence = fill(phrase, slots);
    text += /[.:]$/u.test(sentence) ? sentence : `${sentence} ${number()}.`;
  }
  return text;
}

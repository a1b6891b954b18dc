/** Random completions for the scorer's tests: mixtures of symbols, near answers and damaged right answers. */
import type { Random } from "../../src/random/random.ts";

const SYMBOLS = [
  ..."0123456789",
  ..."+-*/()",
  ..." =.\n\t",
  ..."×÷−–·",
  "**",
  "//",
  "9*8-6",
  "8/(3-8/3)",
  "e5",
  "x",
  "√",
  "９",
  "\u200b",
  "\ud83d",
  "<answer>",
  "</answer>",
  "<think>",
  "= 66",
];

/** One of several kinds of text, most of them close to an answer. */
export function randomCompletion(random: Random, numbers: readonly number[]): string {
  const kind = random.integer(0, 3);
  if (kind === 0) return anything(random, random.integer(0, 40));
  if (kind === 1) return `<answer>${anything(random, random.integer(0, 16))}</answer>`;
  const text = arithmetic(random, numbers);
  return kind === 2
    ? `so\n<answer>${text}</answer>`
    : `<answer>${damaged(random, text)}</answer>\n`;
}

function anything(random: Random, length: number): string {
  let text = "";
  for (let i = 0; i < length; i += 1) text += random.pick(SYMBOLS);
  return text;
}

/** The numbers in random order with random operators, signs and parentheses. */
function arithmetic(random: Random, numbers: readonly number[]): string {
  let parts = random
    .shuffle(numbers)
    .map((number) => (random.chance(0.1) ? `-${number}` : `${number}`));
  while (parts.length > 1) {
    const at = random.integer(0, parts.length - 2);
    const joined = `${parts[at]}${random.pick(["+", "-", "*", "/", " × ", " − "])}${parts[at + 1]}`;
    const wrapped = random.chance(0.4) ? `(${joined})` : joined;
    parts = [...parts.slice(0, at), wrapped, ...parts.slice(at + 2)];
  }
  return parts[0] as string;
}

/** The text with one symbol put in, taken out or replaced. */
function damaged(random: Random, text: string): string {
  const at = random.integer(0, text.length);
  const symbol = random.chance(0.7) ? random.pick(SYMBOLS) : "";
  return text.slice(0, at) + symbol + text.slice(at + random.integer(0, 1));
}

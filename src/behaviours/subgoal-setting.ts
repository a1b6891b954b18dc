/**
 * Subgoal setting: a clause names a value other than the target, or a property of a value, as an aim. Distinct aims count; an
 * aim in the same sentence as a backward inference of the same value belongs to that inference.
 */
import type { Span } from "../data/rows.ts";
import { sameValue } from "./expression.ts";
import { WordClass, type WordEntry, wordSet } from "./lexicon.ts";
import type { Clause, Segments } from "./segment.ts";
import { TokenKind } from "./tokens.ts";

const { aim, make, lead, valueFiller, property } = WordClass;
const MAX_VALUES = 16;

/** An aim that is named in the text. */
interface Aim {
  readonly span: Span;
  readonly sentence: number;
  /** Any of them would do. */
  readonly values: readonly number[];
  /** Distinguishes aims: the values, with the property that is asked for. */
  readonly key: string;
}

/** Collects aims; clauses are told to it in the order of the text. */
export class SubgoalCounter {
  readonly #aims: Aim[] = [];
  /** Values aimed at since the attempt began. */
  #open: number[] = [];
  /** The last clause announced an aim and its value stands in the next: "Subgoal: 20". */
  #announced: Clause | undefined;

  /** An aim is open: named, not reached, and the attempt was not left since. */
  get isOpen(): boolean {
    return this.#open.length > 0;
  }

  /** Values that were named as aims and not reached since. */
  onResult(value: number): void {
    if (this.#open.length > 0 && this.#open.some((open) => sameValue(open, value))) this.#open = [];
    this.#announced = undefined;
  }

  /** The attempt was left in words: its aims are no longer open. */
  onLeave(): void {
    this.#open = [];
  }

  /** A value that was derived from the target is an aim too, though it counts elsewhere. */
  expect(value: number): void {
    if (this.#open.length < MAX_VALUES) this.#open.push(value);
  }

  /** Takes a clause; true when it names or announces an aim. */
  onClause(clause: Clause, segments: Segments, target: number): boolean {
    const announced = this.#announced;
    this.#announced = undefined;
    if (announced !== undefined && announced.sentence === clause.sentence) {
      return this.#take(clause, segments, { from: clause.first, target });
    }
    const cue = findCue(clause, segments);
    if (cue >= 0) {
      if (this.#take(clause, segments, { from: cue + 1, target })) return true;
      if (clause.colon) this.#announced = clause;
      return false;
    }
    const value = valueOfUse(clause, segments);
    return value >= 0 && this.#take(clause, segments, { from: value, target });
  }

  /** Reads fillers and values from token `from`; values joined by "or" are one aim. True when an aim is named. */
  #take(
    clause: Clause,
    segments: Segments,
    place: { readonly from: number; readonly target: number },
  ): boolean {
    const { tokens, classes } = segments;
    const values: number[] = [];
    let key = "";
    let plural = false;
    for (let at = place.from; at < clause.last; at += 1) {
      if (tokens.kinds[at] === TokenKind.number) {
        const value = tokens.values[at] as number;
        if (isAmount(clause, segments, at)) break;
        // "need the numbers 9 and 8" names what there is.
        if (plural && !/[a-z]/u.test(key)) break;
        key += `${value} `;
        if (/[a-z]/u.test(key) || !sameValue(value, place.target)) values.push(value);
        if (tokens.words[at + 1]?.text !== "or" || values.length >= MAX_VALUES) break;
        at += 1;
        continue;
      }
      const bits = classes[at] as number;
      if (tokens.words[at]?.text === "numbers") plural = true;
      if ((bits & property) !== 0) key += `${(tokens.words[at] as WordEntry).text} `;
      else if ((bits & (valueFiller | aim)) === 0 && tokens.kinds[at] !== TokenKind.relation) break;
    }
    if (values.length === 0) return false;
    const { start, end, sentence } = clause;
    this.#aims.push({ span: { start, end }, sentence, values, key });
    for (const value of values) this.expect(value);
    return true;
  }

  /** Distinct aims; `derived` tells the values that a sentence derives from the target. */
  spans(derived: (sentence: number, value: number) => boolean): Span[] {
    const keys = new Set<string>();
    const spans: Span[] = [];
    for (const { span, sentence, values, key } of this.#aims) {
      if (keys.has(key) || values.some((value) => derived(sentence, value))) continue;
      keys.add(key);
      spans.push(span);
    }
    return spans;
  }
}

/** The number counts things or is a remainder: "2 numbers", "8 more", "another 21", "the 6". */
function isAmount(clause: Clause, segments: Segments, at: number): boolean {
  const { tokens, classes } = segments;
  const next = at + 1 < clause.last ? at + 1 : -1;
  if (((classes[at - 1] ?? 0) & WordClass.more) !== 0) return true;
  if (next < 0) return false;
  return (
    ((classes[next] as number) & WordClass.more) !== 0 ||
    COUNTED.has(tokens.words[next]?.text ?? "")
  );
}

/** Value of "is 72 possible" or "a 72 would be useful"; -1 for none. */
function valueOfUse(clause: Clause, segments: Segments): number {
  const { kinds, words } = segments.tokens;
  if ((clause.classes & WordClass.not) !== 0) return -1;
  let value = -1;
  for (let at = clause.first; at < clause.last; at += 1) {
    if (kinds[at] === TokenKind.number && value < 0) value = at;
    else if (value >= 0 && USES.has(words[at]?.text ?? "")) return value;
  }
  return -1;
}
const USES = wordSet("possible useful handy helpful feasible");

const COUNTED = wordSet("numbers number ways way steps step operations operation times of off");
/** Before a verb these make it a report and no aim: "we get 24". */
const REPORTERS = wordSet("we i you it that this which they");

/** "we get 24" and "we can get 24" report; "can we get 24" and "if we can get 24" aim. */
function isReport(clause: Clause, segments: Segments, verb: number): boolean {
  const textAt = (at: number): string =>
    at < clause.first ? "" : (segments.tokens.words[at]?.text ?? "");
  const before = textAt(verb - 1);
  if (REPORTERS.has(before)) return !MODALS.has(textAt(verb - 2));
  const able = before === "can" || before === "could";
  return able && REPORTERS.has(textAt(verb - 2)) && !SUPPOSING.has(textAt(verb - 3));
}
const MODALS = wordSet("can could should shall would do let may might must if");
const SUPPOSING = wordSet("if whether see maybe perhaps");

/** Token that makes the clause name an aim; -1 for none. */
function findCue(clause: Clause, segments: Segments): number {
  const { tokens, classes } = segments;
  let leading = true;
  for (let at = clause.first; at < clause.last; at += 1) {
    const bits = classes[at] as number;
    if ((bits & aim) !== 0) return at;
    if (!leading) continue;
    const text = tokens.words[at]?.text ?? "";
    if (at === clause.first && text === "goal") return at;
    if ((bits & make) !== 0) {
      if (!isReport(clause, segments, at)) return at;
    }
    leading = (bits & (lead | WordClass.wait)) !== 0;
  }
  return -1;
}

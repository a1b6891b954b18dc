/**
 * Reads what a clause says of a value against the target: "not 66", "17 is below the target", "6 too many", "no".
 * A clause that only aims at the target ("to make 66") or only states a result ("the answer is 66") says nothing.
 */
import { sameValue } from "./expression.ts";
import { WordClass, wordSet } from "./lexicon.ts";
import type { Clause, Segments } from "./segment.ts";
import { TokenKind } from "./tokens.ts";

const { not, is, hit, greater, less, near, off, yes, no, filler, too, big, small } = WordClass;
const TARGET = WordClass.target;
const COMPARES = not | hit | greater | less | near | off | yes | no;
/** May stand between a result and the target in "this gives us the target". */
const GIVES = WordClass.relation | WordClass.relationFiller | WordClass.statement;
const VERDICT = COMPARES | is | too | big | small | filler | WordClass.more;
/** Words that make the number before them a distance: "6 too many", "22 short". */
const DISTANCE = wordSet(
  "too more above over below under less short off away higher lower fewer many few from apart units",
);

/** Whether a value stands to the target as the clause says. */
export type Claim = (value: number, target: number) => boolean;

/** What a clause says. */
export interface Statement {
  /** Value that the clause speaks of; NaN when it is the last result. */
  readonly subject: number;
  /** Undefined when it cannot be decided: "close to 66". */
  readonly claim: Claim | undefined;
  /** Does not name the target: "no", "too big". */
  readonly bare: boolean;
}

/** What a clause is made of, as far as comparisons go. */
interface Parts {
  subject: number;
  difference: number;
  /** Union of the classes that compare. */
  compares: number;
  targetNumbers: number;
  firstTarget: number;
  lastTarget: number;
  /** Last token that names the target in words; -1 for none. */
  targetWord: number;
  copula: number;
}

/** The comparison with the target that a clause makes by naming it; undefined for none. */
export function readComparison(
  clause: Clause,
  segments: Segments,
  context: { readonly target: number; readonly adjacent: boolean },
): Statement | undefined {
  const parts = readParts(clause, segments, context.target);
  if (parts.firstTarget < 0) return undefined;
  if (wantsTarget(clause, segments, parts)) return undefined;
  const { subject, compares } = parts;
  if (compares !== 0) return { subject, claim: claimOf(parts), bare: false };
  const claim: Claim = (value, target) => sameValue(value, target);
  // "the result is 66 as desired" in one clause
  if (parts.targetNumbers > 0 && parts.targetWord === parts.lastTarget) {
    return { subject, claim, bare: false };
  }
  if (parts.copula >= 0) {
    return isIdentity(clause, segments, parts) ? { subject, claim, bare: false } : undefined;
  }
  const named = parts.targetWord >= 0 && context.adjacent && !clause.colon;
  return named && onlyHas(clause, segments, filler | TARGET | GIVES)
    ? { subject, claim, bare: false }
    : undefined;
}

/** A verdict that does not name the target: "no", "too big", "off by 3", a tick; undefined for none. */
export function readVerdict(clause: Clause, segments: Segments): Statement | undefined {
  if (clause.question || (clause.classes & VERDICT & ~filler) === 0) return undefined;
  if (!onlyHas(clause, segments, VERDICT)) return undefined;
  const parts = readParts(clause, segments, Number.NaN);
  if (!Number.isNaN(parts.subject)) return undefined;
  const decisive = parts.compares & (greater | less | near | off | yes | no);
  if (decisive === 0) return undefined;
  return { subject: Number.NaN, claim: claimOf(parts), bare: true };
}

function readParts(clause: Clause, segments: Segments, target: number): Parts {
  const { tokens, classes } = segments;
  const parts: Parts = {
    subject: Number.NaN,
    difference: Number.NaN,
    compares: 0,
    targetNumbers: 0,
    firstTarget: -1,
    lastTarget: -1,
    targetWord: -1,
    copula: -1,
  };
  for (let at = clause.first; at < clause.last; at += 1) {
    const bits = classes[at] as number;
    if (tokens.kinds[at] === TokenKind.number) readNumber(parts, segments, at, target);
    else if ((bits & TARGET) !== 0) {
      parts.targetWord = at;
      parts.lastTarget = at;
      if (parts.firstTarget < 0) parts.firstTarget = at;
    }
    // "higher than we want"
    if ((bits & WordClass.aim) !== 0 && at === clause.last - 1 && at > clause.first) {
      parts.targetWord = at;
      parts.lastTarget = at;
      if (parts.firstTarget < 0) parts.firstTarget = at;
    }
    // "to hit 66" is a wish.
    const wish = (bits & hit) !== 0 && tokens.words[at - 1]?.text === "to";
    if (!wish) parts.compares |= bits & COMPARES;
    if ((bits & (is | hit)) === is && parts.copula < 0) parts.copula = at;
  }
  const size = clause.classes & (big | small);
  const alone = clause.last - clause.first === 1 && isLevel(tokens.words[clause.first]?.text);
  if (size !== 0 && ((clause.classes & too) !== 0 || alone)) {
    parts.compares |= (size & big) !== 0 ? greater : less;
  }
  return parts;
}

function isLevel(word: string | undefined): boolean {
  return word === "low" || word === "high";
}

function readNumber(parts: Parts, segments: Segments, at: number, target: number): void {
  const { tokens } = segments;
  const value = tokens.values[at] as number;
  const next = tokens.words[at + 1]?.text ?? "";
  const before = tokens.words[at - 1]?.text;
  const distance = DISTANCE.has(next) || before === "by" || (parts.compares & off) !== 0;
  if (sameValue(value, target) && !DISTANCE.has(next)) {
    parts.targetNumbers += 1;
    parts.lastTarget = at;
    if (parts.firstTarget < 0) parts.firstTarget = at;
    // "66 is 66"
    if (parts.targetNumbers > 1 && Number.isNaN(parts.subject)) parts.subject = value;
  } else if (distance) parts.difference = value;
  else if (Number.isNaN(parts.subject)) parts.subject = value;
}

/** The strongest claim: distances and directions before equality. */
function claimOf(parts: Parts): Claim | undefined {
  const { compares, difference } = parts;
  const known = !Number.isNaN(difference);
  if ((compares & near) !== 0) {
    return (compares & (not | no)) === 0 ? undefined : (value, target) => !sameValue(value, target);
  }
  if ((compares & greater) !== 0) {
    return (value, target) => (known ? sameValue(value - target, difference) : value > target);
  }
  if ((compares & less) !== 0) {
    return (value, target) => (known ? sameValue(target - value, difference) : value < target);
  }
  if ((compares & off) !== 0 && known) {
    return (value, target) => sameValue(Math.abs(value - target), difference);
  }
  const denies = (compares & (off | not | no)) !== 0;
  return (value, target) => sameValue(value, target) !== denies;
}

/** The target is what the clause wants, not what it compares with: "we need 66", "to make 66", "the target is 66". */
function wantsTarget(clause: Clause, segments: Segments, parts: Parts): boolean {
  const { tokens, classes } = segments;
  const denied = (clause.classes & not) !== 0;
  for (let at = clause.first; at < parts.lastTarget; at += 1) {
    const bits = classes[at] as number;
    if ((bits & WordClass.aim) !== 0) return true;
    if ((bits & WordClass.make) !== 0 && (bits & hit) === 0 && !denied) return true;
  }
  const states =
    parts.targetWord >= 0 && parts.targetNumbers > 0 && parts.copula > parts.targetWord;
  return (
    states && tokens.kinds[parts.lastTarget] === TokenKind.number && parts.lastTarget > parts.copula
  );
}

/** "that is 66", "66 is the target", "66 = 66"; not "66 is even" or "the answer is 66". */
function isIdentity(clause: Clause, segments: Segments, parts: Parts): boolean {
  const { tokens, classes } = segments;
  if (parts.lastTarget < parts.copula) return false;
  for (let at = clause.first; at < parts.lastTarget; at += 1) {
    const bits = classes[at] as number;
    if (tokens.kinds[at] === TokenKind.number) continue;
    if (at < parts.copula && (bits & WordClass.statement) !== 0) return false;
    if ((bits & (filler | is | TARGET)) === 0) return false;
  }
  return true;
}

/** Every word of the clause has one of the classes; numbers may be distances. */
function onlyHas(clause: Clause, segments: Segments, allowed: number): boolean {
  const { tokens, classes } = segments;
  for (let at = clause.first; at < clause.last; at += 1) {
    if (tokens.kinds[at] === TokenKind.number || tokens.kinds[at] === TokenKind.relation) continue;
    if (((classes[at] as number) & allowed) === 0) return false;
  }
  return true;
}

/**
 * The words that the detectors know: word classes and phrases, as data. A word is looked up in lower case without apostrophes
 * ("that's" is "thats"). A phrase found in the text lends its class to its first word and hides the classes of its words, so
 * that "what we need" names the target and no aim. In phrases `#` stands for any number.
 */
import { BREAK_WORDS } from "./definitions.ts";

/** Classes of words, as bits of one integer. */
export const WordClass = {
  /** Denies equality: "not", "misses". */
  not: 1 << 0,
  /** Copula: "is", "equals". */
  is: 1 << 1,
  /** Says that something was met: "reached", "matches", "exactly". */
  hit: 1 << 2,
  greater: 1 << 3,
  less: 1 << 4,
  near: 1 << 5,
  /** Names a distance: "off", "away". */
  off: 1 << 6,
  /** Names the target without its number. */
  target: 1 << 7,
  yes: 1 << 8,
  no: 1 << 9,
  /** May stand in a verdict without changing it. */
  filler: 1 << 10,
  too: 1 << 11,
  big: 1 << 12,
  small: 1 << 13,
  /** Makes what follows an aim wherever it stands: "aim", "need". */
  aim: 1 << 14,
  /** Makes what follows an aim at the beginning of a clause: "make 72". */
  make: 1 << 15,
  /** May stand before a `make` word at the beginning of a clause. */
  lead: 1 << 16,
  check: 1 << 17,
  /** Says after an equation that it was computed before. */
  again: 1 << 18,
  /** Leaves an attempt. */
  back: 1 << 19,
  /** Stands for `=` after an expression. */
  relation: 1 << 20,
  /** May stand between an expression, the word for `=`, and the value. */
  relationFiller: 1 << 21,
  /** Ends a clause. */
  breaks: 1 << 22,
  /** Announces inverse steps: "last", "backwards". */
  reverse: 1 << 23,
  before: 1 << 24,
  more: 1 << 25,
  /** Subject of a sentence that states a result and compares nothing: "the answer is 66". */
  statement: 1 << 26,
  /** May stand between a word of aim and the value aimed at. */
  valueFiller: 1 << 27,
  /** Asks to look twice at what was just computed: "wait". */
  wait: 1 << 28,
  /** Gives a reason or a supposition: "since", "if". */
  because: 1 << 29,
  /** Describes an aim by a property: "multiple of", "divisible by". */
  property: 1 << 30,
} as const;
type ClassName = keyof typeof WordClass;

const WORDS: Readonly<Record<ClassName, string>> = {
  not: "not isnt doesnt didnt wasnt arent cannot misses missed miss neither never unequal differs differ",
  is: "is thats its equals equal was are this's whichs",
  hit: `equals equal matches match matched matching hits hit reached reaches met meets attained attains achieved achieves exactly
    coincides agrees arrived precisely identical`,
  greater:
    "above over exceeds exceed exceeded exceeding bigger larger greater higher overshoots overshoot overshot past beyond",
  less: "below under less lower smaller fewer short undershoots undershoot beneath",
  near: "compare comparing compared close near nearly almost closer nearer around",
  off: "vs versus off away diff difference distance gap apart",
  target: "target goal desired required",
  yes: "yes yep yup correct right true pass passes passed success match matches hit bingo boom",
  no: "no nope nah wrong incorrect false fail fails failed",
  filler: `im am answer were indeed that this it which is thats its still way really just also bit a an the much so oh hmm hm ok okay yeah well result value
    status far clearly only even quite very sadly unfortunately by one two here again ah and our we are was be not yet there got
    total alas of course but as too to than`,
  too: "too",
  big: "big large high much many",
  small: "small low little few",
  aim: `shoot shooting toward towards hope hopes aim aims aiming need needs want wants subgoal subgoals subtarget objective milestone looking seek
    seeking gotta hoping suffices`,
  make: "make get reach build produce create form find obtain construct getting reaching making building",
  lead: `key trick idea strategy thought whether im first next now then lets let me us i we you to will ill must should shall can could try trying see if would id like
    step my plan is the job part start by with so also second secondly firstly again maybe perhaps possible might have a way
    about how begin one two three`,
  check: `check checking verify verifying verification confirm confirming confirms recheck rechecking recompute recomputing
    recalculate recalculating validate sanity proof doublecheck doublechecking reverify`,
  again: "again indeed checks confirmed verified",
  back: `alternatively backtrack backtracking instead rewind restart restarting scrap scrapping abandon abandoning revert
    reverting retreat rethink discard discarding`,
  relation: `is equals gives give gave makes make yields yield get gets got obtain obtains becomes become totals leads leaves
    was equal thats returns produces`,
  relationFiller:
    "which that this it we you i us me to a an the exactly just first and so then simply value of about would",
  breaks: BREAK_WORDS.join(" "),
  reverse: "last backward backwards reverse end final inverse finally",
  before: "before beforehand",
  more: "more another additional extra further",
  statement:
    "answer result expression solution total sum final target goal numbers number equation",
  valueFiller: `in half up numbers two that which whose pair product sum difference quotient total for at to a an the value values number of is get make reach have find build produce obtain create form be out
    first next exactly something somehow some another us me you by with just with getting making reaching like would see step
    good stepping stone it result intermediate aim now as way`,
  wait: "wait actually hold hang",
  because: "since because if would as suppose",
  property:
    "differ sum product multiply add multiple factor divisible divisor near close around below above between even odd",
};

/** Phrases of several words; each counts as the class it stands under. */
const PHRASES: Partial<Record<ClassName, readonly string[]>> = {
  not: ["far from"],
  back: [
    "go back",
    "going back",
    "went back",
    "back to",
    "start over",
    "starting over",
    "start again",
    "starting again",
    "start from scratch",
    "start afresh",
    "begin again",
    "from the top",
    "from scratch",
    "try again",
    "trying again",
    "try something else",
    "try something different",
    "try another",
    "try a different",
    "try different",
    "try other",
    "another approach",
    "another way",
    "another idea",
    "another route",
    "another solution",
    "another combination",
    "another option",
    "a different approach",
    "different approach",
    "different way",
    "different route",
    "different idea",
    "different combination",
    "other way",
    "other idea",
    "other approach",
    "other option",
    "new plan",
    "new approach",
    "new idea",
    "new attempt",
    "undo that",
    "undo it",
    "undo this",
    "undo the",
    "undo last",
    "return to",
    "returning to",
    "take that back",
    "take it back",
    "taking that back",
    "switch to",
    "switching to",
    "one step back",
    "step back",
    "up one level",
    "up a level",
    "one more level",
    "on second thought",
    "give up on",
    "set that aside",
    "reset",
  ],
  target: [
    "what were looking for",
    "what im looking for",
    "what i was looking for",
    "what i am looking for",
    "what were after",
    "what im after",
    "what we need",
    "what we needed",
    "what i need",
    "what i needed",
    "what is needed",
    "what we want",
    "what we wanted",
    "what i want",
    "what i wanted",
    "what we were looking for",
    "what we are looking for",
    "what was asked",
    "what we are after",
    "number we need",
    "number we want",
    "number we wanted",
    "number i was asked for",
    "number i need",
    "as required",
    "as desired",
    "as needed",
    "as wanted",
  ],
  aim: [
    "go for",
    "going for",
    "nice to have",
    "helps to have",
    "useful to have",
    "handy to have",
    "intermediate target",
    "first target",
    "next target",
    "new target",
    "id like",
    "would like",
    "should target",
    "lets target",
    "could target",
    "will target",
    "to target",
    "can target",
    "would like to have",
    "would help to have",
    "good to have",
    "like to have",
    "have to get",
    "have to reach",
    "have to make",
    "have to build",
    "have to find",
    "look for",
    "hope for",
    "stepping stone",
    "target for this step",
    "target for now",
    "next goal",
    "first goal",
    "new goal",
    "intermediate goal",
    "sub goal",
    "sub target",
    "try to get",
    "try to make",
    "try to reach",
    "try to build",
    "try to find",
    "could get",
    "could make",
    "could reach",
    "should give",
    "must give",
    "should make",
    "must make",
    "must produce",
    "should produce",
    "to find",
    "to get to",
  ],
  yes: [
    "checks out",
    "check out",
    "that is it",
    "thats it",
    "this is it",
    "it is",
    "there we go",
    "that is right",
    "got it",
  ],
  no: ["not it", "not there", "not right", "not quite", "not enough", "no way"],
  check: [
    "plugging back in",
    "plug back in",
    "plugging in",
    "plug it in",
    "plugging it in",
    "substituting back",
    "double check",
    "double checking",
    "make sure",
    "look again",
    "once more check",
    "compute again",
    "do that again",
  ],
  again: ["once more", "as before", "check out", "checks out"],
  wait: ["hold on", "hang on", "let me see"],
  reverse: [
    "by subtracting",
    "by adding",
    "by multiplying",
    "by dividing",
    "undo #",
    "from the end",
    "at the end",
    "comes last",
    "last step",
    "last operation",
    "final step",
  ],
  greater: [
    "more than",
    "greater than",
    "larger than",
    "bigger than",
    "higher than",
    "too many",
    "too much",
    "twice",
  ],
  less: [
    "less than",
    "smaller than",
    "fewer than",
    "lower than",
    "short of",
    "too few",
    "too little",
    "half",
  ],
  filler: ["instead of"],
};

/** A phrase that begins with a given word. */
export interface Phrase {
  /** Words after the first; `#` is any number. */
  readonly rest: readonly string[];
  classes: number;
}

/** What is known about a word. */
export interface WordEntry {
  readonly text: string;
  classes: number;
  /** Phrases that begin with this word, longest first. */
  phrases: Phrase[];
}

/** The entry of every word that is not in the tables. */
export const UNKNOWN_WORD: WordEntry = { text: "", classes: 0, phrases: [] };

const lexicon = new Map<string, WordEntry>();

function entryOf(word: string): WordEntry {
  let entry = lexicon.get(word);
  if (entry === undefined) {
    entry = { text: word, classes: 0, phrases: [] };
    lexicon.set(word, entry);
  }
  return entry;
}

for (const name of Object.keys(WORDS) as ClassName[]) {
  for (const word of WORDS[name].split(/\s+/u)) entryOf(word).classes |= WordClass[name];
}
for (const name of Object.keys(PHRASES) as ClassName[]) {
  for (const phrase of PHRASES[name] ?? []) {
    const [first = "", ...rest] = phrase.split(" ");
    for (const word of rest) entryOf(word);
    const { phrases } = entryOf(first);
    const same = phrases.find((other) => other.rest.join(" ") === rest.join(" "));
    if (same === undefined) phrases.push({ rest, classes: WordClass[name] });
    else same.classes |= WordClass[name];
  }
}
// Words that the code asks for by name, beside those of the sets.
for (const word of "x by or and to go need try is equals back multiplied".split(" ")) entryOf(word);
for (const entry of lexicon.values()) entry.phrases.sort((a, b) => b.rest.length - a.rest.length);

/** Entry of a word in lower case without apostrophes. */
export function lookUp(word: string): WordEntry {
  return lexicon.get(word) ?? UNKNOWN_WORD;
}

/** A set of words, made known to the lexer: a word that is not in the tables has no text in the tokens. */
export function wordSet(words: string): ReadonlySet<string> {
  const set = new Set(words.split(" "));
  for (const word of set) entryOf(word);
  return set;
}

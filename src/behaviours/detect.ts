/**
 * Counts the four habits in a text about a Countdown puzzle, with the place of each instance. The text is cut into
 * computations and clauses; each is told, in order, to the attempt and to one counter per habit. Definitions and the span
 * of an instance: definitions.ts. Time is linear in the text; no text makes it throw.
 */
import type { BehaviourCell, BehaviourCells, Span } from "../data/rows.ts";
import { Attempt, isRight, resultOf } from "./attempt.ts";
import { BacktrackCounter, leavesAttempt } from "./backtracking.ts";
import { BackwardCounter } from "./backward-chaining.ts";
import { sameValue } from "./expression.ts";
import { tokenize } from "./lexer.ts";
import { WordClass, wordSet } from "./lexicon.ts";
import { type Clause, type Computation, type Element, type Segments, segment } from "./segment.ts";
import { SubgoalCounter } from "./subgoal-setting.ts";
import { TokenKind } from "./tokens.ts";
import { VerificationCounter } from "./verification.ts";

const { check, again, wait, back, filler } = WordClass;

/** Parts of one step that are remembered. */
const MAX_PARTS = 8;

/** What the text is about. */
export interface DetectOptions {
  /** The given numbers. */
  readonly numbers: readonly number[];
  readonly target: number;
}

/** Instances of each habit in a text; text in answer tags is not looked at. */
export function detectBehaviours(text: string, options: DetectOptions): BehaviourCells {
  return new Detector(segment(tokenize(text)), options).run();
}

class Detector {
  readonly #segments: Segments;
  readonly #target: number;
  readonly #attempt: Attempt;
  readonly #verification = new VerificationCounter();
  readonly #backtracking = new BacktrackCounter();
  readonly #subgoals = new SubgoalCounter();
  readonly #backward: BackwardCounter;
  /** A word of checking was said and the computations after it repeat earlier ones. */
  #checking = false;
  /** A word like "wait" was said in this sentence. */
  #waiting = -1;
  /** The element before the next one is a result, or words on it. */
  #adjacent = false;
  /** An expression without a result that becomes a step when it is compared. */
  #mention: Computation | undefined;
  /** The last step written once more; the next step may show that it began a new combination. */
  #repeat: Computation | undefined;
  /** Results of the parts of the last step that were worked out. */
  #parts: number[] = [];
  /** Some computation was made. */
  #started = false;

  constructor(segments: Segments, options: DetectOptions) {
    this.#segments = segments;
    this.#target = options.target;
    this.#attempt = new Attempt(options.numbers);
    this.#backward = new BackwardCounter(options.target);
  }

  run(): BehaviourCells {
    const { elements } = this.#segments;
    for (let at = 0; at < elements.length; at += 1) {
      const element = elements[at] as Element;
      if (element.kind === "clause") this.#clause(element);
      else if (element.kind === "expression") this.#mentioned(element);
      else this.#equation(element, elements[at + 1]);
    }
    return {
      verification: cellOf(this.#verification.spans),
      backtracking: cellOf(this.#backtracking.spans),
      subgoal_setting: cellOf(
        this.#subgoals.spans((sentence, value) => this.#backward.derives(sentence, value)),
      ),
      backward_chaining: cellOf(this.#backward.spans),
    };
  }

  #clause(clause: Clause): void {
    const { classes } = clause;
    if ((classes & check) !== 0) this.#checking = true;
    if ((classes & wait) !== 0) this.#waiting = clause.sentence;
    if (this.#started && leavesAttempt(clause, this.#segments)) {
      this.#leaveInWords(clause);
      return;
    }
    this.#listed(clause);
    const derives = this.#backward.onClause(clause, this.#segments, this.#attempt);
    const aims = !derives && this.#subgoals.onClause(clause, this.#segments, this.#target);
    if (derives || aims) {
      this.#adjacent = false;
      return;
    }
    const last = this.#mention === undefined ? this.#attempt.last : this.#mention.value;
    const compares = this.#verification.onClause(clause, {
      segments: this.#segments,
      target: this.#target,
      last,
      adjacent: this.#adjacent,
      openAim: this.#subgoals.isOpen && !this.#attempt.isComplete && !sameValue(last, this.#target),
    });
    if (compares && this.#mention !== undefined) this.#commitMention();
    if (!compares && !this.#isFiller(clause)) {
      this.#adjacent = false;
      this.#mention = undefined;
    }
  }

  /** Only words that change nothing, and numbers: "hmm", "status", "[ 20 ]". */
  #isFiller(clause: Clause): boolean {
    const { classes, tokens } = this.#segments;
    for (let at = clause.first; at < clause.last; at += 1) {
      if (tokens.kinds[at] === TokenKind.number) continue;
      if (((classes[at] as number) & filler) === 0) return false;
    }
    return true;
  }

  /** "from 9, 8 and 6" says which numbers there are, even where one is misread. */
  #listed(clause: Clause): void {
    const segments = this.#segments;
    const { kinds, words, values } = segments.tokens;
    for (let at = clause.first + 1; at + 2 < clause.last; at += 1) {
      if (!LISTERS.has(words[at - 1]?.text ?? "")) continue;
      let end = at;
      while (kinds[end] === TokenKind.number && isListSign(segments, end + 1)) end += 2;
      if (end === at || kinds[end] !== TokenKind.number) continue;
      for (; at <= end; at += 2) {
        const value = values[at] as number;
        if (!sameValue(value, this.#target)) this.#attempt.assume(value);
      }
    }
  }

  #leaveInWords(clause: Clause): void {
    // "Go back and check" leaves nothing.
    if ((clause.classes & check) !== 0) return;
    this.#backtracking.onWords(clause, this.#segments);
    this.#repeat = undefined;
    this.#subgoals.onLeave();
    this.#checking = false;
    this.#adjacent = false;
    this.#mention = undefined;
  }

  #mentioned(expression: Computation): void {
    if (this.#attempt.restates(expression) || expression.leaves.length < 2) return;
    this.#mention = expression;
    this.#adjacent = true;
    this.#verification.onComputation();
  }

  #commitMention(): void {
    const mention = this.#mention as Computation;
    this.#mention = undefined;
    this.#step(mention);
  }

  #equation(equation: Computation, next: unknown): void {
    this.#mention = undefined;
    const wasStarted = this.#started;
    this.#started = true;
    const part = this.#isPart(equation);
    if (wasStarted && ((part && this.#checking) || this.#isRecheck(equation, next))) {
      this.#verification.onRecheck(equation, isRight(equation));
      if (this.#attempt.corrects(equation)) this.#attempt.correct(equation);
      this.#adjacent = true;
      return;
    }
    this.#verification.onComputation();
    const sentence = this.#segments.sentenceClasses[equation.sentence] ?? 0;
    const derived = this.#backward.derivedBy(equation, this.#attempt, sentence);
    if (derived !== undefined) {
      this.#backward.onInverse(equation, derived);
      this.#subgoals.expect(derived);
      // "58 - 53 = 5" still speaks of the result 58.
      this.#adjacent = this.#attempt.usesLast(equation);
      return;
    }
    const explains = equation.reversed && this.#attempt.lastUsed(equation.result);
    if (part || explains) {
      this.#attempt.note(equation);
      this.#adjacent = true;
      return;
    }
    this.#checking = false;
    if (this.#isSummary(equation)) {
      this.#attempt.note(equation);
      this.#repeat = this.#attempt.repeatsLast(equation) ? equation : undefined;
    } else this.#step(equation);
    this.#adjacent = true;
  }

  /** The computation is made again: after a word of checking, before "again", or with a corrected result. */
  #isRecheck(equation: Computation, next: unknown): boolean {
    const attempt = this.#attempt;
    if (this.#backtracking.leftInWords !== undefined) return false;
    if (attempt.corrects(equation)) return true;
    if (this.#checking) {
      if (attempt.wasComputed(equation) || attempt.restates(equation)) return true;
      return attempt.undoesEarlier(equation);
    }
    if (!attempt.wasComputed(equation)) return false;
    if (this.#waiting === equation.sentence) return attempt.restates(equation);
    const after = next as Clause | undefined;
    if (after?.kind !== "clause" || after.start - equation.end > 2) return false;
    return (after.classes & again) !== 0 && (after.classes & back) === 0;
  }

  /** A part of the last step worked out; its result is kept for the parts after it. */
  #isPart(equation: Computation): boolean {
    if (this.#backtracking.leftInWords !== undefined) return false;
    if (!this.#attempt.unfolds(equation, this.#parts)) return false;
    if (this.#parts.length < MAX_PARTS) this.#parts.push(equation.result);
    return true;
  }

  /** The attempt, or a step of it, written again: the solution summed up, or the last step said twice. */
  #isSummary(equation: Computation): boolean {
    const attempt = this.#attempt;
    if (this.#backtracking.leftInWords !== undefined) return false;
    if (attempt.repeatsLast(equation)) return true;
    const whole = attempt.restates(equation);
    return whole && (sameValue(attempt.last, this.#target) || equation.leaves.length > 2);
  }

  #step(step: Computation): void {
    const attempt = this.#attempt;
    if (this.#repeat !== undefined && attempt.showsRestart(this.#repeat, step)) {
      this.#backtracking.onLeave(this.#repeat);
      attempt.restart(this.#repeat, step);
    }
    this.#repeat = undefined;
    this.#parts = [];
    const passedOver = attempt.last;
    const move = attempt.take(step, this.#backtracking.leftInWords);
    if (move === "leave") this.#backtracking.onLeave(step);
    else if (move === "side") this.#backtracking.onSide(step, passedOver);
    this.#backtracking.onStep();
    this.#backtracking.onUse(step.leaves);
    this.#subgoals.onResult(resultOf(step));
  }
}

/** A comma or "and" between values. */
function isListSign(segments: Segments, at: number): boolean {
  const { kinds, words } = segments.tokens;
  return kinds[at] === TokenKind.delimiter || words[at]?.text === "and";
}

const LISTERS = wordSet("from with using use");

function cellOf(spans: readonly Span[]): BehaviourCell {
  return { count: spans.length, spans: [...spans] };
}

/**
 * Tokens to a row of elements: equations, expressions without a result, and the clauses of words between them.
 * A running chain `5 * 6 = 30 + 11 = 41` is two equations, an evaluation `12 * 4 - 9 = 48 - 9 = 39` is one, and in
 * `9 + 8 = 17, + 6 = 23` the second has the result of the first as its unwritten operand.
 */
import {
  type Expression,
  expressionKey,
  operatorAt,
  readExpression,
  sameValue,
} from "./expression.ts";
import { WordClass, type WordEntry, wordSet } from "./lexicon.ts";
import { valueAfterRelation } from "./relation.ts";
import { Delimiter, Operator, TokenKind, type Tokens } from "./tokens.ts";

/** A computation: with a written result an equation, without one (NaN) an expression that is only mentioned. */
export interface Computation {
  readonly kind: "equation" | "expression";
  readonly start: number;
  readonly end: number;
  readonly sentence: number;
  readonly leaves: readonly number[];
  readonly operators: readonly number[];
  /** Equal for the same operations on the same values. */
  readonly key: string;
  /** Exact value of the expression. */
  readonly value: number;
  /** Value written as its result; NaN for none. */
  readonly result: number;
  /** The value stands on the left: `66 = 6 * 11`. */
  readonly reversed: boolean;
}

/** A run of words, numbers and comparisons between delimiters, break words and computations. */
export interface Clause {
  readonly kind: "clause";
  readonly start: number;
  readonly end: number;
  readonly sentence: number;
  /** Tokens from `first` up to but not including `last`. */
  readonly first: number;
  readonly last: number;
  /** Union of the classes of its words. */
  readonly classes: number;
  readonly question: boolean;
  /** Ends in a colon. */
  readonly colon: boolean;
}

export type Element = Computation | Clause;

/** A text cut into elements. */
export interface Segments {
  readonly elements: readonly Element[];
  readonly tokens: Tokens;
  /** Class of each token, phrases applied. */
  readonly classes: readonly number[];
  /** Union of the classes of each sentence. */
  readonly sentenceClasses: readonly number[];
}

const INDEX_WORDS = wordSet(
  "step attempt option case part way method subgoal plan solution idea approach round number try goal aim milestone target objective",
);
const GOALS = wordSet("goal aim target milestone objective subgoal");
const SEQUELS = wordSet("next first new another");
const MAX_ORDINAL = 20;

/** Cuts a row of tokens into elements. */
export function segment(tokens: Tokens): Segments {
  return new Segmenter(tokens).run();
}

class Segmenter {
  readonly #tokens: Tokens;
  readonly #elements: Element[] = [];
  readonly #classes: number[];
  readonly #sentenceClasses: number[] = [0];
  /** First token of the open clause; -1 when none is open. */
  #first = -1;
  #union = 0;
  #lastResult = Number.NaN;

  constructor(tokens: Tokens) {
    this.#tokens = tokens;
    this.#classes = new Array<number>(tokens.kinds.length).fill(0);
  }

  run(): Segments {
    const { kinds, values } = this.#tokens;
    let at = 0;
    while (at < kinds.length) {
      const kind = kinds[at] as number;
      if (kind === TokenKind.delimiter) {
        if (this.#isListComma(at)) {
          at += 1;
          continue;
        }
        this.#delimiter(at, values[at] as number);
        at += 1;
      } else if (kind === TokenKind.word) at = this.#word(at);
      else if (kind === TokenKind.comparison) this.#add(at, values[at++] as number);
      else if (kind === TokenKind.mark)
        this.#add(at, values[at++] === 1 ? WordClass.yes : WordClass.no);
      else at = this.#arithmetic(at, kind);
    }
    this.#close(at, Delimiter.clause);
    return {
      elements: this.#elements,
      tokens: this.#tokens,
      classes: this.#classes,
      sentenceClasses: this.#sentenceClasses,
    };
  }

  #delimiter(at: number, value: number): void {
    this.#close(at, value);
    if (value === Delimiter.sentence || value === Delimiter.question) this.#sentenceClasses.push(0);
  }

  /** A comma between two values of a list, "9, 8 and 6", which ends no clause. */
  #isListComma(at: number): boolean {
    const { kinds, values, words } = this.#tokens;
    if (values[at] !== Delimiter.comma || this.#first < 0) return false;
    if (kinds[at - 1] !== TokenKind.number || kinds[at + 1] !== TokenKind.number) return false;
    const next = kinds[at + 2];
    if (next === TokenKind.delimiter) return values[at + 2] === Delimiter.comma;
    const word = words[at + 2]?.text;
    return (word === "and" || word === "or") && kinds[at + 3] === TokenKind.number;
  }

  /** Takes a token into the open clause, or opens one with it. */
  #add(at: number, classes: number): void {
    if (this.#first < 0) this.#first = at;
    this.#classes[at] = classes;
    this.#union |= classes;
  }

  #close(last: number, delimiter: number): void {
    if (this.#first < 0) return;
    const sentence = this.#sentenceClasses.length - 1;
    this.#elements.push({
      kind: "clause",
      start: this.#tokens.starts[this.#first] as number,
      end: this.#tokens.ends[last - 1] as number,
      sentence,
      first: this.#first,
      last,
      classes: this.#union,
      question: delimiter === Delimiter.question,
      colon: delimiter === Delimiter.colon,
    });
    this.#sentenceClasses[sentence] = (this.#sentenceClasses[sentence] as number) | this.#union;
    this.#first = -1;
    this.#union = 0;
  }

  /** A word, a phrase or a break; returns the next token. */
  #word(at: number): number {
    const { words, kinds, values } = this.#tokens;
    const entry = words[at] as WordEntry;
    if (values[at] === 1 || WORD_SIGNS.has(entry.text)) {
      const next = this.#continuation(at);
      if (next > at) return next;
    }
    if (this.#first === at - 1 && ((this.#classes[at - 1] as number) & VERDICT) !== 0) {
      // "23 no back" is a verdict and a return.
      if (entry.text === "back" || (entry.classes & WordClass.back) !== 0) {
        this.#close(at, Delimiter.clause);
      }
    }
    for (const phrase of entry.phrases) {
      if (!this.#matches(phrase.rest, at + 1)) continue;
      this.#add(at, phrase.classes);
      const end = at + 1 + phrase.rest.length;
      for (let inside = at + 1; inside < end; inside += 1) this.#classes[inside] = PHRASE_INSIDE;
      return end;
    }
    const breaks = (entry.classes & WordClass.breaks) !== 0;
    const joins = kinds[at - 1] === TokenKind.number && kinds[at + 1] === TokenKind.number;
    if (breaks && !(joins && entry.text === "and" && this.#first >= 0)) {
      this.#close(at, Delimiter.clause);
      const sentence = this.#sentenceClasses.length - 1;
      this.#sentenceClasses[sentence] = (this.#sentenceClasses[sentence] as number) | entry.classes;
    } else this.#add(at, entry.classes);
    return at + 1;
  }

  #matches(rest: readonly string[], from: number): boolean {
    const { words, kinds } = this.#tokens;
    for (let at = 0; at < rest.length; at += 1) {
      const expected = rest[at];
      if (
        expected === "#"
          ? kinds[from + at] !== TokenKind.number
          : words[from + at]?.text !== expected
      ) {
        return false;
      }
    }
    return true;
  }

  /** A number, parenthesis, operator or relation; returns the next token. */
  #arithmetic(at: number, kind: number): number {
    if (kind === TokenKind.number) {
      if (this.#isOrdinal(at)) {
        this.#tokens.kinds[at] = TokenKind.word;
        this.#add(at, 0);
        return at + 1;
      }
      const reversed = this.#reversed(at);
      if (reversed > at) return reversed;
    }
    if (kind === TokenKind.operator) {
      const next = this.#continuation(at);
      if (next > at) return next;
    }
    if (kind !== TokenKind.close && kind !== TokenKind.relation) {
      const expression = readExpression(this.#tokens, at);
      if (expression !== undefined && expression.operators.length > 0) {
        return this.#computation(at, expression);
      }
    }
    if (kind === TokenKind.number) this.#add(at, 0);
    else if (kind === TokenKind.relation && this.#tokens.values[at] === 1)
      this.#add(at, WordClass.is);
    else this.#close(at, Delimiter.clause);
    return at + 1;
  }

  /** `Step 2 - 9 * 8 = 72`: the number counts steps and is no operand. */
  #isOrdinal(at: number): boolean {
    const { words, kinds, values } = this.#tokens;
    const before = words[at - 1];
    if (before === undefined || !INDEX_WORDS.has(before.text)) return false;
    if ((values[at] as number) > MAX_ORDINAL) return false;
    const next = kinds[at + 1];
    if (next === TokenKind.delimiter) return !this.#isValueOfGoal(at, before);
    const dash = next === TokenKind.operator && values[at + 1] === Operator.subtract;
    return dash && before.text !== "try";
  }

  /** "Next goal 16: 2 * 8 = 16" names a value, "Goal 2: 66" and "Subgoal 2: add 22" do not. */
  #isValueOfGoal(at: number, noun: WordEntry): boolean {
    if (!GOALS.has(noun.text)) return false;
    if (SEQUELS.has(this.#tokens.words[at - 2]?.text ?? "")) return true;
    const { kinds } = this.#tokens;
    if (kinds[at + 2] !== TokenKind.number) return false;
    return operatorAt(this.#tokens, at + 3) !== undefined;
  }

  /** `66 = 6 * 11` or `24 is 8 * 3`; returns the token after it, or `at` when there is none. */
  #reversed(at: number): number {
    const { kinds, values, words } = this.#tokens;
    const symbol = kinds[at + 1] === TokenKind.relation && values[at + 1] === 1;
    if (!symbol && words[at + 1]?.text !== "is" && words[at + 1]?.text !== "equals") return at;
    const expression = readExpression(this.#tokens, at + 2);
    if (expression === undefined || expression.operators.length === 0) return at;
    const written = values[at] as number;
    if (!symbol && !sameValue(expression.value, written)) return at;
    if (kinds[expression.next] === TokenKind.relation) return at;
    return this.#emit({
      first: at,
      next: expression.next,
      expression,
      result: written,
      reversed: true,
    });
  }

  /** `+ 13 = 53`, `times 6 is 84` or `a + 10 = 31`: the left operand is the last result. */
  #continuation(at: number): number {
    const { kinds, values, words } = this.#tokens;
    if (Number.isNaN(this.#lastResult)) return at;
    const variable = kinds[at] === TokenKind.word && values[at] === 1;
    if (!variable && words[at - 1] !== undefined && kinds[at - 1] === TokenKind.word) {
      if (kinds[at] === TokenKind.word && (words[at - 1]?.classes ?? 0) === 0) return at;
    }
    const from = variable ? at + 1 : at;
    const operator = operatorAt(this.#tokens, from);
    if (operator === undefined) return at;
    const expression = readExpression(this.#tokens, from, this.#lastResult);
    if (expression === undefined || expression.operators.length === 0) return at;
    const value = this.#valueAfter(expression.next);
    if (value === undefined) return at;
    const { result, next } = value;
    if (operator.code === Operator.subtract && !sameValue(expression.value, result)) return at;
    return this.#emit({ first: at, next, expression, result, reversed: false });
  }

  /** An expression with at least one operator at `at`, with what follows it. */
  #computation(at: number, expression: Expression): number {
    const { kinds } = this.#tokens;
    const from = valueAfterRelation(this.#tokens, expression.next);
    const right = from === undefined ? undefined : readExpression(this.#tokens, from);
    if (from === undefined || right === undefined) {
      return this.#emit({
        first: at,
        next: expression.next,
        expression,
        result: Number.NaN,
        reversed: false,
      });
    }
    if (right.operators.length === 0) {
      const { value: result, next } = right;
      return this.#emit({ first: at, next, expression, result, reversed: false });
    }
    const running =
      !sameValue(right.value, expression.value) &&
      sameValue(right.leaves[0] as number, expression.value) &&
      kinds[from] === TokenKind.number;
    if (running) {
      const result = right.leaves[0] as number;
      this.#emit({ first: at, next: from + 1, expression, result, reversed: false });
      return kinds[right.next] === TokenKind.relation ? from : from + 1;
    }
    let last = right;
    for (let hops = 0; hops < 8 && kinds[last.next] === TokenKind.relation; hops += 1) {
      const more = readExpression(this.#tokens, last.next + 1);
      if (more === undefined) break;
      last = more;
    }
    const { value: result, next } = last;
    return this.#emit({ first: at, next, expression, result, reversed: false });
  }

  /** The value after a relation at `at`, and the token after it. */
  #valueAfter(at: number): { result: number; next: number } | undefined {
    const from = valueAfterRelation(this.#tokens, at);
    const right = from === undefined ? undefined : readExpression(this.#tokens, from);
    return right === undefined ? undefined : { result: right.value, next: right.next };
  }

  #emit(found: {
    first: number;
    next: number;
    expression: Expression;
    result: number;
    reversed: boolean;
  }): number {
    const { first, next, expression, result, reversed } = found;
    const { starts, ends } = this.#tokens;
    this.#close(first, Delimiter.clause);
    const written = !Number.isNaN(result);
    this.#elements.push({
      kind: written ? "equation" : "expression",
      start: starts[first] as number,
      end: ends[next - 1] as number,
      sentence: this.#sentenceClasses.length - 1,
      leaves: expression.leaves,
      operators: expression.operators,
      key: expressionKey(expression),
      value: expression.value,
      result,
      reversed,
    });
    if (written) this.#lastResult = result;
    return next;
  }
}

/** Class of the words of a phrase after its first. */
const PHRASE_INSIDE = WordClass.filler | WordClass.valueFiller | WordClass.lead;
const VERDICT = WordClass.yes | WordClass.no;
const WORD_SIGNS = wordSet("plus minus times divided multiplied");

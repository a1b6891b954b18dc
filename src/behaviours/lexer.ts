/**
 * Text to tokens in one pass: numbers, words with their classes, operators, relations, comparisons, marks and delimiters.
 * LaTeX and Markdown are reduced to the same tokens (`\frac{24}{6}` is `( 24 ) / ( 6 )`, list bullets and bold marks are
 * nothing). Answers in `<answer>` tags are passed over. Time is linear in the text, whatever it holds.
 */
import { lookUp, UNKNOWN_WORD, type WordEntry } from "./lexicon.ts";
import { latexSymbol, SYMBOLS } from "./symbols.ts";
import { COMPARISONS, Delimiter, Operator, TokenKind, type Tokens } from "./tokens.ts";

const MAX_DIGITS = 15;
const MAX_BRACES = 64;
const Brace = { plain: 0, numerator: 1, denominator: 2 } as const;

/** Character classes of the first 128 code units. */
const Char = { other: 0, space: 1, digit: 2, letter: 3 } as const;
const CHARS = new Uint8Array(128);
for (let code = 0; code < 128; code += 1) {
  const character = String.fromCharCode(code);
  if (/[a-z]/iu.test(character)) CHARS[code] = Char.letter;
  else if (/\d/u.test(character)) CHARS[code] = Char.digit;
  else if (/[ \t\r\f\v]/u.test(character)) CHARS[code] = Char.space;
}

function classOf(code: number): number {
  if (code < 128) return CHARS[code] as number;
  if (code === 0xa0 || (code >= 0x2000 && code <= 0x200d) || code === 0x202f || code === 0xfeff) {
    return Char.space;
  }
  return Char.other;
}

/** Tokens of a text. */
export function tokenize(text: string): Tokens {
  return new Lexer(text).run();
}

class Lexer {
  readonly #text: string;
  readonly #tokens: Tokens = { kinds: [], starts: [], ends: [], values: [], words: [] };
  /** Kinds of the LaTeX braces that are open. */
  readonly #braces: number[] = [];
  #at = 0;
  #fraction = false;
  #lineStart = true;

  constructor(text: string) {
    this.#text = text;
  }

  run(): Tokens {
    const text = this.#text;
    while (this.#at < text.length) {
      const code = text.charCodeAt(this.#at);
      const type = classOf(code);
      if (type === Char.space) this.#at += 1;
      else if (type === Char.digit) this.#number();
      else if (type === Char.letter) this.#word();
      else if (code === 10) {
        this.#push(TokenKind.delimiter, 1, Delimiter.sentence);
        this.#lineStart = true;
      } else this.#symbol(text[this.#at] as string);
      if (code !== 10 && type !== Char.space) this.#lineStart = false;
    }
    return this.#tokens;
  }

  /** Adds a token of `length` code units at the current place and moves past it; true, as a token was made. */
  #push(kind: number, length: number, value: number, word: WordEntry = UNKNOWN_WORD): boolean {
    const tokens = this.#tokens;
    tokens.kinds.push(kind);
    tokens.starts.push(this.#at);
    this.#at += length;
    tokens.ends.push(this.#at);
    tokens.values.push(value);
    tokens.words.push(word);
    return true;
  }

  /** Code unit `offset` places on; NaN past the end. */
  #peek(offset: number): number {
    return this.#text.charCodeAt(this.#at + offset);
  }

  #isDigit(offset: number): boolean {
    const code = this.#peek(offset);
    return code >= 48 && code <= 57;
  }

  /** The last token ends a value, so that a sign after it is an operator. */
  #afterValue(): boolean {
    const kind = this.#tokens.kinds.at(-1);
    return kind === TokenKind.number || kind === TokenKind.close;
  }

  /** The next thing on this line, `offset` places on, can begin a value. */
  #beforeValue(offset: number): boolean {
    let place = offset;
    const end = offset + 4;
    while (place < end && (classOf(this.#peek(place)) === Char.space || this.#peek(place) === 36)) {
      place += 1;
    }
    const code = this.#peek(place);
    return this.#isDigit(place) || code === 40 || code === 92 || code === 45 || code === 0x2212;
  }

  #number(): void {
    let length = 0;
    let digits = 0;
    let value = 0;
    while (this.#isDigit(length)) {
      value = value * 10 + (this.#peek(length) - 48);
      digits += 1;
      length += 1;
      // A thousands separator: one to three digits, then groups of exactly three.
      if (
        this.#peek(length) === 44 &&
        (digits <= 3 || this.#groupsSoFar(length)) &&
        this.#group(length + 1)
      ) {
        length += 1;
      }
    }
    if (this.#peek(length) === 46 && this.#isDigit(length + 1)) {
      let scale = 0.1;
      length += 1;
      while (this.#isDigit(length)) {
        value += (this.#peek(length) - 48) * scale;
        scale /= 10;
        length += 1;
      }
      value = Math.round(value * 1e9) / 1e9;
    }
    this.#push(TokenKind.number, length, digits > MAX_DIGITS ? Number.NaN : value);
  }

  /** Exactly three digits stand at `offset`. */
  #group(offset: number): boolean {
    const three = this.#isDigit(offset) && this.#isDigit(offset + 1) && this.#isDigit(offset + 2);
    return three && !this.#isDigit(offset + 3);
  }

  /** The three digits before `offset` follow a separator of thousands. */
  #groupsSoFar(offset: number): boolean {
    return this.#peek(offset - 4) === 44;
  }

  #word(): boolean {
    const text = this.#text;
    let end = this.#at + 1;
    let apostrophe = false;
    for (; end < text.length; end += 1) {
      const code = text.charCodeAt(end);
      if (classOf(code) === Char.letter) continue;
      if ((code === 39 || code === 0x2019) && classOf(text.charCodeAt(end + 1)) === Char.letter) {
        apostrophe = true;
        continue;
      }
      break;
    }
    const length = end - this.#at;
    // An `x` between values is a multiplication sign: 3x4, 9 x 8.
    if (length === 1 && (this.#peek(0) | 32) === 120 && this.#afterValue() && this.#beforeValue(1))
      return this.#push(TokenKind.operator, 1, Operator.multiply);
    if (length > 24) return this.#push(TokenKind.word, length, 0);
    const lower = text.slice(this.#at, end).toLowerCase();
    const entry = lookUp(apostrophe ? lower.replace(/['’]/gu, "") : lower);
    return this.#push(TokenKind.word, length, length === 1 ? 1 : 0, entry);
  }

  #symbol(character: string): boolean {
    switch (character) {
      case "-":
      case "−":
      case "–":
      case "—":
        return this.#dash(character);
      case "*":
        return this.#star();
      case "<":
        return this.#angle();
      case ">":
        if (this.#lineStart || this.#peek(-1) === 62) return this.#skip(1);
        return this.#push(TokenKind.comparison, this.#peek(1) === 61 ? 2 : 1, COMPARISONS.greater);
      case "=":
        return this.#equals();
      case "!":
        if (this.#peek(1) === 61) return this.#push(TokenKind.comparison, 2, COMPARISONS.unequal);
        return this.#push(TokenKind.delimiter, 1, Delimiter.sentence);
      case "/":
        if (this.#peek(1) === 47) return this.#push(TokenKind.delimiter, 2, Delimiter.clause);
        return this.#push(TokenKind.operator, 1, Operator.divide);
      case "\\":
        return this.#latex();
      case "{":
        return this.#openBrace();
      case "}":
        return this.#closeBrace();
      default: {
        const symbol = SYMBOLS.get(character);
        return symbol === undefined ? this.#skip(1) : this.#push(symbol.kind, 1, symbol.value);
      }
    }
  }

  /** Moves past text that makes no token. */
  #skip(length: number): boolean {
    this.#at += length;
    return false;
  }

  /** A minus sign, a bullet, an arrow or a dash between clauses. */
  #dash(character: string): boolean {
    if (character === "-" && this.#peek(1) === 62) return this.#push(TokenKind.relation, 2, 0);
    const spaced = classOf(this.#peek(1)) === Char.space;
    if (this.#lineStart && spaced) return this.#skip(1);
    const letters =
      classOf(this.#peek(-1)) === Char.letter && classOf(this.#peek(1)) === Char.letter;
    if (letters && character === "-") return this.#skip(1);
    const minus =
      character !== "—" &&
      this.#beforeValue(1) &&
      (this.#afterValue() || !spaced || character === "−");
    if (minus) return this.#push(TokenKind.operator, 1, Operator.subtract);
    return this.#push(TokenKind.delimiter, 1, Delimiter.clause);
  }

  /** A multiplication sign; bold and italic marks and bullets are passed over. */
  #star(): boolean {
    const double = this.#peek(1) === 42;
    const length = double ? 2 : 1;
    const operator =
      this.#beforeValue(length) &&
      (this.#afterValue() ||
        this.#tokens.kinds.at(-1) === TokenKind.delimiter ||
        this.#tokens.kinds.at(-1) === TokenKind.word);
    if (double) {
      // `2 ** 3` is a power, which no equation here has; `**66**` is bold.
      const power = this.#afterValue() && this.#beforeValue(2);
      return power ? this.#push(TokenKind.delimiter, 2, Delimiter.clause) : this.#skip(2);
    }
    if (!operator || this.#lineStart) return this.#skip(1);
    return this.#push(TokenKind.operator, 1, Operator.multiply);
  }

  #angle(): boolean {
    const tag = TAG;
    tag.lastIndex = this.#at;
    const name = tag.exec(this.#text)?.[1];
    if (name === undefined) {
      const unequal = this.#peek(1) === 62;
      const value = unequal ? COMPARISONS.unequal : COMPARISONS.less;
      const length = unequal || this.#peek(1) === 61 ? 2 : 1;
      return this.#push(TokenKind.comparison, length, value);
    }
    let end = tag.lastIndex;
    if (name.toLowerCase() === "answer") {
      CLOSING_ANSWER.lastIndex = end;
      end = CLOSING_ANSWER.exec(this.#text) === null ? this.#text.length : CLOSING_ANSWER.lastIndex;
    }
    return this.#push(TokenKind.delimiter, end - this.#at, Delimiter.sentence);
  }

  #equals(): boolean {
    const next = this.#peek(1);
    if (next === 61) {
      const length = this.#peek(2) === 61 ? 3 : 2;
      return this.#push(TokenKind.comparison, length, COMPARISONS.equal);
    }
    if (next === 47 && this.#peek(2) === 61)
      return this.#push(TokenKind.comparison, 3, COMPARISONS.unequal);
    return this.#push(TokenKind.relation, next === 62 ? 2 : 1, next === 62 ? 0 : 1);
  }

  #latex(): boolean {
    COMMAND.lastIndex = this.#at + 1;
    const name = COMMAND.exec(this.#text)?.[0];
    if (name === undefined) {
      if (this.#peek(1) === 92) return this.#push(TokenKind.delimiter, 2, Delimiter.sentence);
      return this.#skip(2); // \[ \] \( \) and escaped characters
    }
    if (name === "frac" || name === "dfrac" || name === "tfrac") {
      this.#fraction = true;
      return this.#skip(name.length + 1);
    }
    const symbol = latexSymbol(name);
    const length = name.length + 1;
    return symbol === undefined
      ? this.#skip(length)
      : this.#push(symbol.kind, length, symbol.value);
  }

  #openBrace(): boolean {
    const part = this.#fraction ? Brace.numerator : Brace.plain;
    this.#fraction = false;
    if (this.#braces.length >= MAX_BRACES) return this.#skip(1);
    this.#braces.push(part);
    return part === Brace.plain ? this.#skip(1) : this.#push(TokenKind.open, 1, 0);
  }

  #closeBrace(): boolean {
    const part = this.#braces.pop() ?? Brace.plain;
    if (part === Brace.plain) return this.#skip(1);
    this.#push(TokenKind.close, 1, 0);
    if (part !== Brace.numerator || this.#peek(0) !== 123) return true;
    this.#push(TokenKind.operator, 0, Operator.divide);
    this.#braces.push(Brace.denominator);
    return this.#push(TokenKind.open, 1, 0);
  }
}

const TAG = /<\/?([a-z]{1,20})>/iuy;
const CLOSING_ANSWER = /<\/answer>/giu;
const COMMAND = /[a-z]{1,20}/iuy;

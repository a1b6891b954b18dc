/**
 * Arithmetic in a row of tokens: reads the longest expression that begins at a token, with precedence and parentheses, in one
 * pass and with bounded depth and length. Values are doubles; a division by zero or a literal that is too long makes the
 * value NaN, which equals nothing.
 */
import { wordSet } from "./lexicon.ts";
import { Operator, TokenKind, type Tokens } from "./tokens.ts";

/** An expression found in the text. */
export interface Expression {
  /** Index of the first token after it. */
  readonly next: number;
  /** The numbers in it, from left to right, signs included. */
  readonly leaves: readonly number[];
  /** Codes of its operators, from left to right. */
  readonly operators: readonly number[];
  readonly value: number;
}

/** Bounds chosen by us: no puzzle has more than a dozen numbers. */
const MAX_DEPTH = 24;
const MAX_LEAVES = 48;
const OPEN = -1;
const TOLERANCE = 1e-9;

/** True when two values are the same up to rounding of doubles. */
export function sameValue(a: number, b: number): boolean {
  return a === b || Math.abs(a - b) <= TOLERANCE * Math.max(1, Math.abs(a), Math.abs(b));
}

/** Name of a computation on two values: operands of + and * count in either order. */
export function pairKey(left: number, operator: number, right: number): string {
  const commutes = operator === Operator.add || operator === Operator.multiply;
  return commutes && right < left ? `${right} ${left}|${operator}` : `${left} ${right}|${operator}`;
}

/** Name of an expression: equal for the same operations on the same values. */
export function expressionKey(expression: Pick<Expression, "leaves" | "operators">): string {
  const { leaves, operators } = expression;
  if (leaves.length !== 2) return `${leaves.join(" ")}|${operators.join("")}`;
  return pairKey(leaves[0] as number, operators[0] as number, leaves[1] as number);
}

/** Operator code of a token at `at` and the tokens it takes: a symbol, or "plus", "minus", "times", "divided by". */
export function operatorAt(
  tokens: Tokens,
  at: number,
): { code: number; length: number } | undefined {
  const kind = tokens.kinds[at];
  if (kind === TokenKind.operator) return SYMBOL_OPERATORS[tokens.values[at] as number];
  if (kind !== TokenKind.word) return undefined;
  const word = WORD_OPERATORS.get((tokens.words[at] as { text: string }).text);
  if (word === undefined) return undefined;
  if (word.length === 1 || tokens.words[at + 1]?.text === "by") return word;
  return undefined;
}

const SYMBOL_OPERATORS = [0, 1, 2, 3].map((code) => ({ code, length: 1 }));
wordSet("plus minus times multiplied divided by");
const WORD_OPERATORS = new Map([
  ["plus", { code: Operator.add, length: 1 }],
  ["minus", { code: Operator.subtract, length: 1 }],
  ["times", { code: Operator.multiply, length: 1 }],
  ["multiplied", { code: Operator.multiply, length: 2 }],
  ["divided", { code: Operator.divide, length: 2 }],
]);

/** Result of one operation; NaN for a division by zero. */
export function applyOperator(code: number, left: number, right: number): number {
  switch (code) {
    case Operator.add:
      return left + right;
    case Operator.subtract:
      return left - right;
    case Operator.multiply:
      return left * right;
    default:
      return right === 0 ? Number.NaN : left / right;
  }
}

/**
 * Reads the longest expression that begins at token `from`; undefined when none does.
 * @param first a value that stands before the first operator without being written, for `+ 13 = 53`
 */
export function readExpression(
  tokens: Tokens,
  from: number,
  first?: number,
): Expression | undefined {
  if (first === undefined && tokens.kinds[from] === TokenKind.number) {
    // Most numbers stand alone.
    const operator = operatorAt(tokens, from + 1);
    if (operator === undefined) {
      const value = tokens.values[from] as number;
      return { next: from + 1, leaves: [value], operators: NONE, value };
    }
  }
  return new Reader(tokens, from, first).read();
}

const NONE: readonly number[] = [];

/** Operator-precedence parser; keeps the last place where what was read is a whole expression. */
class Reader {
  readonly #tokens: Tokens;
  #at: number;
  readonly #values: number[] = [];
  readonly #stack: number[] = [];
  readonly #leaves: number[] = [];
  readonly #operators: number[] = [];
  #depth = 0;

  constructor(tokens: Tokens, from: number, first: number | undefined) {
    this.#tokens = tokens;
    this.#at = from;
    if (first !== undefined) this.#leaf(first);
  }

  read(): Expression | undefined {
    let needsValue = this.#leaves.length === 0;
    for (;;) {
      if (needsValue) {
        if (!this.#value()) return undefined;
        needsValue = false;
        continue;
      }
      if (this.#tokens.kinds[this.#at] === TokenKind.close && this.#depth > 0) {
        this.#closeParenthesis();
        continue;
      }
      const operator = operatorAt(this.#tokens, this.#at);
      if (operator === undefined || !this.#valueFollows(this.#at + operator.length)) break;
      if (this.#leaves.length >= MAX_LEAVES) break;
      this.#reduce(operator.code >= Operator.multiply ? 2 : 1);
      this.#stack.push(operator.code);
      this.#operators.push(operator.code);
      this.#at += operator.length;
      needsValue = true;
    }
    if (this.#depth > 0) return undefined;
    this.#reduce(0);
    return {
      next: this.#at,
      leaves: this.#leaves,
      operators: this.#operators,
      value: this.#values[0] as number,
    };
  }

  #leaf(value: number): void {
    this.#values.push(value);
    this.#leaves.push(value);
  }

  /** Reads a number, with its sign, or opened parentheses and the first number in them. */
  #value(): boolean {
    for (;;) {
      const kind = this.#tokens.kinds[this.#at];
      if (kind === TokenKind.open) {
        this.#depth += 1;
        if (this.#depth > MAX_DEPTH) return false;
        this.#stack.push(OPEN);
        this.#at += 1;
        continue;
      }
      const negative = this.#negativeNumber(this.#at);
      if (negative) this.#at += 1;
      if (this.#tokens.kinds[this.#at] !== TokenKind.number) return false;
      const value = this.#tokens.values[this.#at] as number;
      this.#leaf(negative ? -value : value);
      this.#at += 1;
      return true;
    }
  }

  #negativeNumber(at: number): boolean {
    return (
      this.#tokens.kinds[at] === TokenKind.operator &&
      this.#tokens.values[at] === Operator.subtract &&
      this.#tokens.kinds[at + 1] === TokenKind.number
    );
  }

  #valueFollows(at: number): boolean {
    const kind = this.#tokens.kinds[at];
    return kind === TokenKind.number || kind === TokenKind.open || this.#negativeNumber(at);
  }

  #closeParenthesis(): void {
    this.#reduce(0);
    this.#stack.pop();
    this.#depth -= 1;
    this.#at += 1;
  }

  /** Applies the operators on the stack, down to a parenthesis, that bind at least as tightly as `level`. */
  #reduce(level: number): void {
    for (;;) {
      const operator = this.#stack.at(-1);
      if (operator === undefined || operator === OPEN) return;
      if ((operator >= Operator.multiply ? 2 : 1) < level) return;
      this.#stack.pop();
      const right = this.#values.pop() as number;
      const left = this.#values.pop() as number;
      this.#values.push(applyOperator(operator, left, right));
    }
  }
}

/**
 * Arithmetic expressions over non-negative integers: syntax tree, parser, printer, exact value, steps.
 *
 * Grammar (white space anywhere between symbols):
 *   equation := sum [ '=' ['-'] integer ]
 *   sum      := product { ('+' | '-') product }
 *   product  := factor { ('*' | '/') factor }
 *   factor   := ['-'] ( integer | '(' sum ')' )
 * Typographic signs for the operators and parentheses are read as the plain ones. The parser is a recursive descent
 * without `eval` and without regular expressions; its length and depth are bounded, so that its time and stack are too.
 */
export type Operator = "+" | "-" | "*" | "/";

export type Expression =
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "negation"; readonly operand: Expression }
  | {
      readonly kind: "binary";
      readonly operator: Operator;
      readonly left: Expression;
      readonly right: Expression;
    };

/** Why a text is not an expression; part of the scorer's closed list of reasons. */
export type SyntaxReason =
  | "too_long"
  | "too_deep"
  | "forbidden_operator"
  | "decimal"
  | "not_an_expression";

export interface ParsedEquation {
  readonly kind: "equation";
  readonly expression: Expression;
  /** Integers of the expression in order of appearance; one beyond 2^53 - 1 stands as Infinity. */
  readonly numbers: readonly number[];
  /** Integer after a trailing `=`; undefined without one. */
  readonly claim: number | undefined;
}

export interface SyntaxFailure {
  readonly kind: "failure";
  readonly reason: SyntaxReason;
  /** UTF-16 offset of the first character that does not fit. */
  readonly at: number;
}

/** Longest text that is parsed, in UTF-16 units: some 50 times the answer of a six-number puzzle. Chosen by us. */
export const MAX_EXPRESSION_LENGTH = 1000;
/** Deepest nesting of parentheses that is parsed. Chosen by us. */
export const MAX_EXPRESSION_DEPTH = 100;

const EQUALS = 0x3d;
const PLUS = 0x2b;
const MINUS = 0x2d;
const TIMES = 0x2a;
const DIVIDE = 0x2f;
const OPEN = 0x28;
const CLOSE = 0x29;
const POINT = 0x2e;

/** Typographic variants of each sign; all are single UTF-16 units, so offsets do not move. */
const VARIANTS: ReadonlyMap<number, number> = new Map(
  (
    [
      [PLUS, "\uFF0B\u2795\uFE62"],
      [MINUS, "\u2212\u2010\u2011\u2012\u2013\u2014\u2796\uFE63\uFF0D"],
      [TIMES, "\u00D7\u00B7\u22C5\u2219\u2217\u2715\u2716\u2A09\u2A2F\uFF0A"],
      [DIVIDE, "\u00F7\u2215\u2044\u2797\uFF0F"],
      [OPEN, "\uFF08"],
      [CLOSE, "\uFF09"],
      [EQUALS, "\uFF1D"],
    ] as const
  ).flatMap(([plain, variants]) => Array.from(variants, (sign) => [sign.charCodeAt(0), plain])),
);

/** White space as JavaScript's `trim` sees it. */
function isSpace(code: number): boolean {
  if (code <= 0x20) return code === 0x20 || (code >= 0x09 && code <= 0x0d);
  if (code < 0xa0) return false;
  return (
    code === 0xa0 ||
    code === 0x1680 ||
    (code >= 0x2000 && code <= 0x200a) ||
    code === 0x2028 ||
    code === 0x2029 ||
    code === 0x202f ||
    code === 0x205f ||
    code === 0x3000 ||
    code === 0xfeff
  );
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

class Parser {
  readonly numbers: number[] = [];
  failure: SyntaxFailure | undefined;
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Next significant character as a plain code, not consumed; -1 at the end. */
  #peek(): number {
    while (this.#at < this.#text.length) {
      const code = this.#text.charCodeAt(this.#at);
      if (!isSpace(code)) return code < 0x80 ? code : (VARIANTS.get(code) ?? code);
      this.#at += 1;
    }
    return -1;
  }

  #fail(reason: SyntaxReason): undefined {
    this.failure ??= { kind: "failure", reason, at: this.#at };
    return undefined;
  }

  /** Names the failure after the character at which it happened. */
  #unexpected(code: number): undefined {
    if (code === 0x5e || code === 0x25 || code === 0x21) return this.#fail("forbidden_operator"); // ^ % !
    return this.#fail(code === POINT ? "decimal" : "not_an_expression");
  }

  equation(): ParsedEquation | undefined {
    const expression = this.#sum();
    if (expression === undefined) return undefined;
    let claim: number | undefined;
    if (this.#peek() === EQUALS) {
      this.#at += 1;
      claim = this.#claim();
      if (claim === undefined) return undefined;
    }
    const rest = this.#peek();
    if (rest !== -1) return this.#unexpected(rest);
    return { kind: "equation", expression, numbers: this.numbers, claim };
  }

  #claim(): number | undefined {
    let sign = 1;
    if (this.#peek() === MINUS) {
      sign = -1;
      this.#at += 1;
    }
    const value = this.#integer();
    return value === undefined ? undefined : sign * value;
  }

  #sum(): Expression | undefined {
    let left = this.#product();
    while (left !== undefined) {
      const code = this.#peek();
      if (code !== PLUS && code !== MINUS) break;
      this.#at += 1;
      const right = this.#product();
      if (right === undefined) return undefined;
      left = { kind: "binary", operator: code === PLUS ? "+" : "-", left, right };
    }
    return left;
  }

  #product(): Expression | undefined {
    let left = this.#factor();
    while (left !== undefined) {
      const code = this.#peek();
      if (code !== TIMES && code !== DIVIDE) break;
      this.#at += 1;
      if (this.#peek() === code) return this.#fail("forbidden_operator"); // ** or //
      const right = this.#factor();
      if (right === undefined) return undefined;
      left = { kind: "binary", operator: code === TIMES ? "*" : "/", left, right };
    }
    return left;
  }

  #factor(): Expression | undefined {
    if (this.#peek() !== MINUS) return this.#primary();
    this.#at += 1;
    const operand = this.#primary();
    return operand === undefined ? undefined : { kind: "negation", operand };
  }

  #primary(): Expression | undefined {
    const code = this.#peek();
    if (isDigit(code)) {
      const value = this.#integer();
      if (value === undefined) return undefined;
      this.numbers.push(value);
      return { kind: "number", value };
    }
    if (code !== OPEN) return this.#unexpected(code);
    if (this.#depth === MAX_EXPRESSION_DEPTH) return this.#fail("too_deep");
    this.#at += 1;
    this.#depth += 1;
    const inner = this.#sum();
    this.#depth -= 1;
    if (inner === undefined) return undefined;
    const closing = this.#peek();
    if (closing !== CLOSE) return this.#unexpected(closing);
    this.#at += 1;
    return inner;
  }

  /** Decimal digits without a leading zero; a following point, letter or digit of another script is refused. */
  #integer(): number | undefined {
    const first = this.#peek();
    if (!isDigit(first)) return this.#unexpected(first);
    const start = this.#at;
    let value = 0;
    for (; this.#at < this.#text.length; this.#at += 1) {
      const code = this.#text.charCodeAt(this.#at);
      if (!isDigit(code)) break;
      value = value * 10 + (code - 0x30);
    }
    if (first === 0x30 && this.#at - start > 1) return this.#fail("not_an_expression");
    const next = this.#text.charCodeAt(this.#at); // NaN at the end
    if (next === POINT || next === 0x65 || next === 0x45) return this.#fail("decimal"); // . e E
    return value > Number.MAX_SAFE_INTEGER ? Number.POSITIVE_INFINITY : value;
  }
}

/** Parses one expression, with an optional trailing `= integer`. Never throws; time is linear in the length. */
export function parseEquation(text: string): ParsedEquation | SyntaxFailure {
  if (text.length > MAX_EXPRESSION_LENGTH) {
    return { kind: "failure", reason: "too_long", at: MAX_EXPRESSION_LENGTH };
  }
  const parser = new Parser(text);
  const equation = parser.equation();
  if (equation !== undefined) return equation;
  return parser.failure ?? { kind: "failure", reason: "not_an_expression", at: text.length };
}

/** Binding strength of an expression as it is printed: 1 sum, 2 product, 3 number. */
function strength(expression: Expression): number {
  if (expression.kind === "number") return 3;
  if (expression.kind === "negation") return 1;
  return expression.operator === "+" || expression.operator === "-" ? 1 : 2;
}

/** Text with one space between symbols and only the parentheses that it needs, e.g. `( 9 + 8 ) * 6`. */
export function formatExpression(expression: Expression): string {
  if (expression.kind === "number") return String(expression.value);
  if (expression.kind === "negation") {
    const inner = formatExpression(expression.operand);
    return expression.operand.kind === "number" ? `- ${inner}` : `- ( ${inner} )`;
  }
  const { operator, left, right } = expression;
  const own = strength(expression);
  // The right side of - and / binds one stronger: a - (b - c) keeps its parentheses, a + (b - c) loses them.
  const needed = operator === "-" || operator === "/" ? own + 1 : own;
  const wrap = (part: Expression, least: number): string => {
    const text = formatExpression(part);
    return strength(part) < least || part.kind === "negation" ? `( ${text} )` : text;
  };
  return `${wrap(left, own)} ${operator} ${wrap(right, needed)}`;
}

/** One line of work: two values and their result. */
export interface Step {
  readonly left: number;
  readonly operator: Operator;
  readonly right: number;
  readonly result: number;
}

/**
 * Steps of an expression without negations, innermost first, left before right, in double precision:
 * exact for expressions whose every intermediate value is an integer (`enumerateExpressions` with `maxIntermediate`).
 */
export function expressionSteps(expression: Expression): Step[] {
  const steps: Step[] = [];
  const walk = (node: Expression): number => {
    if (node.kind === "number") return node.value;
    if (node.kind === "negation") return -walk(node.operand);
    const left = walk(node.left);
    const right = walk(node.right);
    const result = apply(node.operator, left, right);
    steps.push({ left, operator: node.operator, right, result });
    return result;
  };
  walk(expression);
  return steps;
}

function apply(operator: Operator, left: number, right: number): number {
  switch (operator) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "/":
      return left / right;
  }
}

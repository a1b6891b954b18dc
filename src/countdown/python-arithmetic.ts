/**
 * Python's value of an arithmetic text with + - * / // ** and parentheses over integers and decimals; for the legacy
 * scorer alone. Integers are unbounded and stay integers under + - * // and non-negative powers; `/` gives a
 * double; a decimal makes a double. `**` binds tighter than a sign on its left and is right-associative.
 */

type Value = bigint | number;

/** Longest text, in UTF-16 units, and deepest nesting that are evaluated. */
const MAX_LENGTH = 1000;
const MAX_DEPTH = 100;
/** Largest integer, in bits, that a power may make. */
const MAX_BITS = 4096;

/** Value of the text; undefined when Python raises an error or gives something that is not a real number. */
export function evaluatePython(text: string): Value | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  const tokens = tokenize(text);
  if (tokens === undefined) return undefined;
  try {
    return new Evaluation(tokens).run();
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

/** Python would raise an error here. */
class Refusal extends Error {}

type Token = Value | "+" | "-" | "*" | "/" | "//" | "**" | "(" | ")";

function tokenize(text: string): Token[] | undefined {
  const pattern = /[ \t\f]*(?:(\d+\.\d*|\.\d+)|(\d+)|(\*\*|\/\/|[+\-*/()]))(?:[ \t\f]*$)?/y;
  const tokens: Token[] = [];
  while (pattern.lastIndex < text.length) {
    const match = pattern.exec(text);
    if (match === null) return undefined;
    const [, decimal, integer, symbol] = match;
    if (decimal !== undefined) tokens.push(Number(decimal));
    else if (integer !== undefined) {
      if (/^0+[1-9]/.test(integer)) return undefined; // 07 is an error, 00 is not
      tokens.push(BigInt(integer));
    } else tokens.push(symbol as Token);
  }
  return tokens;
}

/** Recursive descent that evaluates as it goes. */
class Evaluation {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  run(): Value {
    const value = this.#sum();
    if (this.#at < this.#tokens.length) throw new Refusal();
    return value;
  }

  #sum(): Value {
    let left = this.#product();
    for (;;) {
      const operator = this.#tokens[this.#at];
      if (operator !== "+" && operator !== "-") return left;
      this.#at += 1;
      const right = this.#product();
      left = operator === "+" ? add(left, right) : add(left, negate(right));
    }
  }

  #product(): Value {
    let left = this.#signed();
    for (;;) {
      const operator = this.#tokens[this.#at];
      if (operator !== "*" && operator !== "/" && operator !== "//") return left;
      this.#at += 1;
      const right = this.#signed();
      if (operator === "*") left = multiply(left, right);
      else left = operator === "/" ? divide(left, right) : floorDivide(left, right);
    }
  }

  /** Any run of signs, then a power; the run is read in a loop, so its length costs no stack. */
  #signed(): Value {
    let negative = false;
    for (;;) {
      const sign = this.#tokens[this.#at];
      if (sign !== "+" && sign !== "-") break;
      negative = negative !== (sign === "-");
      this.#at += 1;
    }
    const value = this.#power();
    return negative ? negate(value) : value;
  }

  #power(): Value {
    const base = this.#atom();
    if (this.#tokens[this.#at] !== "**") return base;
    this.#at += 1;
    this.#enter();
    const exponent = this.#signed();
    this.#depth -= 1;
    return power(base, exponent);
  }

  #atom(): Value {
    const token = this.#tokens[this.#at];
    if (typeof token === "number" || typeof token === "bigint") {
      this.#at += 1;
      return token;
    }
    if (token !== "(") throw new Refusal();
    this.#at += 1;
    this.#enter();
    const value = this.#sum();
    this.#depth -= 1;
    if (this.#tokens[this.#at] !== ")") throw new Refusal();
    this.#at += 1;
    return value;
  }

  #enter(): void {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw new Refusal();
  }
}

/** Double of a value; Python refuses integers beyond the range of doubles. */
function toDouble(value: Value): number {
  const double = Number(value);
  if (typeof value === "bigint" && !Number.isFinite(double)) throw new Refusal();
  return double;
}

function add(a: Value, b: Value): Value {
  return typeof a === "bigint" && typeof b === "bigint" ? a + b : toDouble(a) + toDouble(b);
}

function negate(value: Value): Value {
  return typeof value === "bigint" ? -value : -value;
}

function multiply(a: Value, b: Value): Value {
  return typeof a === "bigint" && typeof b === "bigint" ? a * b : toDouble(a) * toDouble(b);
}

function divide(a: Value, b: Value): Value {
  if (typeof a === "bigint" && typeof b === "bigint") return divideIntegers(a, b);
  const divisor = toDouble(b);
  if (divisor === 0) throw new Refusal();
  return toDouble(a) / divisor;
}

/** Nearest double of a quotient of integers of any size, as Python gives it. */
function divideIntegers(a: bigint, b: bigint): number {
  if (b === 0n) throw new Refusal();
  // 66 or more bits of the quotient, the last one set when anything is left, round as the quotient itself does.
  const shift = Math.max(0, 66 + bitLength(b) - bitLength(a));
  const scaled = a << BigInt(shift);
  const quotient = scaled / b;
  const sticky = scaled % b !== 0n && quotient % 2n === 0n;
  const result = Number(sticky ? quotient + (a < 0n !== b < 0n ? -1n : 1n) : quotient);
  if (!Number.isFinite(result)) throw new Refusal();
  return result * 2 ** -shift;
}

function bitLength(value: bigint): number {
  return (value < 0n ? -value : value).toString(2).length;
}

function floorDivide(a: Value, b: Value): Value {
  if (typeof a === "bigint" && typeof b === "bigint") {
    if (b === 0n) throw new Refusal();
    const quotient = a / b;
    return a % b !== 0n && a < 0n !== b < 0n ? quotient - 1n : quotient;
  }
  const [x, y] = [toDouble(a), toDouble(b)];
  if (y === 0) throw new Refusal();
  // Through the remainder, as Python does: floor(x / y) can be one too high after rounding.
  let remainder = x % y;
  if (remainder !== 0 && remainder < 0 !== y < 0) remainder += y;
  return Math.round((x - remainder) / y);
}

function power(base: Value, exponent: Value): Value {
  if (typeof base === "bigint" && typeof exponent === "bigint" && exponent >= 0n) {
    const bits = BigInt(bitLength(base)) * exponent;
    if (bits > BigInt(MAX_BITS) && base !== 0n && base !== 1n && base !== -1n) throw new Refusal();
    return base ** exponent;
  }
  const [x, y] = [toDouble(base), toDouble(exponent)];
  if (x === 0 && y < 0) throw new Refusal();
  const result = x ** y;
  // A negative base with a broken exponent is complex in Python; an overflow is an error.
  if (Number.isNaN(result) || !Number.isFinite(result)) throw new Refusal();
  return result;
}

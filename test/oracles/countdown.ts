/**
 * An independent scorer for tests: tags by splitting, tokens by a regular expression, two explicit stacks (shunting-yard)
 * and reduced BigInt fractions. It shares no code with src/countdown and returns the score alone.
 */

const SIGNS: readonly (readonly [string, RegExp])[] = [
  ["+", /[\uFF0B\u2795\uFE62]/g],
  ["-", /[\u2212\u2010\u2011\u2012\u2013\u2014\u2796\uFE63\uFF0D]/g],
  ["*", /[\u00D7\u00B7\u22C5\u2219\u2217\u2715\u2716\u2A09\u2A2F\uFF0A]/g],
  ["/", /[\u00F7\u2215\u2044\u2797\uFF0F]/g],
  ["(", /\uFF08/g],
  [")", /\uFF09/g],
  ["=", /\uFF1D/g],
];

interface Fraction {
  readonly p: bigint;
  readonly q: bigint;
}

/** Score of a completion by the rules of docs/methods/countdown.md. */
export function oracleScore(text: string, numbers: readonly number[], target: number): number {
  const answers = text
    .split("</answer>")
    .slice(0, -1)
    .filter((piece) => piece.includes("<answer>"))
    .map((piece) => piece.split("<answer>").at(-1) as string);
  const last = answers.at(-1);
  if (last === undefined || last.trim() === "") return 0;
  return isRight(last.trim(), numbers, target) ? 1 : 0.1;
}

function isRight(answer: string, numbers: readonly number[], target: number): boolean {
  if (answer.length > 1000) return false;
  let plain = answer;
  for (const [sign, variants] of SIGNS) plain = plain.replace(variants, sign);
  const sides = plain.split("=");
  if (sides.length > 2) return false;
  if (sides.length === 2) {
    const claim = (sides[1] as string).trim();
    const [, minus, digits] = /^(-?)\s*(0|[1-9][0-9]*)$/.exec(claim) ?? [];
    if (digits === undefined) return false;
    if (BigInt(digits) * (minus === "-" ? -1n : 1n) !== BigInt(target)) return false;
  }
  const tokens = (sides[0] as string).match(/[0-9]+|\S/gu) ?? [];
  const used = tokens.filter((token) => /^[0-9]+$/.test(token));
  if (used.some((token) => token.length > 1 && token.startsWith("0"))) return false;
  const sort = (list: bigint[]): string => list.sort((a, b) => (a < b ? -1 : 1)).join(" ");
  if (sort(used.map(BigInt)) !== sort(numbers.map(BigInt))) return false;
  const value = shuntingYard(tokens);
  return value !== undefined && value.p === BigInt(target) * value.q;
}

const PRECEDENCE: Readonly<Record<string, number>> = { "+": 1, "-": 1, "*": 2, "/": 2, "~": 3 };

/** Value of the tokens; undefined when they are no expression or divide by zero. `~` is the unary minus. */
function shuntingYard(tokens: readonly string[]): Fraction | undefined {
  const values: Fraction[] = [];
  const operators: string[] = [];
  let depth = 0;
  let before = "start"; // start, operator, minus, value
  const reduceTop = (): boolean => {
    const operator = operators.pop() as string;
    const b = values.pop();
    const a = operator === "~" ? { p: 0n, q: 1n } : values.pop();
    if (a === undefined || b === undefined) return false;
    const result = apply(operator, a, b);
    if (result === undefined) return false;
    values.push(result);
    return true;
  };
  for (const token of tokens) {
    if (/^[0-9]+$/.test(token)) {
      if (before === "value") return undefined;
      values.push({ p: BigInt(token), q: 1n });
      before = "value";
    } else if (token === "(") {
      if (before === "value") return undefined;
      depth += 1;
      if (depth > 100) return undefined;
      operators.push(token);
      before = "start";
    } else if (token === ")") {
      if (before !== "value") return undefined;
      depth -= 1;
      if (depth < 0) return undefined;
      while (operators.at(-1) !== "(") if (!reduceTop()) return undefined;
      operators.pop();
    } else if (token in PRECEDENCE && token !== "~") {
      if (before !== "value") {
        if (token !== "-" || before === "minus") return undefined;
        operators.push("~");
        before = "minus";
        continue;
      }
      const own = PRECEDENCE[token] as number;
      while ((PRECEDENCE[operators.at(-1) ?? "("] ?? 0) >= own) if (!reduceTop()) return undefined;
      operators.push(token);
      before = "operator";
    } else return undefined;
  }
  if (before !== "value" || depth !== 0) return undefined;
  while (operators.length > 0) if (!reduceTop()) return undefined;
  return values[0];
}

function apply(operator: string, a: Fraction, b: Fraction): Fraction | undefined {
  if (operator === "*") return reduced(a.p * b.p, a.q * b.q);
  if (operator === "/") return b.p === 0n ? undefined : reduced(a.p * b.q, a.q * b.p);
  return reduced(operator === "+" ? a.p * b.q + b.p * a.q : a.p * b.q - b.p * a.q, a.q * b.q);
}

function reduced(p: bigint, q: bigint): Fraction {
  let [a, b] = [p < 0n ? -p : p, q < 0n ? -q : q];
  while (b !== 0n) [a, b] = [b, a % b];
  const divisor = q < 0n ? -a : a;
  return { p: p / divisor, q: q / divisor };
}

/** Symbols of one character and LaTeX commands, with the tokens that they stand for. */
import { COMPARISONS, Delimiter, Operator, TokenKind } from "./tokens.ts";

/** Kind and value of a token. */
export interface SymbolToken {
  readonly kind: number;
  readonly value: number;
}

const token = (kind: number, value: number): SymbolToken => ({ kind, value });
const clause = token(TokenKind.delimiter, Delimiter.clause);
const sentence = token(TokenKind.delimiter, Delimiter.sentence);
const colon = token(TokenKind.delimiter, Delimiter.colon);
const arrow = token(TokenKind.relation, 0);
const equal = token(TokenKind.relation, 1);
const multiply = token(TokenKind.operator, Operator.multiply);
const divide = token(TokenKind.operator, Operator.divide);
const unequal = token(TokenKind.comparison, COMPARISONS.unequal);
const greater = token(TokenKind.comparison, COMPARISONS.greater);
const less = token(TokenKind.comparison, COMPARISONS.less);
const tick = token(TokenKind.mark, 1);
const cross = token(TokenKind.mark, 0);

const entries = (characters: string, symbol: SymbolToken): [string, SymbolToken][] =>
  [...characters].map((character) => [character, symbol]);

/** Tokens of single code units that need no look at what is around them. */
export const SYMBOLS: ReadonlyMap<string, SymbolToken> = new Map([
  ...entries("+", token(TokenKind.operator, Operator.add)),
  ...entries("×·⋅∙∗", multiply),
  ...entries("÷∕⁄", divide),
  ...entries("(", token(TokenKind.open, 0)),
  ...entries(")", token(TokenKind.close, 0)),
  ...entries(",", token(TokenKind.delimiter, Delimiter.comma)),
  ...entries('[]|#…•"“”', clause),
  ...entries(";", clause),
  ...entries(":", colon),
  ...entries(".", sentence),
  ...entries("?", token(TokenKind.delimiter, Delimiter.question)),
  ...entries("→⇒⟶⟹↦≈≅", arrow),
  ...entries("≠≢", unequal),
  ...entries("≥", greater),
  ...entries("≤", less),
  ...entries("✓✔✅☑", tick),
  ...entries("✗✘❌✕✖", cross),
]);

const LATEX: ReadonlyMap<string, SymbolToken> = new Map([
  ["times", multiply],
  ["cdot", multiply],
  ["ast", multiply],
  ["div", divide],
  ["to", arrow],
  ["rightarrow", arrow],
  ["Rightarrow", arrow],
  ["implies", arrow],
  ["approx", arrow],
  ["eq", equal],
  ["neq", unequal],
  ["ne", unequal],
  ["gt", greater],
  ["geq", greater],
  ["lt", less],
  ["leq", less],
  ["checkmark", tick],
  ["newline", sentence],
  ["par", sentence],
  ["quad", clause],
  ["qquad", clause],
]);

/** Token of a LaTeX command without its backslash; undefined for commands that only lay out. */
export function latexSymbol(name: string): SymbolToken | undefined {
  return LATEX.get(name);
}

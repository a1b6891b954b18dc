/**
 * Keeps the splitting of text independent of the Unicode version of Node. The reference (the Rust tokenizers library 0.23)
 * classifies characters by Unicode 16; a newer Node knows more letters, and would take a run of them for a word where the
 * reference sees symbols. Before an expression is matched, such characters are replaced by noncharacters, which are unassigned
 * in every version, of the same length in UTF-16 and in UTF-8. test/golden/tokenization.py writes the reference's classes.
 */

/** Characters of the classes L, M, N, P and S that Unicode 17 added. */
const NEW_CHARACTERS: readonly (number | readonly [first: number, last: number])[] = [
  0x088f,
  0x0c5c,
  0x0cdc,
  [0x1acf, 0x1add],
  [0x1ae0, 0x1aeb],
  0x20c1,
  0x2b96,
  0xa7ce,
  0xa7cf,
  0xa7d2,
  0xa7d4,
  0xa7f1,
  [0xfbc3, 0xfbd2],
  0xfd90,
  0xfd91,
  [0xfdc8, 0xfdce],
  [0x10940, 0x10959],
  [0x10ec5, 0x10ec7],
  [0x10ed0, 0x10ed8],
  0x10efa,
  0x10efb,
  [0x11b60, 0x11b67],
  [0x11db0, 0x11ddb],
  [0x11de0, 0x11de9],
  [0x16ea0, 0x16eb8],
  [0x16ebb, 0x16ed3],
  [0x16ff2, 0x16ff6],
  [0x187f8, 0x187ff],
  [0x18d09, 0x18d1e],
  [0x18d80, 0x18df2],
  [0x1ccfa, 0x1ccfc],
  [0x1ceba, 0x1ced0],
  [0x1cee0, 0x1cef0],
  [0x1e6c0, 0x1e6de],
  [0x1e6e0, 0x1e6f5],
  0x1e6fe,
  0x1e6ff,
  0x1f6d8,
  [0x1f777, 0x1f77a],
  [0x1f8d0, 0x1f8d8],
  [0x1fa54, 0x1fa57],
  0x1fa8a,
  0x1fa8e,
  0x1fac8,
  0x1facd,
  0x1faea,
  0x1faef,
  0x1fbfa,
  [0x2b73a, 0x2b73f],
  [0x2cea2, 0x2cead],
  [0x323b0, 0x33479],
];

const PATTERN = (() => {
  const codeEscape = (code: number) => `\\u{${code.toString(16)}}`;
  const ranges = NEW_CHARACTERS.map((range) =>
    typeof range === "number"
      ? codeEscape(range)
      : `${codeEscape(range[0])}-${codeEscape(range[1])}`,
  );
  return new RegExp(`[${ranges.join("")}]`, "gu");
})();

/** The text with every character that the reference does not know replaced by one that no version knows. */
export function withoutNewCharacters(text: string): string {
  return text.replace(PATTERN, (character) => (character.length === 1 ? "\ufdd0" : "\u{1fffe}"));
}

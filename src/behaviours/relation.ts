/** The relation between an expression and its result: `=`, an arrow, or words such as "is", ", which gives us". */
import { WordClass, type WordEntry } from "./lexicon.ts";
import { Delimiter, TokenKind, type Tokens } from "./tokens.ts";

/** Words that may stand before and after the word for `=`; chosen by us to fit "first, and that would give us exactly". */
const MAX_WORDS_BEFORE = 5;
const MAX_WORDS_AFTER = 4;

/**
 * Token of the value after `=`, an arrow, or words such as `, which gives us`; undefined when the tokens at `at` are no
 * relation with a value behind it.
 */
export function valueAfterRelation(tokens: Tokens, at: number): number | undefined {
  const { kinds, words, values } = tokens;
  if (kinds[at] === TokenKind.relation) return startsValue(tokens, at + 1) ? at + 1 : undefined;
  let place = at;
  let comma = false;
  for (let fillers = 0; fillers < MAX_WORDS_BEFORE; fillers += 1, place += 1) {
    const kind = kinds[place];
    const separates = values[place] === Delimiter.comma || values[place] === Delimiter.clause;
    if (kind === TokenKind.delimiter && separates && !comma) {
      comma = true;
      continue;
    }
    if (kind !== TokenKind.word) return undefined;
    const { classes } = words[place] as WordEntry;
    if ((classes & WordClass.relation) !== 0) break;
    if ((classes & WordClass.relationFiller) === 0) return undefined;
  }
  if (((words[place]?.classes ?? 0) & WordClass.relation) === 0) return undefined;
  for (let fillers = 0; fillers < MAX_WORDS_AFTER; fillers += 1) {
    place += 1;
    if (startsValue(tokens, place)) return place;
    if (((words[place]?.classes ?? 0) & WordClass.relationFiller) === 0) return undefined;
  }
  return undefined;
}

/** A number, a signed number or a parenthesis begins at the token. */
function startsValue(tokens: Tokens, at: number): boolean {
  const kind = tokens.kinds[at];
  if (kind === TokenKind.number || kind === TokenKind.open) return true;
  return kind === TokenKind.operator && tokens.kinds[at + 1] === TokenKind.number;
}

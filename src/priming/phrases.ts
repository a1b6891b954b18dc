/**
 * Sentences of the teacher. A phrase is text with slots `$name`; `{...}` encloses the characters that make it an instance of
 * the habit its table is for, and phrases of other tables have none. Every phrase starts with the space or mark that joins it
 * to the text before. Wording is kept short, because a long search must fit into few tokens, and each table keeps to words
 * that belong to no other habit: no aim in a backward phrase, no verdict in an aim.
 */

/** Opens a thought with the target, so that what it is compared with stands near. */
export const OPENING = [" The target is $target.", " We want $target.", " Make $target."] as const;

/** A verdict after the result of a full attempt that misses the target. */
export const CHECK_MISS = [", {not $target}.", ", {no}.", ", {no}.", ". {Not $target}."] as const;

/** A verdict after the result that is the target. */
export const CHECK_HIT = [
  ", {yes}.",
  ", {that is $target}.",
  ", {yes}, $target.",
  ". {Yes}, $target.",
] as const;

/** Leaves one attempt for the next one from the same intermediate value. */
export const BACK_TO_VALUE = [" {Try again}:", " {Back}:", " {Back to $value}:"] as const;

/** Leaves an intermediate value for the numbers. */
export const BACK_TO_NUMBERS = [
  " {Leave $value}.",
  " {Go back}.",
  " {Start over}.",
  " {Back to the numbers}.",
  " {Drop $value}.",
] as const;

/** Leaves one choice of the last number for another. */
export const GO_BACK = [
  " {Go back}.",
  " {Back to the numbers}.",
  " {Start over}.",
  " {Try again}.",
] as const;

/** Names the intermediate value of the first attempt as an aim. */
export const FIRST_AIM = [
  " {First aim for $value}:",
  " {First get $value}:",
  " {Aim for $value first}:",
] as const;

/** Names the intermediate value of a later attempt as an aim. */
export const NEXT_AIM = [
  " {Next aim for $value}:",
  " {Aim for $value}:",
  " {Now aim for $value}:",
  " {Next goal $value}:",
] as const;

/** Opens the inverse steps over the number that is used last. */
export const KEEP_LAST = [
  " With $held last:",
  " Undo $held:",
  " Put $held last:",
  " If $held comes last:",
] as const;

/** Opens the values that the other numbers give. */
export const OTHERS = [" From $rest:", " Now $rest:", " With $rest:"] as const;

/** Names the values that were derived as an aim for the other numbers. */
export const DERIVED_AIM = [
  " {Aim for $value from $rest}:",
  " {Try to get $value from $rest}:",
  " {Next aim for $value with $rest}:",
] as const;

/** Takes an attempt that misses, because the search ends here. */
export const SETTLE = [" Settle for $value.", " Stop with $value.", " Keep $value."] as const;

/** Two steps without any habit: before the first, between, after the last. */
export const DIRECT = [
  [" Take", ", then", "."],
  [" Use", ", and", "."],
  [" Work out", ", then", "."],
  [" Start with", ". Then", "."],
  ["", ", so", "."],
] as const;

/** The filler of `length_matched`: one token. */
export const FILLER = " .";

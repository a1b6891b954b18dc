/** Sentences of the pretraining documents that the teacher itself does not write. Slots as in phrases.ts; no habit marks. */

/** One fact; `$equation` is `9 + 8 = 17`, `$sum` its left side, `$value` its result. */
export const FACTS = [
  " $equation.",
  " $equation.",
  " $sum is $value.",
  " $sum makes $value.",
  " $value is $sum.",
] as const;

/** States what the results below are compared with. */
export const COMPARE_WITH = [
  " Aim for $target.",
  " Make $target.",
  " The target is $target.",
  " We want $target.",
  "Use one to make $target.\n",
] as const;

/** States several values of which one is looked for. */
export const LOOK_FOR = [
  " Look for $list:",
  " One of $list:",
  " Aim for $list:",
  " Try to get $list:",
] as const;

/** Openings of a sentence before a value. */
export const LAST_WORDS = [" So", " Then", " Now"] as const;

/** Everyday sentences with the words of the phrase tables. */
export const PLAIN = [
  " We go back to the start.",
  " They put the numbers last.",
  " Now we leave and try again.",
  " If one comes last, we start over.",
  " The first goal is to get $a from $b.",
  " Drop $a and keep $b.",
  " Start with $a, then work out $b.",
  " First $a, then $b, and $c last.",
  " It is not $a, that is $b.",
  " No, it is $a. Yes, it is $b.",
  " We want $a or $b, so we look for one.",
  " The next one is $a, and the last one is $b.",
  " Use $a to make $b.",
  " Take $a from $b.",
  " Settle for $a or stop with $b.",
  " Try to undo $a, then get $b.",
] as const;

/** Every text of this file, for the vocabulary. */
export const DOCUMENT_TEXTS: readonly string[] = [
  ...FACTS,
  ...COMPARE_WITH,
  ...LOOK_FOR,
  ...LAST_WORDS,
  ...PLAIN,
];

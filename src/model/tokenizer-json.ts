/**
 * The parts of `tokenizer.json` and `tokenizer_config.json` that this package reads itself; everything else is left to
 * @huggingface/tokenizers. Vocabulary and merges (hundreds of thousands of entries) are checked where they are used.
 */
import { z } from "zod";

const stepSchema = z.looseObject({
  type: z.string(),
  add_prefix_space: z.boolean().optional(),
  use_regex: z.boolean().optional(),
  individual_digits: z.boolean().optional(),
  behavior: z.string().optional(),
  invert: z.boolean().optional(),
  pattern: z.union([z.object({ Regex: z.string() }), z.object({ String: z.string() })]).optional(),
});

const preTokenizerSchema = stepSchema.extend({ pretokenizers: z.array(stepSchema).optional() });
export type PreTokenizerJson = z.infer<typeof preTokenizerSchema>;

const modelSchema = z.looseObject({
  type: z.string().optional(),
  vocab: z.custom<object>((value) => typeof value === "object" && value !== null),
  unk_token: z.string().nullish(),
  /** Index of the unknown token of a Unigram model. */
  unk_id: z.number().int().nullish(),
  dropout: z.number().nullish(),
  continuing_subword_prefix: z.string().nullish(),
  end_of_word_suffix: z.string().nullish(),
  ignore_merges: z.boolean().nullish(),
  merges: z.custom<readonly (string | readonly [string, string])[]>(Array.isArray).optional(),
});
export type ModelJson = z.infer<typeof modelSchema>;

/** A token with an id of its own that is found in the text before anything else is done with it. */
const addedTokenSchema = z.looseObject({
  id: z.number().int().min(0),
  content: z.string().min(1),
  single_word: z.boolean().default(false),
  lstrip: z.boolean().default(false),
  rstrip: z.boolean().default(false),
  normalized: z.boolean().default(true),
  special: z.boolean().default(false),
});
export type AddedTokenJson = z.infer<typeof addedTokenSchema>;

export const tokenizerJsonSchema = z.looseObject({
  added_tokens: z.array(addedTokenSchema).default([]),
  normalizer: z.looseObject({ type: z.string() }).nullish(),
  pre_tokenizer: preTokenizerSchema.nullish(),
  post_processor: z.looseObject({ type: z.string() }).nullish(),
  decoder: z.looseObject({ type: z.string() }).nullish(),
  model: modelSchema,
});
export type TokenizerJson = z.infer<typeof tokenizerJsonSchema>;

/** A token named by its text, or by an object as older versions of transformers write it. */
const namedTokenSchema = z
  .union([z.string(), z.looseObject({ content: z.string() })])
  .nullish()
  .transform((token) => (typeof token === "object" ? token?.content : token) ?? undefined);

/** Tokens with a role; the same keys stand in `tokenizer_config.json` and `special_tokens_map.json`. */
export const specialTokensSchema = z.looseObject({
  bos_token: namedTokenSchema,
  eos_token: namedTokenSchema,
  pad_token: namedTokenSchema,
  unk_token: namedTokenSchema,
  additional_special_tokens: z.array(namedTokenSchema).nullish(),
});
export type SpecialTokens = z.infer<typeof specialTokensSchema>;

export const tokenizerConfigSchema = specialTokensSchema.extend({
  added_tokens_decoder: z.record(z.string(), addedTokenSchema.omit({ id: true })).nullish(),
  chat_template: z
    .union([z.string(), z.array(z.object({ name: z.string(), template: z.string() }))])
    .nullish(),
});
export type TokenizerConfig = z.infer<typeof tokenizerConfigSchema>;

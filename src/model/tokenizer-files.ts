/** The files of a tokenizer: which they are, what is read from them, and their bytes, so that a saved model keeps them unchanged. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { DataError, hasErrorCode, messageOf } from "../util/errors.ts";
import {
  type SpecialTokens,
  specialTokensSchema,
  type TokenizerConfig,
  type TokenizerJson,
  tokenizerConfigSchema,
  tokenizerJsonSchema,
} from "./tokenizer-json.ts";

/** Files kept beside a model; only the first is needed. */
const FILE_NAMES = [
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
  "chat_template.jinja",
  "vocab.json",
  "merges.txt",
  "vocab.txt",
  "tokenizer.model",
  // Not of the tokenizer, but about its tokens: generation-config.ts reads it.
  "generation_config.json",
] as const;

export interface TokenizerFiles {
  readonly json: object;
  readonly configJson: object;
  /** Checked contents, with the added tokens of all files and their roles. */
  readonly tokenizer: TokenizerJson;
  readonly config: TokenizerConfig;
  /** Entries of the model's vocabulary, without added tokens. */
  readonly vocabulary: ReadonlyMap<string, number>;
  readonly roles: SpecialTokens;
  readonly chatTemplate: string | undefined;
  readonly bytes: ReadonlyMap<string, Uint8Array>;
}

/** Files of a tokenizer that has not been saved yet. */
export function tokenizerFilesOf(json: object, configJson: object): TokenizerFiles {
  const text = (value: object) => Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
  const bytes = new Map([
    ["tokenizer.json", text(json)],
    ["tokenizer_config.json", text(configJson)],
  ]);
  return interpret(json, configJson, bytes);
}

/**
 * Reads the files of a folder and makes something of them.
 * @throws DataError `model.bad_tokenizer` naming the folder, for unreadable files and for any error of `make`.
 */
export async function readTokenizerFiles<T>(
  folder: string,
  make: (files: TokenizerFiles) => T,
): Promise<T> {
  const file = path.join(folder, "tokenizer.json");
  try {
    const bytes = new Map<string, Uint8Array>();
    for (const name of FILE_NAMES) {
      const content = await readIfPresent(path.join(folder, name));
      if (content !== undefined) bytes.set(name, content);
    }
    const json = parseJson(bytes, "tokenizer.json");
    if (json === undefined) {
      throw new Error(
        bytes.size === 0 ? "no such file" : `no such file; found ${[...bytes.keys()].join(", ")}`,
      );
    }
    return make(interpret(json, parseJson(bytes, "tokenizer_config.json") ?? {}, bytes));
  } catch (cause) {
    throw new DataError(`loading the tokenizer "${file}": ${messageOf(cause)}`, {
      code: "model.bad_tokenizer",
      hint: "the folder must hold a tokenizer.json of the Hugging Face tokenizers library; save_pretrained of a fast tokenizer in Python transformers writes one",
      cause,
    });
  }
}

function interpret(
  json: object,
  configJson: object,
  bytes: ReadonlyMap<string, Uint8Array>,
): TokenizerFiles {
  const read = check("tokenizer.json", tokenizerJsonSchema, json);
  const config = check("tokenizer_config.json", tokenizerConfigSchema, configJson);
  const mapJson = parseJson(bytes, "special_tokens_map.json") ?? {};
  const map = check("special_tokens_map.json", specialTokensSchema, mapJson);
  const defined = Object.entries(config).filter(([, value]) => value !== undefined);
  const roles = { ...map, ...Object.fromEntries(defined) } as SpecialTokens;
  const vocabulary = vocabularyOf(read);
  const tokenizer = { ...read, added_tokens: addedTokens(read, config, roles) };
  const template = bytes.get("chat_template.jinja");
  const chatTemplate =
    template === undefined ? defaultTemplate(config) : Buffer.from(template).toString("utf8");
  return { json, configJson, tokenizer, config, vocabulary, roles, chatTemplate, bytes };
}

/** Added tokens of `tokenizer.json` and those that only `tokenizer_config.json` has; tokens with a role are special. */
function addedTokens(
  { added_tokens }: TokenizerJson,
  config: TokenizerConfig,
  roles: SpecialTokens,
): TokenizerJson["added_tokens"] {
  const known = new Set(added_tokens.map((token) => token.content));
  const more = Object.entries(config.added_tokens_decoder ?? {}).flatMap(([id, token]) =>
    known.has(token.content) ? [] : [{ ...token, id: Number(id) }],
  );
  const named = new Set([
    roles.bos_token,
    roles.eos_token,
    roles.pad_token,
    ...(roles.additional_special_tokens ?? []),
  ]);
  return [...added_tokens, ...more].map((token) =>
    named.has(token.content) ? { ...token, special: true } : token,
  );
}

function vocabularyOf({ model }: TokenizerJson): ReadonlyMap<string, number> {
  // A Unigram model lists pairs of token and score, any other maps tokens to ids.
  if (Array.isArray(model.vocab)) {
    return new Map((model.vocab as [string, number][]).map(([token], id) => [token, id]));
  }
  return new Map(Object.entries(model.vocab as Record<string, number>));
}

function defaultTemplate({ chat_template: template }: TokenizerConfig): string | undefined {
  if (!Array.isArray(template)) return template ?? undefined;
  return template.find(({ name }) => name === "default")?.template;
}

function check<T>(name: string, schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new Error(`${name}: ${z.prettifyError(parsed.error)}`, { cause: parsed.error });
}

function parseJson(bytes: ReadonlyMap<string, Uint8Array>, name: string): object | undefined {
  const content = bytes.get(name);
  if (content === undefined) return undefined;
  try {
    return JSON.parse(Buffer.from(content).toString("utf8")) as object;
  } catch (cause) {
    throw new Error(`${name}: ${messageOf(cause)}`, { cause });
  }
}

async function readIfPresent(file: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(file);
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

/** Defaults of a checkpoint for sampling: `generation_config.json`, with `config.json` and the tokenizer where it says nothing. */
import { z } from "zod";
import { DataError, messageOf } from "../util/errors.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** What a sampler and a server take when a request does not say. */
export interface GenerationDefaults {
  /** Each of these tokens ends a text; at least one. */
  readonly eosTokenIds: readonly number[];
  /** Written at the end of a text to train on: the tokenizer's end token where sampling stops at it. */
  readonly endTokenId: number;
  readonly padTokenId: number | undefined;
  readonly bosTokenId: number | undefined;
  /** False where the checkpoint asks for the likeliest token at each step, whatever its temperature says. */
  readonly doSample: boolean | undefined;
  readonly temperature: number | undefined;
  readonly topP: number | undefined;
  /** Undefined and 0 in the file both mean no limit. */
  readonly topK: number | undefined;
  readonly minP: number | undefined;
  readonly repetitionPenalty: number | undefined;
  readonly maxNewTokens: number | undefined;
}

const tokenId = z.number().int().min(0);

const fileSchema = z.looseObject({
  eos_token_id: z.union([tokenId, z.array(tokenId)]).nullish(),
  pad_token_id: tokenId.nullish(),
  bos_token_id: z.union([tokenId, z.array(tokenId).min(1)]).nullish(),
  do_sample: z.boolean().nullish(),
  temperature: z.number().min(0).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  top_k: z.number().int().min(0).nullish(),
  min_p: z.number().min(0).max(1).nullish(),
  repetition_penalty: z.number().positive().nullish(),
  max_new_tokens: z.number().int().positive().nullish(),
});

/**
 * Defaults of a loaded model.
 * @throws DataError `model.bad_generation_config` naming each field that is not as expected
 */
export function generationDefaults(
  config: { readonly eosTokenIds: readonly number[] },
  tokenizer: Tokenizer,
): GenerationDefaults {
  const file = readFile(tokenizer);
  const named = [file.eos_token_id ?? []].flat();
  const eosTokenIds = named.length > 0 ? named : config.eosTokenIds;
  const end = tokenizer.eosTokenId;
  return {
    eosTokenIds,
    endTokenId: end !== undefined && eosTokenIds.includes(end) ? end : (eosTokenIds[0] as number),
    padTokenId: file.pad_token_id ?? tokenizer.padTokenId,
    bosTokenId: [file.bos_token_id ?? []].flat()[0] ?? tokenizer.bosTokenId,
    doSample: file.do_sample ?? undefined,
    temperature: file.temperature ?? undefined,
    topP: file.top_p ?? undefined,
    topK: file.top_k || undefined,
    minP: file.min_p ?? undefined,
    repetitionPenalty: file.repetition_penalty ?? undefined,
    maxNewTokens: file.max_new_tokens ?? undefined,
  };
}

/** A configuration whose end tokens are those of the defaults, the one to train on first. */
export function withEndTokens<T extends { readonly eosTokenIds: readonly number[] }>(
  config: T,
  { eosTokenIds, endTokenId }: GenerationDefaults,
): T & { readonly eosTokenId: number } {
  const others = eosTokenIds.filter((id) => id !== endTokenId);
  return { ...config, eosTokenId: endTokenId, eosTokenIds: [endTokenId, ...others] };
}

function readFile(tokenizer: Tokenizer): z.infer<typeof fileSchema> {
  const bytes = tokenizer.files.get("generation_config.json");
  if (bytes === undefined) return {};
  try {
    const parsed = fileSchema.safeParse(JSON.parse(Buffer.from(bytes).toString("utf8")));
    if (parsed.success) return parsed.data;
    throw new Error(z.prettifyError(parsed.error), { cause: parsed.error });
  } catch (cause) {
    throw new DataError(`reading generation_config.json of the checkpoint: ${messageOf(cause)}`, {
      code: "model.bad_generation_config",
      hint: "correct the field, or delete the file: config.json names the end token too",
      cause,
    });
  }
}

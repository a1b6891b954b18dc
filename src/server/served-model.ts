/** A checkpoint as a server needs it: its weights in the engine, its tokenizer, template and limits on the HTTP side. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { ChatTemplate } from "../model/chat-template.ts";
import { type LanguageModel, loadCheckpoint } from "../model/checkpoint.ts";
import type { ModelConfig } from "../model/config.ts";
import { generationDefaults, withEndTokens } from "../model/generation-config.ts";
import { parseModelConfig } from "../model/hub-config.ts";
import { Tokenizer } from "../model/tokenizer.ts";
import { DataError, messageOf } from "../util/errors.ts";
import type { ServedModel } from "./plan.ts";

/** The model with the end tokens of its `generation_config.json`. */
export async function loadModel(folder: string): Promise<LanguageModel> {
  const model = await loadCheckpoint(folder);
  return { ...model, config: servedConfig(model.config, model.tokenizer) };
}

/** What the HTTP side needs; does not read the weights. */
export async function loadServedModel(folder: string, id: string): Promise<ServedModel> {
  const tokenizer = await Tokenizer.load(folder);
  return servedModel({ config: await readConfig(folder), tokenizer }, id);
}

/** The same from a model in memory. */
export function servedModel(
  { config, tokenizer }: Pick<LanguageModel, "config" | "tokenizer">,
  id: string,
): ServedModel {
  const { doSample, temperature, topK, topP, minP } = generationDefaults(config, tokenizer);
  const template = tokenizer.chatTemplate === undefined ? undefined : new ChatTemplate(tokenizer);
  return {
    id,
    config: servedConfig(config, tokenizer),
    tokenizer,
    defaults: { temperature: doSample === false ? 0 : (temperature ?? 1), topK, topP, minP },
    ...(template && {
      encodeChat: (messages) => template.encode(messages.map((message) => ({ ...message }))),
    }),
  };
}

function servedConfig(config: ModelConfig, tokenizer: Tokenizer): ModelConfig {
  return withEndTokens(config, generationDefaults(config, tokenizer));
}

async function readConfig(folder: string): Promise<ModelConfig> {
  const file = path.join(folder, "config.json");
  let value: unknown;
  try {
    value = JSON.parse(await readFile(file, "utf8"));
  } catch (cause) {
    throw new DataError(`reading "${file}": ${messageOf(cause)}`, {
      code: "server.no_checkpoint",
      hint: "give a checkpoint folder with config.json, weights and tokenizer.json",
      cause,
    });
  }
  return parseModelConfig(value, file);
}

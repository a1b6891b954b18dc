/**
 * Checkpoint folders in the layout that Python transformers loads: `config.json`, `model.safetensors`,
 * `tokenizer.json`, `tokenizer_config.json`, `generation_config.json`.
 */
import { mkdir, readFile } from "node:fs/promises";
import path from "node:path";
import { writeFileAtomic } from "../data/atomic.ts";
import { DataError, messageOf } from "../util/errors.ts";
import type { ModelConfig } from "./config.ts";
import { parseModelConfig, toHubConfig } from "./hub-config.ts";
import { hubParts } from "./hub-tensors.ts";
import { languageModelSpecs, Parameters, sizeOf } from "./parameters.ts";
import { type NamedTensor, readSafetensors, writeSafetensors } from "./safetensors.ts";
import { Tokenizer } from "./tokenizer.ts";

/** A language model in memory. */
export interface LanguageModel {
  readonly config: ModelConfig;
  readonly parameters: Parameters;
  readonly tokenizer: Tokenizer;
}

/**
 * Loads a checkpoint folder.
 * @throws DataError naming the file and what is missing, unsupported or of the wrong shape.
 */
export async function loadCheckpoint(folder: string): Promise<LanguageModel> {
  const configFile = path.join(folder, "config.json");
  let value: unknown;
  try {
    value = JSON.parse(await readFile(configFile, "utf8"));
  } catch (cause) {
    throw new DataError(`loading the checkpoint "${folder}": ${messageOf(cause)}`, {
      code: "model.read_failed",
      hint: "expected a folder with config.json, model.safetensors and tokenizer.json",
      cause,
    });
  }
  const config = parseModelConfig(value, configFile);
  const file = path.join(folder, "model.safetensors");
  const tensors = new Map((await readSafetensors(file)).map((tensor) => [tensor.name, tensor]));
  const parameters = new Parameters(languageModelSpecs(config));
  for (const part of hubParts(config)) {
    const tensor = tensors.get(part.hubName);
    if (tensor === undefined || tensor.shape.join() !== part.shape.join()) {
      const found = tensor === undefined ? "none" : `[${tensor.shape.join(", ")}]`;
      throw new DataError(
        `loading "${file}": expected tensor "${part.hubName}" [${part.shape.join(", ")}], found ${found}`,
        {
          code: "model.bad_tensor",
          hint: "the weights do not belong to the config.json beside them",
        },
      );
    }
    parameters.views[part.internalName]?.set(tensor.data, part.offset);
  }
  return { config, parameters, tokenizer: await Tokenizer.load(folder) };
}

/** Saves a checkpoint folder; equal models give equal bytes. */
export async function saveCheckpoint(folder: string, model: LanguageModel): Promise<void> {
  const { config, parameters, tokenizer } = model;
  await mkdir(folder, { recursive: true });
  const tensors: NamedTensor[] = hubParts(config).map((part) => {
    const whole = parameters.views[part.internalName] as Float32Array;
    const data = whole.subarray(part.offset, part.offset + sizeOf(part.shape));
    return { name: part.hubName, shape: part.shape, data };
  });
  const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
  const generation = { eos_token_id: config.eosTokenId, pad_token_id: config.padTokenId };
  await writeFileAtomic(path.join(folder, "config.json"), json(toHubConfig(config)));
  await writeFileAtomic(path.join(folder, "generation_config.json"), json(generation));
  await writeFileAtomic(path.join(folder, "tokenizer.json"), json(tokenizer.json));
  await writeFileAtomic(path.join(folder, "tokenizer_config.json"), json(tokenizer.configJson));
  await writeSafetensors(path.join(folder, "model.safetensors"), tensors);
}

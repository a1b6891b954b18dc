/**
 * Checkpoint folders in the layout that Python transformers loads: `config.json`, `model.safetensors` or
 * shards of it, `tokenizer.json`, `tokenizer_config.json`, `generation_config.json`.
 */
import { mkdir, readFile } from "node:fs/promises";
import path from "node:path";
import { writeFileAtomic } from "../data/atomic.ts";
import { DataError, messageOf } from "../util/errors.ts";
import type { ModelConfig } from "./config.ts";
import { generationDefaults, withEndTokens } from "./generation-config.ts";
import { parseModelConfig, toHubConfig } from "./hub-config.ts";
import { type HubPart, hubParts } from "./hub-tensors.ts";
import { languageModelSpecs, Parameters, sizeOf } from "./parameters.ts";
import type { NamedTensor } from "./safetensors.ts";
import { Tokenizer } from "./tokenizer.ts";
import {
  type StoredTensor,
  type WeightFileOptions,
  WeightFiles,
  writeWeights,
} from "./weight-files.ts";

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
  const parsed = parseModelConfig(value, configFile);
  const parameters = await loadParameters(folder, parsed);
  const tokenizer = await Tokenizer.load(folder);
  const config = withEndTokens(parsed, generationDefaults(parsed, tokenizer));
  return { config, parameters, tokenizer };
}

/** Tensors that transformers leaves aside as well: what is worked out from the configuration, and the copy of a tied head. */
function isIgnored(name: string, config: ModelConfig): boolean {
  return (
    name.endsWith("rotary_emb.inv_freq") || (config.tieEmbeddings && name === "lm_head.weight")
  );
}

/** Weights of a folder, read one tensor at a time into their place. */
async function loadParameters(folder: string, config: ModelConfig): Promise<Parameters> {
  await using files = await WeightFiles.open(folder);
  const parts = hubParts(config);
  checkTensors(folder, config, parts, files.tensors);
  const parameters = new Parameters(languageModelSpecs(config));
  for (const { hubName, internalName, shape, offset } of parts) {
    const target = parameters.views[internalName]!.subarray(offset, offset + sizeOf(shape));
    await files.tensors.get(hubName)!.source.read(hubName, target);
  }
  return parameters;
}

/** @throws DataError `model.bad_tensor` naming every tensor that is missing, of another shape, or that no part of the model reads. */
function checkTensors(
  folder: string,
  config: ModelConfig,
  parts: readonly HubPart[],
  found: ReadonlyMap<string, StoredTensor>,
): void {
  const format = (shape: readonly number[]) => `[${shape.join(", ")}]`;
  const problems = parts.flatMap(({ hubName, shape }) => {
    const tensor = found.get(hubName);
    if (tensor === undefined) return [`"${hubName}" ${format(shape)} is missing`];
    if (format(tensor.shape) === format(shape)) return [];
    return [`"${hubName}" is ${format(tensor.shape)}, expected ${format(shape)}`];
  });
  const known = new Set(parts.map(({ hubName }) => hubName));
  for (const name of found.keys()) {
    if (!known.has(name) && !isIgnored(name, config)) {
      problems.push(`"${name}" is not a tensor of a ${config.architecture} model`);
    }
  }
  if (problems.length === 0) return;
  const shown = problems.slice(0, 5).join("; ");
  const more = problems.length > 5 ? `; and ${problems.length - 5} more` : "";
  throw new DataError(`loading the weights of "${folder}": ${shown}${more}`, {
    code: "model.bad_tensor",
    hint: "the weights do not belong to the config.json beside them, or are of a model that is not supported: supported are the plain decoders of llama, qwen2 and qwen3",
  });
}

/**
 * Saves a checkpoint folder; equal models give equal bytes.
 * @throws DataError `model.float16_overflow` for a weight that float16 cannot hold.
 */
export async function saveCheckpoint(
  folder: string,
  model: LanguageModel,
  options: WeightFileOptions = {},
): Promise<void> {
  const { config, parameters, tokenizer } = model;
  await mkdir(folder, { recursive: true });
  const tensors: NamedTensor[] = hubParts(config).map((part) => {
    const whole = parameters.views[part.internalName] as Float32Array;
    const data = whole.subarray(part.offset, part.offset + sizeOf(part.shape));
    return { name: part.hubName, shape: part.shape, data };
  });
  const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
  const hubConfig = toHubConfig(config, options.dtype);
  const generation = { eos_token_id: hubConfig.eos_token_id, pad_token_id: config.padTokenId };
  await writeFileAtomic(path.join(folder, "config.json"), json(hubConfig));
  // A loaded tokenizer keeps its files, generation_config.json among them.
  await writeFileAtomic(path.join(folder, "generation_config.json"), json(generation));
  await tokenizer.save(folder);
  await writeWeights(folder, tensors, options);
}

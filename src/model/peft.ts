/**
 * Adapters in the folder format of Python PEFT (0.21): `adapter_config.json` and `adapter_model.safetensors`. Written so that
 * PeftModel.from_pretrained loads them; of what PEFT writes, plain LoRA on the linear layers of the blocks is read and the rest refused
 * by name.
 */
import { mkdir, readFile } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { writeFileAtomic } from "../data/atomic.ts";
import { DataError, messageOf } from "../util/errors.ts";
import type { ModelConfig } from "./config.ts";
import type { CheckpointDType } from "./dtype.ts";
import {
  adaptedProjections,
  adapterName,
  adapterSpecs,
  type LoraSpec,
  type ProjectionPlace,
} from "./lora.ts";
import { Parameters } from "./parameters.ts";
import { PROJECTIONS } from "./projections.ts";
import { SafetensorsFile, writeSafetensors } from "./safetensors.ts";

const CONFIG_FILE = "adapter_config.json";
const WEIGHTS_FILE = "adapter_model.safetensors";

/** Adapters of a language model. */
export interface Adapter {
  readonly spec: LoraSpec;
  readonly parameters: Parameters;
  /** Folder or hub name of the adapted model. */
  readonly baseModel?: string;
}

const off = z.union([z.literal(false), z.null()]).optional();
const empty = z.union([z.null(), z.strictObject({}), z.tuple([])]).optional();
const adapterConfigSchema = z.looseObject({
  peft_type: z.literal("LORA"),
  r: z.number().int().positive(),
  lora_alpha: z.number().positive(),
  lora_dropout: z.number().min(0).lt(1).default(0),
  base_model_name_or_path: z.string().nullish(),
  bias: z.literal("none").default("none"),
  fan_in_fan_out: off,
  use_rslora: off,
  use_dora: off,
  use_qalora: off,
  lora_bias: off,
  modules_to_save: empty,
  rank_pattern: empty,
  alpha_pattern: empty,
  trainable_token_indices: empty,
  target_parameters: empty,
  layer_replication: empty,
});

/** Tensor name in `adapter_model.safetensors`. */
function hubName({ layer, site, projection }: ProjectionPlace, side: "a" | "b"): string {
  const module = site === "qkv" || site === "attention_out" ? "self_attn" : "mlp";
  return `base_model.model.model.layers.${layer}.${module}.${projection}.lora_${side.toUpperCase()}.weight`;
}

/** The hub names of all matrices, with their internal names and shapes. */
function namedMatrices(config: ModelConfig, spec: LoraSpec) {
  return adaptedProjections(config, spec).flatMap((place) =>
    (["a", "b"] as const).map((side) => ({
      hub: hubName(place, side),
      internal: adapterName(place.layer, place.projection, side),
      shape: side === "a" ? [spec.rank, place.inputs] : [place.outputs, spec.rank],
    })),
  );
}

/** Saves adapters; equal adapters give equal bytes. */
export async function saveAdapter(
  folder: string,
  config: ModelConfig,
  adapter: Adapter,
  options: { readonly dtype?: CheckpointDType } = {},
): Promise<void> {
  const { spec, parameters, baseModel } = adapter;
  await mkdir(folder, { recursive: true });
  const hubConfig = {
    peft_type: "LORA",
    task_type: "CAUSAL_LM",
    base_model_name_or_path: baseModel ?? null,
    inference_mode: true,
    r: spec.rank,
    lora_alpha: spec.alpha,
    lora_dropout: spec.dropout,
    target_modules: spec.targets ?? PROJECTIONS,
    bias: "none",
    fan_in_fan_out: false,
    use_rslora: false,
    use_dora: false,
    modules_to_save: null,
  };
  const tensors = namedMatrices(config, spec).map(({ hub, internal, shape }) => ({
    name: hub,
    shape,
    data: parameters.views[internal]!,
  }));
  await writeFileAtomic(path.join(folder, CONFIG_FILE), `${JSON.stringify(hubConfig, null, 2)}\n`);
  await writeSafetensors(path.join(folder, WEIGHTS_FILE), tensors, options);
}

/**
 * Loads adapters of a model of shape `config`.
 * @throws DataError `model.unsupported_adapter` naming each setting that is not supported; `model.bad_adapter` for tensors that do not
 * belong to the model; `model.read_failed`.
 */
export async function loadAdapter(folder: string, config: ModelConfig): Promise<Adapter> {
  const hub = await readConfig(path.join(folder, CONFIG_FILE));
  const file = path.join(folder, WEIGHTS_FILE);
  await using source = await SafetensorsFile.open(file);
  const targets = PROJECTIONS.filter((projection) =>
    [...source.entries.keys()].some((name) => name.includes(`.${projection}.`)),
  );
  const spec: LoraSpec = {
    rank: hub.r,
    alpha: hub.lora_alpha,
    dropout: hub.lora_dropout,
    ...(targets.length === PROJECTIONS.length ? {} : { targets }),
  };
  const matrices = namedMatrices(config, spec);
  checkMatrices(file, matrices, source);
  const parameters = new Parameters(adapterSpecs(config, spec));
  for (const { hub: name, internal } of matrices) {
    await source.read(name, parameters.views[internal]!);
  }
  const baseModel = hub.base_model_name_or_path;
  return { spec, parameters, ...(baseModel == null ? {} : { baseModel }) };
}

async function readConfig(file: string) {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(file, "utf8"));
  } catch (cause) {
    throw new DataError(`loading the adapter "${file}": ${messageOf(cause)}`, {
      code: "model.read_failed",
      hint: `an adapter folder holds ${CONFIG_FILE} and ${WEIGHTS_FILE}`,
      cause,
    });
  }
  const parsed = adapterConfigSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path: [field], message }) => {
    const found = (value as Record<PropertyKey, unknown> | null)?.[field ?? ""];
    return `${String(field)}: ${message}, found ${JSON.stringify(found) ?? "nothing"}`;
  });
  throw new DataError(`loading "${file}": unsupported adapter: ${problems.join("; ")}`, {
    code: "model.unsupported_adapter",
    hint: "supported: plain LoRA of one rank on q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj",
  });
}

function checkMatrices(
  file: string,
  matrices: ReturnType<typeof namedMatrices>,
  { entries }: SafetensorsFile,
): void {
  const format = (shape: readonly number[]) => `[${shape.join(", ")}]`;
  const problems = matrices.flatMap(({ hub, shape }) => {
    const found = entries.get(hub)?.shape;
    if (found === undefined) return [`"${hub}" ${format(shape)} is missing`];
    return format(found) === format(shape)
      ? []
      : [`"${hub}" is ${format(found)}, expected ${format(shape)}`];
  });
  const known = new Set(matrices.map(({ hub }) => hub));
  for (const name of entries.keys()) {
    if (!known.has(name)) problems.push(`"${name}" is no adapter of a projection of this model`);
  }
  if (matrices.length === 0) problems.push("no adapted projection");
  if (problems.length === 0) return;
  const more = problems.length > 5 ? `; and ${problems.length - 5} more` : "";
  throw new DataError(`loading "${file}": ${problems.slice(0, 5).join("; ")}${more}`, {
    code: "model.bad_adapter",
    hint: "an adapter belongs to the shape of the model that it was trained on, and covers all its layers",
  });
}

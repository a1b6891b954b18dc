/**
 * The weights of a checkpoint folder: `model.safetensors`, or numbered shards and `model.safetensors.index.json`, which says in which
 * shard each tensor is.
 */
import { existsSync } from "node:fs";
import { readdir, readFile, rm } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { writeFileAtomic } from "../data/atomic.ts";
import { DataError, messageOf } from "../util/errors.ts";
import { type CheckpointDType, DTYPE_BYTES } from "./dtype.ts";
import { type NamedTensor, SafetensorsFile, writeSafetensors } from "./safetensors.ts";

const WHOLE = "model.safetensors";
const INDEX = "model.safetensors.index.json";
const SHARD = /^model-\d{5}-of-\d{5}\.safetensors$/;

const indexSchema = z.object({ weight_map: z.record(z.string(), z.string()) });

/** A tensor of a folder and the open file that holds it. */
export interface StoredTensor {
  readonly source: SafetensorsFile;
  readonly shape: readonly number[];
}

/** The open weight files of a folder. */
export class WeightFiles implements AsyncDisposable {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly #sources: readonly SafetensorsFile[];

  private constructor(sources: readonly SafetensorsFile[], tensors: Map<string, StoredTensor>) {
    this.#sources = sources;
    this.tensors = tensors;
  }

  /**
   * Opens the single file where there is one, else the shards of the index, as transformers does.
   * @throws DataError `model.read_failed`, `model.bad_index`, `model.bad_safetensors`.
   */
  static async open(folder: string): Promise<WeightFiles> {
    const index = path.join(folder, INDEX);
    const isSharded = !existsSync(path.join(folder, WHOLE)) && existsSync(index);
    if (!isSharded) await checkWhole(folder);
    const map = isSharded ? await readIndex(index) : undefined;
    const names = map === undefined ? [WHOLE] : [...new Set(map.values())].sort();
    const sources: SafetensorsFile[] = [];
    try {
      for (const name of names) sources.push(await SafetensorsFile.open(path.join(folder, name)));
      return new WeightFiles(sources, collect(sources, map, index));
    } catch (error) {
      for (const source of sources) await source[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const source of this.#sources) await source[Symbol.asyncDispose]();
  }
}

/** Says what is there where the weights are in another format. */
async function checkWhole(folder: string): Promise<void> {
  if (existsSync(path.join(folder, WHOLE))) return;
  const files = existsSync(folder) ? await readdir(folder) : [];
  const others = files.filter((name) =>
    /\.(bin|pth?|gguf|safetensors|msgpack|h5|onnx)$/.test(name),
  );
  throw new DataError(
    `loading the weights of "${folder}": expected "${WHOLE}" or "${INDEX}", found ${others.join(", ") || "neither"}`,
    {
      code: "model.read_failed",
      hint: "save the model with safe serialization: model.save_pretrained(folder) in Python transformers",
    },
  );
}

async function readIndex(file: string): Promise<Map<string, string>> {
  try {
    const { weight_map } = indexSchema.parse(JSON.parse(await readFile(file, "utf8")));
    const outside = Object.values(weight_map).find((name) => path.basename(name) !== name);
    if (outside !== undefined) throw new Error(`"${outside}" is not a file name of this folder`);
    return new Map(Object.entries(weight_map));
  } catch (cause) {
    throw new DataError(`reading "${file}": ${messageOf(cause)}`, {
      code: "model.bad_index",
      hint: "expected { weight_map: { tensor: file } }; copy or save the checkpoint again",
      cause,
    });
  }
}

function collect(
  sources: readonly SafetensorsFile[],
  map: ReadonlyMap<string, string> | undefined,
  index: string,
): Map<string, StoredTensor> {
  const tensors = new Map<string, StoredTensor>();
  for (const source of sources) {
    for (const [name, { shape }] of source.entries) {
      const isHere = map === undefined || map.get(name) === path.basename(source.file);
      if (isHere) tensors.set(name, { source, shape });
    }
  }
  const lost = [...(map?.keys() ?? [])].find((name) => !tensors.has(name));
  if (lost === undefined) return tensors;
  throw new DataError(`reading "${index}": tensor "${lost}" is not in "${map?.get(lost)}"`, {
    code: "model.bad_index",
    hint: "the index and the shards are of different checkpoints; copy or save it again",
  });
}

export interface WeightFileOptions {
  /** Number type in the files; default float32. */
  readonly dtype?: CheckpointDType;
  /** Largest file; a tensor larger than that gets a file of its own. Default 5e9, as transformers 4 has it. */
  readonly maxShardBytes?: number;
}

/** Writes weights as one file or several, and removes those of an earlier save that no longer belong. */
export async function writeWeights(
  folder: string,
  tensors: readonly NamedTensor[],
  { dtype = "float32", maxShardBytes = 5e9 }: WeightFileOptions = {},
): Promise<void> {
  const shards = cutShards(tensors, DTYPE_BYTES[dtype], maxShardBytes);
  const number = (value: number) => String(value).padStart(5, "0");
  const names = shards.map((_, i) =>
    shards.length === 1 ? WHOLE : `model-${number(i + 1)}-of-${number(shards.length)}.safetensors`,
  );
  for (const [i, shard] of shards.entries()) {
    await writeSafetensors(path.join(folder, names[i]!), shard, { dtype });
  }
  if (shards.length > 1) {
    const total = tensors.reduce((sum, { data }) => sum + data.length * DTYPE_BYTES[dtype], 0);
    const weightMap = shards.flatMap((shard, i) => shard.map(({ name }) => [name, names[i]!]));
    const index = {
      metadata: { total_size: total },
      weight_map: Object.fromEntries(weightMap) as Record<string, string>,
    };
    await writeFileAtomic(path.join(folder, INDEX), `${JSON.stringify(index, null, 2)}\n`);
  }
  const kept = new Set(shards.length > 1 ? [...names, INDEX] : names);
  for (const name of await readdir(folder)) {
    const isWeights = name === WHOLE || name === INDEX || SHARD.test(name);
    if (isWeights && !kept.has(name)) await rm(path.join(folder, name));
  }
}

function cutShards(
  tensors: readonly NamedTensor[],
  width: number,
  maxShardBytes: number,
): NamedTensor[][] {
  const shards: NamedTensor[][] = [[]];
  let bytes = 0;
  for (const tensor of tensors) {
    const own = tensor.data.length * width;
    if (bytes > 0 && bytes + own > maxShardBytes) {
      shards.push([]);
      bytes = 0;
    }
    shards.at(-1)!.push(tensor);
    bytes += own;
  }
  return shards;
}

/**
 * The safetensors file format: 8 bytes little-endian header length, a JSON header, then raw little-endian tensor data.
 * Format: https://github.com/huggingface/safetensors (README, "Format"). Writes and reads float32 here.
 */
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { writeFileAtomic } from "../data/atomic.ts";
import { DataError, messageOf } from "../util/errors.ts";

export interface NamedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

const HEADER_LIMIT_BYTES = 100_000_000; // the limit of the reference reader

const entrySchema = z.object({
  dtype: z.string(),
  shape: z.array(z.number().int().nonnegative()),
  data_offsets: z.tuple([z.number().int().nonnegative(), z.number().int().nonnegative()]),
});

/** File bytes of float32 tensors; equal tensors in equal order give equal bytes. */
export function encodeSafetensors(
  tensors: readonly NamedTensor[],
  metadata: Readonly<Record<string, string>> = { format: "pt" },
): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let offset = 0;
  for (const tensor of tensors) {
    const end = offset + tensor.data.length * 4;
    header[tensor.name] = { dtype: "F32", shape: tensor.shape, data_offsets: [offset, end] };
    offset = end;
  }
  let text = JSON.stringify(header);
  text += " ".repeat((8 - (Buffer.byteLength(text) % 8)) % 8); // data starts 8-byte aligned
  const headerBytes = Buffer.from(text, "utf8");
  const bytes = new Uint8Array(8 + headerBytes.length + offset);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(headerBytes.length), true);
  bytes.set(headerBytes, 8);
  let at = 8 + headerBytes.length;
  for (const { data } of tensors) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
}

/**
 * Tensors of a file's bytes, in file order of their data.
 * @throws DataError `model.bad_safetensors` for a broken header, offsets outside the file or another type than F32.
 */
export function decodeSafetensors(bytes: Uint8Array, where: string): NamedTensor[] {
  const fail = (problem: string): DataError =>
    new DataError(`reading "${where}": ${problem}`, {
      code: "model.bad_safetensors",
      hint: "the file may be cut off or not be a float32 safetensors file; save it again",
    });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.byteLength < 8) throw fail(`expected at least 8 bytes, found ${bytes.byteLength}`);
  const headerLength = Number(view.getBigUint64(0, true));
  if (headerLength > HEADER_LIMIT_BYTES || 8 + headerLength > bytes.byteLength) {
    throw fail(`header of ${headerLength} bytes does not fit into the file's ${bytes.byteLength}`);
  }
  let header: Record<string, unknown>;
  try {
    header = z
      .record(z.string(), z.unknown())
      .parse(JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset + 8, headerLength).toString()));
  } catch (cause) {
    throw fail(`the header is not a JSON object (${messageOf(cause).slice(0, 80)})`);
  }
  const tensors: (NamedTensor & { start: number })[] = [];
  for (const [name, value] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const entry = entrySchema.safeParse(value);
    if (!entry.success) throw fail(`tensor "${name}" has no valid dtype, shape and data_offsets`);
    const { dtype, shape, data_offsets } = entry.data;
    if (dtype !== "F32") throw fail(`tensor "${name}" is ${dtype}, expected F32`);
    const [start, end] = data_offsets;
    const count = shape.reduce((product, extent) => product * extent, 1);
    if (end - start !== count * 4 || 8 + headerLength + end > bytes.byteLength) {
      throw fail(`tensor "${name}" [${shape.join(", ")}] does not fit its bytes ${start}-${end}`);
    }
    const from = bytes.byteOffset + 8 + headerLength + start;
    const data = new Float32Array(bytes.buffer.slice(from, from + count * 4) as ArrayBuffer);
    tensors.push({ name, shape, data, start });
  }
  return tensors
    .sort((a, b) => a.start - b.start)
    .map(({ name, shape, data }) => ({ name, shape, data }));
}

/** Reads a float32 safetensors file. */
export async function readSafetensors(file: string): Promise<NamedTensor[]> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    throw new DataError(`reading "${file}": ${messageOf(cause)}`, {
      code: "model.read_failed",
      hint: "a checkpoint folder holds config.json, model.safetensors and tokenizer.json",
      cause,
    });
  }
  return decodeSafetensors(bytes, file);
}

/** Writes a float32 safetensors file, atomically. */
export async function writeSafetensors(
  file: string,
  tensors: readonly NamedTensor[],
  metadata?: Readonly<Record<string, string>>,
): Promise<void> {
  await writeFileAtomic(file, encodeSafetensors(tensors, metadata));
}

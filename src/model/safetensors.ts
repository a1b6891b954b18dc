/**
 * The safetensors file format: 8 bytes little-endian header length, a JSON header, then raw little-endian tensor data.
 * Format: https://github.com/huggingface/safetensors (README, "Format"). Tensors are read and written one at a time by their place
 * in the file, in pieces, so that a file of any size costs no memory beyond the tensors themselves.
 */
import { type FileHandle, open } from "node:fs/promises";
import { z } from "zod";
import { writeBytesAtomic } from "../data/atomic.ts";
import { DataError, messageOf } from "../util/errors.ts";
import { type CheckpointDType, DTYPE_BYTES, FLOAT16_MAX, narrow, widen } from "./dtype.ts";
import { sizeOf } from "./parameters.ts";

export interface NamedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Place of a tensor in a file. */
export interface TensorEntry {
  readonly shape: readonly number[];
  /** As in the file; only the types of `DTYPES` can be read. */
  readonly dtype: string;
  /** First byte, from the start of the file. */
  readonly start: number;
  readonly end: number;
}

const HEADER_LIMIT_BYTES = 100_000_000; // the limit of the reference reader
/** Numbers converted or moved at a time; also keeps each call below the 2 GB that the system reads at once. */
const PIECE = 1 << 22;

const DTYPES: ReadonlyMap<string, CheckpointDType> = new Map([
  ["F32", "float32"],
  ["F16", "float16"],
  ["BF16", "bfloat16"],
]);
const NAMES = { float32: "F32", float16: "F16", bfloat16: "BF16" } as const;

const entrySchema = z.object({
  dtype: z.string(),
  shape: z.array(z.number().int().nonnegative()),
  data_offsets: z.tuple([z.number().int().nonnegative(), z.number().int().nonnegative()]),
});

function broken(file: string, problem: string): DataError {
  return new DataError(`reading "${file}": ${problem}`, {
    code: "model.bad_safetensors",
    hint: "the file may be cut off or not be a safetensors file; copy or save it again",
  });
}

/** An open safetensors file. */
export class SafetensorsFile implements AsyncDisposable {
  readonly file: string;
  readonly entries: ReadonlyMap<string, TensorEntry>;
  readonly #handle: FileHandle;

  private constructor(file: string, handle: FileHandle, entries: Map<string, TensorEntry>) {
    this.file = file;
    this.#handle = handle;
    this.entries = entries;
  }

  /**
   * Opens a file and reads its header.
   * @throws DataError `model.read_failed`; `model.bad_safetensors` for a broken header or data that the header does not cover exactly.
   */
  static async open(file: string): Promise<SafetensorsFile> {
    let handle: FileHandle;
    try {
      handle = await open(file, "r");
    } catch (cause) {
      throw new DataError(`reading "${file}": ${messageOf(cause)}`, {
        code: "model.read_failed",
        hint: "a checkpoint folder holds config.json, model.safetensors and tokenizer.json",
        cause,
      });
    }
    try {
      return new SafetensorsFile(file, handle, await readHeader(file, handle));
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /**
   * Reads a tensor into `target`, widened to float32.
   * @throws DataError `model.unsupported_dtype` for number types other than F32, F16 and BF16.
   */
  async read(name: string, target: Float32Array): Promise<void> {
    const entry = this.entries.get(name);
    if (entry === undefined) throw broken(this.file, `no tensor "${name}"`);
    const dtype = DTYPES.get(entry.dtype);
    if (dtype === undefined) {
      throw new DataError(
        `reading "${this.file}": tensor "${name}" is ${entry.dtype}, expected ${[...DTYPES.keys()].join(", ")}`,
        {
          code: "model.unsupported_dtype",
          hint: "convert the checkpoint to bfloat16, float16 or float32 with Python transformers",
        },
      );
    }
    if (target.length !== sizeOf(entry.shape)) {
      throw broken(
        this.file,
        `tensor "${name}" has [${entry.shape.join(", ")}], not ${target.length} numbers`,
      );
    }
    const width = DTYPE_BYTES[dtype];
    const bits = dtype === "float32" ? undefined : new Uint16Array(Math.min(PIECE, target.length));
    for (let at = 0; at < target.length; at += PIECE) {
      const part = target.subarray(at, at + PIECE);
      const raw = bits === undefined ? part : bits.subarray(0, part.length);
      const bytes = new Uint8Array(raw.buffer, raw.byteOffset, raw.byteLength);
      await this.#fill(bytes, entry.start + at * width);
      if (bits !== undefined && dtype !== "float32") widen(raw as Uint16Array, dtype, part);
    }
  }

  async #fill(bytes: Uint8Array, position: number): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const { bytesRead } = await this.#handle.read(bytes, at, bytes.length - at, position + at);
      if (bytesRead === 0) throw broken(this.file, `it ends at byte ${position + at}`);
      at += bytesRead;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }
}

async function readHeader(file: string, handle: FileHandle): Promise<Map<string, TensorEntry>> {
  const { size } = await handle.stat();
  const prefix = Buffer.alloc(8);
  if (size < 8) throw broken(file, `expected at least 8 bytes, found ${size}`);
  await handle.read(prefix, 0, 8, 0);
  const headerLength = Number(prefix.readBigUInt64LE());
  if (headerLength > HEADER_LIMIT_BYTES || 8 + headerLength > size) {
    throw broken(file, `header of ${headerLength} bytes does not fit into the file's ${size}`);
  }
  const text = Buffer.alloc(headerLength);
  await handle.read(text, 0, headerLength, 8);
  let header: Record<string, unknown>;
  try {
    header = z.record(z.string(), z.unknown()).parse(JSON.parse(text.toString()));
  } catch (cause) {
    throw broken(file, `the header is not a JSON object (${messageOf(cause).slice(0, 80)})`);
  }
  return placeTensors(file, header, { dataStart: 8 + headerLength, size });
}

/** Checks that the tensors lie one behind the other and fill the file, as the reference reader does. */
function placeTensors(
  file: string,
  header: Readonly<Record<string, unknown>>,
  { dataStart, size }: { readonly dataStart: number; readonly size: number },
): Map<string, TensorEntry> {
  const entries: [string, TensorEntry][] = [];
  for (const [name, value] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const parsed = entrySchema.safeParse(value);
    if (!parsed.success)
      throw broken(file, `tensor "${name}" has no valid dtype, shape and data_offsets`);
    const { dtype, shape, data_offsets } = parsed.data;
    const [start, end] = data_offsets.map((offset) => dataStart + offset) as [number, number];
    const known = DTYPES.get(dtype);
    if (known !== undefined && end - start !== sizeOf(shape) * DTYPE_BYTES[known]) {
      throw broken(
        file,
        `tensor "${name}" [${shape.join(", ")}] of ${dtype} does not fit its bytes ${start}-${end}`,
      );
    }
    entries.push([name, { shape, dtype, start, end }]);
  }
  entries.sort(([, a], [, b]) => a.start - b.start || a.end - b.end);
  let at = dataStart;
  for (const [name, { start, end }] of entries) {
    if (start !== at || end < start)
      throw broken(file, `tensor "${name}" starts at byte ${start}, expected ${at}`);
    at = end;
  }
  if (at !== size) throw broken(file, `the tensors end at byte ${at}, the file at ${size}`);
  return new Map(entries);
}

/** All tensors of a file, in file order. */
export async function readSafetensors(file: string): Promise<NamedTensor[]> {
  await using source = await SafetensorsFile.open(file);
  const tensors: NamedTensor[] = [];
  for (const [name, { shape }] of source.entries) {
    const data = new Float32Array(sizeOf(shape));
    await source.read(name, data);
    tensors.push({ name, shape, data });
  }
  return tensors;
}

export interface WriteSafetensorsOptions {
  /** Number type in the file; default float32. */
  readonly dtype?: CheckpointDType;
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * Writes a safetensors file, atomically; equal tensors in equal order give equal bytes.
 * @throws DataError `model.float16_overflow` for a finite number that float16 cannot hold.
 */
export async function writeSafetensors(
  file: string,
  tensors: readonly NamedTensor[],
  { dtype = "float32", metadata = { format: "pt" } }: WriteSafetensorsOptions = {},
): Promise<void> {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let offset = 0;
  for (const { name, shape, data } of tensors) {
    const end = offset + data.length * DTYPE_BYTES[dtype];
    header[name] = { dtype: NAMES[dtype], shape, data_offsets: [offset, end] };
    offset = end;
  }
  let text = JSON.stringify(header);
  text += " ".repeat((8 - (Buffer.byteLength(text) % 8)) % 8); // data starts 8-byte aligned
  const headerBytes = Buffer.from(text, "utf8");
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(headerBytes.length));
  await writeBytesAtomic(
    file,
    piecesOf(file, Buffer.concat([prefix, headerBytes]), tensors, dtype),
  );
}

async function* piecesOf(
  file: string,
  header: Uint8Array,
  tensors: readonly NamedTensor[],
  dtype: CheckpointDType,
): AsyncGenerator<Uint8Array, void> {
  yield header;
  for (const { name, data } of tensors) {
    for (let at = 0; at < data.length; at += PIECE) {
      const part = data.subarray(at, at + PIECE);
      if (dtype === "float16") checkRange(file, name, part);
      const raw = dtype === "float32" ? part : narrow(part, dtype);
      yield new Uint8Array(raw.buffer, raw.byteOffset, raw.byteLength);
    }
  }
}

function checkRange(file: string, name: string, part: Float32Array): void {
  for (const value of part) {
    if (Math.abs(value) < FLOAT16_MAX + 16 || !Number.isFinite(value)) continue;
    throw new DataError(
      `writing "${file}": tensor "${name}" holds ${value}, float16 ends at ${FLOAT16_MAX}`,
      { code: "model.float16_overflow", hint: "save as bfloat16 or float32" },
    );
  }
}

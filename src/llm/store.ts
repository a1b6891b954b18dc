/**
 * The answers that were paid for: a cache by content that is also the resume store. A folder of JSONL segments, one for
 * each process that wrote, so that writers need no lock. A line is either wholly there or not: lines are appended in
 * groups, each flushed to the disk before any caller is told, and a torn last line counts as not written. Only the place
 * of each answer is kept in memory.
 */
import { createReadStream } from "node:fs";
import { type FileHandle, mkdir, open, readdir } from "node:fs/promises";
import path from "node:path";
import { writeError } from "../data/atomic.ts";
import { DataError, hasErrorCode, messageOf } from "../util/errors.ts";
import { canonicalJson, sha256 } from "../util/hash.ts";
import { type AnswerRecord, type JsonObject, type StoreLine, storeLineSchema } from "./request.ts";

/** What tells one answer from another. */
export interface KeyParts {
  readonly endpoint: string;
  readonly apiVersion: string | null;
  readonly body: JsonObject;
  /** Number of the repeat; answers of different repeats are independent draws. */
  readonly repeat: number;
}

/** Content address of an answer. */
export function answerKey({ endpoint, apiVersion, body, repeat }: KeyParts): string {
  return sha256(canonicalJson({ endpoint, apiVersion, body, repeat }));
}

/** What a run has paid. */
export interface Spending {
  readonly answers: number;
  /** Sum over answers whose price is known. */
  readonly usd: number;
  /** Answers whose price is unknown. */
  readonly unpriced: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Attempts that brought no answer and may be billed, and the most that they can have cost. */
  readonly lost: number;
  readonly lostUpperUsd: number;
}

interface Place {
  readonly segment: string;
  readonly start: number;
  readonly length: number;
}

const NOTHING: Spending = {
  answers: 0,
  usd: 0,
  unpriced: 0,
  inputTokens: 0,
  outputTokens: 0,
  lost: 0,
  lostUpperUsd: 0,
};
const LINE_FEED = 10;
/** Segments that stay open for reading; any further one is opened for each answer. */
const MAX_OPEN = 32;

/** An open store. Make with `AnswerStore.open`; dispose of it to close its files. */
export class AnswerStore implements AsyncDisposable {
  readonly folder: string;
  readonly #places = new Map<string, Place>();
  readonly #spending = new Map<string, Spending>();
  readonly #handles = new Map<string, Promise<FileHandle>>();
  #writer: { segment: string; handle: FileHandle; size: number } | undefined;
  #queue: { line: StoreLine; bytes: Buffer; resolve: () => void; reject: (e: unknown) => void }[] =
    [];
  #flushing: Promise<void> | undefined;
  #ignored = 0;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /**
   * Opens a store, making the folder when it is missing.
   * @throws DataError `data.read_failed` when a segment cannot be read
   */
  static async open(folder: string): Promise<AnswerStore> {
    const store = new AnswerStore(folder);
    try {
      await mkdir(folder, { recursive: true });
    } catch (cause) {
      throw writeError(folder, cause);
    }
    const names = (await readdir(folder)).filter((name) => SEGMENT.test(name)).sort();
    for (const name of names) await store.#index(name);
    return store;
  }

  /** Answers in the store. */
  get size(): number {
    return this.#places.size;
  }

  /** Lines that were passed over because they are torn or not ours. */
  get ignored(): number {
    return this.#ignored;
  }

  has(key: string): boolean {
    return this.#places.has(key);
  }

  /** What a run has paid, by its label; of all runs without one. */
  spending(run?: string): Spending {
    if (run !== undefined) return this.#spending.get(run) ?? NOTHING;
    return [...this.#spending.values()].reduce(addSpending, NOTHING);
  }

  /** The answer under a key; undefined when there is none. */
  async get(key: string): Promise<AnswerRecord | undefined> {
    const place = this.#places.get(key);
    if (place === undefined) return undefined;
    const bytes = Buffer.alloc(place.length);
    await this.#read(place, bytes);
    const line = parseLine(bytes.toString("utf8"));
    return line?.kind === "answer" && line.key === key ? line : undefined;
  }

  /** Keeps a line; resolves when it is on the disk. The first answer under a key stays the answer. */
  append(line: StoreLine): Promise<void> {
    const bytes = Buffer.from(`${JSON.stringify(line)}\n`);
    return new Promise((resolve, reject) => {
      this.#queue.push({ line, bytes, resolve, reject });
      this.#flushing ??= this.#flush();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#flushing;
    await this.#writer?.handle.close();
    this.#writer = undefined;
    const handles = await Promise.all(this.#handles.values());
    this.#handles.clear();
    await Promise.all(handles.map((handle) => handle.close()));
  }

  /** Writes whatever is waiting, group by group, until nothing is. */
  async #flush(): Promise<void> {
    await Promise.resolve(); // callers of the same turn join the first group
    while (this.#queue.length > 0) {
      const group = this.#queue;
      this.#queue = [];
      try {
        const writer = this.#writer ?? (await this.#newSegment());
        this.#writer = writer;
        await writer.handle.appendFile(Buffer.concat(group.map(({ bytes }) => bytes)));
        await writer.handle.datasync();
        for (const { line, bytes, resolve } of group) {
          const place = { segment: writer.segment, start: writer.size, length: bytes.length };
          writer.size += bytes.length;
          this.#note(line, place);
          resolve();
        }
      } catch (cause) {
        // What was half written stands as a torn line in a segment that is left alone from now on.
        const failed = this.#writer;
        this.#writer = undefined;
        await failed?.handle.close().catch(() => undefined);
        const error = writeError(failed?.segment ?? this.folder, cause);
        for (const { reject } of group) reject(error);
      }
    }
    this.#flushing = undefined;
  }

  async #newSegment(): Promise<{ segment: string; handle: FileHandle; size: number }> {
    for (let number = (await readdir(this.folder)).length + 1; ; number += 1) {
      const name = `answers-${String(number).padStart(6, "0")}.jsonl`;
      const segment = path.join(this.folder, name);
      try {
        return { segment, handle: await open(segment, "ax"), size: 0 };
      } catch (cause) {
        if (!hasErrorCode(cause, "EEXIST")) throw cause;
      }
    }
  }

  async #read({ segment, start, length }: Place, bytes: Buffer): Promise<void> {
    if (this.#handles.size >= MAX_OPEN && !this.#handles.has(segment)) {
      await using handle = await open(segment, "r");
      await handle.read(bytes, 0, length, start);
      return;
    }
    const known = this.#handles.get(segment) ?? open(segment, "r");
    this.#handles.set(segment, known);
    await (await known).read(bytes, 0, length, start);
  }

  #note(line: StoreLine, place: Place): void {
    const before = this.#spending.get(line.run) ?? NOTHING;
    // Two processes may both have paid for the same request: both count as spending, the first is the answer.
    this.#spending.set(line.run, addSpending(before, spendingOf(line)));
    if (line.kind === "answer" && !this.#places.has(line.key)) this.#places.set(line.key, place);
  }

  async #index(name: string): Promise<void> {
    const segment = path.join(this.folder, name);
    let start = 0;
    let rest: Buffer[] = [];
    let restLength = 0;
    try {
      for await (const chunk of createReadStream(segment)) {
        let bytes = chunk as Buffer;
        for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED)) {
          const length = restLength + end + 1;
          const text = Buffer.concat([...rest, bytes.subarray(0, end)]).toString("utf8");
          const line = parseLine(text);
          if (line === undefined) this.#ignored += 1;
          else this.#note(line, { segment, start, length });
          start += length;
          rest = [];
          restLength = 0;
          bytes = bytes.subarray(end + 1);
        }
        rest.push(bytes);
        restLength += bytes.length;
      }
    } catch (cause) {
      throw new DataError(`reading "${segment}": ${messageOf(cause)}`, {
        code: "data.read_failed",
        hint: "check that the file may be read",
        cause,
      });
    }
    if (restLength > 0) this.#ignored += 1;
  }
}

const SEGMENT = /^answers-\d+\.jsonl$/;

function parseLine(text: string): StoreLine | undefined {
  try {
    const result = storeLineSchema.safeParse(JSON.parse(text));
    return result.success ? result.data : undefined;
  } catch {
    return undefined; // torn by a power cut; the request is simply asked again
  }
}

function spendingOf(line: StoreLine): Spending {
  if (line.kind === "lost") return { ...NOTHING, lost: 1, lostUpperUsd: line.upperUsd ?? 0 };
  return {
    ...NOTHING,
    answers: 1,
    usd: line.costUsd ?? 0,
    unpriced: line.costUsd === null ? 1 : 0,
    inputTokens: line.answer.usage?.inputTokens ?? 0,
    outputTokens: line.answer.usage?.outputTokens ?? 0,
  };
}

function addSpending(a: Spending, b: Spending): Spending {
  return {
    answers: a.answers + b.answers,
    usd: a.usd + b.usd,
    unpriced: a.unpriced + b.unpriced,
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    lost: a.lost + b.lost,
    lostUpperUsd: a.lostUpperUsd + b.lostUpperUsd,
  };
}

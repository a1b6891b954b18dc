/** Keeps the manifest of a run up to date while stages end, one write at a time. */
import type { Base } from "./bases.ts";
import {
  describeEnvironment,
  type Manifest,
  readManifest,
  type StageEntry,
  writeManifest,
} from "./manifest.ts";
import type { Study } from "./schema.ts";

export interface ManifestWriterOptions {
  readonly folder: string;
  readonly study: Study;
  readonly bases: ReadonlyMap<string, Base>;
  readonly workers: number;
  /** Ids of the stages of the plan; entries of others are dropped. */
  readonly stages: readonly string[];
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** The manifest of one call of the runner. */
export class ManifestWriter {
  readonly #folder: string;
  readonly #now: () => number;
  #manifest: Manifest;
  #written: Promise<void> = Promise.resolve();

  private constructor(folder: string, now: () => number, manifest: Manifest) {
    this.#folder = folder;
    this.#now = now;
    this.#manifest = manifest;
  }

  /** Starts the manifest of this call, with the stages of earlier ones. */
  static async open(options: ManifestWriterOptions): Promise<ManifestWriter> {
    const { folder, study, now } = options;
    const before = await readManifest(folder);
    const time = new Date(now()).toISOString();
    const writer = new ManifestWriter(folder, now, {
      study: study.name,
      state: "running",
      createdAt: before?.createdAt ?? time,
      updatedAt: time,
      ...(await describeEnvironment()),
      workers: options.workers,
      seeds: [...study.seeds],
      bases: Object.fromEntries(options.bases),
      stages: Object.fromEntries(
        Object.entries(before?.stages ?? {}).filter(([id]) => options.stages.includes(id)),
      ),
    });
    await writer.#write({});
    return writer;
  }

  /** Seconds that each finished stage took, by id. */
  seconds(): Record<string, number> {
    return measuredSeconds(this.#manifest);
  }

  /** Enters a finished stage. */
  async finish(id: string, entry: Omit<StageEntry, "finishedAt">): Promise<void> {
    const finishedAt = new Date(this.#now()).toISOString();
    await this.#write({ stages: { ...this.#manifest.stages, [id]: { ...entry, finishedAt } } });
  }

  /** Enters how the call ended. */
  async close(state: Manifest["state"]): Promise<void> {
    await this.#write({ state });
  }

  async #write(change: Partial<Manifest>): Promise<void> {
    const updatedAt = new Date(this.#now()).toISOString();
    this.#manifest = { ...this.#manifest, ...change, updatedAt };
    // Stages end at the same moment; each write waits for the one before, whether that went well or not.
    const write = (): Promise<void> => writeManifest(this.#folder, this.#manifest);
    this.#written = this.#written.then(write, write);
    await this.#written;
  }
}

/** Seconds of the finished stages in a manifest, by stage id. */
export function measuredSeconds(manifest: Manifest | undefined): Record<string, number> {
  const entries = Object.entries(manifest?.stages ?? {});
  return Object.fromEntries(entries.map(([id, { seconds }]) => [id, seconds]));
}

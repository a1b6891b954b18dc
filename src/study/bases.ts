/** Where base models are: shipped ones in the package's assets, others at the path that the study gives. */
import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { UsageError } from "../util/errors.ts";
import { hashPath } from "../util/hash.ts";
import type { Study } from "./schema.ts";

/** A base model folder, the hash of its content, and the size of its weights. */
export interface Base {
  readonly path: string;
  readonly hash: string;
  readonly bytes: number;
}

/**
 * Finds and hashes the bases that the arms of a study use.
 * @throws UsageError `study.no_base` for a folder without a model.
 */
export async function resolveBases(study: Study): Promise<ReadonlyMap<string, Base>> {
  const bases = new Map<string, Base>();
  for (const { base } of study.arms) {
    if (bases.has(base)) continue;
    const folder = basePath(base, study.bases[base] ?? "builtin");
    if (!existsSync(path.join(folder, "config.json"))) {
      throw new UsageError(
        `the base "${base}" was expected in "${folder}", found no config.json there`,
        {
          code: "study.no_base",
          hint: "give the folder of a Hugging Face checkpoint under `bases`, or `builtin` for a shipped one",
        },
      );
    }
    const weights = await stat(path.join(folder, "model.safetensors")).catch(() => undefined);
    const bytes = weights?.size ?? 0;
    bases.set(base, { path: folder, hash: await hashPath(folder), bytes });
  }
  return bases;
}

/** Size of the largest weights. */
export function largestBase(bases: ReadonlyMap<string, Base>): number {
  return Math.max(0, ...[...bases.values()].map(({ bytes }) => bytes));
}

/** Folder of a base model that comes with the package: `tiny-plain` or `tiny-habits`. */
export function builtinBase(name: string): string {
  return fileURLToPath(new URL(`../../assets/models/${name}`, import.meta.url));
}

function basePath(name: string, target: string): string {
  return target === "builtin" ? builtinBase(name) : target;
}

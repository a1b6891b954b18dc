/** Where base models are: shipped ones in the package's assets, others at the path that the study gives. */
import { existsSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { UsageError } from "../util/errors.ts";
import { hashPath } from "../util/hash.ts";
import type { Study } from "./schema.ts";

/** A base model folder and the hash of its content. */
export interface Base {
  readonly path: string;
  readonly hash: string;
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
    bases.set(base, { path: folder, hash: await hashPath(folder) });
  }
  return bases;
}

function basePath(name: string, target: string): string {
  return target === "builtin"
    ? fileURLToPath(new URL(`../../assets/models/${name}`, import.meta.url))
    : target;
}

/** Finds a study by what a user types: the name of a recipe, a YAML file, or the folder of a run. */
import { existsSync, statSync } from "node:fs";
import { readdir } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { readStudy, type SectionSchemas, type Study } from "./schema.ts";

const RECIPES = fileURLToPath(new URL("../../recipes", import.meta.url));

/** Names of the recipes that come with the package. */
export async function listPresets(): Promise<string[]> {
  const files = await readdir(RECIPES);
  return files.flatMap((file) => (file.endsWith(".yaml") ? [file.slice(0, -5)] : [])).sort();
}

/**
 * Reads a study.
 * @param target name of a recipe, path of a YAML file, or run folder with a `study.yaml`
 * @throws UsageError `study.no_file`, `study.bad_file`
 */
export async function findStudy(target: string, sections: SectionSchemas): Promise<Study> {
  return readStudy(studyFile(target), sections);
}

function studyFile(target: string): string {
  if (existsSync(target)) {
    return statSync(target).isDirectory() ? path.join(target, "study.yaml") : target;
  }
  const preset = path.join(RECIPES, `${target}.yaml`);
  return existsSync(preset) ? preset : target;
}

/** Checkpoint folders that are whole or absent, whenever the process is killed. */
import { rename, rm } from "node:fs/promises";
import { type LanguageModel, saveCheckpoint } from "../model/checkpoint.ts";

/** Writes a checkpoint beside its place, then puts it there. */
export async function saveWhole(folder: string, model: LanguageModel): Promise<void> {
  const temporary = `${folder}.tmp`;
  await rm(temporary, { recursive: true, force: true });
  await saveCheckpoint(temporary, model);
  await rm(folder, { recursive: true, force: true });
  await rename(temporary, folder);
}

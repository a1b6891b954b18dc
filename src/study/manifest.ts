/**
 * `manifest.json`: what made a run. Versions, git commit, machine, seeds, base models, and for each stage its key, the
 * hash of its output and the seconds it took. It is the only file of a run that differs between two equal runs.
 */
import { execFile } from "node:child_process";
import { readFile, realpath } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { z } from "zod";
import { writeFileAtomic } from "../data/atomic.ts";
import { hasErrorCode, messageOf, RunError } from "../util/errors.ts";

const stageEntrySchema = z.strictObject({
  key: z.string(),
  /** Hash over every file of the stage. */
  output: z.string(),
  /** Time of every attempt together, interrupted ones up to their last progress. */
  seconds: z.number(),
  finishedAt: z.string(),
});
export type StageEntry = z.infer<typeof stageEntrySchema>;

const manifestSchema = z.strictObject({
  study: z.string(),
  /** `finished` when every stage is. */
  state: z.enum(["running", "stopped", "failed", "finished"]),
  createdAt: z.string(),
  updatedAt: z.string(),
  package: z.strictObject({ name: z.string(), version: z.string() }),
  /** Versions of what computes: Node and the direct dependencies. */
  versions: z.record(z.string(), z.string()),
  /** Null outside a git checkout of this package. */
  git: z.strictObject({ commit: z.string(), dirty: z.boolean() }).nullable(),
  machine: z.strictObject({
    host: z.string(),
    platform: z.string(),
    processor: z.string(),
    cores: z.int(),
    memoryBytes: z.int(),
  }),
  workers: z.int(),
  seeds: z.array(z.int()),
  bases: z.record(
    z.string(),
    z.strictObject({ path: z.string(), hash: z.string(), bytes: z.int() }),
  ),
  stages: z.record(z.string(), stageEntrySchema),
});
export type Manifest = z.infer<typeof manifestSchema>;

export function manifestFile(folder: string): string {
  return path.join(folder, "manifest.json");
}

/**
 * Reads the manifest of a run; undefined when there is none yet.
 * @throws RunError `run.unreadable`.
 */
export async function readManifest(folder: string): Promise<Manifest | undefined> {
  const file = manifestFile(folder);
  try {
    return manifestSchema.parse(JSON.parse(await readFile(file, "utf8")));
  } catch (cause) {
    if (hasErrorCode(cause, "ENOENT")) return undefined;
    const found =
      cause instanceof z.ZodError
        ? cause.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; ")
        : messageOf(cause);
    throw new RunError(`reading the manifest "${file}": ${found}`, {
      code: "run.unreadable",
      hint: "make it readable, or remove it: it holds times and versions, no results",
      cause,
    });
  }
}

export async function writeManifest(folder: string, manifest: Manifest): Promise<void> {
  await writeFileAtomic(manifestFile(folder), `${JSON.stringify(manifest, null, 2)}\n`);
}

type Environment = Pick<Manifest, "package" | "versions" | "git" | "machine">;

let environment: Promise<Environment> | undefined;

/** The part of a manifest that describes this package and this machine; found once a process. */
export function describeEnvironment(): Promise<Environment> {
  environment ??= findEnvironment();
  return environment;
}

async function findEnvironment(): Promise<Environment> {
  const root = fileURLToPath(new URL("../../", import.meta.url));
  const packageFile = JSON.parse(await readFile(path.join(root, "package.json"), "utf8")) as {
    name: string;
    version: string;
    dependencies: Record<string, string>;
  };
  const processors = os.cpus();
  return {
    package: { name: packageFile.name, version: packageFile.version },
    versions: { node: process.version, ...packageFile.dependencies },
    git: await describeGit(root),
    machine: {
      host: os.hostname(),
      platform: `${process.platform}-${process.arch}`,
      processor: processors[0]?.model.trim() ?? "unknown",
      cores: processors.length,
      memoryBytes: os.totalmem(),
    },
  };
}

/** Commit of the checkout whose top is `root`; an installed package may lie inside a checkout of something else. */
async function describeGit(root: string): Promise<Manifest["git"]> {
  const git = async (...args: string[]): Promise<string> =>
    (await promisify(execFile)("git", ["-C", root, ...args])).stdout.trim();
  try {
    if ((await realpath(await git("rev-parse", "--show-toplevel"))) !== (await realpath(root))) {
      return null;
    }
    return {
      commit: await git("rev-parse", "HEAD"),
      dirty: (await git("status", "--porcelain")) !== "",
    };
  } catch {
    return null; // no git, or no checkout
  }
}

/** Content hashes: SHA-256 in hexadecimal, of bytes, text, files, folders, and JSON in canonical form. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import path from "node:path";

/** SHA-256 of text (as UTF-8) or bytes, 64 hexadecimal digits. */
export function sha256(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

/** JSON text with object keys in sorted order and without spaces; `undefined` members are left out. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) => {
    if (member === null || typeof member !== "object" || Array.isArray(member)) return member;
    return Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** SHA-256 of a file's bytes, read as a stream. */
export async function hashFile(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

/** SHA-256 over the sorted relative paths and contents of every file below a folder; of a file, `hashFile`. */
export async function hashPath(target: string): Promise<string> {
  if (!(await stat(target)).isDirectory()) return hashFile(target);
  const entries = await readdir(target, { withFileTypes: true, recursive: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
  const lines: string[] = [];
  for (const file of files) {
    const name = path.relative(target, file).split(path.sep).join("/");
    lines.push(`${name}\t${await hashFile(file)}`);
  }
  return sha256(lines.join("\n"));
}

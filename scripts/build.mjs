/** Compiles src to dist with tsc and copies the text assets beside it; does nothing when dist is up to date. */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const root = path.resolve(import.meta.dirname, "..");
const stamp = path.join(root, "dist", ".built");

function newestMtimeMs(folder) {
  let newest = statSync(folder).mtimeMs;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    newest = Math.max(newest, statSync(path.join(entry.parentPath, entry.name)).mtimeMs);
  }
  return newest;
}

const inputs = [path.join(root, "tsconfig.json"), path.join(root, "package.json")];
const newest = Math.max(
  newestMtimeMs(path.join(root, "src")),
  ...inputs.map((f) => statSync(f).mtimeMs),
);
if (!existsSync(stamp) || statSync(stamp).mtimeMs < newest) {
  rmSync(path.join(root, "dist"), { recursive: true, force: true });
  const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
  execFileSync(process.execPath, [tsc, "-p", path.join(root, "tsconfig.json")], {
    stdio: "inherit",
  });
  cpSync(path.join(root, "src"), path.join(root, "dist"), {
    recursive: true,
    filter: (source) => statSync(source).isDirectory() || !/\.(ts|tsx|md)$/.test(source),
  });
  chmodSync(path.join(root, "dist", "cli", "main.js"), 0o755);
  writeFileSync(stamp, "");
}

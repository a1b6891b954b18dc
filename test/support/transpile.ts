/** Rooms as JavaScript in a temporary folder, for tests that need a process of their own without a build. */
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import os from "node:os";
import path from "node:path";
import ts from "typescript";

const root = path.resolve(import.meta.dirname, "../..");

/** Transpiles rooms of src/ without checking types; returns the folder that stands for src/. */
export function transpileRooms(rooms: readonly string[]): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), "habits-js-"));
  symlinkSync(path.join(root, "node_modules"), path.join(folder, "node_modules"));
  writeFileSync(path.join(folder, "package.json"), '{"type":"module"}\n');
  const compilerOptions: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.ESNext,
    rewriteRelativeImportExtensions: true,
    verbatimModuleSyntax: true,
  };
  for (const room of rooms) {
    const target = path.join(folder, room);
    cpSync(path.join(root, "src", room), target, {
      recursive: true,
      filter: (name) => !name.endsWith(".test.ts"),
    });
    for (const name of readdirSync(target, { recursive: true, encoding: "utf8" })) {
      if (!name.endsWith(".ts")) continue;
      const file = path.join(target, name);
      const { outputText } = ts.transpileModule(readFileSync(file, "utf8"), { compilerOptions });
      writeFileSync(file.replace(/\.ts$/, ".js"), outputText);
    }
  }
  return folder;
}

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sha256 } from "../util/hash.ts";
import { loadTemplate, renderPrompt } from "./template.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "habits-template-"));
});
afterEach(() => rm(folder, { recursive: true }));

describe("prompt templates", () => {
  const puzzle = { numbers: [9, 8, 6], target: 66 };

  it("render the plain prompt by default", () => {
    expect(renderPrompt(puzzle)).toBe("Use 9, 8, 6 to make 66.\n<think>");
  });

  it("render a dialogue that ends with the opened thought and asks for an answer", () => {
    const prompt = renderPrompt(puzzle, "dialogue");
    expect(prompt).toContain("9, 8, 6");
    expect(prompt).toContain("66");
    expect(prompt).toContain("</answer>");
    expect(prompt.endsWith("\n<think>")).toBe(true);
    expect(prompt).not.toMatch(/[{}]/);
  });

  it("may be a file of the user, identified by the hash of its text", async () => {
    const file = path.join(folder, "mine.txt");
    await writeFile(file, "{target} <- {numbers} ({target})\r\n");
    const template = loadTemplate(file);
    expect(template).toEqual({
      name: file,
      text: "{target} <- {numbers} ({target})",
      hash: sha256("{target} <- {numbers} ({target})"),
    });
    expect(renderPrompt(puzzle, template)).toBe("66 <- 9, 8, 6 (66)");
  });

  it("are refused without a field or when there is no such file", async () => {
    const file = path.join(folder, "mine.txt");
    await writeFile(file, "make {target}");
    expect(() => loadTemplate(file)).toThrow(/expected the field \{numbers\}/);
    expect(() => loadTemplate(path.join(folder, "none.txt"))).toThrow(/ENOENT/);
  });
});

/** The page of a small synthetic run: deterministic, self-contained, hostile text inert, nothing measured twice. */
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseHTML } from "linkedom";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hostileText } from "../../test/support/hostile-text.ts";
import { ALL_ARMS, writeSyntheticRun } from "../../test/support/synthetic-run.ts";
import { compareRun } from "../analysis/compare.ts";
import { comparisonSchema } from "../analysis/comparison-schema.ts";
import { importPublished } from "../analysis/published/import.ts";
import { writeReport } from "./write-report.ts";

let home: string;
let page: string;

beforeAll(async () => {
  home = await mkdtemp(path.join(tmpdir(), "report-"));
  await writeSyntheticRun({
    folder: path.join(home, "run"),
    arms: ALL_ARMS.filter((arm) =>
      ["none", "all_strategies", "length_matched", "tiny-habits-none"].includes(arm.id),
    ),
    seeds: [1, 2],
    steps: [0, 10],
    puzzles: 20,
    traces: 10,
    text: (arm, step, index) =>
      step === 10 ? hostileText(arm.id === "none" ? index : index + 3) : undefined,
  });
  const { file } = await writeReport({ run: path.join(home, "run") });
  page = await readFile(file, "utf8");
}, 240_000);

afterAll(() => rm(home, { recursive: true, force: true }));

/** Whether the page has a text; a failed comparison would print the whole page. */
function has(text: string): boolean {
  return page.includes(text);
}

function documentOf(markup: string) {
  return parseHTML(markup).document as unknown as {
    querySelectorAll(selector: string): ArrayLike<{
      getAttribute(name: string): string | null;
      textContent: string;
    }>;
  };
}

describe("the page", () => {
  it("is the same bytes when it is made again, and nothing outside of the report is written", async () => {
    const out = path.join(home, "again.html");
    const before = await readdir(path.join(home, "run"));
    await writeReport({ run: path.join(home, "run"), out });
    expect((await readFile(out, "utf8")) === page).toBe(true);
    expect(await readdir(path.join(home, "run"))).toEqual(before);
    expect(before).not.toContain("analysis");
  });

  it("has every section, and no number that is NaN or undefined", () => {
    for (const title of [
      "Claims",
      "Accuracy",
      "Habits",
      "Length",
      "Against unprimed",
      "When it begins",
      "Are the habits real?",
      "Best of n at equal tokens",
      "Training",
      "Priming traces",
    ]) {
      expect(has(`<h2>${title}</h2>`), title).toBe(true);
    }
    const content = page.slice(0, page.indexOf("<script>"));
    expect(content.match(/NaN|undefined|\[object|Infinity/g)).toBeNull();
  });

  it("refers to nothing outside of itself", () => {
    const links = Array.from(documentOf(page).querySelectorAll("[src],[href],[srcset],[action]"));
    const targets = links.map((link) => link.getAttribute("href") ?? "src");
    expect(targets.filter((target) => !/^(#|data:application\/json)/.test(target))).toEqual([]);
    expect(page.match(/@import|url\(/g)).toBeNull();
  });

  it("carries the numbers of the comparison unchanged", async () => {
    const link = documentOf(page).querySelectorAll("a[download]")[0];
    const data = (link?.getAttribute("href") ?? "").split("base64,")[1] ?? "";
    const carried = comparisonSchema.parse(JSON.parse(Buffer.from(data, "base64").toString()));
    const out = path.join(home, "comparison.json");
    expect(carried).toEqual(await compareRun({ run: path.join(home, "run"), out }));
  });

  it("has its numbers and its figures beside it, each figure an SVG document of its own", async () => {
    const folder = path.join(home, "run", "report");
    const { figures, comparison } = JSON.parse(
      await readFile(path.join(folder, "report.json"), "utf8"),
    );
    comparisonSchema.parse(comparison);
    expect(figures).toHaveLength(7);
    for (const name of figures) {
      const svg = await readFile(path.join(folder, name), "utf8");
      expect(svg.startsWith("<svg ") && svg.includes('xmlns="http://www.w3.org/2000/svg"')).toBe(
        true,
      );
      expect(svg.match(/var\(|NaN|undefined|&nbsp;|<script/g)).toBeNull();
    }
  });

  it("says that best of n was not measured with one sample a puzzle", () => {
    expect(has("This study has one completion for each puzzle and checkpoint")).toBe(true);
  });

  it("shows published results beside ours, with the faults of their file", async () => {
    const csv = path.join(home, "other.csv");
    const rows = ["base_ppo,0,0.01,40.25", "base_ppo,250,0.33,34.5", "dots,0,0.01,40.25"];
    await writeFile(csv, ["condition,step,accuracy,response_length", ...rows].join("\n"));
    const published = path.join(home, "published.json");
    await writeFile(published, JSON.stringify(await importPublished(csv)));
    const out = path.join(home, "with.html");
    await writeReport({ run: path.join(home, "run"), out, published: [published] });
    const text = await readFile(out, "utf8");
    expect(text.includes("<h2>Published results</h2>")).toBe(true);
    expect(text.includes("base_ppo and dots: the very same accuracy")).toBe(true);
    expect(text.includes("step 250, n 100")).toBe(true); // 0.33 in hundredths
  }, 60_000);

  it("shows hostile model text as text: one script, ours, and no handler anywhere", () => {
    const document = documentOf(page);
    expect(document.querySelectorAll("script")).toHaveLength(1);
    expect(document.querySelectorAll("img,iframe,object,embed,base,form,link")).toHaveLength(0);
    for (const element of Array.from(document.querySelectorAll("*")) as unknown as {
      attributes: Iterable<{ name: string }>;
    }[]) {
      for (const { name } of element.attributes) expect(name).not.toMatch(/^on/);
    }
    for (const text of ["&lt;script&gt;", "more characters not shown", "U+202E"]) {
      expect(has(text), text).toBe(true);
    }
  });

  it("keeps times, the machine and paths of the manifest out", () => {
    expect([has("0123abcd"), has("a-host"), has("createdAt")]).toEqual([true, false, false]);
  });
});

it("a run without completions still gives a page that says so", async () => {
  const folder = path.join(home, "fresh");
  await writeSyntheticRun({ folder, arms: ALL_ARMS.slice(0, 2), seeds: [1], steps: [], traces: 5 });
  const { file } = await writeReport({ run: folder });
  const text = await readFile(file, "utf8");
  expect(text.includes("No checkpoint has been sampled yet.")).toBe(true);
  expect(text.includes("None of the 18 claims could be measured.")).toBe(true);
});

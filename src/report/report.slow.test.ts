/**
 * The report in a real browser: nothing is requested, nothing is logged, nothing overflows a phone, hostile text stays
 * text, the boxes of the legend hide an arm without a script, and the read-out shows the right numbers.
 */
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hostileText } from "../../test/support/hostile-text.ts";
import { ALL_ARMS, writeSyntheticRun } from "../../test/support/synthetic-run.ts";
import { writeReport } from "./write-report.ts";

const NAMES = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];
const executablePath = (process.env.PATH ?? "")
  .split(path.delimiter)
  .flatMap((folder) => NAMES.map((name) => path.join(folder, name)))
  .find(existsSync);

interface Visit {
  readonly page: Page;
  readonly requests: string[];
  readonly messages: string[];
}

describe.skipIf(executablePath === undefined)("the report in Chromium", () => {
  let home: string;
  let url: string;
  let browser: Browser;

  beforeAll(async () => {
    home = await mkdtemp(path.join(tmpdir(), "report-browser-"));
    await writeSyntheticRun({
      folder: home,
      steps: [0, 20, 40],
      puzzles: 24,
      traces: 30,
      text: (arm, step, index) =>
        step === 40 ? hostileText(arm.id === "none" ? index : index + 3) : undefined,
    });
    const { file, sizeBytes } = await writeReport({ run: home });
    expect(sizeBytes).toBeLessThan(3_000_000);
    url = pathToFileURL(file).href;
    browser = await chromium.launch({
      ...(executablePath === undefined ? {} : { executablePath }),
      args: ["--no-sandbox", "--disable-gpu"],
    });
    expect(ALL_ARMS).toHaveLength(11);
  });

  afterAll(async () => {
    await browser?.close();
    await rm(home, { recursive: true, force: true });
  });

  async function visit(
    width: number,
    options: { javaScriptEnabled?: boolean } = {},
  ): Promise<Visit> {
    const context = await browser.newContext({ viewport: { width, height: 900 }, ...options });
    const page = await context.newPage();
    const requests: string[] = [];
    const messages: string[] = [];
    page.on("request", (request) => requests.push(request.url()));
    page.on("console", (message) => messages.push(message.text()));
    page.on("pageerror", (error) => messages.push(error.message));
    page.on("dialog", (dialog) => {
      messages.push(`dialog ${dialog.message()}`);
      void dialog.dismiss();
    });
    await page.goto(url);
    return { page, requests, messages };
  }

  it.each([400, 768, 1400])("is silent, alone and inside the window at %i px", async (width) => {
    const { page, requests, messages } = await visit(width);
    await page.evaluate(
      "document.querySelectorAll('details').forEach((one) => { one.open = true; })",
    );
    expect(requests).toEqual([url]);
    expect(messages).toEqual([]);
    const overflow = await page.evaluate(
      "document.documentElement.scrollWidth - document.documentElement.clientWidth",
    );
    expect(overflow).toBe(0);
    expect(await page.title()).toBe("synthetic · Four Habits");
    await page.context().close();
  });

  it("keeps hostile text inert and readable", async () => {
    const { page, messages } = await visit(1400);
    await page.evaluate(
      "document.querySelectorAll('details').forEach((one) => { one.open = true; })",
    );
    expect(await page.locator("pre img, pre script, pre a, pre style, pre svg").count()).toBe(0);
    expect(
      await page.locator("pre", { hasText: '<script>document.title = "hacked"' }).count(),
    ).toBeGreaterThan(0);
    expect(await page.locator("pre .invisible", { hasText: "U+202E" }).count()).toBeGreaterThan(0);
    const tallest = await page.evaluate(
      "Math.max(...[...document.querySelectorAll('pre')].map((one) => one.offsetHeight))",
    );
    expect(tallest).toBeLessThan(500);
    expect(messages).toEqual([]);
    await page.context().close();
  });

  it("hides an arm in every figure by its box, without a script", async () => {
    const { page } = await visit(1400, { javaScriptEnabled: false });
    const lines = page.locator("#accuracy .wide .arm-6");
    expect(await lines.count()).toBeGreaterThan(2);
    expect(await lines.first().isVisible()).toBe(true);
    await page.locator("#show-6").uncheck();
    expect(await lines.first().isVisible()).toBe(false);
    expect(await page.locator("#habits .arm-6").first().isVisible()).toBe(false);
    await page.context().close();
  });

  it("reads out the values of the step under the pointer, highest first", async () => {
    const { page } = await visit(1400);
    const chart = page.locator("#accuracy .wide svg");
    await chart.scrollIntoViewIfNeeded();
    const box = await chart.boundingBox();
    if (box === null) throw new Error("the chart is not on the page");
    await page.mouse.move(box.x + 45, box.y + box.height / 2);
    const readout = page.locator("#accuracy .readout");
    expect(await readout.locator("b").textContent()).toBe("step 0");
    const values = (await readout.locator("i").allTextContents()).map((text) =>
      Number.parseFloat(text),
    );
    expect(values).toHaveLength(11);
    expect(values).toEqual([...values].sort((a, b) => b - a));
    await page.context().close();
  });
});

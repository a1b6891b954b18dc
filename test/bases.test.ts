/** The shipped base models fit the code that feeds them. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { loadCheckpoint } from "../src/model/checkpoint.ts";
import { buildTokenizerJson, VOCABULARY } from "../src/priming/vocabulary.ts";

const folder = (base: string) => path.join(import.meta.dirname, "..", "assets", "models", base);

test.each(["tiny-plain", "tiny-habits"])(
  "%s has the tokenizer of the phrase tables",
  async (base) => {
    const json: unknown = JSON.parse(
      readFileSync(path.join(folder(base), "tokenizer.json"), "utf8"),
    );
    expect(json).toEqual(JSON.parse(JSON.stringify(buildTokenizerJson())));
    const { config } = await loadCheckpoint(folder(base));
    expect(config.vocabSize).toBeGreaterThanOrEqual(VOCABULARY.length);
  },
);

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { buildGold, parseLabels } from "../../scripts/build-gold.mjs";
import { BEHAVIOURS } from "../data/rows.ts";
import { goldAgreement, matchSpans, measureAgreement, readGoldTraces } from "./gold.ts";

const FOLDER = new URL("./gold/", import.meta.url);
const TRACES = readGoldTraces();

describe("the labelled texts", () => {
  it("are what their source says", () => {
    const source = readFileSync(new URL("source.txt", FOLDER), "utf8");
    expect(readFileSync(new URL("traces.jsonl", FOLDER), "utf8")).toBe(buildGold(source));
  });

  it("are many, in many styles, half of each held out", () => {
    const styles = new Map<string, { tune: number; held_out: number }>();
    for (const { style, split } of TRACES) {
      const counts = styles.get(style) ?? { tune: 0, held_out: 0 };
      counts[split] += 1;
      styles.set(style, counts);
    }
    expect(TRACES.length).toBeGreaterThanOrEqual(120);
    expect(styles.size).toBeGreaterThanOrEqual(12);
    for (const { tune, held_out } of styles.values()) {
      expect(tune - held_out === 0 || tune - held_out === 1).toBe(true);
    }
  });

  it("have labels inside the text", () => {
    for (const { text, spans } of TRACES) {
      for (const { start, end } of BEHAVIOURS.flatMap((behaviour) => spans[behaviour])) {
        expect(start).toBeGreaterThanOrEqual(0);
        expect(end).toBeGreaterThan(start);
        expect(end).toBeLessThanOrEqual(text.length);
        expect(text.slice(start, end)).toBe(text.slice(start, end).trim());
      }
    }
  });

  it("are written with marks in the text", () => {
    expect(parseLabels("9 + 8 = 17, [[v+ not 66]]. [[b 9 * 8 = 72]]")).toEqual({
      text: "9 + 8 = 17, not 66. 9 * 8 = 72",
      spans: {
        verification: [{ start: 12, end: 18, valid: true }],
        backtracking: [{ start: 20, end: 30 }],
        subgoal_setting: [],
        backward_chaining: [],
      },
    });
  });
});

describe("matching", () => {
  it("pairs spans that overlap and uses each once", () => {
    const labels = [
      { start: 0, end: 5 },
      { start: 10, end: 20 },
      { start: 30, end: 40 },
    ];
    const found = [
      { start: 4, end: 12 },
      { start: 12, end: 14 },
      { start: 40, end: 41 },
    ];
    // 4-12 goes to the first label, 12-14 to the second; 40-41 touches the third without overlap.
    expect(matchSpans(labels, found)).toEqual([
      { label: labels[0], found: found[0] },
      { label: labels[1], found: found[1] },
    ]);
  });

  it("gives precision, recall and equal counts by hand", () => {
    const trace = {
      id: "made-1",
      style: "made",
      split: "tune" as const,
      numbers: [9, 8, 6],
      target: 66,
      text: "9 + 8 = 17, no. 17 + 6 = 23, no.",
      spans: {
        verification: [{ start: 12, end: 14, valid: false }],
        backtracking: [],
        subgoal_setting: [{ start: 0, end: 10 }],
        backward_chaining: [],
      },
    };
    // Two verifications are found, one is labelled: precision 1/2, recall 1, F1 2/3; the label says false, the detector true.
    expect(measureAgreement([trace], "verification")).toEqual({
      labelled: 1,
      detected: 2,
      matched: 1,
      precision: 0.5,
      recall: 1,
      f1: 2 / 3,
      equalCounts: 0,
      judged: 1,
      judgedEqual: 0,
    });
    const nothing = measureAgreement([trace], "backward_chaining");
    expect(nothing).toMatchObject({ precision: undefined, recall: undefined, f1: undefined });
    expect(measureAgreement([trace], "subgoal_setting")).toMatchObject({
      recall: 0,
      equalCounts: 0,
    });
  });
});

describe("agreement with the hand labels stays at or above", () => {
  /** Floors just below what is measured; docs/methods/behaviours.md has the table. */
  const FLOORS = {
    tune: {
      verification: 0.99,
      backtracking: 0.99,
      subgoal_setting: 0.95,
      backward_chaining: 0.94,
    },
    held_out: {
      verification: 0.94,
      backtracking: 0.92,
      subgoal_setting: 0.84,
      backward_chaining: 0.92,
    },
  };
  it.each(goldAgreement())("$split $behaviour", ({ split, behaviour, agreement }) => {
    expect(agreement.f1).toBeGreaterThanOrEqual(FLOORS[split][behaviour]);
    expect(agreement.judgedEqual).toBeGreaterThanOrEqual(0.98 * agreement.judged);
  });
});

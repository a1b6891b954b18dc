import type { GoldTrace } from "../src/behaviours/gold.ts";

/** Text and spans of one labelled text. */
export function parseLabels(labelled: string): Pick<GoldTrace, "text" | "spans">;
/** Rows of the gold file, in the order of the source. */
export function parseSource(source: string): GoldTrace[];
/** Content of traces.jsonl for a source text. */
export function buildGold(source: string): string;

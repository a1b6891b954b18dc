/**
 * Turns src/behaviours/gold/source.txt (texts with inline labels) into traces.jsonl (texts with offsets).
 * Run `node scripts/build-gold.mjs` after a change of the source; a test fails while the two differ.
 */
import { readFileSync, writeFileSync } from "node:fs";

const HABITS = {
  v: "verification",
  b: "backtracking",
  s: "subgoal_setting",
  c: "backward_chaining",
};
const VALID = { "+": true, "-": false };

/** Text and spans of one labelled text: `[[v+ not 66]]` marks a true verification. */
export function parseLabels(labelled) {
  const spans = Object.fromEntries(Object.values(HABITS).map((habit) => [habit, []]));
  const open = [];
  let text = "";
  for (const piece of labelled.split(/(\[\[[vbsc][+-]? |\]\])/)) {
    const marker = /^\[\[([vbsc])([+-]?) $/.exec(piece);
    if (marker !== null) {
      open.push({ habit: HABITS[marker[1]], valid: VALID[marker[2]], start: text.length });
    } else if (piece === "]]") {
      const span = open.pop();
      if (span === undefined) throw new Error(`"]]" without a label in: ${labelled}`);
      const { habit, valid, start } = span;
      spans[habit].push({ start, end: text.length, ...(valid === undefined ? {} : { valid }) });
    } else text += piece;
  }
  if (open.length > 0) throw new Error(`label without "]]" in: ${labelled}`);
  for (const list of Object.values(spans)) list.sort((a, b) => a.start - b.start);
  return { text, spans };
}

/** Rows of the gold file, in the order of the source; the split alternates within a style. */
export function parseSource(source) {
  const rows = [];
  let style = "";
  let inStyle = 0;
  const body = source.slice(source.indexOf("\n# "));
  for (const block of body.split(/^(?=[#@] )/m)) {
    const heading = /^# (\S+)\n/.exec(block);
    const head = /^@ ([\d ]+) -> (-?\d+)\n/.exec(block);
    if (heading !== null) {
      style = heading[1];
      inStyle = 0;
    } else if (head !== null) {
      const lines = block.slice(head[0].length).split("\n");
      const labelled = lines
        .filter((line) => !line.startsWith("%"))
        .join("\n")
        .trim();
      const numbers = head[1].split(" ").map(Number);
      const split = inStyle % 2 === 0 ? "tune" : "held_out";
      inStyle += 1;
      const id = `${style}-${inStyle}`;
      rows.push({ id, style, split, numbers, target: Number(head[2]), ...parseLabels(labelled) });
    } else if (block.trim() !== "") throw new Error(`not a style or a trace: ${block}`);
  }
  return rows;
}

/** Content of traces.jsonl for a source text. */
export function buildGold(source) {
  return parseSource(source)
    .map((row) => `${JSON.stringify(row)}\n`)
    .join("");
}

if (process.argv[1] === import.meta.filename) {
  const folder = new URL("../src/behaviours/gold/", import.meta.url);
  const rows = buildGold(readFileSync(new URL("source.txt", folder), "utf8"));
  writeFileSync(new URL("traces.jsonl", folder), rows);
}

/** Batches of a mock server, the same for both interfaces: what was asked, when it ends, and what went wrong with it. */
import type { BatchFault } from "./faults.ts";
import type { MockPrompt } from "./model.ts";

/** One request of a batch. */
export interface MockBatchItem {
  readonly customId: string;
  readonly prompt: MockPrompt;
}

/** What became of it. */
export type MockItemResult = "succeeded" | "server-error" | "invalid-request" | "expired";

/** One batch. */
export interface MockBatch {
  readonly id: string;
  readonly number: number;
  readonly createdAtMs: number;
  readonly items: readonly MockBatchItem[];
  readonly inputFile: string | null;
  readonly metadata: Readonly<Record<string, string>> | null;
  readonly faults: readonly BatchFault[];
  /** Questions about its state that are still answered with "running". */
  pollsLeft: number;
  /** Whether the connection was cut once while its results were read. */
  wasCut: boolean;
}

/** What became of each item of a batch that has ended. */
export function itemResult(batch: MockBatch, at: number): MockItemResult {
  const has = (fault: BatchFault): boolean => batch.faults.includes(fault);
  if (has("all-errors")) return "server-error";
  if (has("invalid-request") && at === 0) return "invalid-request";
  if (has("expired") && at >= batch.items.length / 2) return "expired";
  if (has("errors") && at % 3 === 2) return "server-error";
  return "succeeded";
}

/** Lines of results with what is wrong with them; out of order in any case. */
export function spoilLines(batch: MockBatch, lines: readonly string[]): string {
  const has = (fault: BatchFault): boolean => batch.faults.includes(fault);
  const all = [...lines].reverse();
  const [first] = all;
  if (first === undefined) return "";
  if (has("unreadable")) return all.map(() => "<html>\n").join("");
  if (has("duplicate")) all.push(first);
  if (has("wrong-custom-id")) all[0] = first.replace(/"custom_id":"[^"]*"/, '"custom_id":"nobody"');
  if (has("malformed-line")) all[Math.floor(all.length / 2)] = '{"custom_id": ';
  const text = all.map((line) => `${line}\n`).join("");
  return has("truncated") ? text.slice(0, -Math.ceil((all.at(-1)?.length ?? 0) / 2)) : text;
}

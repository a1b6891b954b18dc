/** What the searches of the teacher are given and what they give. */
import type { BehaviourCells } from "../data/rows.ts";
import type { Item, ValueRange } from "./steps.ts";

/** What a search is given. */
export interface SearchTask {
  readonly numbers: readonly number[];
  readonly target: number;
  readonly range: ValueRange;
  /** Attempts after which the search ends at the end of the branch; Infinity for none. */
  readonly giveUpAfter: number;
}

/** A written thought and where it ended. */
export interface Thought {
  /** From the space after `<think>` up to `</think>`. */
  readonly text: string;
  readonly record: BehaviourCells;
  /** Expression of the hit, or of the nearest value seen. */
  readonly answer: Item;
  readonly hit: boolean;
  readonly attempts: number;
}

/** Why a puzzle got no trace. */
export interface Rejection {
  readonly rejected: "unsolved" | "too_long" | "no_failure" | "no_match";
}

/** The item whose value is nearer to the target; the earlier one of equals. */
export function nearer(best: Item | undefined, item: Item, target: number): Item {
  if (best === undefined) return item;
  return Math.abs(item.value - target) < Math.abs(best.value - target) ? item : best;
}

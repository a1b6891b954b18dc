/** Builds the text of a thought and, with it, the record of every habit instance and its place. */
import type { Step } from "../countdown/index.ts";
import type { Behaviour, BehaviourCells, Span } from "../data/rows.ts";
import type { Random } from "../random/random.ts";
import { equation } from "./steps.ts";

/** Values for the slots of a phrase. */
export type Slots = Readonly<Record<string, string | number>>;

/** What a phrase or an equation counts as. */
export interface Mark {
  readonly behaviour: Behaviour;
  readonly valid?: boolean;
}

/** A phrase with its slots filled and without the marks of habits. */
export function fillPhrase(phrase: string, slots: Slots): string {
  return fillSlots(phrase.replace(/[{}]/gu, ""), slots);
}

function fillSlots(text: string, slots: Slots): string {
  return text.replace(/\$([a-z]+)/gu, (slot, name: string) => String(slots[name] ?? slot));
}

/** Text that grows, with the spans of the habits in it. */
export class TraceWriter {
  readonly #random: Random;
  readonly #spans = noSpans();
  text = "";

  constructor(random: Random) {
    this.#random = random;
  }

  /** Adds text that is no habit. */
  plain(text: string): void {
    this.text += text;
  }

  /** Adds one phrase of a table; what stands in braces is recorded when `mark` is given. */
  phrase(table: readonly string[], slots: Slots, mark?: Mark): void {
    const phrase = this.#random.pick(table);
    for (const part of phrase.split(/(\{[^}]*\})/u)) {
      const inner = part.startsWith("{") ? part.slice(1, -1) : part;
      const text = fillSlots(inner, slots);
      if (part.startsWith("{") && mark !== undefined) this.marked(text, mark);
      else this.text += text;
    }
  }

  /** Adds a space and an equation; recorded when `mark` is given. */
  equation(step: Step, mark?: Mark): void {
    this.text += " ";
    if (mark === undefined) this.text += equation(step);
    else this.marked(equation(step), mark);
  }

  /** Adds text that is an instance of a habit. */
  marked(text: string, mark: Mark): void {
    const start = this.text.length;
    this.text += text;
    this.#spans[mark.behaviour].push({
      start,
      end: this.text.length,
      ...(mark.valid === undefined ? {} : { valid: mark.valid }),
    });
  }

  /** True when the equation stands in the text already. */
  has(step: Step): boolean {
    return this.text.includes(` ${equation(step)}`);
  }

  /** True with the given probability, from the writer's stream. */
  chance(probability: number): boolean {
    return this.#random.chance(probability);
  }

  /** Instances recorded up to here. */
  record(): BehaviourCells {
    return recordOf(this.#spans);
  }
}

function recordOf(spans: Readonly<Record<Behaviour, readonly Span[]>>): BehaviourCells {
  const cell = (behaviour: Behaviour) => ({
    count: spans[behaviour].length,
    spans: [...spans[behaviour]],
  });
  return {
    verification: cell("verification"),
    backtracking: cell("backtracking"),
    subgoal_setting: cell("subgoal_setting"),
    backward_chaining: cell("backward_chaining"),
  };
}

function noSpans(): Record<Behaviour, Span[]> {
  return { verification: [], backtracking: [], subgoal_setting: [], backward_chaining: [] };
}

/** Record of a text without any habit. */
export function emptyRecord(): BehaviourCells {
  return recordOf(noSpans());
}

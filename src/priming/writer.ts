/** Builds the text of a thought and, with it, the record of every habit instance and its place. */
import type { Behaviour, BehaviourCells, Span } from "../data/rows.ts";
import type { Random } from "../random/random.ts";
import { equation, type Step } from "./expression.ts";

/** Values for the slots of a phrase. */
export type Slots = Readonly<Record<string, string | number>>;

/** What a phrase or an equation counts as. */
export interface Mark {
  readonly behaviour: Behaviour;
  readonly valid?: boolean;
}

/** Text that grows, with the spans of the habits in it. */
export class TraceWriter {
  readonly #random: Random;
  readonly #spans: Record<Behaviour, Span[]> = {
    verification: [],
    backtracking: [],
    subgoal_setting: [],
    backward_chaining: [],
  };
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
      const text = inner.replace(/\$([a-z]+)/gu, (_, name: string) => String(slots[name]));
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

  /** True with the given probability, from the writer's stream. */
  chance(probability: number): boolean {
    return this.#random.chance(probability);
  }

  /** Instances recorded up to here. */
  record(): BehaviourCells {
    const cell = (behaviour: Behaviour) => ({
      count: this.#spans[behaviour].length,
      spans: [...this.#spans[behaviour]],
    });
    return {
      verification: cell("verification"),
      backtracking: cell("backtracking"),
      subgoal_setting: cell("subgoal_setting"),
      backward_chaining: cell("backward_chaining"),
    };
  }
}

/** What a mock server does wrong, and when. A script is a list of rules; the first that applies decides. */
import { sha256 } from "../../../util/hash.ts";

/** Something that goes wrong with a call. */
export type Fault =
  /** An error status; `retryAfterS` is sent as a header. */
  | {
      readonly kind: "status";
      readonly status: number;
      readonly retryAfterS?: number;
      readonly code?: string;
    }
  /** The answer comes late. */
  | { readonly kind: "slow"; readonly ms: number }
  /** The connection is cut: before the work, after it without a word, or in the middle of the body. */
  | { readonly kind: "cut"; readonly when: "before" | "after" | "middle" }
  /** A body that is not JSON, or JSON of another form. */
  | { readonly kind: "malformed"; readonly form?: "json" | "shape" }
  | { readonly kind: "refusal" }
  | { readonly kind: "empty" }
  | { readonly kind: "max-tokens" }
  /** The server sends the key back in text and errors. */
  | { readonly kind: "echo-key"; readonly status?: number };

/** Something that goes wrong with the results of a batch. */
export type BatchFault =
  /** The first answer stands under a custom identifier that nobody asked for. */
  | "wrong-custom-id"
  /** The first answer stands twice. */
  | "duplicate"
  /** The file ends in the middle of a line, although the response is whole. */
  | "truncated"
  /** The connection is cut in the middle of the file; once. */
  | "cut"
  /** No line is JSON. */
  | "unreadable"
  /** A line in the middle is not JSON. */
  | "malformed-line"
  /** The second half of the requests was not done in time. */
  | "expired"
  /** Every third request has an error of the server. */
  | "errors"
  /** The first request has an error of its own making. */
  | "invalid-request"
  /** No answer at all: OpenAI then names no output file. */
  | "all-errors"
  /** The batch is refused as a whole after it was taken. */
  | "refused";

/** Calls that rules tell apart. */
export type MockRoute =
  | "message"
  | "count"
  | "upload"
  | "batch-create"
  | "batch-list"
  | "batch-status"
  | "batch-results";

/** When something goes wrong. */
export interface FaultRule {
  readonly fault: Fault;
  /** Default `message`. */
  readonly route?: MockRoute;
  /** Numbers of the calls of that route, from 1. */
  readonly calls?: readonly number[];
  /** Share of the calls, drawn from the seed. */
  readonly share?: number;
}

/** Everything that goes wrong. */
export interface FaultScript {
  readonly seed?: number;
  readonly rules?: readonly FaultRule[];
  /** Faults of the results, by the number of the batch, from 1. */
  readonly batches?: Readonly<Record<number, readonly BatchFault[]>>;
}

/** Decides for each call. */
export class FaultPlan {
  readonly #script: FaultScript;
  readonly #calls = new Map<MockRoute, number>();

  constructor(script: FaultScript) {
    this.#script = script;
  }

  /** The fault of the next call of a route. */
  next(route: MockRoute): Fault | undefined {
    const call = (this.#calls.get(route) ?? 0) + 1;
    this.#calls.set(route, call);
    const rules = this.#script.rules ?? [];
    return rules.find((rule, at) => this.#applies(rule, { route, call, at }))?.fault;
  }

  /** Faults of the n-th batch, from 1. */
  ofBatch(number: number): readonly BatchFault[] {
    return this.#script.batches?.[number] ?? [];
  }

  #applies(rule: FaultRule, now: { route: MockRoute; call: number; at: number }): boolean {
    if ((rule.route ?? "message") !== now.route) return false;
    if (rule.calls !== undefined) return rule.calls.includes(now.call);
    if (rule.share === undefined) return true;
    const digits = sha256(`${this.#script.seed ?? 0} ${now.route} ${now.call} ${now.at}`);
    return Number.parseInt(digits.slice(0, 8), 16) / 2 ** 32 < rule.share;
  }
}

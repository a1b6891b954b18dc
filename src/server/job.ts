/** What the HTTP side and the engine tell each other; plain data, so that it can cross a thread. */
import type { SampleRequest } from "../model/sampling/requests.ts";
import type { SequenceSettings, TokenRecord } from "../model/sampling/sequence.ts";
import type { PlainError } from "../util/plain-error.ts";

/** One request of a client: sequences that share their settings. */
export interface JobSpec {
  /** One for each choice of the answer. */
  readonly requests: readonly SampleRequest[];
  readonly settings: SequenceSettings;
  readonly seed: number;
  readonly stop: readonly string[];
}

/** What became certain about one choice. */
export interface ChoiceEvent {
  readonly choice: number;
  readonly text: string;
  readonly records: readonly TokenRecord[];
  /** Present at its end. */
  readonly finish?: {
    readonly reason: "stop" | "length";
    /** Generated tokens, the end token included. */
    readonly tokens: number;
  };
}

export type EngineRequest =
  | { readonly type: "submit"; readonly job: number; readonly spec: JobSpec }
  | { readonly type: "cancel"; readonly job: number }
  | { readonly type: "close" };

export type EngineReply =
  /** Events of one decoding step, in order. */
  | {
      readonly type: "events";
      readonly events: readonly { readonly job: number; readonly event: ChoiceEvent }[];
    }
  | { readonly type: "ready" }
  /** The jobs could not be finished; without a list, none can any more. */
  | { readonly type: "failed"; readonly jobs?: readonly number[]; readonly error: PlainError };

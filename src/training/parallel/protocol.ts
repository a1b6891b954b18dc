/**
 * What the threads of a parallel backend tell each other. Weights and gradients lie in shared memory, which onnxruntime cannot read, so
 * that a thread copies the weights before a call and its gradients after it; messages order the accesses. Feeds and outputs are moved.
 */
import type { ModelConfig } from "../../model/config.ts";
import type { ParameterSpec } from "../../model/parameters.ts";
import type { SampledSequence, SampleRequest } from "../../model/sampler.ts";
import type { PlainError } from "../../util/plain-error.ts";
import type { Job, Outputs, RolloutOptions } from "../backend.ts";
import type { ProgramSpec } from "../program.ts";

/** Parameters as a thread knows them; equal ids are equal parameters. */
export interface SharedParameters {
  readonly id: number;
  readonly specs: readonly ParameterSpec[];
  readonly weights: SharedArrayBuffer;
}

/** A runner as a thread knows it. */
export interface SharedRunner {
  readonly id: number;
  readonly program: ProgramSpec;
  readonly specs: readonly ParameterSpec[];
  /** Receives the sum of the thread's gradients; a forward runner has none. */
  readonly gradients?: SharedArrayBuffer;
}

export type ThreadRequest =
  | {
      readonly type: "run";
      readonly runner: SharedRunner;
      readonly parameters: SharedParameters;
      readonly jobs: readonly Job[];
    }
  | {
      readonly type: "sample";
      readonly model: ModelConfig;
      readonly parameters: SharedParameters;
      readonly requests: readonly SampleRequest[];
      readonly options: Omit<RolloutOptions, "signal">;
    }
  | { readonly type: "abort" }
  | { readonly type: "close" };

export type ThreadReply =
  | { readonly type: "outputs"; readonly outputs: readonly Outputs[] }
  | { readonly type: "sequences"; readonly sequences: readonly SampledSequence[] }
  | { readonly type: "failed"; readonly error: PlainError };

/** A thread as the backend sees it. */
export interface Thread {
  post(request: ThreadRequest, transfer?: readonly ArrayBuffer[]): void;
  onReply(receive: (reply: ThreadReply) => void): void;
  /** Called once when the thread has ended, with the reason if it was not asked to. */
  onEnd(receive: (reason: string) => void): void;
}

/**
 * Where training programs run: in this thread, or shared out over worker threads (parallel/). A job is one micro-batch; the gradients
 * of all jobs of a call add up in a fixed order, so that equal calls give equal bytes.
 */
import type { ModelConfig } from "../model/config.ts";
import type { ParameterSpec, Parameters } from "../model/parameters.ts";
import type { SampledSequence, SampleRequest } from "../model/sampler.ts";
import type { BatchShape } from "./micro-batch.ts";
import type { ProgramSpec } from "./program.ts";

export type Feeds = Readonly<Record<string, Float32Array | Int32Array | Uint8Array>>;
/** Outputs of a program by name, without gradients. */
export type Outputs = Readonly<Record<string, Float32Array>>;

/** One micro-batch. A runner may take the arrays over: they are not used again. */
export interface Job {
  readonly shape: BatchShape;
  readonly feeds: Feeds;
}

/** Runs a program forward. */
export interface ForwardRunner {
  /** Outputs of each job, in their order. */
  run(parameters: Parameters, jobs: readonly Job[]): Promise<Outputs[]>;
}

/** Runs a program forward and backward. */
export interface GradientRunner {
  /** Sum over the jobs of the last `run`. */
  readonly gradients: Parameters;
  /** Outputs of each job, in their order. */
  run(parameters: Parameters, jobs: readonly Job[]): Promise<Outputs[]>;
}

/** Options of sampling for training: temperature 1 and every sequence from its own stream. */
export interface RolloutOptions {
  readonly seed: string;
  readonly maxNewTokens: number;
  /** Sequences decoded side by side, over all threads. */
  readonly batchSize: number;
  readonly signal?: AbortSignal;
}

export interface RunnerOptions {
  /** Weights that the program reads besides those that it trains: the base of an adapted model. */
  readonly frozen?: Parameters;
}

/** Compiled programs and the threads that run them. */
export interface Backend extends AsyncDisposable {
  /** Threads that share the jobs of a call. */
  readonly workers: number;
  forwardRunner(
    program: ProgramSpec,
    specs: readonly ParameterSpec[],
    options?: RunnerOptions,
  ): ForwardRunner;
  gradientRunner(
    program: ProgramSpec,
    specs: readonly ParameterSpec[],
    options?: RunnerOptions,
  ): GradientRunner;
  sample(
    model: ModelConfig,
    parameters: Parameters,
    requests: readonly SampleRequest[],
    options: RolloutOptions,
  ): Promise<SampledSequence[]>;
}

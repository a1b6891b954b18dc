/** The thread's side of a parallel backend: answers one request at a time with programs of its own. */
import type { CompileOptions } from "../../engine/index.ts";
import { Parameters } from "../../model/parameters.ts";
import { toPlainError } from "../../util/plain-error.ts";
import type { ForwardRunner, GradientRunner } from "../backend.ts";
import { localBackend } from "../local-backend.ts";
import type { SharedParameters, SharedRunner, ThreadReply, ThreadRequest } from "./protocol.ts";

type Call = Extract<ThreadRequest, { readonly type: "run" | "sample" }>;

/** Programs and weights of one thread. */
export class ThreadHost {
  readonly #backend;
  readonly #parameters = new Map<number, Parameters>();
  readonly #forward = new Map<number, ForwardRunner>();
  readonly #gradient = new Map<number, GradientRunner>();
  #abort = new AbortController();

  constructor(options: CompileOptions) {
    this.#backend = localBackend(options);
  }

  /** Stops the sampling that is under way at its next token. */
  abort(): void {
    this.#abort.abort();
  }

  /** Does what a request asks; failures are replies too. */
  async answer(request: Call): Promise<ThreadReply> {
    this.#abort = new AbortController();
    try {
      const parameters = this.#read(request.parameters);
      if (request.type === "run") {
        return { type: "outputs", outputs: await this.#run(request, parameters) };
      }
      const options = { ...request.options, signal: this.#abort.signal };
      const sequences = await this.#backend.sample(
        request.model,
        parameters,
        request.requests,
        options,
      );
      return { type: "sequences", sequences };
    } catch (error) {
      return { type: "failed", error: toPlainError(error) };
    }
  }

  async close(): Promise<void> {
    await this.#backend[Symbol.asyncDispose]();
  }

  /** The thread's own copy of the weights, brought up to date. */
  #read({ id, specs, weights }: SharedParameters): Parameters {
    const own = this.#parameters.get(id) ?? new Parameters(specs);
    this.#parameters.set(id, own);
    own.flat.set(new Float32Array(weights));
    return own;
  }

  async #run(request: Extract<Call, { readonly type: "run" }>, parameters: Parameters) {
    const { runner, jobs } = request;
    if (runner.gradients === undefined) {
      return this.#forwardRunner(runner).run(parameters, jobs);
    }
    const gradientRunner = this.#gradientRunner(runner);
    const outputs = await gradientRunner.run(parameters, jobs);
    new Float32Array(runner.gradients).set(gradientRunner.gradients.flat);
    return outputs;
  }

  #forwardRunner({ id, program, specs }: SharedRunner): ForwardRunner {
    const own = this.#forward.get(id) ?? this.#backend.forwardRunner(program, specs);
    this.#forward.set(id, own);
    return own;
  }

  #gradientRunner({ id, program, specs }: SharedRunner): GradientRunner {
    const own = this.#gradient.get(id) ?? this.#backend.gradientRunner(program, specs);
    this.#gradient.set(id, own);
    return own;
  }
}

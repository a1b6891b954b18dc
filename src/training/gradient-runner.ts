/** Runs forward and backward programs on micro-batches and sums gradients over them. */
import {
  differentiate,
  GraphBuilder,
  type Program,
  ProgramCache,
  type Tensor,
} from "../engine/index.ts";
import type { ParameterSpec, Parameters } from "../model/parameters.ts";
import { declareParameters } from "../model/transformer.ts";

type Feeds = Readonly<Record<string, Float32Array | Int32Array>>;
type Outputs = Readonly<Record<string, Float32Array>>;

/**
 * Declares inputs and outputs of a program for B sequences of T positions; training programs name their scalar loss `loss`.
 * Sums over positions are outputs of shape [] or [1].
 */
export type BuildProgram = (
  graph: GraphBuilder,
  weights: Record<string, Tensor>,
  shape: { readonly B: number; readonly T: number },
) => void;

export interface RunnerOptions {
  readonly specs: readonly ParameterSpec[];
  readonly build: BuildProgram;
  readonly threads?: number;
}

/** Forward programs by shape; for evaluation. */
export class ForwardRunner {
  readonly #options: RunnerOptions;
  readonly #programs: ProgramCache;

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#programs = new ProgramCache(
      options.threads === undefined ? {} : { threads: options.threads },
    );
  }

  async run(
    parameters: Parameters,
    shape: { B: number; T: number },
    feeds: Feeds,
  ): Promise<Outputs> {
    const program = await this.#programs.get(`${shape.B}/${shape.T}`, () =>
      buildGraph(this.#options, shape),
    );
    return (await program.run({ ...parameters.views, ...feeds })) as Outputs;
  }

  async dispose(): Promise<void> {
    await this.#programs.dispose();
  }
}

/** Forward and backward programs by shape; gradients add up in `gradients` until `reset`. */
export class GradientRunner {
  readonly gradients: Parameters;
  readonly #scratch: Parameters;
  readonly #options: RunnerOptions;
  readonly #programs: ProgramCache;
  #isFirst = true;

  constructor(parameters: Parameters, options: RunnerOptions) {
    this.gradients = parameters.zerosLike();
    this.#scratch = parameters.zerosLike();
    this.#options = options;
    this.#programs = new ProgramCache(
      options.threads === undefined ? {} : { threads: options.threads },
    );
  }

  /** The next `add` starts a new sum. */
  reset(): void {
    this.#isFirst = true;
  }

  /** Adds the gradient of one micro-batch; returns the program's other outputs. */
  async add(
    parameters: Parameters,
    shape: { B: number; T: number },
    feeds: Feeds,
  ): Promise<Outputs> {
    const program = await this.#program(shape);
    const target = this.#isFirst ? this.gradients : this.#scratch;
    const fetches = Object.fromEntries(
      target.specs.map(({ name }) => [`grad:${name}`, target.views[name] as Float32Array]),
    );
    const out = (await program.run({ ...parameters.views, ...feeds }, fetches)) as Outputs;
    if (!this.#isFirst) addInto(this.gradients.flat, this.#scratch.flat);
    this.#isFirst = false;
    return out;
  }

  async #program(shape: { B: number; T: number }): Promise<Program> {
    return this.#programs.get(`${shape.B}/${shape.T}`, () =>
      differentiate(buildGraph(this.#options, shape), {
        loss: "loss",
        wrt: this.#options.specs.map((spec) => spec.name),
      }),
    );
  }

  async dispose(): Promise<void> {
    await this.#programs.dispose();
  }
}

function buildGraph(options: RunnerOptions, shape: { B: number; T: number }) {
  const graph = new GraphBuilder(`${shape.B}x${shape.T}`);
  options.build(graph, declareParameters(graph, options.specs), shape);
  return graph.build();
}

function addInto(target: Float32Array, source: Float32Array): void {
  for (let i = 0; i < target.length; i += 1) target[i]! += source[i]!;
}

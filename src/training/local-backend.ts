/** Runs training programs in the calling thread. */
import { type CompileOptions, differentiate, ProgramCache } from "../engine/index.ts";
import { type ParameterSpec, Parameters } from "../model/parameters.ts";
import { Sampler } from "../model/sampler.ts";
import type {
  Backend,
  ForwardRunner,
  GradientRunner,
  Job,
  Outputs,
  RunnerOptions,
} from "./backend.ts";
import { buildProgramGraph, type ProgramSpec, shapeKey } from "./program.ts";

/** A backend without further threads. */
export function localBackend(options: CompileOptions = {}): Backend {
  const caches: ProgramCache[] = [];
  const samplers = new Map<string, Sampler>();
  const newCache = (): ProgramCache => {
    const cache = new ProgramCache(options);
    caches.push(cache);
    return cache;
  };
  return {
    workers: 1,
    forwardRunner: (program, specs, options) =>
      new LocalForwardRunner(program, specs, newCache(), options),
    gradientRunner: (program, specs, options) =>
      new LocalGradientRunner(program, specs, newCache(), options),
    sample(model, parameters, requests, settings) {
      const key = JSON.stringify(model);
      const sampler = samplers.get(key) ?? new Sampler(model, options);
      samplers.set(key, sampler);
      return sampler.sample(parameters, requests, { ...settings, temperature: 1 });
    },
    async [Symbol.asyncDispose]() {
      for (const cache of caches) await cache.dispose();
      for (const sampler of samplers.values()) await sampler.dispose();
    },
  };
}

class LocalForwardRunner implements ForwardRunner {
  readonly #program: ProgramSpec;
  readonly #specs: readonly ParameterSpec[];
  readonly #programs: ProgramCache;
  readonly #frozen: Parameters | undefined;

  constructor(
    program: ProgramSpec,
    specs: readonly ParameterSpec[],
    programs: ProgramCache,
    { frozen }: RunnerOptions = {},
  ) {
    this.#program = program;
    this.#specs = specs;
    this.#programs = programs;
    this.#frozen = frozen;
  }

  async run(parameters: Parameters, jobs: readonly Job[]): Promise<Outputs[]> {
    const results: Outputs[] = [];
    for (const { shape, feeds } of jobs) {
      const program = await this.#programs.get(shapeKey(shape), () =>
        buildProgramGraph(this.#program, this.#specs, shape, {
          frozen: this.#frozen?.specs ?? [],
        }),
      );
      results.push(
        (await program.run({ ...this.#frozen?.views, ...parameters.views, ...feeds })) as Outputs,
      );
    }
    return results;
  }
}

/** Forward and backward programs by shape. */
class LocalGradientRunner implements GradientRunner {
  readonly gradients: Parameters;
  /** Gradients of one job, where a call has more than one. */
  #scratch: Parameters | undefined;
  readonly #program: ProgramSpec;
  readonly #specs: readonly ParameterSpec[];
  readonly #programs: ProgramCache;
  readonly #frozen: Parameters | undefined;

  constructor(
    program: ProgramSpec,
    specs: readonly ParameterSpec[],
    programs: ProgramCache,
    { frozen }: RunnerOptions = {},
  ) {
    this.gradients = new Parameters(specs);
    this.#program = program;
    this.#specs = specs;
    this.#programs = programs;
    this.#frozen = frozen;
  }

  async run(parameters: Parameters, jobs: readonly Job[]): Promise<Outputs[]> {
    const results: Outputs[] = [];
    if (jobs.length === 0) this.gradients.flat.fill(0);
    for (const [at, { shape, feeds }] of jobs.entries()) {
      const program = await this.#programs.get(shapeKey(shape), () =>
        differentiate(
          buildProgramGraph(this.#program, this.#specs, shape, {
            frozen: this.#frozen?.specs ?? [],
            isTraining: true,
          }),
          { loss: "loss", wrt: this.#specs.map((spec) => spec.name) },
        ),
      );
      if (at > 0) this.#scratch ??= this.gradients.zerosLike();
      const target = at === 0 ? this.gradients : (this.#scratch as Parameters);
      const fetches = Object.fromEntries(
        this.#specs.map(({ name }) => [`grad:${name}`, target.views[name] as Float32Array]),
      );
      const out = (await program.run(
        { ...this.#frozen?.views, ...parameters.views, ...feeds },
        fetches,
      )) as Outputs;
      if (at > 0) addInto(this.gradients.flat, target.flat);
      results.push(Object.fromEntries(Object.entries(out).filter(([name]) => !(name in fetches))));
    }
    return results;
  }
}

/** Adds an array to another, element by element. */
export function addInto(target: Float32Array, source: Float32Array): void {
  for (let i = 0; i < target.length; i += 1) target[i]! += source[i]!;
}

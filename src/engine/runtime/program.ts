import { InternalError } from "../../util/errors.ts";
import type { Graph, TensorData } from "../graph/types.ts";

export interface CompileOptions {
  /** Threads inside one operator; default 1. */
  readonly threads?: number;
}

/** A compiled graph. `run` blocks the thread while it computes. */
export interface Program {
  readonly graph: Graph;
  /**
   * Runs once. `feeds` holds an array for every input and parameter. Results named in `fetches` are written into the given
   * arrays, the others into new ones; all of them are returned by name.
   */
  run(
    feeds: Readonly<Record<string, TensorData>>,
    fetches?: Readonly<Record<string, TensorData>>,
  ): Promise<Record<string, TensorData>>;
  /** Frees the session. Sessions leak some memory when made over and over: keep programs, in a `ProgramCache`. */
  dispose(): Promise<void>;
}

export async function compile(_graph: Graph, _options: CompileOptions = {}): Promise<Program> {
  throw new InternalError("the runtime is not written yet", { code: "engine.unwritten" });
}

/** Programs by key, each compiled once and kept. */
export class ProgramCache {
  readonly #programs = new Map<string, Promise<Program>>();
  readonly #options: CompileOptions;

  constructor(options: CompileOptions = {}) {
    this.#options = options;
  }

  /** The program of a key, built by `build` and compiled at the first call. */
  get(key: string, build: () => Graph): Promise<Program> {
    let program = this.#programs.get(key);
    if (program === undefined) {
      program = compile(build(), this.#options);
      this.#programs.set(key, program);
    }
    return program;
  }

  /** Frees every program. */
  async dispose(): Promise<void> {
    const programs = [...this.#programs.values()];
    this.#programs.clear();
    for (const program of programs) await (await program).dispose();
  }
}

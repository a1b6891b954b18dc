/**
 * Compiled programs: a graph lowered to ONNX and run by onnxruntime-node. The runtime is loaded at the first
 * compilation. Feeds are wrapped, not copied; with one thread, equal feeds give equal bytes.
 */
import type { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { GraphError, messageOf } from "../../util/errors.ts";
import { hashGraph } from "../graph/print.ts";
import {
  formatShape,
  type Graph,
  sizeOf,
  type TensorData,
  type TensorType,
} from "../graph/types.ts";
import { verifyGraph } from "../graph/verify.ts";
import { encodeGraph } from "../onnx/lower.ts";
import { type Device, deviceError } from "./device.ts";
import { prepareRuntime, type Runtime, SESSION_OPTIONS } from "./runtime.ts";

/** Arrays by name of input, parameter or output. */
export type Arrays = Readonly<Record<string, TensorData>>;

export interface CompileOptions {
  /** Threads inside one operator; default 1. Several processes of one thread each train faster than one with several. */
  readonly threads?: number;
  /** Default `cpu`. */
  readonly device?: Device;
  /** Prefix of a JSON file to which onnxruntime writes the time of every operator when the program is disposed of. */
  readonly profilePrefix?: string;
}

/** A compiled graph. `run` blocks the thread while it computes. */
export interface Program {
  readonly graph: Graph;
  /**
   * Runs once. `feeds` holds an array for every input and parameter. Results named in `fetches` are written into the given
   * arrays, the others into new ones; all of them are returned by name.
   */
  run(feeds: Arrays, fetches?: Arrays): Promise<Record<string, TensorData>>;
  /** Frees the session. Sessions leak some memory when made over and over: keep programs, in a `ProgramCache`. */
  dispose(): Promise<void>;
}

const ARRAY_KINDS = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const;

class SessionProgram implements Program {
  readonly graph: Graph;
  readonly #session: InferenceSession;
  readonly #runtime: Runtime;
  /** Leaves that the session reads. */
  readonly #inputs: readonly (readonly [string, TensorType])[];
  readonly #outputs: readonly (readonly [string, TensorType])[];
  /** Wrappers of arrays that come again, such as weights. */
  readonly #wrapped = new WeakMap<TensorData, Map<string, OrtTensor>>();

  constructor(graph: Graph, session: InferenceSession, runtime: Runtime) {
    this.graph = graph;
    this.#session = session;
    this.#runtime = runtime;
    const read = new Set(session.inputNames);
    const typesOf = (ids: ReadonlyMap<string, number>) =>
      [...ids].map(([name, id]) => [name, graph.nodes[id] as TensorType] as const);
    this.#inputs = typesOf(graph.inputs).filter(([name]) => read.has(name));
    this.#outputs = typesOf(graph.outputs);
  }

  async run(feeds: Arrays, fetches: Arrays = {}): Promise<Record<string, TensorData>> {
    const inputs: Record<string, OrtTensor> = {};
    for (const [name, type] of this.#inputs)
      inputs[name] = this.#wrap("input", name, type, feeds[name]);
    const outputs: Record<string, OrtTensor | null> = {};
    for (const [name, type] of this.#outputs) {
      const array = fetches[name];
      outputs[name] = array === undefined ? null : this.#wrap("output", name, type, array);
    }
    const results = await this.#runSession(inputs, outputs);
    const arrays: Record<string, TensorData> = {};
    for (const [name] of this.#outputs) {
      arrays[name] = fetches[name] ?? (results[name]!.data as TensorData);
    }
    return arrays;
  }

  async dispose(): Promise<void> {
    this.#session.endProfiling();
    await this.#session.release();
  }

  async #runSession(inputs: Record<string, OrtTensor>, outputs: Record<string, OrtTensor | null>) {
    try {
      return await this.#session.run(inputs, outputs);
    } catch (cause) {
      throw new GraphError(`running "${this.graph.name}": ${messageOf(cause)}`, {
        code: "engine.run",
        hint: "look for an index outside of its axis among the fed arrays",
        cause,
      });
    }
  }

  #wrap(role: string, name: string, type: TensorType, array: TensorData | undefined): OrtTensor {
    const { shape, dtype } = type;
    const Kind = ARRAY_KINDS[dtype];
    if (!(array instanceof Kind) || array.length !== sizeOf(shape)) {
      const expected = `${Kind.name} of ${sizeOf(shape)} for ${formatShape(shape)}`;
      const found =
        array === undefined ? "nothing" : `${array.constructor.name} of ${array.length}`;
      throw new GraphError(
        `running "${this.graph.name}": ${role} "${name}" needs a ${expected}, found ${found}`,
        {
          code: "engine.bad_feed",
          hint: "feed every input and parameter with an array of its size",
        },
      );
    }
    const key = `${dtype}${shape}`;
    const byType = this.#wrapped.get(array) ?? new Map<string, OrtTensor>();
    const known = byType.get(key);
    if (known !== undefined) return known;
    const tensor = new this.#runtime.Tensor(dtype as "float32", array as Float32Array, shape);
    this.#wrapped.set(array, byType.set(key, tensor));
    return tensor;
  }
}

/** Verifies, lowers and compiles a graph. */
export async function compile(graph: Graph, options: CompileOptions = {}): Promise<Program> {
  verifyGraph(graph);
  const runtime = await prepareRuntime();
  const { threads = 1, device = "cpu", profilePrefix } = options;
  try {
    const session = await runtime.InferenceSession.create(encodeGraph(graph, device), {
      ...SESSION_OPTIONS,
      executionProviders: [device],
      intraOpNumThreads: threads,
      ...(profilePrefix === undefined
        ? {}
        : { enableProfiling: true, profileFilePrefix: profilePrefix }),
    });
    return new SessionProgram(graph, session, runtime);
  } catch (cause) {
    const missing = deviceError(device, graph.name, cause);
    if (missing !== undefined) throw missing;
    throw new GraphError(`onnxruntime refused graph "${graph.name}": ${messageOf(cause)}`, {
      code: "engine.compile",
      hint: "this is a defect of the lowering; print the graph with printGraph and report it",
      cause,
    });
  }
}

/** Programs that are compiled once and kept, by a key of the caller or by the hash of the graph. */
export class ProgramCache {
  readonly #programs = new Map<string, Promise<Program>>();
  readonly #options: CompileOptions;

  constructor(options: CompileOptions = {}) {
    this.#options = options;
  }

  /** The program of a key such as `train/8x192`, whose graph is built at the first call. */
  get(key: string, build: () => Graph): Promise<Program> {
    let program = this.#programs.get(key);
    if (program === undefined) {
      program = compile(build(), this.#options);
      this.#programs.set(key, program);
      // A failed compilation is tried again at the next call.
      program.catch(() => this.#programs.delete(key));
    }
    return program;
  }

  /** The program of a graph, shared with every equal graph. */
  compile(graph: Graph): Promise<Program> {
    return this.get(`sha256:${hashGraph(graph)}`, () => graph);
  }

  /** Number of programs held. */
  get size(): number {
    return this.#programs.size;
  }

  /** Frees every program. */
  async dispose(): Promise<void> {
    const programs = await Promise.allSettled(this.#programs.values());
    this.#programs.clear();
    for (const program of programs) {
      if (program.status === "fulfilled") await program.value.dispose();
    }
  }
}

import { InternalError } from "../../util/errors.ts";
import type { Graph } from "../graph/types.ts";

export interface DifferentiateOptions {
  /** Name of a scalar output. */
  readonly loss: string;
  /** Names of parameters or float32 inputs; default every parameter. */
  readonly wrt?: readonly string[];
}

export function differentiate(_graph: Graph, _options: DifferentiateOptions): Graph {
  throw new InternalError("reverse mode is not written yet", { code: "engine.unwritten" });
}

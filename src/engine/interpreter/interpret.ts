import { InternalError } from "../../util/errors.ts";
import type { Graph, TensorData } from "../graph/types.ts";

export type Feeds = Readonly<Record<string, TensorData>>;

export function interpret(_graph: Graph, _feeds: Feeds): Record<string, TensorData> {
  throw new InternalError("the interpreter is not written yet", { code: "engine.unwritten" });
}

/** Cross-entropy of next tokens as a training program, shared by supervised fine-tuning and pretraining. */
import {
  type GraphBuilder,
  gatherLast,
  logSoftmax,
  mul,
  neg,
  sum,
  type Tensor,
} from "../engine/index.ts";
import type { ModelConfig } from "../model/config.ts";
import { logitsOf, trunk } from "../model/transformer.ts";
import type { BuildProgram } from "./gradient-runner.ts";

/** Log-probability of `targets` (B, T) at each position. */
export function targetLogProbs(
  graph: GraphBuilder,
  config: ModelConfig,
  weights: Record<string, Tensor>,
  { B, T }: { readonly B: number; readonly T: number },
): { readonly chosen: Tensor; readonly all: Tensor } {
  const hidden = trunk(graph, config, weights, graph.input("tokens", [B, T], "int32"));
  const all = logSoftmax(logitsOf(config, weights, hidden)); // (B, T, V)
  return { chosen: gatherLast(all, graph.input("targets", [B, T], "int32")), all };
}

/** Program with output `loss`: minus the sum of weights (B, T) times the log-probability of the targets. */
export function languageModelLoss(config: ModelConfig): BuildProgram {
  return (graph, weights, shape) => {
    const { chosen } = targetLogProbs(graph, config, weights, shape);
    const weighted = mul(chosen, graph.input("weights", [shape.B, shape.T]));
    graph.output("loss", neg(sum(weighted, { axes: [0, 1] })));
  };
}

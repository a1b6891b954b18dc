/** Cross-entropy of next tokens as a training program, shared by supervised fine-tuning and pretraining. */
import {
  type GraphBuilder,
  gather,
  gatherLast,
  logSoftmax,
  mul,
  neg,
  reshape,
  sum,
  type Tensor,
} from "../engine/index.ts";
import type { ModelConfig } from "../model/config.ts";
import { logitsOf, trunk } from "../model/transformer.ts";
import type { BatchShape } from "./micro-batch.ts";
import type { BuildProgram } from "./program.ts";

/**
 * Hidden states at the slots, (R, D). Inputs: tokens (B, T); segments and positions (B, T) of packed rows; slots (R) where they are fewer
 * than the positions.
 */
export function slotHidden(
  graph: GraphBuilder,
  config: ModelConfig,
  weights: Record<string, Tensor>,
  { B, T, R, isPacked }: BatchShape,
): Tensor {
  const grid = (name: string): Tensor => graph.input(name, [B, T], "int32");
  const packing = isPacked
    ? { segments: grid("segments"), positions: grid("positions") }
    : undefined;
  const hidden = trunk(graph, config, weights, grid("tokens"), [], packing);
  const flat = reshape(hidden, [B * T, config.hiddenSize]);
  return R === B * T ? flat : gather(flat, graph.input("slots", [R], "int32"));
}

/** Log-probability of `targets` (R), and of every token (R, V). */
export function targetLogProbs(
  graph: GraphBuilder,
  config: ModelConfig,
  weights: Record<string, Tensor>,
  shape: BatchShape,
): { readonly chosen: Tensor; readonly all: Tensor } {
  const all = logSoftmax(logitsOf(config, weights, slotHidden(graph, config, weights, shape)));
  return { chosen: gatherLast(all, graph.input("targets", [shape.R], "int32")), all };
}

/** Program with output `loss`: minus the sum of weights (R) times the log-probability of the targets. */
export function languageModelLoss(config: ModelConfig): BuildProgram {
  return (graph, weights, shape) => {
    const { chosen } = targetLogProbs(graph, config, weights, shape);
    const weighted = mul(chosen, graph.input("weights", [shape.R]));
    graph.output("loss", neg(sum(weighted, { axes: [0] })));
  };
}

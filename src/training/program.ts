/**
 * Training programs by name: what a runner computes, as plain data, so that a worker thread can build the same graph. Each program
 * works on a rectangle of B rows and T positions with R slots (micro-batch.ts).
 */
import { type Graph, GraphBuilder, type Tensor } from "../engine/index.ts";
import type { ModelConfig } from "../model/config.ts";
import type { ParameterSpec } from "../model/parameters.ts";
import { declareParameters } from "../model/transformer.ts";
import { languageModelLoss } from "./language-model-loss.ts";
import type { BatchShape } from "./micro-batch.ts";
import { type ValueLossOptions, valueLoss, valueProgram } from "./ppo/value-loss.ts";
import { logProbProgram, type PolicyLossOptions, policyLoss } from "./rl/policy-loss.ts";

/**
 * Declares inputs and outputs of a program; training programs name their scalar loss `loss`. Sums over slots are outputs of
 * shape [] or [1].
 */
export type BuildProgram = (
  graph: GraphBuilder,
  weights: Record<string, Tensor>,
  shape: BatchShape,
) => void;

/** A program as plain data. */
export type ProgramSpec = { readonly model: ModelConfig } & (
  | { readonly kind: "language_model" }
  | { readonly kind: "policy"; readonly options: PolicyLossOptions }
  | { readonly kind: "log_prob" }
  | { readonly kind: "value_loss"; readonly options: ValueLossOptions }
  | { readonly kind: "value" }
);

function builderOf(program: ProgramSpec): BuildProgram {
  switch (program.kind) {
    case "language_model":
      return languageModelLoss(program.model);
    case "policy":
      return policyLoss(program.model, program.options);
    case "log_prob":
      return logProbProgram(program.model);
    case "value_loss":
      return valueLoss(program.model, program.options);
    case "value":
      return valueProgram(program.model);
  }
}

/** Forward graph of a program over parameters of the given layout. */
export function buildProgramGraph(
  program: ProgramSpec,
  specs: readonly ParameterSpec[],
  shape: BatchShape,
): Graph {
  const graph = new GraphBuilder(`${program.kind}-${shapeKey(shape)}`);
  builderOf(program)(graph, declareParameters(graph, specs), shape);
  return graph.build();
}

/** Names a shape, for caches. */
export function shapeKey({ B, T, R, isPacked }: BatchShape): string {
  return `${B}x${T}/${R}${isPacked ? "/packed" : ""}`;
}

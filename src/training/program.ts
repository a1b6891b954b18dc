/**
 * Training programs by name: what a runner computes, as plain data, so that a worker thread can build the same graph. Each program
 * works on a rectangle of B rows and T positions with R slots (micro-batch.ts).
 */
import { type Graph, GraphBuilder, type Tensor } from "../engine/index.ts";
import type { ModelConfig } from "../model/config.ts";
import { declareAdapterInputs, declareFrozen, type LoraSpec } from "../model/lora.ts";
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

/** A program as plain data; with `adapters` it trains those of a frozen model. */
export type ProgramSpec = { readonly model: ModelConfig; readonly adapters?: LoraSpec } & (
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

export interface ProgramGraphOptions {
  /** Layout of weights that are fed but not trained. */
  readonly frozen?: readonly ParameterSpec[];
  /** True for the dropout of adapters, whose masks are then fed. */
  readonly isTraining?: boolean;
}

/** Forward graph of a program over parameters of the given layout. */
export function buildProgramGraph(
  program: ProgramSpec,
  specs: readonly ParameterSpec[],
  shape: BatchShape,
  { frozen = [], isTraining = false }: ProgramGraphOptions = {},
): Graph {
  const graph = new GraphBuilder(`${program.kind}-${shapeKey(shape)}`);
  const weights = { ...declareFrozen(graph, frozen), ...declareParameters(graph, specs) };
  const { adapters, model } = program;
  if (adapters !== undefined) {
    const training = isTraining ? shape : undefined;
    Object.assign(weights, declareAdapterInputs(graph, model, adapters, training));
  }
  builderOf(program)(graph, weights, shape);
  return graph.build();
}

/** Names a shape, for caches. */
export function shapeKey({ B, T, R, isPacked }: BatchShape): string {
  return `${B}x${T}/${R}${isPacked ? "/packed" : ""}`;
}

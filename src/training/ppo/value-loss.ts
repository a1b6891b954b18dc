/** The critic's programs: values, and the clipped value loss of PPO (as in veRL and CleanRL). Sums are over the R slots, weighted. */
import {
  add,
  cast,
  clip,
  type GraphBuilder,
  less,
  matmul,
  maximum,
  mul,
  reshape,
  squaredDifference,
  sub,
  sum,
  type Tensor,
} from "../../engine/index.ts";
import type { ModelConfig } from "../../model/config.ts";
import { slotHidden } from "../language-model-loss.ts";
import type { BatchShape } from "../micro-batch.ts";
import type { BuildProgram } from "../program.ts";

export interface ValueLossOptions {
  readonly valueClip: number;
}

/** Values (R): the expected return from each slot on. */
function valuesOf(
  graph: GraphBuilder,
  config: ModelConfig,
  parameters: Record<string, Tensor>,
  shape: BatchShape,
): Tensor {
  const hidden = slotHidden(graph, config, parameters, shape);
  const head = parameters.value_head as Tensor; // (1, D)
  return reshape(matmul(hidden, head, { transposeB: true }), [shape.R]);
}

/**
 * Critic program. Inputs besides tokens and slots: weights, old_value, return, each (R). Outputs: `loss` = half the larger of the squared
 * errors of the value and of the value clipped around its old value, and `value_clip_fraction`.
 */
export function valueLoss(config: ModelConfig, { valueClip }: ValueLossOptions): BuildProgram {
  return (graph, parameters, shape) => {
    const values = valuesOf(graph, config, parameters, shape);
    const weights = graph.input("weights", [shape.R]);
    const oldValue = graph.input("old_value", [shape.R]);
    const target = graph.input("return", [shape.R]);

    const clipped = add(oldValue, clip(sub(values, oldValue), -valueClip, valueClip));
    const plainError = squaredDifference(values, target);
    const clippedError = squaredDifference(clipped, target);
    const worst = mul(weights, maximum(plainError, clippedError));
    graph.output("loss", mul(0.5, sum(worst, { axes: [0] })));
    const isClipped = cast(less(plainError, clippedError), "float32");
    graph.output("value_clip_fraction", sum(mul(weights, isClipped), { axes: [0] }));
  };
}

/** Forward program of the critic: output `value` (R). */
export function valueProgram(config: ModelConfig): BuildProgram {
  return (graph, parameters, shape) => {
    graph.output("value", valuesOf(graph, config, parameters, shape));
  };
}

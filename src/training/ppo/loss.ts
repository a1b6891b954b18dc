/**
 * The clipped losses of PPO (Schulman et al. 2017, equations 7 and 9) as training programs. `weights` (B, T) is
 * 1 / (response tokens of the minibatch) at response positions, so that losses are means over tokens.
 * Every sum below is over the positions (B, T), weighted.
 */
import {
  add,
  cast,
  exp,
  type GraphBuilder,
  less,
  matmul,
  maximum,
  minimum,
  mul,
  neg,
  reshape,
  sub,
  sum,
  type Tensor,
} from "../../engine/index.ts";
import type { ModelConfig } from "../../model/config.ts";
import { trunk } from "../../model/transformer.ts";
import type { BuildProgram } from "../gradient-runner.ts";
import { targetLogProbs } from "../language-model-loss.ts";
import type { PpoConfig } from "./config.ts";

function total(tensor: Tensor): Tensor {
  return sum(tensor, { axes: [0, 1] });
}

/** max(low, min(high, x)) */
function clip(graph: GraphBuilder, x: Tensor, low: number, high: number): Tensor {
  return maximum(minimum(x, graph.constant(high)), graph.constant(low));
}

/**
 * Policy program. Inputs: tokens, targets, weights, old_log_prob, advantage, each (B, T).
 * Outputs: loss = policy loss - entropyCoef * entropy, and the sums `policy_loss`, `entropy`, `approx_kl`, `clip_fraction`.
 */
export function policyLoss(
  config: ModelConfig,
  { clipRatio, entropyCoef }: Pick<PpoConfig, "clipRatio" | "entropyCoef">,
): BuildProgram {
  return (graph, parameters, { B, T }) => {
    const { chosen, all } = targetLogProbs(graph, config, parameters, { B, T });
    const weights = graph.input("weights", [B, T]);
    const oldLogProb = graph.input("old_log_prob", [B, T]);
    const advantage = graph.input("advantage", [B, T]);

    const logRatio = sub(chosen, oldLogProb);
    const ratio = exp(logRatio);
    const plain = mul(ratio, advantage);
    const clipped = mul(clip(graph, ratio, 1 - clipRatio, 1 + clipRatio), advantage);
    const policy = neg(total(mul(weights, minimum(plain, clipped))));

    const tokenEntropy = neg(sum(mul(exp(all), all), { axes: [2] })); // (B, T)
    const entropy = total(mul(weights, tokenEntropy));
    // Without the bonus the entropy is only logged: leaving it out of the loss saves its backward pass.
    const loss =
      entropyCoef === 0 ? policy : sub(policy, mul(graph.constant(entropyCoef), entropy));

    graph.output("loss", loss);
    graph.output("policy_loss", policy);
    graph.output("entropy", entropy);
    // E[ratio - 1 - log ratio], the low-variance estimator k3 of Schulman's note on approximating KL.
    const excess = sub(sub(ratio, graph.constant(1)), logRatio);
    graph.output("approx_kl", total(mul(weights, excess)));
    graph.output("clip_fraction", total(mul(weights, cast(less(clipped, plain), "float32"))));
  };
}

/** Values (B, T): the expected return from each position on. */
export function valuesOf(
  graph: GraphBuilder,
  config: ModelConfig,
  parameters: Record<string, Tensor>,
  { B, T }: { readonly B: number; readonly T: number },
): Tensor {
  const hidden = trunk(graph, config, parameters, graph.input("tokens", [B, T], "int32"));
  const head = parameters.value_head as Tensor; // (1, D)
  return reshape(matmul(hidden, head, { transposeB: true }), [B, T]);
}

/**
 * Critic program. Inputs: tokens, weights, old_value, return, each (B, T). Outputs: `loss` = half the larger of the squared errors of
 * the value and of the value clipped around its old value, and `value_clip_fraction`.
 */
export function valueLoss(
  config: ModelConfig,
  { valueClip }: Pick<PpoConfig, "valueClip">,
): BuildProgram {
  return (graph, parameters, { B, T }) => {
    const values = valuesOf(graph, config, parameters, { B, T });
    const weights = graph.input("weights", [B, T]);
    const oldValue = graph.input("old_value", [B, T]);
    const target = graph.input("return", [B, T]);

    const clipped = add(oldValue, clip(graph, sub(values, oldValue), -valueClip, valueClip));
    const plainError = square(sub(values, target));
    const clippedError = square(sub(clipped, target));
    const worst = maximum(plainError, clippedError);
    graph.output("loss", mul(graph.constant(0.5), total(mul(weights, worst))));
    const isClipped = cast(less(plainError, clippedError), "float32");
    graph.output("value_clip_fraction", total(mul(weights, isClipped)));
  };
}

function square(x: Tensor): Tensor {
  return mul(x, x);
}

/** Forward program of log-probabilities: inputs tokens, targets (B, T); output `log_prob` (B, T). */
export function logProbProgram(config: ModelConfig): BuildProgram {
  return (graph, parameters, shape) => {
    graph.output("log_prob", targetLogProbs(graph, config, parameters, shape).chosen);
  };
}

/** Forward program of the critic: input tokens (B, T); output `value` (B, T). */
export function valueProgram(config: ModelConfig): BuildProgram {
  return (graph, parameters, shape) => {
    graph.output("value", valuesOf(graph, config, parameters, shape));
  };
}

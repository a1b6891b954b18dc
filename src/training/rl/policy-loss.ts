/**
 * The clipped policy loss that PPO and GRPO share (Schulman et al. 2017, equation 7; Shao et al. 2024, equation 3). `weights` (R) are those
 * of a mean over response tokens: 1 / (tokens of the minibatch) each, or 1 / (tokens of the response) / (responses). Every sum below is
 * over the R slots, weighted. One forward pass serves log-probabilities and entropy.
 */
import {
  add,
  cast,
  clip,
  exp,
  less,
  minimum,
  mul,
  neg,
  sub,
  sum,
  type Tensor,
} from "../../engine/index.ts";
import type { ModelConfig } from "../../model/config.ts";
import { targetLogProbs } from "../language-model-loss.ts";
import type { BuildProgram } from "../program.ts";

export interface PolicyLossOptions {
  /** The ratio is clipped to [1 - clipLow, 1 + clipHigh]. */
  readonly clipLow: number;
  readonly clipHigh: number;
  readonly entropyCoef: number;
  /** Weight of the KL term in the loss; 0 leaves it out, with its input. */
  readonly klCoef: number;
}

/** Weighted sum over slots. */
function total(weights: Tensor, values: Tensor): Tensor {
  return sum(mul(weights, values), { axes: [0] });
}

/**
 * Policy program. Inputs besides those of `targetLogProbs`: weights, old_log_prob, advantage, each (R), and reference_log_prob (R) with
 * a KL term. Outputs: loss = policy_loss - entropyCoef * entropy + klCoef * kl_loss, and the sums `policy_loss`, `entropy`,
 * `approx_kl`, `clip_fraction`, and `kl_loss` with a KL term.
 */
export function policyLoss(config: ModelConfig, options: PolicyLossOptions): BuildProgram {
  const { clipLow, clipHigh, entropyCoef, klCoef } = options;
  return (graph, parameters, shape) => {
    const { chosen, all } = targetLogProbs(graph, config, parameters, shape);
    const weights = graph.input("weights", [shape.R]);
    const advantage = graph.input("advantage", [shape.R]);

    const logRatio = sub(chosen, graph.input("old_log_prob", [shape.R]));
    const ratio = exp(logRatio);
    const plain = mul(ratio, advantage);
    const clipped = mul(clip(ratio, 1 - clipLow, 1 + clipHigh), advantage);
    const policy = neg(total(weights, minimum(plain, clipped)));
    const entropy = total(weights, neg(sum(mul(exp(all), all), { axes: [1] })));

    // Without the bonus the entropy is only logged: leaving it out of the loss saves its backward pass.
    let loss = entropyCoef === 0 ? policy : sub(policy, mul(entropyCoef, entropy));
    if (klCoef > 0) {
      const toReference = sub(graph.input("reference_log_prob", [shape.R]), chosen);
      const kl = total(weights, excess(exp(toReference), toReference));
      loss = add(loss, mul(klCoef, kl));
      graph.output("kl_loss", kl);
    }
    graph.output("loss", loss);
    graph.output("policy_loss", policy);
    graph.output("entropy", entropy);
    graph.output("approx_kl", total(weights, excess(ratio, logRatio)));
    graph.output("clip_fraction", total(weights, cast(less(clipped, plain), "float32")));
  };
}

/** r - 1 - log r: the low-variance estimator k3 of Schulman's note on approximating KL. */
function excess(ratio: Tensor, logRatio: Tensor): Tensor {
  return sub(sub(ratio, 1), logRatio);
}

/** Forward program of log-probabilities: output `log_prob` (R). */
export function logProbProgram(config: ModelConfig): BuildProgram {
  return (graph, parameters, shape) => {
    graph.output("log_prob", targetLogProbs(graph, config, parameters, shape).chosen);
  };
}

"""Golden values of whole updates: one PPO step and one GRPO step in two settings, computed by PyTorch (development only).

    python test/golden/training-updates.py

reads `tiny-llama/` and writes `training-updates.json`. The policy is the checkpoint times POLICY_SCALE, the reference the checkpoint itself, and the
critic the checkpoint times CRITIC_SCALE with a random head, so that no term vanishes. Each step is one AdamW update with clipping and decay of
matrices only.
"""

import json
from pathlib import Path

import torch
import transformers
from transformers import LlamaForCausalLM

HERE = Path(__file__).parent
torch.set_num_threads(1)
POLICY_SCALE, CRITIC_SCALE = 1.05, 0.97

prompts = [[3, 11, 5, 2], [9, 4, 2]]
responses = [[7, 8, 9, 4, 1], [6, 1], [12, 13, 14, 15, 16, 17, 18], [5, 5, 1], [10, 3, 8, 1], [2, 1]]
scores = [1.0, 0.0, 0.1, 0.0, 0.0, 1.0]
GROUP = 3
rows = [prompts[i // GROUP] + r for i, r in enumerate(responses)]
starts = [len(prompts[i // GROUP]) - 1 for i in range(len(rows))]
T = max(map(len, rows)) - 1
B = len(rows)
tokens, targets = torch.zeros(B, T, dtype=torch.long), torch.zeros(B, T, dtype=torch.long)
mask = torch.zeros(B, T)
for b, s in enumerate(rows):
    tokens[b, : len(s) - 1] = torch.tensor(s[:-1])
    targets[b, : len(s) - 1] = torch.tensor(s[1:])
    mask[b, starts[b] : len(s) - 1] = 1
lengths = mask.sum(1)


def load(scale=1.0):
    model = LlamaForCausalLM.from_pretrained(HERE / "tiny-llama", dtype=torch.float32)
    for p in model.parameters():
        p.data.mul_(scale)
    return model


def per_row(x):
    return [[float(f"{v:.9g}") for v in x[b, starts[b] : starts[b] + int(lengths[b])].detach().double().tolist()] for b in range(B)]


def rounded(t):
    return [float(f"{v:.9g}") for v in t.detach().double().flatten().tolist()]


def log_probs(model):
    return torch.log_softmax(model(tokens).logits, -1)


def chosen_of(lp):
    return lp.gather(2, targets[..., None])[..., 0]


def adamw_step(named, learning_rate, decay, max_norm):
    matrices = [p for _, p in named if p.dim() > 1]
    vectors = [p for _, p in named if p.dim() == 1]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": decay}, {"params": vectors, "weight_decay": 0.0}], lr=learning_rate, betas=(0.9, 0.999), eps=1e-8
    )
    norm = float(torch.nn.utils.clip_grad_norm_([p for _, p in named], max_norm))
    optimizer.step()
    return norm


def policy_terms(lp, old, advantage, weights, low, high):
    chosen = chosen_of(lp)
    ratio = torch.exp(chosen - old)
    plain, clipped = -advantage * ratio, -advantage * torch.clamp(ratio, 1 - low, 1 + high)
    return {
        "chosen": chosen,
        "policy": (weights * torch.maximum(plain, clipped)).sum(),
        "entropy": (weights * torch.distributions.Categorical(logits=lp).entropy()).sum(),
        "approx_kl": (weights * (ratio - 1 - (chosen - old))).sum(),
        "clip_fraction": (weights * (clipped > plain)).sum(),
    }


g = torch.Generator().manual_seed(5)
with torch.no_grad():
    reference = chosen_of(log_probs(load()))
    old = chosen_of(log_probs(load(POLICY_SCALE))) + 0.2 * torch.randn(B, T, generator=g)
out = {
    "versions": {"torch": torch.__version__.split("+")[0], "transformers": transformers.__version__},
    "policyScale": POLICY_SCALE, "criticScale": CRITIC_SCALE, "prompts": prompts, "responses": responses, "scores": scores, "groupSize": GROUP,
    "old_log_prob": per_row(old), "reference_log_prob": per_row(reference),
}
token_weights = mask / mask.sum()
response_weights = mask / lengths[:, None] / B
RATE, DECAY, MAX_NORM = 0.01, 0.3, 1.0

# One PPO step: rewards with the KL penalty, GAE, whitening, one update of each side.
KL, GAMMA, LAMBDA, CLIP, VALUE_CLIP, ENTROPY = 0.1, 0.98, 0.9, 0.15, 0.25, 0.02
critic = load(CRITIC_SCALE).model
head = (0.5 * torch.randn(1, 16, generator=g)).requires_grad_()
values = (critic(tokens).last_hidden_state @ head.T)[..., 0]
out["head"] = rounded(head)
rewards = -KL * (old - reference)
advantage = torch.zeros(B, T)
for b in range(B):
    first, last = starts[b], starts[b] + int(lengths[b]) - 1
    rewards[b, last] += scores[b]
    running = 0.0
    for t in range(last, first - 1, -1):
        following = values[b, t + 1].item() if t < last else 0.0
        running = rewards[b, t].item() + GAMMA * following - values[b, t].item() + GAMMA * LAMBDA * running
        advantage[b, t] = running
returns = (advantage + values).detach()
flat = advantage[mask.bool()]
advantage = (advantage - flat.mean()) / torch.sqrt(flat.var() + 1e-8)
# In the first update the old value is the value itself: nothing is clipped (training.py has a clipped case).
value_loss = 0.5 * (token_weights * (values - returns) ** 2).sum()
named = [*critic.named_parameters(), ("head", head)]
value_loss.backward()
critic_norm = adamw_step(named, RATE, DECAY, MAX_NORM)
policy = load(POLICY_SCALE)
terms = policy_terms(log_probs(policy), old, advantage, token_weights, CLIP, CLIP)
(terms["policy"] - ENTROPY * terms["entropy"]).backward()
policy_norm = adamw_step(list(policy.named_parameters()), RATE, DECAY, MAX_NORM)
own_values = [values[b, starts[b] + t] for b in range(B) for t in range(int(lengths[b]))]
own_returns = [returns[b, starts[b] + t] for b in range(B) for t in range(int(lengths[b]))]
v, r = torch.stack(own_values).detach(), torch.stack(own_returns)
out["ppo"] = {
    "config": {
        "klCoef": KL, "gamma": GAMMA, "gaeLambda": LAMBDA, "clipRatio": CLIP, "valueClip": VALUE_CLIP, "entropyCoef": ENTROPY,
        "actorLearningRate": RATE, "criticLearningRate": RATE, "weightDecay": DECAY, "maxGradNorm": MAX_NORM,
    },
    "advantages": per_row(advantage), "returns": per_row(returns),
    "metrics": {
        "kl/reference": float((token_weights * (old - reference)).sum()),
        "value/explained_variance": float(1 - (r - v).var() / r.var()), "value/mean": float(v.mean()), "value/return": float(r.mean()),
        "loss/value": float(value_loss.detach()), "gradient_norm/critic": critic_norm, "loss/policy": float(terms["policy"]),
        "policy/entropy": float(terms["entropy"]), "policy/approx_kl": float(terms["approx_kl"]),
        "policy/clip_fraction": float(terms["clip_fraction"]), "gradient_norm/policy": policy_norm,
    },
    "policy_down": rounded(policy.model.layers[1].mlp.down_proj.weight), "policy_norm": rounded(policy.model.norm.weight),
    "critic_down": rounded(critic.layers[0].mlp.down_proj.weight), "critic_head": rounded(head),
}


def grpo(config):
    reward = torch.tensor(scores)
    if config["klIn"] == "reward":
        reward = reward - config["klCoef"] * (mask * (old - reference)).sum(1)
    groups = reward.view(-1, GROUP)
    relative = groups - groups.mean(1, keepdim=True)
    if config["normalizeByStd"]:
        relative = relative / (groups.std(1, keepdim=True) + 1e-6)
    relative = relative.flatten()
    weights = token_weights if config["lossMean"] == "token" else response_weights
    policy = load(POLICY_SCALE)
    low, high = config["clipRatio"], config.get("clipRatioHigh", config["clipRatio"])
    terms = policy_terms(log_probs(policy), old, relative[:, None], weights, low, high)
    to_reference = reference - terms["chosen"]
    kl = (weights * (torch.exp(to_reference) - to_reference - 1)).sum()
    loss = terms["policy"] - config["entropyCoef"] * terms["entropy"]
    if config["klIn"] == "loss":
        loss = loss + config["klCoef"] * kl
    loss.backward()
    gradient = rounded(policy.model.layers[0].self_attn.q_proj.weight.grad)
    norm = adamw_step(list(policy.named_parameters()), config["learningRate"], config["weightDecay"], config["maxGradNorm"])
    return {
        "config": config, "advantages": rounded(relative), "loss": float(loss), "grad_q_proj": gradient,
        "metrics": {
            "loss/policy": float(terms["policy"]), "policy/entropy": float(terms["entropy"]), "policy/approx_kl": float(terms["approx_kl"]),
            "policy/clip_fraction": float(terms["clip_fraction"]), "gradient_norm/policy": norm,
            "kl/reference": float((token_weights * (old - reference)).sum()), "loss/kl": float(kl) if config["klIn"] == "loss" else None,
        },
        "policy_down": rounded(policy.model.layers[1].mlp.down_proj.weight), "policy_norm": rounded(policy.model.norm.weight),
    }


common = {"learningRate": RATE, "weightDecay": DECAY, "maxGradNorm": MAX_NORM, "klCoef": 0.07}
out["grpo"] = [
    grpo({**common, "normalizeByStd": True, "lossMean": "token", "klIn": "loss", "clipRatio": 0.1, "clipRatioHigh": 0.18, "entropyCoef": 0.02}),
    grpo({**common, "normalizeByStd": False, "lossMean": "response", "klIn": "reward", "clipRatio": 0.12, "entropyCoef": 0}),
]
(HERE / "training-updates.json").write_text(json.dumps(out, indent=1) + "\n")

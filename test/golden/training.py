"""Golden values for the model and training rooms, computed by PyTorch and transformers (development only).

    python test/golden/training.py

writes `tiny-llama/` (a checkpoint folder saved by transformers) and `training.json`. The versions used are in the JSON.
"""

import json
from pathlib import Path

import torch
import transformers
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from transformers import LlamaConfig, LlamaForCausalLM

HERE = Path(__file__).parent
torch.manual_seed(7)
torch.set_num_threads(1)

config = LlamaConfig(
    vocab_size=19, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2,
    num_key_value_heads=2, rms_norm_eps=1e-6, rope_theta=10000.0, max_position_embeddings=64,
    tie_word_embeddings=True, bos_token_id=None, eos_token_id=1, pad_token_id=0, initializer_range=0.3,
)


def make_model():
    torch.manual_seed(7)
    model = LlamaForCausalLM(config).float()
    for name, p in model.named_parameters():
        if "norm" in name:
            p.data.uniform_(0.5, 1.5)
    return model


def rounded(t):
    return [float(f"{v:.9g}") for v in t.detach().double().flatten().tolist()]


model = make_model()
model.save_pretrained(HERE / "tiny-llama", safe_serialization=True)
(HERE / "tiny-llama" / "generation_config.json").unlink(missing_ok=True)
words = {"<pad>": 0, "<eos>": 1, **{f"w{i}": i for i in range(2, 19)}}
tokenizer = Tokenizer(WordLevel(words, unk_token="<pad>"))
tokenizer.pre_tokenizer = Whitespace()
tokenizer.add_special_tokens(["<pad>", "<eos>"])
tokenizer.save(str(HERE / "tiny-llama" / "tokenizer.json"))

prompt = [3, 11, 5, 2]
sequences = [prompt + [7, 8, 9, 4, 1], prompt + [6, 1], prompt + [12, 13, 14, 15, 16, 17, 18]]
T = max(map(len, sequences)) - 1
B = len(sequences)
tokens = torch.zeros(B, T, dtype=torch.long)
targets = torch.zeros(B, T, dtype=torch.long)
mask = torch.zeros(B, T)
for b, s in enumerate(sequences):
    tokens[b, : len(s) - 1] = torch.tensor(s[:-1])
    targets[b, : len(s) - 1] = torch.tensor(s[1:])
    mask[b, len(prompt) - 1 : len(s) - 1] = 1
weights = mask / mask.sum()
positions = [(b, t) for b in range(B) for t in range(T) if mask[b, t]]


def response(x):
    """Values at response positions, row by row."""
    return rounded(torch.stack([x[b, t] for b, t in positions]))


def log_probs(m):
    return torch.log_softmax(m(tokens).logits, -1)


out = {"versions": {"torch": torch.__version__.split("+")[0], "transformers": transformers.__version__}}
out["sequences"] = sequences
out["promptLength"] = len(prompt)
with torch.no_grad():
    logits = model(tokens).logits
    out["logits_row2"] = rounded(logits[2])
    greedy = model.generate(torch.tensor([prompt]), max_new_tokens=12, do_sample=False)
    out["greedy"] = greedy[0, len(prompt):].tolist()

# Twenty AdamW updates of the next-token loss: norms without decay, gradient clipping at 1.
decay = [p for p in model.parameters() if p.dim() > 1]
plain = [p for p in model.parameters() if p.dim() == 1]
optimizer = torch.optim.AdamW(
    [{"params": decay, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}], lr=0.01, betas=(0.9, 0.95), eps=1e-8
)
losses, norms = [], []
for _ in range(20):
    loss = -(weights * log_probs(model).gather(2, targets[..., None])[..., 0]).sum()
    optimizer.zero_grad()
    loss.backward()
    norms.append(float(torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)))
    optimizer.step()
    losses.append(float(loss.detach()))
out["adamw"] = {"losses": losses, "norms": norms, "final_down": rounded(model.model.layers[1].mlp.down_proj.weight), "final_norm": rounded(model.model.norm.weight)}

# One PPO update. The policy moved a little from the sampling policy, so that ratios differ from 1 and some are clipped.
g = torch.Generator().manual_seed(11)
model = make_model()
with torch.no_grad():
    chosen = log_probs(model).gather(2, targets[..., None])[..., 0]
old = chosen + 0.3 * torch.randn(B, T, generator=g)
advantage = torch.randn(B, T, generator=g)
CLIP, ENTROPY = 0.2, 0.01
lp = log_probs(model)
chosen = lp.gather(2, targets[..., None])[..., 0]
ratio = torch.exp(chosen - old)
unclipped = -advantage * ratio
clipped = -advantage * torch.clamp(ratio, 1 - CLIP, 1 + CLIP)
policy = (weights * torch.maximum(unclipped, clipped)).sum()
entropy = (weights * torch.distributions.Categorical(logits=lp).entropy()).sum()
(policy - ENTROPY * entropy).backward()
grads = {n: p.grad for n, p in model.named_parameters()}
out["policy"] = {
    "old_log_prob": response(old), "advantage": response(advantage), "loss": float(policy - ENTROPY * entropy), "policy_loss": float(policy),
    "entropy": float(entropy), "approx_kl": float((weights * ((ratio - 1) - (chosen - old))).sum()),
    "clip_fraction": float((weights * (clipped > unclipped)).sum()),
    "gradient_norm": float(torch.sqrt(sum((v**2).sum() for v in grads.values()))),
    "grad_q_proj": rounded(grads["model.layers.0.self_attn.q_proj.weight"]), "grad_embed": rounded(grads["model.embed_tokens.weight"]),
}

# Critic: the same trunk with a value head.
model = make_model()
head = (0.5 * torch.randn(1, 16, generator=g)).requires_grad_()
values = (model.model(tokens).last_hidden_state @ head.T)[..., 0]
old_value = values.detach() + 0.6 * torch.randn(B, T, generator=g)
returns = torch.randn(B, T, generator=g)
VALUE_CLIP = 0.5
clipped_value = old_value + torch.clamp(values - old_value, -VALUE_CLIP, VALUE_CLIP)
e1, e2 = (values - returns) ** 2, (clipped_value - returns) ** 2
value_loss = 0.5 * (weights * torch.maximum(e1, e2)).sum()
value_loss.backward()
out["value"] = {
    "head": rounded(head), "values": response(values), "old_value": response(old_value), "return": response(returns), "loss": float(value_loss),
    "value_clip_fraction": float((weights * (e2 > e1)).sum()), "grad_head": rounded(head.grad),
    "grad_down": rounded(model.model.layers[0].mlp.down_proj.weight.grad),
}

# GAE by its definition as a sum of discounted residuals.
rewards = torch.randn(7, generator=g, dtype=torch.double)
v = torch.randn(7, generator=g, dtype=torch.double)
gamma, lam = 0.97, 0.9
delta = [rewards[t] + (gamma * v[t + 1] if t < 6 else 0) - v[t] for t in range(7)]
adv = [sum((gamma * lam) ** k * delta[t + k] for k in range(7 - t)) for t in range(7)]
out["gae"] = {"rewards": rewards.tolist(), "values": v.tolist(), "gamma": gamma, "lambda": lam, "advantages": [float(a) for a in adv]}

(HERE / "training.json").write_text(json.dumps(out, indent=1) + "\n")

"""Golden values of the engine: loss and gradients of a small gated network with an embedding, computed by PyTorch.

Run `python test/golden/engine.py` to write engine.json beside this file. Inputs are formulas that the test repeats,
so the file holds results only.
"""

import json
import math
import pathlib

import torch


def wave(shape, seed):
    """sin(0.7 i + seed) over the flat index, in float32."""
    size = math.prod(shape)
    values = [math.sin(0.7 * i + seed) for i in range(size)]
    return torch.tensor(values, dtype=torch.float64).to(torch.float32).reshape(shape)


B, T, V, D, F = 2, 3, 7, 4, 6
parameters = {
    "embedding": wave((V, D), 1),
    "norm": wave((D,), 2),
    "gate": wave((D, F), 3),
    "up": wave((D, F), 4),
    "down": wave((F, D), 5),
}
for value in parameters.values():
    value.requires_grad_(True)
tokens = torch.tensor([[1, 5, 1], [0, 6, 2]])
targets = torch.tensor([[5, 1, 3], [6, 2, 0]])

x = torch.nn.functional.embedding(tokens, parameters["embedding"])  # (B, T, D)
n = torch.nn.functional.rms_norm(x, (D,), parameters["norm"], eps=1e-5)
h = torch.nn.functional.silu(n @ parameters["gate"]) * (n @ parameters["up"])  # (B, T, F)
y = x + h @ parameters["down"]
attention = torch.softmax(y @ y.transpose(1, 2) / math.sqrt(D), dim=-1)  # (B, T, T)
logits = (attention @ y) @ parameters["embedding"].T  # (B, T, V)
loss = torch.nn.functional.cross_entropy(logits.reshape(-1, V), targets.reshape(-1))
loss.backward()

result = {
    "torch": torch.__version__,
    "loss": loss.item(),
    "gradients": {name: value.grad.flatten().tolist() for name, value in parameters.items()},
}
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(json.dumps(result, indent=1) + "\n")

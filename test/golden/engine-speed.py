"""Seconds of one training step (forward and backward) in PyTorch, for comparison with src/engine/engine.bench.ts.

Run `python test/golden/engine-speed.py`. One thread, scaled_dot_product_attention, no optimizer; the least of 20 steps
after 3 is printed, in wall time and in processor time.
"""

import time

import torch
import torch.nn.functional as F

torch.set_num_threads(1)


def rotate(x, cos, sin):
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)


def make_step(B, T, D, H, FF, L, V):
    def weight(*shape):
        return (torch.randn(shape) / shape[-1] ** 0.5).requires_grad_(True)

    def ones():
        return torch.ones(D, requires_grad=True)

    embedding, final_norm = weight(V, D), ones()
    layers = [
        dict(q=weight(D, D), k=weight(D, D), v=weight(D, D), o=weight(D, D), gate=weight(FF, D), up=weight(FF, D),
             down=weight(D, FF), norm1=ones(), norm2=ones())
        for _ in range(L)
    ]
    parameters = [embedding, final_norm] + [p for layer in layers for p in layer.values()]
    half = D // H // 2
    angles = torch.arange(T)[:, None] / 10_000 ** (torch.arange(half)[None] / half)
    cos, sin = angles.cos(), angles.sin()
    tokens = torch.randint(V, (B, T))
    targets = torch.randint(V, (B, T))

    def heads(x):
        return x.view(B, T, H, D // H).transpose(1, 2)

    def step():
        x = F.embedding(tokens, embedding)
        for w in layers:
            n = F.rms_norm(x, (D,), w["norm1"], 1e-5)
            q, k = rotate(heads(n @ w["q"].T), cos, sin), rotate(heads(n @ w["k"].T), cos, sin)
            a = F.scaled_dot_product_attention(q, k, heads(n @ w["v"].T), is_causal=True)
            x = x + a.transpose(1, 2).reshape(B, T, D) @ w["o"].T
            m = F.rms_norm(x, (D,), w["norm2"], 1e-5)
            x = x + (F.silu(m @ w["gate"].T) * (m @ w["up"].T)) @ w["down"].T
        logits = F.rms_norm(x, (D,), final_norm, 1e-5) @ embedding.T
        loss = F.cross_entropy(logits.view(-1, V), targets.view(-1), reduction="sum")
        for p in parameters:
            p.grad = None
        loss.backward()

    return step


for size in [(8, 192, 128, 4, 512, 4, 512), (8, 128, 96, 4, 256, 3, 400), (8, 128, 192, 6, 512, 4, 400)]:
    step = make_step(*size)
    wall, processor = [], []
    for _ in range(23):
        started, used = time.perf_counter(), time.process_time()
        step()
        wall.append(time.perf_counter() - started)
        processor.append(time.process_time() - used)
    tokens = size[0] * size[1]
    print(f"{size}: {tokens / min(wall[3:]):.0f} tokens/s wall, {tokens / min(processor[3:]):.0f} of processor time")

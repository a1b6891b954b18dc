"""Training step of the same decoder in PyTorch: SDPA attention, fused AdamW, clipping; --mode eager or compile."""

import torch
import torch.nn.functional as F
from protocol import parse, serve
from torch import nn

args = parse()
shape = args.shape
torch.set_num_threads(args.threads)
torch.manual_seed(0)
B, T, D, H, K = shape["batch"], shape["seq"], shape["dModel"], shape["heads"], shape["kvHeads"]
d = D // H


def rotate(x, cos, sin):
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention_norm, self.mlp_norm = nn.RMSNorm(D, eps=1e-5), nn.RMSNorm(D, eps=1e-5)
        self.qkv = nn.Linear(D, (H + 2 * K) * d, bias=False)
        self.out = nn.Linear(H * d, D, bias=False)
        self.gate_up = nn.Linear(D, 2 * shape["dFf"], bias=False)
        self.down = nn.Linear(shape["dFf"], D, bias=False)

    def forward(self, x, cos, sin):
        parts = self.qkv(self.attention_norm(x)).split([H * d, K * d, K * d], dim=-1)
        q, k, v = (part.view(B, T, -1, d).transpose(1, 2) for part in parts)
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=H != K)
        x = x + self.out(mixed.transpose(1, 2).reshape(B, T, H * d))
        gate, up = self.gate_up(self.mlp_norm(x)).chunk(2, dim=-1)
        return x + self.down(F.silu(gate) * up)


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(shape["vocab"], D)
        self.blocks = nn.ModuleList(Block() for _ in range(shape["layers"]))
        self.norm = nn.RMSNorm(D, eps=1e-5)
        angles = torch.arange(T)[:, None] / 10_000 ** (torch.arange(d // 2)[None] / (d // 2))
        self.register_buffer("cos", angles.cos())
        self.register_buffer("sin", angles.sin())

    def forward(self, tokens, targets):
        x = self.embed(tokens)
        for block in self.blocks:
            x = block(x, self.cos, self.sin)
        logits = self.norm(x) @ self.embed.weight.T
        return F.cross_entropy(logits.view(-1, shape["vocab"]), targets.view(-1))


model = Decoder()
loss_of = torch.compile(model) if args.mode == "compile" else model
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, betas=(0.9, 0.95), weight_decay=0.01, fused=True)
ids = torch.randint(shape["vocab"], (B, T + 1))
tokens, targets = ids[:, :-1].contiguous(), ids[:, 1:].contiguous()


def step():
    optimizer.zero_grad(set_to_none=True)
    loss_of(tokens, targets).backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()


serve(step, f"torch {torch.__version__}")

"""Tiny checkpoints of every supported shape and their values, computed by Python transformers (development only).

    python test/golden/checkpoints.py

writes `checkpoints/<name>/` (folders saved by transformers, weights in the type named below) and `checkpoints.json`. The versions
used are in the JSON. Logits are those of transformers in float32 on the stored weights; `half` has those that it computes in the stored
type itself.
"""

import json
import shutil
from pathlib import Path

import tokenizers
import torch
import transformers
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from transformers import AutoModelForCausalLM, LlamaConfig, Qwen2Config, Qwen3Config

HERE = Path(__file__).parent
OUT = HERE / "checkpoints"
torch.set_num_threads(1)

COMMON = dict(
    vocab_size=43, hidden_size=24, intermediate_size=32, num_hidden_layers=2, num_attention_heads=4, max_position_embeddings=96,
    bos_token_id=None, eos_token_id=1, pad_token_id=0, initializer_range=0.3,
)
LLAMA3 = dict(
    rope_type="llama3", rope_theta=500000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=24
)
VARIANTS = {
    "llama": (LlamaConfig, dict(num_key_value_heads=4, rms_norm_eps=1e-5), "float32", None),
    "llama-grouped": (
        LlamaConfig,
        dict(num_key_value_heads=2, head_dim=8, rope_parameters=LLAMA3, tie_word_embeddings=True, eos_token_id=[1, 2]), "float32", None,
    ),
    "qwen2": (
        Qwen2Config, dict(num_key_value_heads=2, rope_parameters=dict(rope_type="default", rope_theta=1e6), tie_word_embeddings=True),
        "bfloat16", None,
    ),
    "qwen3": (
        Qwen3Config, dict(num_key_value_heads=1, head_dim=12, rope_parameters=dict(rope_type="default", rope_theta=1e6)), "float16", "9KB",
    ),
}


def rounded(t):
    return [float(f"{v:.8g}") for v in t.detach().double().flatten().tolist()]


def make(name, seed):
    kind, extra, dtype, shard = VARIANTS[name]
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(kind(**{**COMMON, **extra}), dtype=torch.float32)
    for parameter_name, p in model.named_parameters():
        if "norm" in parameter_name:
            p.data.uniform_(0.5, 1.5)
        elif parameter_name.endswith("bias"):
            p.data.normal_(0, 0.5)
    folder = OUT / name
    model.to(getattr(torch, dtype)).save_pretrained(folder, **({"max_shard_size": shard} if shard else {}))
    words = {"<pad>": 0, "<eos>": 1, **{f"w{i}": i for i in range(2, COMMON["vocab_size"])}}
    tokenizer = tokenizers.Tokenizer(WordLevel(words, unk_token="<pad>"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.add_special_tokens(["<pad>", "<eos>"])
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def values(folder, dtype):
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    generator = torch.Generator().manual_seed(5)
    texts = [torch.randint(2, COMMON["vocab_size"], (n,), generator=generator).tolist() for n in (7, 40)]
    tokens = torch.zeros(2, 40, dtype=torch.long)
    mask = torch.zeros(2, 40, dtype=torch.long)
    for row, text in enumerate(texts):
        tokens[row, : len(text)] = torch.tensor(text)
        mask[row, : len(text)] = 1
    with torch.no_grad():
        logits = model(tokens, attention_mask=mask).logits
        out = {
            "texts": texts,
            # All positions of the short row, which is padded; of the long row some at both ends.
            "logits": [rounded(logits[0, :7]), rounded(logits[1, [0, 1, 20, 38, 39]])],
            "greedy": [
                model.generate(torch.tensor([text]), max_new_tokens=48, do_sample=False)[0, len(text) :].tolist() for text in texts
            ],
        }
        if dtype != "float32":
            half = AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, dtype))
            out["half"] = rounded(half(torch.tensor([texts[0]])).logits.float())
    return out


def frequencies(folder):
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    return rounded(model.model.rotary_emb.inv_freq)


shutil.rmtree(OUT, ignore_errors=True)
golden = {"versions": {"torch": torch.__version__.split("+")[0], "transformers": transformers.__version__}, "variants": {}}
for seed, name in enumerate(VARIANTS):
    folder = make(name, seed)
    dtype = VARIANTS[name][2]
    golden["variants"][name] = {"dtype": dtype, "frequencies": frequencies(folder), **values(folder, dtype)}
(HERE / "checkpoints.json").write_text(json.dumps(golden) + "\n")

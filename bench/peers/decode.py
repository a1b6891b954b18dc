"""transformers generate: sampling at temperature 1 without filters, every sequence to its full length."""

import torch
import transformers
from llama import make_model
from protocol import parse, serve

args = parse()
shape = args.shape
torch.set_num_threads(args.threads)
torch.manual_seed(0)
model = make_model(shape)
prompts = torch.randint(3, shape["vocab"], (shape["batch"], shape["prompt"]))


@torch.inference_mode()
def step():
    out = model.generate(
        prompts,
        attention_mask=torch.ones_like(prompts),
        do_sample=True,
        temperature=1.0,
        top_k=0,
        top_p=1.0,
        min_new_tokens=shape["new"],
        max_new_tokens=shape["new"],
    )
    assert out.shape == (shape["batch"], shape["prompt"] + shape["new"]), out.shape


serve(step, f"transformers {transformers.__version__}")

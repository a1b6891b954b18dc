"""An adapter made by Python PEFT on the checkpoint `qwen2` of checkpoints.py, and its values (development only).

    python test/golden/lora.py

writes `lora-adapter/` (a folder saved by PEFT) and `lora.json`. The versions used are in the JSON.
"""

import json
import shutil
from pathlib import Path

import peft
import torch
from transformers import AutoModelForCausalLM

HERE = Path(__file__).parent
TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
torch.set_num_threads(1)


def rounded(t):
    return [float(f"{v:.8g}") for v in t.detach().double().flatten().tolist()]


base = AutoModelForCausalLM.from_pretrained(HERE / "checkpoints" / "qwen2", dtype=torch.float32)
torch.manual_seed(3)
settings = peft.LoraConfig(r=3, lora_alpha=6, lora_dropout=0.1, target_modules=TARGETS, task_type="CAUSAL_LM")
model = peft.get_peft_model(base, settings).eval()
for name, p in model.named_parameters():
    if "lora_B" in name:
        p.data.normal_(0, 0.3)
model.peft_config["default"].base_model_name_or_path = "qwen2"
shutil.rmtree(HERE / "lora-adapter", ignore_errors=True)
model.save_pretrained(HERE / "lora-adapter")
(HERE / "lora-adapter" / "README.md").unlink()

tokens = [7, 3, 11, 40, 2, 19, 5, 5, 30]
ids = torch.tensor([tokens])
logits = model(ids).logits
loss = torch.nn.functional.cross_entropy(logits[0, :-1], ids[0, 1:], reduction="sum")
loss.backward()
gradients = {
    name.removeprefix("base_model.model.model.").replace(".default.weight", ""): rounded(p.grad)
    for name, p in model.named_parameters()
    if p.grad is not None and "layers.0" in name and ("k_proj" in name or "up_proj" in name)
}
out = {
    "versions": {"torch": torch.__version__.split("+")[0], "peft": peft.__version__},
    "tokens": tokens, "logits": rounded(logits), "loss": float(loss.detach()), "gradients": gradients,
}
(HERE / "lora.json").write_text(json.dumps(out) + "\n")

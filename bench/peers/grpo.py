"""One GRPO step of TRL: 256 rollouts (groups of 8), reference log-probabilities (beta 0.01), one update of the policy.

GRPO has no critic, so that this does less than the PPO step beside it.
"""

import random
import tempfile
import time

import torch
import trl
from datasets import Dataset
from llama import make_model
from protocol import finish, parse, say, waits
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast, TrainerCallback
from trl import GRPOConfig, GRPOTrainer

GROUP = 8
MICRO_BATCH = 32

args = parse()
shape = args.shape
torch.set_num_threads(args.threads)
random.seed(0)
batch = shape["batch"]
words = ["<pad>", "<bos>", "<eos>"] + [f"w{i}" for i in range(3, shape["vocab"])]
backend = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="<pad>"))
backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
tokenizer = PreTrainedTokenizerFast(
    tokenizer_object=backend, pad_token="<pad>", bos_token="<bos>", eos_token="<eos>", padding_side="left"
)
rows = [" ".join(random.choices(words[3:], k=shape["prompt"])) for _ in range(512)]
asked = waits()
started = None


class Clock(TrainerCallback):
    """A step is measured from the moment that it is asked for to its end; the first warms up."""

    def on_step_begin(self, arguments, state, control, **_):
        global started
        if state.global_step > 0:
            if state.global_step == 1:
                say({"ready": True, "version": f"trl {trl.__version__}"})
            if next(asked, asked) is asked:
                finish()
                control.should_training_stop = True
                raise SystemExit(0)
        started = time.perf_counter()

    def on_step_end(self, arguments, state, control, **_):
        if state.global_step > 1:
            say({"seconds": time.perf_counter() - started})


# TRL loads the reference from the place that the policy came from.
folder = tempfile.mkdtemp()
make_model(shape).save_pretrained(folder)
per_device = min(MICRO_BATCH, batch)
config = GRPOConfig(
    output_dir=tempfile.mkdtemp(),
    use_cpu=True,
    model_init_kwargs={"dtype": "float32"},
    bf16=False,
    gradient_checkpointing=False,
    per_device_train_batch_size=per_device,
    gradient_accumulation_steps=batch // per_device,
    num_generations=min(GROUP, batch),
    max_completion_length=shape["new"],
    generation_kwargs={"min_new_tokens": shape["new"]},
    temperature=1.0,
    top_k=0,
    top_p=1.0,
    beta=0.01,
    learning_rate=1e-5,
    max_steps=1000,
    save_strategy="no",
    report_to="none",
    logging_strategy="no",
    disable_tqdm=True,
)
trainer = GRPOTrainer(
    model=folder,
    reward_funcs=lambda completions, **_: [float(random.random() < 0.5) for _ in completions],
    args=config,
    train_dataset=Dataset.from_dict({"prompt": rows}),
    processing_class=tokenizer,
    callbacks=[Clock()],
)
trainer.train()

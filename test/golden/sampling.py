"""Distributions after temperature, top-k, top-p and min-p, by the warpers of Python transformers in the order of `generate`.

Writes sampling.json: for each case the settings and the probabilities over a vocabulary of 24 tokens, 0 for a removed one.
The logits have ties, a dominant token in some rows, and are rounded to float32. Run: python3 test/golden/sampling.py
"""

import json
import pathlib

import numpy as np
import torch
import transformers
from transformers.generation.logits_process import (
    MinPLogitsWarper,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

VOCABULARY = 24
random = np.random.default_rng(20251122)

flat = random.normal(0, 1, VOCABULARY)
peaked = random.normal(0, 3, VOCABULARY)
tied = np.round(random.normal(0, 1, VOCABULARY))  # many equal logits
wide = random.normal(0, 25, VOCABULARY)  # most probabilities are 0 in float32 at low temperature
LOGITS = {"flat": flat, "peaked": peaked, "tied": tied, "wide": wide}

SETTINGS = [
    {"temperature": 1.0},
    {"temperature": 0.5},
    {"temperature": 2.0},
    {"temperature": 0.05},
    {"temperature": 1.0, "top_k": 1},
    {"temperature": 1.0, "top_k": 5},
    {"temperature": 0.7, "top_k": 100},
    {"temperature": 1.0, "top_p": 0.9},
    {"temperature": 1.0, "top_p": 0.5},
    {"temperature": 1.3, "top_p": 0.01},
    {"temperature": 1.0, "min_p": 0.05},
    {"temperature": 1.5, "min_p": 0.3},
    {"temperature": 1.0, "min_p": 1.0},
    {"temperature": 0.8, "top_k": 8, "top_p": 0.8},
    {"temperature": 1.2, "top_k": 10, "min_p": 0.1},
    {"temperature": 0.9, "top_p": 0.95, "min_p": 0.02},
    {"temperature": 1.1, "top_k": 12, "top_p": 0.7, "min_p": 0.15},
]


def warp(logits: np.ndarray, settings: dict) -> list[float]:
    scores = torch.tensor(logits, dtype=torch.float64)[None]
    ids = torch.zeros((1, 1), dtype=torch.long)
    warpers = [TemperatureLogitsWarper(settings["temperature"])]
    if "top_k" in settings:
        warpers.append(TopKLogitsWarper(settings["top_k"]))
    if "top_p" in settings:
        warpers.append(TopPLogitsWarper(settings["top_p"]))
    if "min_p" in settings:
        warpers.append(MinPLogitsWarper(settings["min_p"]))
    for warper in warpers:
        scores = warper(ids, scores)
    return scores.softmax(dim=-1)[0].tolist()


cases = []
rows = {name: np.float32(values).astype(np.float64) for name, values in LOGITS.items()}
for name, logits in rows.items():
    for settings in SETTINGS:
        # Which of several equal tokens falls at the border of top-p is not defined by torch.sort.
        if name == "tied" and "top_p" in settings:
            continue
        cases.append({"logits": name, **settings, "probabilities": warp(logits, settings)})

result = {
    "versions": {"torch": torch.__version__, "transformers": transformers.__version__},
    "logits": {name: logits.tolist() for name, logits in rows.items()},
    "cases": cases,
}
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(json.dumps(result) + "\n")
print(f"wrote {path.name}: {len(cases)} cases")

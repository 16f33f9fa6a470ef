"""Logits of a prompt under two adapters added up by PEFT: `python adapterSum.py MODEL ADAPTER ADAPTER TOKENS...`, JSON on stdout."""

import json
import sys

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

model, first, second, *tokens = sys.argv[1:]
base = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
tuned = PeftModel.from_pretrained(base, first, adapter_name="first")
tuned.load_adapter(second, adapter_name="second")
tuned.add_weighted_adapter(["first", "second"], [1.0, 1.0], "sum", combination_type="cat")
ids = torch.tensor([[int(token) for token in tokens]])
logits = {}
with torch.no_grad():
    for name in ("first", "second", "sum"):
        tuned.set_adapter(name)
        logits[name] = tuned.eval()(ids).logits[0, -1].tolist()
print(json.dumps(logits))

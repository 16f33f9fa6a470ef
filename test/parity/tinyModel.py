"""Greedy answers of a model folder by transformers: prompts as a JSON list on standard input, token ids out.

Versions: requirements.txt. Usage: python tinyModel.py FOLDER MAX_TOKENS
"""

import json
import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

folder, max_tokens = sys.argv[1], int(sys.argv[2])
tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()

answers = []
for prompt in json.load(sys.stdin):
    ids = tokenizer.apply_chat_template(
        [{"role": "user", "content": prompt}], add_generation_prompt=True, return_dict=True, return_tensors="pt"
    )["input_ids"]
    out = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=max_tokens, do_sample=False)
    answers.append(out[0, ids.shape[1] :].tolist())

masks = tokenizer.apply_chat_template(
    [{"role": "user", "content": "Hello!"}, {"role": "assistant", "content": "Hello to you."}],
    return_dict=True,
    return_assistant_tokens_mask=True,
)
print(
    json.dumps(
        {
            "answers": answers,
            "spoken": tokenizer.decode(
                [i for i, said in zip(masks["input_ids"], masks["assistant_masks"]) if said == 1]
            ),
            "parameters": sum(p.numel() for p in model.parameters()),
        }
    )
)

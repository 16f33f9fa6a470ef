"""Token ids of conversations by transformers' own tokenizer and template of a GGUF model.

    python test/parity/templatesRealModel.py MODEL.gguf < conversations.json

Reads {name: [[role, content], ...]}, prints {name: {"ids": [...], "promptIds": [...], "text": decoded}}.
"""

import json
import pathlib
import sys

from tokenizers import pre_tokenizers
from transformers import AutoTokenizer


def main():
    model = pathlib.Path(sys.argv[1])
    tokenizer = AutoTokenizer.from_pretrained(str(model.parent), gguf_file=model.name)
    # transformers' GGUF loader does not read tokenizer.ggml.pre; this is what SmolLM2's own tokenizer.json says.
    steps = [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(steps)
    result = {}
    for name, turns in json.load(sys.stdin).items():
        messages = [{"role": role, "content": content} for role, content in turns]
        ids = tokenizer.apply_chat_template(messages, tokenize=True, return_dict=False)
        prompt = tokenizer.apply_chat_template(messages[:-1], tokenize=True, add_generation_prompt=True, return_dict=False)
        result[name] = {"ids": ids, "promptIds": prompt, "text": tokenizer.decode(ids, skip_special_tokens=True)}
    json.dump(result, sys.stdout)


main()

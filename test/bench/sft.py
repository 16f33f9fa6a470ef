"""TRL's SFTTrainer with LoRA on rows of messages; writes the adapter and prints one line of JSON with what it took.

sft.py MODEL.gguf ROWS.jsonl ADAPTER_FOLDER STEPS LEARNING_RATE

Everything that is not named here is TRL's default (batches of 8 rows, bfloat16 autocast, gradient checkpointing). LEARNING_RATE is
a number, or `default`. Only training is timed: not imports, loading and saving.
"""

import gc
import json
import pathlib
import sys
import tempfile
import time

import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import SFTConfig, SFTTrainer


def load_base(path):
    """The float32 base; transformers' GGUF loader marks it as quantised, which the trainer refuses, so it is copied into a plain model."""
    loaded = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32)
    plain = AutoModelForCausalLM.from_config(loaded.config, dtype=torch.float32)
    plain.load_state_dict(loaded.state_dict())
    plain.tie_weights()
    if hasattr(plain.config, "quantization_config"):
        del plain.config.quantization_config
    del loaded
    gc.collect()
    return plain


def main():
    model_file, rows_file, folder, steps, rate = sys.argv[1:]
    path = pathlib.Path(model_file)
    tokenizer = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
    rows = [json.loads(line) for line in pathlib.Path(rows_file).read_text().splitlines()]
    chosen = {} if rate == "default" else {"learning_rate": float(rate)}
    with tempfile.TemporaryDirectory() as output:
        settings = SFTConfig(output_dir=output, max_steps=int(steps), report_to="none", save_strategy="no", use_cpu=True, disable_tqdm=True, **chosen)
        lora = LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")
        trainer = SFTTrainer(model=load_base(path), args=settings, train_dataset=Dataset.from_list(rows), processing_class=tokenizer, peft_config=lora)
        started = time.perf_counter()
        trainer.train()
        seconds = time.perf_counter() - started
    trainer.model.save_pretrained(folder)
    print(json.dumps({"seconds": seconds, "learningRate": settings.learning_rate, "batchRows": settings.per_device_train_batch_size}))


main()

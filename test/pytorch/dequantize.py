"""A model's folder -> the same model with its linear layers as bitsandbytes holds them, in float32: dequantize.py MODEL OUT 4bit 8bit -> OUT-4bit, OUT-8bit

Both forms are read from the model that transformers loads for training, so that the copy holds exactly what a run of
`baseWeights` computes with.
"""

import shutil
import sys
from pathlib import Path

import torch
from bitsandbytes.functional import dequantize_4bit
from bitsandbytes.nn import Linear4bit, Linear8bitLt
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, BitsAndBytesConfig


def dequantize(source: Path, target: Path, bits: str) -> None:
    settings = {
        "4bit": BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch.float32),
        "8bit": BitsAndBytesConfig(load_in_8bit=True),
    }
    model = AutoModelForCausalLM.from_pretrained(source, dtype=torch.float32, quantization_config=settings[bits])
    tensors = load_file(source / "model.safetensors")
    for name, module in model.named_modules():
        if isinstance(module, Linear4bit):
            weight = dequantize_4bit(module.weight.data, module.weight.quant_state)
        elif isinstance(module, Linear8bitLt):
            weight = module.weight.CB.float() * module.weight.SCB[:, None] / 127
        else:
            continue
        tensors[f"{name}.weight"] = weight.float().contiguous()
    shutil.copytree(source, target)
    save_file(tensors, target / "model.safetensors", metadata={"format": "pt"})


if __name__ == "__main__":
    for bits in sys.argv[3:]:
        dequantize(Path(sys.argv[1]), Path(f"{sys.argv[2]}-{bits}"), bits)

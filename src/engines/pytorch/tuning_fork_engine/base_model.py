"""Where the base model lies -> the model, its weights as the recipe holds them. Safetensors alone; no code of a model is run."""

from __future__ import annotations

import os
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, BitsAndBytesConfig, PreTrainedModel

from .errors import EngineError
from .plan import Plan
from .recipe import Recipe, choose_precision, dtype_of, is_lora, is_quantized

MODEL_VARIABLE = "TUNING_FORK_MODEL_FOLDER"
"""Names the model's folder where the run trains on another machine than it was prepared on."""


def load_base_model(plan: Plan, recipe: Recipe) -> PreTrainedModel:
    folder = Path(os.environ.get(MODEL_VARIABLE) or plan.settings["modelFolder"])
    if not (folder / "config.json").exists():
        raise EngineError(
            "model-not-found", f"{folder}: expected the folder of the base model, got no config.json", f"Set {MODEL_VARIABLE} to where it lies here."
        )
    precision = dtype_of(choose_precision(recipe))
    # Weights that are trained stay in float32 whatever the arithmetic's precision: small updates would be lost otherwise.
    dtype = precision if is_lora(recipe) else torch.float32
    model = AutoModelForCausalLM.from_pretrained(
        folder,
        dtype=dtype,
        attn_implementation="sdpa",
        use_safetensors=True,
        local_files_only=True,
        trust_remote_code=False,
        quantization_config=_quantize(recipe, precision),
    )
    model.config.use_cache = False
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            # bitsandbytes packs weights anew for its fast inference, rounds their scales, and trains on with those.
            module.support_avx512bf16_for_cpu = False
    return model


def _quantize(recipe: Recipe, precision: torch.dtype) -> BitsAndBytesConfig | None:
    if not is_quantized(recipe):
        return None
    if recipe["baseWeights"] == "8bit":
        return BitsAndBytesConfig(load_in_8bit=True)
    return BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=precision)

"""run.json -> what of it this engine needs beside the hyperparameters: precision, sharding, what is trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from .errors import EngineError
from .run_files import RECORD, read_json

Recipe = dict[str, Any]
"""The hyperparameters by the names that run.json has."""

_DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


def read_recipe(run: Path) -> Recipe:
    record = read_json(run / RECORD)
    recipe: Recipe = record["hyperparameters"]
    return recipe


def count_processes(recipe: Recipe) -> int:
    return 1 if recipe["launcher"] == "python" else recipe["processes"] * recipe["hosts"]


def is_lora(recipe: Recipe) -> bool:
    return recipe["method"] == "lora"


def is_ada_lora(recipe: Recipe) -> bool:
    return is_lora(recipe) and recipe["adaLora"]


def is_quantized(recipe: Recipe) -> bool:
    return is_lora(recipe) and recipe["baseWeights"] in ("4bit", "8bit")


def use_gpu() -> bool:
    return torch.cuda.is_available()


def choose_precision(recipe: Recipe) -> str:
    """The precision of the arithmetic: `auto` is bfloat16 on a GPU that has it, else float32."""
    asked = recipe["precision"]
    if asked == "auto":
        return "bfloat16" if use_gpu() and torch.cuda.is_bf16_supported() else "float32"
    if asked == "float16" and not use_gpu():
        raise EngineError("usage", "precision: expected float32 or bfloat16 without a GPU, got float16", "Set precision to bfloat16.")
    return asked


def dtype_of(precision: str) -> torch.dtype:
    return _DTYPES[precision]

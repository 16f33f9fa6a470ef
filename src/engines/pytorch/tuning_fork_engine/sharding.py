"""How a model is spread over processes -> the arguments of Transformers' trainer: FSDP2 or DeepSpeed, by the user's own file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .errors import EngineError
from .recipe import Recipe

_FSDP = {"version": 2, "reshard_after_forward": True, "auto_wrap_policy": "TRANSFORMER_BASED_WRAP"}
_DEEPSPEED = {
    "train_micro_batch_size_per_gpu": "auto",
    "gradient_accumulation_steps": "auto",
    "gradient_clipping": "auto",
    "bf16": {"enabled": "auto"},
    "fp16": {"enabled": "auto"},
    "zero_optimization": {"stage": 3},
    "zero_allow_untested_optimizer": True,
    "zero_force_ds_cpu_optimizer": False,
}


def sharding_arguments(recipe: Recipe) -> dict[str, Any]:
    """Empty where each process holds the whole model."""
    match recipe["sharding"]:
        case "fsdp":
            return {"fsdp": True, "fsdp_config": {**_FSDP, **_read_config(recipe)}}
        case "deepspeed":
            return {"deepspeed": {**_DEEPSPEED, **_read_config(recipe)}}
        case _:
            return {}


def _read_config(recipe: Recipe) -> dict[str, Any]:
    """The file that `shardingConfig` names."""
    if not recipe["shardingConfig"]:
        return {}
    path = Path(recipe["shardingConfig"][0])
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EngineError("usage", f"shardingConfig: expected a JSON file, got {error}", "Name the file by its whole path.") from error


def allow_fsdp_on_cpu(recipe: Recipe) -> None:
    """Accelerate takes FSDP for DDP where there is no GPU, without a word: it is told that there are several. To be called when
    the arguments of the trainer are made, which set up that state, and before the trainer is."""
    import torch
    from accelerate import DistributedType, PartialState

    if recipe["sharding"] == "fsdp" and not torch.cuda.is_available():
        PartialState._shared_state["distributed_type"] = DistributedType.MULTI_GPU


def require_sharded(trainer: Any, recipe: Recipe) -> None:
    """Raises EngineError where every process holds everything although the recipe says otherwise."""
    is_meant = {"none": True, "fsdp": trainer.is_fsdp_enabled, "deepspeed": trainer.is_deepspeed_enabled}[recipe["sharding"]]
    if not is_meant:
        raise EngineError("engine", f"sharding: expected {recipe['sharding']}, got whole models on every process", "Report this with the log of the run.")

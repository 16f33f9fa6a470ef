"""How a model is spread over processes -> the arguments of Transformers' trainer: FSDP2 or DeepSpeed, by the user's own file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .errors import EngineError
from .recipe import Recipe

_FSDP = {"version": 2, "reshard_after_forward": True}
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
            _force_fsdp_on_cpu()
            return {"fsdp": "full_shard auto_wrap", "fsdp_config": {**_FSDP, **_read_config(recipe)}}
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


def _force_fsdp_on_cpu() -> None:
    """Accelerate takes FSDP for DDP where there is no GPU, without a word: it is told that there are several."""
    import torch
    from accelerate import DistributedType, PartialState

    if not torch.cuda.is_available():
        state = PartialState(cpu=True)
        state._shared_state["distributed_type"] = DistributedType.MULTI_GPU

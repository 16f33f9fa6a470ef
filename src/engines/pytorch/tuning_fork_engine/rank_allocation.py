"""AdaLoRA's allocator of PEFT, with what an exact resume needs of it."""

from __future__ import annotations

from typing import Any

import torch

from .adapters import disk_name
from .recipe import Recipe
from .trained_tensors import Tensors

_KINDS = {"ipt": "importance", "exp_avg_ipt": "sensitivity", "exp_avg_unc": "uncertainty"}


class RankAllocation:
    def __init__(self, model: Any, recipe: Recipe) -> None:
        if recipe["sharding"] != "none":
            raise ValueError("AdaLoRA works on whole tensors")
        self._tuner = model.base_model
        self._config = model.peft_config["default"]

    def allocate(self, step: int) -> None:
        """After the update of `step`, from 1, while its gradients are there."""
        self._tuner.update_and_allocate(step)

    def read(self) -> Tensors:
        tensors = {
            f"{disk_name(f'base_model.model.{name}')}.{ending}": tensor.detach().to("cpu", torch.float32).contiguous().clone()
            for kind, ending in _KINDS.items()
            for name, tensor in getattr(self._tuner.rankallocator, kind).items()
        }
        for name, kept in (self._config.rank_pattern or {}).items():
            tensors[f"{self._place(name)}.mask"] = torch.tensor(kept, dtype=torch.float32).reshape(-1, 1)
        return tensors

    def fill(self, tensors: Tensors) -> None:
        allocator = self._tuner.rankallocator
        masks = {}
        for name, parameter in self._tuner.model.named_parameters():
            if "lora_" not in name or ".default" not in name:
                continue
            place = disk_name(f"base_model.model.{name}")
            for kind, ending in _KINDS.items():
                if f"{place}.{ending}" in tensors:
                    getattr(allocator, kind)[name] = tensors[f"{place}.{ending}"].to(parameter.device)
            if f"{place}.mask" in tensors:
                masks[name] = tensors[f"{place}.mask"].flatten().bool().tolist()
        if masks:
            self._config.rank_pattern = masks

    def _place(self, name: str) -> str:
        return disk_name(f"base_model.model.{name}")

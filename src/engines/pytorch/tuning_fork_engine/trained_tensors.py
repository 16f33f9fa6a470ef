"""What is trained, whole: read from and written into parameters and AdamW's moments, however they are spread over processes.

Every process takes part in each call, in the same order of names; FSDP2's pieces are DTensors, ZeRO's are DeepSpeed's own.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.distributed.tensor import DTensor, distribute_tensor

from .adapters import list_trained

Tensors = dict[str, torch.Tensor]
_MOMENTS = {"exp_avg": "first", "exp_avg_sq": "second"}
"""AdamW's names -> the endings that checkpoints have."""


class TrainedTensors:
    def __init__(self, trainer: Any) -> None:
        self._trainer = trainer
        self._is_deepspeed = trainer.is_deepspeed_enabled
        self.parameters: dict[str, nn.Parameter] = list_trained(trainer.accelerator.unwrap_model(trainer.model_wrapped))

    @property
    def is_sharded(self) -> bool:
        """Whether this process holds only a piece of what is trained."""
        if self._is_deepspeed:
            return any(hasattr(p, "ds_id") for p in self.parameters.values())
        return any(isinstance(p, DTensor) for p in self.parameters.values())

    def count_local_elements(self) -> int:
        """Elements of what is trained that lie on this process."""
        local = (p.ds_tensor if hasattr(p, "ds_tensor") else p.to_local() if isinstance(p, DTensor) else p for p in self.parameters.values())
        return sum(tensor.numel() for tensor in local)

    def read_values(self) -> Tensors:
        """Whole, in float32 on the CPU, on every process."""
        if self._is_deepspeed:
            from deepspeed.utils import safe_get_full_fp32_param

            return {name: _to_disk(safe_get_full_fp32_param(p)) for name, p in self.parameters.items()}
        return {name: _to_disk(_whole(p.detach())) for name, p in self.parameters.items()}

    def read_moments(self) -> Tensors:
        """`<name>.first` and `<name>.second`; zeros before the first step."""
        moments: Tensors = {}
        for name, parameter in self.parameters.items():
            for key, ending in _MOMENTS.items():
                moment = self._read_moment(parameter, key)
                shape = getattr(parameter, "ds_shape", parameter.shape)
                moments[f"{name}.{ending}"] = torch.zeros(shape) if moment is None else _to_disk(moment)
        return moments

    def fill_values(self, values: Tensors) -> None:
        """Raises KeyError when a tensor is missing."""
        with torch.no_grad():
            for name, parameter in self.parameters.items():
                if self._is_deepspeed:
                    self._fill_deepspeed(parameter, values[name])
                else:
                    _fill(parameter, values[name])

    def fill_moments(self, moments: Tensors, step: int) -> None:
        for name, parameter in self.parameters.items():
            parts = {key: moments[f"{name}.{ending}"] for key, ending in _MOMENTS.items()}
            if self._is_deepspeed:
                from deepspeed.utils import safe_set_full_optimizer_state

                for key, part in parts.items():
                    safe_set_full_optimizer_state(parameter, part.to(parameter.device), key)
            else:
                state = self._optimizer.state[parameter]
                state["step"] = torch.tensor(float(step))
                for key, part in parts.items():
                    state[key] = _spread(part.to(parameter.device), parameter)
        if self._is_deepspeed:
            for state in self._optimizer.state.values():
                state["step"] = torch.full_like(torch.as_tensor(state.get("step", 0.0), dtype=torch.float32), float(step))

    @property
    def _optimizer(self) -> torch.optim.Optimizer:
        """AdamW itself, beneath what wraps it."""
        optimizer = self._trainer.optimizer
        while hasattr(optimizer, "optimizer"):
            optimizer = optimizer.optimizer
        return optimizer

    def _read_moment(self, parameter: nn.Parameter, key: str) -> torch.Tensor | None:
        if self._is_deepspeed:
            from deepspeed.utils import safe_get_full_optimizer_state

            return safe_get_full_optimizer_state(parameter, key)
        moment = self._optimizer.state.get(parameter, {}).get(key)
        return None if moment is None else _whole(moment)

    def _fill_deepspeed(self, parameter: nn.Parameter, value: torch.Tensor) -> None:
        from deepspeed import zero
        from deepspeed.utils import safe_set_full_fp32_param

        value = value.to(parameter.device)
        safe_set_full_fp32_param(parameter, value)
        if not hasattr(parameter, "ds_id"):
            parameter.data.copy_(value)
            return
        with zero.GatheredParameters([parameter], modifier_rank=0):
            parameter.data.copy_(value)


def _whole(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def _to_disk(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.detach().to("cpu", torch.float32, copy=True).contiguous()


def _spread(value: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    if not isinstance(like, DTensor):
        return value.to(like.dtype).clone()
    return distribute_tensor(value.to(like.dtype), like.device_mesh, like.placements)


def _fill(parameter: torch.Tensor, value: torch.Tensor) -> None:
    if value.shape != parameter.shape:
        raise KeyError(f"shape {list(value.shape)} where {list(parameter.shape)} is trained")
    parameter.copy_(_spread(value.to(parameter.device), parameter))

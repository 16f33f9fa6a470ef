"""Adapters that stay as they are under the one that is trained: stacked.safetensors of the plan -> what each layer adds to its output.

They are added where the layer's own product is, beneath PEFT: so they stand beside weights of any form, floats or 4 bit, and are
no part of what PEFT trains, spreads or saves.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from safetensors.torch import load_file
from torch import nn

from .plan import Plan

_FILE = "stacked.safetensors"


def add_stacked(model: nn.Module, plan: Plan, dtype: torch.dtype) -> int:
    """The number of layers that add something; `<module>.a` [R, in] and `<module>.b` [out, R], their scale multiplied in."""
    path = plan.folder / _FILE
    if not path.exists():
        return 0
    tensors = load_file(path)
    modules = sorted({name.rsplit(".", 1)[0] for name in tensors})
    for name in modules:
        module = model.get_submodule(name)
        device = next(module.parameters()).device
        for part in ("a", "b"):
            module.register_buffer(f"stacked_{part}", tensors[f"{name}.{part}"].to(device, dtype), persistent=False)
        module.register_forward_hook(_add)
    return len(modules)


def _add(module: Any, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> torch.Tensor:
    """output + B A x"""
    x = inputs[0].to(module.stacked_a.dtype)
    return output + F.linear(F.linear(x, module.stacked_a), module.stacked_b).to(output.dtype)

"""Preference tuning's reference: log-probabilities of every pair's answers under the model as it is before the first step.

They never change, so one forward pass over the pairs takes the place of a second model. They are kept beside the plan for when
the run goes on, which no longer has those parameters.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from .plan import Plan
from .staged_folder import replace_file

_FILE = "reference.safetensors"


class Reference:
    """Log-probabilities of chosen and rejected answers [pairs, 2] of both sides; NaN where they are not known."""

    def __init__(self, plan: Plan) -> None:
        self._path = plan.folder / _FILE
        self._values = {
            side: torch.full((len(rows) // 2, 2), torch.nan, dtype=torch.float64) for side, rows in (("train", plan.train), ("heldOut", plan.held_out))
        }

    def load(self) -> bool:
        """False when there is no file, or one of another size."""
        if not self._path.exists():
            return False
        values = load_file(self._path)
        if any(values[side].shape != kept.shape for side, kept in self._values.items()):
            return False
        self._values = values
        return True

    def keep(self, side: str, packs: list[list[int]], answers: torch.Tensor) -> None:
        """answers [Q, 2]"""
        for number, pair in enumerate(pair for pack in packs for pair in pack):
            self._values[side][pair] = answers[number].cpu()

    def combine(self, total: Any) -> None:
        """What each process measured -> all of it; `total` adds lists up over the processes."""
        for side, values in self._values.items():
            known = ~values.isnan()
            sums = total([*torch.where(known, values, 0).flatten().tolist(), *known.double().flatten().tolist()])
            found, counts = torch.tensor(sums, dtype=torch.float64).reshape(2, *values.shape) if values.numel() else (values, values)
            self._values[side] = torch.where(counts > 0, found / counts.clamp(min=1), torch.nan)

    def save(self) -> None:
        def write(path: Path) -> None:
            save_file(self._values, path)

        replace_file(self._path, write)

    def of(self, inputs: dict[str, Any]) -> torch.Tensor:
        """[Q, 2] of a batch's pairs."""
        pairs = [pair for pack in inputs["packs"] for pair in pack]
        return self._values[inputs.get("side", "train")][pairs].reshape(-1, 2)

"""Trained parameters -> `adapter/` (PEFT) or `model/` (a Hugging Face folder), replaced whole.

Everything but weights was written by the text step into the plan's `output/`: tokenizer, template, configuration, and the card,
whose result this fills in.
"""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from .adapters import adapter_tensor_name
from .plan import Plan
from .recipe import Recipe, is_ada_lora, is_lora
from .run_files import ADAPTER, MODEL
from .staged_folder import Write, recover_folder, replace_file, replace_folder
from .train_state import TrainState
from .trained_tensors import Tensors

CARD = "README.md"
SHARD_BYTES = 4 * 1000**3
"""As transformers: weights of one file, until it would be larger than this."""


class OutputWriter:
    def __init__(self, run: Path, plan: Plan, recipe: Recipe) -> None:
        self.folder = run / (ADAPTER if is_lora(recipe) else MODEL)
        self._templates = plan.folder / "output"
        self._recipe = recipe

    def exists(self) -> bool:
        return self.folder.is_dir()

    def recover(self) -> None:
        """Finishes what a killed process began."""
        recover_folder(self.folder)

    def write(self, values: Tensors, state: TrainState) -> None:
        """The version before stands until this one is complete."""
        files: dict[str, Write] = {path.name: _copy(path) for path in sorted(self._templates.iterdir())}
        if is_lora(self._recipe):
            tensors, config = values, json.loads((self._templates / "adapter_config.json").read_text(encoding="utf-8"))
            if is_ada_lora(self._recipe):
                tensors, config = keep_ranks(values, config, self._recipe)
            named = {adapter_tensor_name(name): tensor for name, tensor in tensors.items()}
            files["adapter_config.json"] = _write_text(json.dumps(config, indent=2) + "\n")
            files["adapter_model.safetensors"] = lambda file: save_file(named, file, metadata={"format": "pt"})
        else:
            files.update(_model_files(values))
        files[CARD] = _write_text(self._card(state))
        replace_folder(self.folder, files)

    def rewrite_card(self, state: TrainState) -> None:
        """The same weights with the run's final numbers beside them."""
        replace_file(self.folder / CARD, _write_text(self._card(state)))

    def _card(self, state: TrainState) -> str:
        return fill_card((self._templates / CARD).read_text(encoding="utf-8"), state)


def fill_card(card: str, state: TrainState) -> str:
    """The card of a run that has not begun -> the card with its result."""
    lines = []
    for line in card.split("\n"):
        if line.startswith("| optimizer steps | "):
            total = line.rsplit(" of ", 1)[1]
            lines.append(f"| optimizer steps | {state.step} of {total}")
            lines += _row("held-out loss of the base model (nats)", state.baseEvalLossNats)
            lines += _row(f"held-out loss of these weights (nats), step {state.bestStep}", state.bestEvalLossNats)
            lines += _row("last training loss (nats)", state.lastLossNats)
        else:
            lines.append(line)
    return "\n".join(lines)


def keep_ranks(values: Tensors, config: dict[str, Any], recipe: Recipe) -> tuple[Tensors, dict[str, Any]]:
    """AdaLoRA's triplets -> a plain adapter: each rank's factor in its row of A, ranks whose factor is 0 left out, and in the
    configuration the ranks that are left."""
    scale = recipe["alpha"] / (recipe["rank"] + 1e-5)  # as PEFT, whatever ranks are left
    tensors: Tensors = {}
    ranks: dict[str, int] = {}
    for name, factors in values.items():
        if not name.endswith(".lora_E"):
            if ".lora_A." not in name and ".lora_B." not in name:
                tensors[name] = values[name]
            continue
        module = name.removesuffix(".lora_E")
        kept = factors[:, 0].nonzero()[:, 0]
        if len(kept) == 0:
            continue
        tensors[f"{module}.lora_A.weight"] = (factors * values[f"{module}.lora_A.weight"])[kept].contiguous()
        tensors[f"{module}.lora_B.weight"] = values[f"{module}.lora_B.weight"][:, kept].contiguous()
        ranks[module.removeprefix("base_model.model.")] = len(kept)
    first = next(iter(ranks.values()), 1)
    rank_pattern = {module: rank for module, rank in ranks.items() if rank != first}
    alphas = {module: scale * rank for module, rank in rank_pattern.items()}
    described = {"r": first, "lora_alpha": scale * first, "rank_pattern": rank_pattern, "alpha_pattern": alphas, "target_modules": list(ranks)}
    return tensors, {**config, **described}


def changes_nothing(values: Tensors) -> bool:
    """Whether LoRA's B (AdaLoRA's E) is zero everywhere still: no gradient arrived."""
    ends = ".lora_E" if any(name.endswith(".lora_E") for name in values) else ".lora_B.weight"
    factors = [tensor for name, tensor in values.items() if name.endswith(ends)]
    return len(factors) > 0 and not any(bool(torch.any(tensor != 0)) for tensor in factors)


def _model_files(values: Tensors) -> dict[str, Write]:
    shards: list[Tensors] = [{}]
    used = 0
    for name, tensor in values.items():
        if used > 0 and used + tensor.nbytes > SHARD_BYTES:
            shards.append({})
            used = 0
        shards[-1][name] = tensor
        used += tensor.nbytes
    if len(shards) == 1:
        return {"model.safetensors": _write_shard(shards[0])}
    names = [f"model-{number + 1:05d}-of-{len(shards):05d}.safetensors" for number in range(len(shards))]
    index = {
        "metadata": {"total_size": sum(tensor.nbytes for tensor in values.values())},
        "weight_map": {tensor: name for name, shard in zip(names, shards, strict=True) for tensor in shard},
    }
    files: dict[str, Write] = {name: _write_shard(shard) for name, shard in zip(names, shards, strict=True)}
    files["model.safetensors.index.json"] = _write_text(json.dumps(index, indent=2) + "\n")
    return files


def _write_shard(shard: Tensors) -> Write:
    return lambda file: save_file(shard, file, metadata={"format": "pt"})


def _write_text(text: str) -> Write:
    return lambda file: file.write_text(text, encoding="utf-8") and None


def _copy(source: Path) -> Write:
    return lambda file: shutil.copyfile(source, file) and None


def _row(label: str, value: float | None) -> list[str]:
    return [] if value is None else [f"| {label} | {_fixed(value)} |"]


def _fixed(value: float) -> str:
    """Four digits, halves away from zero, as the embedded engine writes them."""
    return f"{math.copysign(round(abs(value) + 1e-12, 4), value):.4f}"

"""The recipe's method -> PEFT's configuration, and the names under which files hold what is trained."""

from __future__ import annotations

from typing import Any

import torch
from peft import AdaLoraConfig, LoraConfig, PeftConfig
from torch import nn

from .plan import Plan
from .recipe import Recipe, is_ada_lora, is_lora

_PREFIX = "base_model.model."


def make_adapter_config(plan: Plan, recipe: Recipe) -> PeftConfig | None:
    """None for the full method."""
    if not is_lora(recipe):
        return None
    common: dict[str, Any] = {
        "lora_alpha": recipe["alpha"],
        "lora_dropout": recipe["dropout"],
        "target_modules": plan.settings["targetModules"],
        "layers_to_transform": plan.settings["layersToTransform"],
        "modules_to_save": recipe["modulesToSave"] or None,
        "task_type": "CAUSAL_LM",
    }
    if is_ada_lora(recipe):
        schedule = plan.settings["rankSchedule"]
        return AdaLoraConfig(
            init_r=recipe["rank"],
            target_r=schedule["targetRank"],
            tinit=schedule["initialSteps"],
            tfinal=schedule["finalSteps"],
            deltaT=schedule["intervalSteps"],
            beta1=recipe["adaBeta1"],
            beta2=recipe["adaBeta2"],
            orth_reg_weight=recipe["adaOrthogonality"],
            total_step=plan.total_steps,
            **common,
        )
    return LoraConfig(r=recipe["rank"], use_rslora=recipe["rsLora"], use_dora=recipe["dora"], **common)


def disk_name(name: str) -> str:
    """A parameter's name in the wrapped model -> its name in checkpoints, the embedded engine's too."""
    for wrapper in ("module.", "_orig_mod."):
        name = name.removeprefix(wrapper)
    name = name.replace("_checkpoint_wrapped_module.", "")
    if ".modules_to_save.default." in name:
        return name.removeprefix(_PREFIX).replace(".modules_to_save.default.", ".")
    name = name.replace("lora_magnitude_vector.default.weight", "lora_magnitude_vector")
    for matrix in ("lora_A", "lora_B"):
        if name.endswith(f".{matrix}.default"):  # AdaLoRA's are no modules
            return name.replace(f".{matrix}.default", f".{matrix}.weight")
    return name.replace(".lora_E.default", ".lora_E").replace(".default.weight", ".weight")


def adapter_tensor_name(name: str) -> str:
    """A name in checkpoints -> its name in adapter_model.safetensors."""
    return name if name.startswith(_PREFIX) else _PREFIX + name


def list_trained(model: nn.Module) -> dict[str, nn.Parameter]:
    """What is trained, by the names of the files."""
    return {disk_name(name): parameter for name, parameter in model.named_parameters() if parameter.requires_grad}


def orthogonality(trained: dict[str, nn.Parameter]) -> torch.Tensor:
    """AdaLoRA's regulariser: the mean of |P P^T - I| over all A and |P^T P - I| over all B."""
    terms = []
    for name, matrix in trained.items():
        if ".lora_A." in name or ".lora_B." in name:
            product = matrix @ matrix.T if ".lora_A." in name else matrix.T @ matrix
            terms.append(torch.linalg.norm(product - torch.eye(product.shape[0], device=product.device)))
    return torch.stack(terms).mean()

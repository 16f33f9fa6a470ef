"""TRL's trainers, told by a plan: our batches in our order, losses over all labels of a step, our groups of parameters."""

from __future__ import annotations

import hashlib
from typing import Any

import torch
from datasets import Dataset
from torch.utils.data import DataLoader
from trl import DPOTrainer, SFTTrainer

from . import ranks
from .adapters import list_trained, orthogonality
from .batches import StepBatches
from .errors import EngineError
from .losses import BatchLoss, measure_batch, measure_distillation
from .plan import Plan
from .recipe import Recipe, is_ada_lora, is_lora
from .reference import Reference


def placeholder_rows() -> Dataset:
    """TRL wants to see rows; the batches come from the plan."""
    return Dataset.from_dict({"input_ids": [[0]], "labels": [[0]]})


class PlannedTraining:
    """What both trainers do differently from TRL's; comes before them in the order of classes."""

    loss_is_scaled_for_ga = True

    def follow(self, plan: Plan, recipe: Recipe, first_step: int) -> None:
        """To be called before `train`."""
        self.plan, self.recipe, self.first_step = plan, recipe, first_step
        self.reference: Reference | None = None
        self.measured: list[BatchLoss] = []
        self.grad_norm = 0.0
        self._weights: dict[int, int] = {}

    def get_train_dataloader(self) -> DataLoader:
        batches = StepBatches(self.plan, self.first_step, ranks.rank(), ranks.world_size())
        return DataLoader(batches, batch_size=None)

    def get_batch_samples(self, epoch_iterator: Any, num_batches: int, device: Any) -> tuple[list, None]:  # noqa: ARG002
        """The plan knows the labels of a step: nothing is counted."""
        return [next(epoch_iterator) for _ in range(num_batches)], None

    def floating_point_ops(self, inputs: Any) -> int:  # noqa: ARG002
        return 0

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """metrics.jsonl says it."""

    def create_optimizer(self, model: Any = None) -> torch.optim.Optimizer:
        if self.optimizer is None:
            recipe = self.recipe
            betas = (recipe["beta1"], recipe["beta2"])
            groups = group_parameters(list_trained(model if model is not None else self.model), recipe)
            self.optimizer = torch.optim.AdamW(groups, lr=recipe["learningRate"], betas=betas, eps=1e-8)
        return self.optimizer

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:  # noqa: ARG002
        """The rate of each step is set before it, from the plan."""
        if self.lr_scheduler is None:
            self.lr_scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer or self.optimizer, lambda _step: 1.0)
            self._created_lr_scheduler = True
        return self.lr_scheduler

    def set_learning_rate(self, step: int) -> float:
        rate = float(self.plan.learning_rates[step - 1])
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["factor"]
        return rate

    def forward_batch(self, model: Any, inputs: dict[str, Any]) -> BatchLoss:
        """One batch's loss, summed."""
        if self.plan.is_taught:
            logits = model(input_ids=inputs["input_ids"], position_ids=inputs["position_ids"], use_cache=False).logits
            return measure_distillation(logits, inputs, self.recipe)
        outputs = model(
            input_ids=inputs["input_ids"], position_ids=inputs["position_ids"], labels=inputs["labels"], use_cache=False, fused_lm_head=True
        )
        reference = None if self.reference is None else self.reference.of(inputs)
        return measure_batch(self.plan, self.recipe, inputs, outputs.log_probs, reference)

    def compute_loss(self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None) -> torch.Tensor:  # noqa: ARG002
        step = inputs["step"]
        if is_lora(self.recipe) and self.recipe["dropout"] > 0:
            # What is dropped depends on seed, step and micro-batch alone: a resumed run drops the same, on any number of processes.
            torch.manual_seed(seed_of(self.recipe["seed"], step, inputs["micro_batch"]))
        measured = self.forward_batch(model, inputs)
        # Gradients of the processes are averaged: what is summed here is multiplied by their number.
        loss = measured.loss_sum * (ranks.world_size() / self._weight(step))
        if is_ada_lora(self.recipe) and inputs["micro_batch"] == 0:
            loss = loss + ranks.world_size() * self.recipe["adaOrthogonality"] * orthogonality(list_trained(self.model))
        measured.loss_sum = measured.loss_sum.detach()
        self.measured.append(measured)
        return loss.float()

    def _get_grad_norm(self, model: Any, grad_norm: Any = None) -> Any:
        """Raises EngineError before a step that would spoil the parameters."""
        norm = super()._get_grad_norm(model, grad_norm=grad_norm)
        norm = norm.full_tensor() if hasattr(norm, "full_tensor") else norm
        self.grad_norm = float(norm)
        # With a loss scale an overflow is normal: the step is left out and the scale lowered.
        if not torch.isfinite(torch.tensor(self.grad_norm)) and self.accelerator.scaler is None:
            step = self.first_step + self.state.global_step
            raise not_finite("gradient", step, self.grad_norm, self.recipe)
        return norm

    def _weight(self, step: int) -> int:
        if step not in self._weights:
            self._weights = {step: self.plan.weight(step)}
        return self._weights[step]


class PlannedSFTTrainer(PlannedTraining, SFTTrainer):
    """Supervised tuning."""


class PlannedDPOTrainer(PlannedTraining, DPOTrainer):
    """Preference tuning; the reference is measured once, see `reference.py`."""

    def _prepare_dataset(self, dataset: Dataset, *_args: Any, **_settings: Any) -> Dataset:
        return dataset

    def _precompute_ref_logps(self, dataset: Dataset, *_args: Any, **_settings: Any) -> Dataset:
        return dataset


def group_parameters(trained: dict[str, torch.nn.Parameter], recipe: Recipe) -> list[dict[str, Any]]:
    """AdamW's groups, each with the factor of its learning rate: LoRA+ lets B learn faster. Vectors do not decay."""
    groups: dict[tuple[bool, float], list[torch.nn.Parameter]] = {}
    for name, parameter in trained.items():
        decays = len(getattr(parameter, "ds_shape", parameter.shape)) > 1
        factor = recipe["loraPlusRatio"] if is_lora(recipe) and ".lora_B." in name else 1.0
        groups.setdefault((decays, factor), []).append(parameter)
    return [
        {"params": parameters, "weight_decay": recipe["weightDecay"] if decays else 0.0, "factor": factor}
        for (decays, factor), parameters in groups.items()
    ]


def seed_of(seed: int, step: int, micro_batch: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}|{step}|{micro_batch}".encode()).digest()[:7], "big")


def not_finite(what: str, step: int, value: float, recipe: Recipe) -> EngineError:
    hint = f"Likely cause: the learning rate {recipe['learningRate']} is too high for this data; try a third of it."
    if step == 0:
        hint = "Likely cause: the model file holds values that are not finite; download it again."
    return EngineError("not-finite", f"step {step}: expected a finite {what}, got {value}", hint)

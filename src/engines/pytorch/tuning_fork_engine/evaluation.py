"""Batches -> their mean loss, forward only: held-out rows by all processes together, and the reference of preference tuning."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from . import ranks
from .batches import build_batch, empty_batch
from .plan import Pack, Plan, Rows
from .reference import Reference

Progress = Callable[[int, int], bool]
"""Told how many of how many batches are done; says whether to go on."""


@torch.no_grad()
def evaluate_held_out(trainer: Any, plan: Plan, on_progress: Progress) -> dict[str, Any] | None:
    """Mean over all supervised tokens (or pairs), not over batches; None when told not to go on."""
    loss_sum, weight, measures = 0.0, 0, {}
    micro_batches = [plan.evaluation.micro_batch(index) for index in range(len(plan.evaluation))]
    for loss in _run(trainer, plan, plan.held_out, "heldOut", micro_batches, on_progress):
        if loss is None:
            return None
        loss_sum += loss.loss_sum.item()
        weight += loss.weight
        for name, value in loss.measures.items():
            measures[name] = measures.get(name, 0.0) + value
    names = plan.measure_names
    loss_sum, weight, *sums = ranks.sum_over_ranks([loss_sum, float(weight), *(measures.get(name, 0.0) for name in names)])
    packs = [pack for micro in micro_batches for pack in micro]
    return {
        "evalLossNats": loss_sum / weight,
        "supervisedTokens": plan.count_tokens(plan.held_out, packs)[1],
        **{name: value / weight for name, value in zip(names, sums, strict=True)},
    }


@torch.no_grad()
def measure_reference(trainer: Any, plan: Plan, on_progress: Progress) -> Reference | None:
    """With the parameters as they are before the first step; None when told not to go on."""
    reference = Reference(plan)
    if reference.load():
        return reference
    seen: set[int] = set()
    train: list[list[Pack]] = []
    for index in range(len(plan.steps)):
        micro = plan.steps.micro_batch(index)
        if not {pair for pack in micro for pair in pack} <= seen:
            seen.update(pair for pack in micro for pair in pack)
            train.append(micro)
    held_out = [plan.evaluation.micro_batch(index) for index in range(len(plan.evaluation))]
    for side, rows, micro_batches in (("train", plan.train, train), ("heldOut", plan.held_out, held_out)):
        own = iter(micro_batches[ranks.rank() :: ranks.world_size()])
        for loss in _run(trainer, plan, rows, side, micro_batches, on_progress):
            if loss is None:
                return None
            if loss.pair_log_probabilities is not None:
                reference.keep(side, next(own), loss.pair_log_probabilities)
    reference.combine(ranks.sum_over_ranks)
    if ranks.rank() == 0:
        reference.save()
    return reference


def _run(trainer: Any, plan: Plan, rows: Rows, side: str, micro_batches: list[list[Pack]], on_progress: Progress) -> Any:
    """Each process's own batches' losses; all run equally many, because some models need all processes for each."""
    was_training = trainer.model_wrapped.training
    trainer.model_wrapped.eval()
    try:
        turns = -(-len(micro_batches) // ranks.world_size())
        for turn in range(turns):
            if not on_progress(turn * ranks.world_size(), len(micro_batches)):
                yield None
                return
            index = turn * ranks.world_size() + ranks.rank()
            is_there = index < len(micro_batches)
            packs = micro_batches[index] if is_there else []
            batch = build_batch(plan, rows, packs) if is_there else empty_batch(plan)
            inputs = trainer._prepare_inputs({**batch, "packs": packs, "side": side})
            with trainer.compute_loss_context_manager():
                yield trainer.forward_batch(trainer.model_wrapped, inputs)
    finally:
        trainer.model_wrapped.train(was_training)

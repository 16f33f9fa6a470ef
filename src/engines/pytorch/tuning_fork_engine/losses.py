"""Log-probabilities of a batch's labels -> its loss, summed: next tokens, or preferences between answers (DPO)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812

from .plan import Plan


TINY = 1e-30
"""Keeps logarithms finite where nothing of the mass is left."""


@dataclass
class BatchLoss:
    loss_sum: torch.Tensor
    """Over labels or pairs, with its gradient."""
    weight: int
    measures: dict[str, float]
    """Sums over the pairs or labels."""
    pair_log_probabilities: torch.Tensor | None = None
    """[Q, 2] chosen and rejected."""


def exact(values: torch.Tensor) -> torch.Tensor:
    """In float64, for sums; in float32 on Apple's cards, which have no float64."""
    return values.float() if values.device.type == "mps" else values.double()


def measure_tokens(log_probabilities: torch.Tensor, weight: int) -> BatchLoss:
    """log_probabilities [B, T - 1], zero where there is no label."""
    return BatchLoss(-exact(log_probabilities).sum(), weight, {})


def measure_distillation(logits: torch.Tensor, inputs: dict[str, Any], settings: dict[str, Any]) -> BatchLoss:
    """(1 - a) cross-entropy + a T^2 KL(teacher || student) over the labels, with a the teacher's share and T the temperature; the
    vocabulary beyond the teacher's top tokens counts as one more token. logits [B, T, V]."""
    is_label = inputs["labels"][:, 1:] >= 0
    picked = logits[:, :-1][is_label].float()  # [N, V]
    labels = inputs["labels"][:, 1:][is_label]
    if labels.numel() == 0:
        return BatchLoss(exact(logits).sum() * 0, 0, {})
    cross_entropy = exact(F.cross_entropy(picked, labels, reduction="sum"))
    temperature, share = settings["distillTemperature"], settings["distillAlpha"]
    student = F.log_softmax(picked / temperature, dim=-1).gather(1, inputs["teacher_tokens"])  # [N, K]
    teacher = inputs["teacher_logs"]
    rest_teacher, rest_student = ((1 - said.exp().sum(1)).clamp(min=TINY) for said in (teacher, student))
    divergence = (teacher.exp() * (teacher - student)).sum(1) + rest_teacher * (rest_teacher.log() - rest_student.log())
    divergence = exact(divergence).sum()
    loss = (1 - share) * cross_entropy + share * temperature**2 * divergence
    measures = {"crossEntropyNats": cross_entropy.item(), "divergenceNats": divergence.item()}
    return BatchLoss(loss, labels.numel(), measures)


def sum_pairs(log_probabilities: torch.Tensor, pair_ids: torch.Tensor, pairs: int) -> torch.Tensor:
    """Log-probabilities [B, T - 1] of labels -> those of answers [Q, 2]; chosen answers fill the upper half of the batch."""
    chosen = torch.arange(pair_ids.shape[0], device=pair_ids.device)[:, None] < pair_ids.shape[0] // 2
    ids = pair_ids[:, 1:]
    places = torch.where(chosen, 2 * ids, 2 * ids + 1)[ids >= 0]
    labels = exact(log_probabilities[ids >= 0])
    return labels.new_zeros(2 * pairs).index_add(0, places, labels).reshape(pairs, 2)


def measure_preferences(
    log_probabilities: torch.Tensor, inputs: dict[str, Any], reference: torch.Tensor, settings: dict[str, Any]
) -> BatchLoss:
    """-(1 - e) log sigmoid(h) - e log sigmoid(-h), with h = beta (log-ratio of chosen - log-ratio of rejected) and e the label
    smoothing, and the chosen answer's own loss a token where rpoAlpha asks for it. reference [Q, 2]."""
    pairs = reference.shape[0]
    answers = sum_pairs(log_probabilities, inputs["pair_ids"], pairs)
    rewards = settings["dpoBeta"] * (answers - reference.to(answers.dtype).to(answers.device))  # [Q, 2]
    margins = rewards[:, 0] - rewards[:, 1]
    smoothing = settings["dpoLabelSmoothing"]
    loss = -((1 - smoothing) * F.logsigmoid(margins) + smoothing * F.logsigmoid(-margins)).sum()
    if settings["rpoAlpha"] > 0:
        ids = inputs["pair_ids"][: inputs["pair_ids"].shape[0] // 2, 1:]
        counts = torch.bincount(ids[ids >= 0], minlength=pairs)
        loss = loss - settings["rpoAlpha"] * (answers[:, 0] / counts.clamp(min=1)).sum()
    with torch.no_grad():
        measures = {
            "rewardChosen": rewards[:, 0].sum().item(),
            "rewardRejected": rewards[:, 1].sum().item(),
            "rewardAccuracy": float((rewards[:, 0] > rewards[:, 1]).sum().item()),
            "rewardMargin": margins.sum().item(),
        }
    return BatchLoss(loss, pairs, measures, answers.detach())


def measure_batch(
    plan: Plan, recipe: dict[str, Any], inputs: dict[str, Any], log_probabilities: torch.Tensor, reference: torch.Tensor | None
) -> BatchLoss:
    """The loss of the recipe's objective; an empty batch gives a zero that gradients flow through."""
    packs = inputs["packs"]
    if not plan.is_paired:
        return measure_tokens(log_probabilities, int((inputs["labels"][:, 1:] >= 0).sum().item()))
    pairs = sum(len(pack) for pack in packs)
    if pairs == 0:
        return BatchLoss(exact(log_probabilities).sum() * 0, 0, {})
    if reference is None:
        answers = sum_pairs(log_probabilities, inputs["pair_ids"], pairs)
        return BatchLoss(answers.sum() * 0, pairs, {}, answers.detach())
    return measure_preferences(log_probabilities, inputs, reference, recipe)

"""Packs of rows -> the tensors of a micro-batch: each row a segment of its own whose positions restart at 0.

Transformers keeps segments apart by those restarts, so that packing changes the cost of a step and nothing that is learned.
Padding is a segment too: nothing attends to it, and it is never a label.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from .plan import Pack, Plan, Rows

IGNORED = -100
WIDTH_STEP = 64
"""Batches are as wide as their longest pack, in steps of this many tokens: few widths, little padding."""

Batch = dict[str, Any]


def build_batch(plan: Plan, rows: Rows, packs: list[Pack]) -> Batch:
    """input_ids, position_ids and labels [B, T]; of pairs also pair_ids [B, T], the pair of each label or -1, where the packs
    of chosen answers stand above those of the rejected ones; of a distillation teacher_tokens and teacher_logs [N, K], in the
    order of the labels."""
    sides = [[[2 * pair + side for pair in pack] for pack in packs] for side in (0, 1)] if plan.is_paired else [packs]
    contexts = [pack for side in sides for pack in side]
    longest = max(sum(rows.length(row) for row in pack) for pack in contexts)
    width = min(plan.settings["contextTokens"], -(-longest // WIDTH_STEP) * WIDTH_STEP)
    shape = (len(contexts), width)
    batch = {
        "input_ids": torch.full(shape, plan.pad_token, dtype=torch.long),
        "position_ids": torch.zeros(shape, dtype=torch.long),
        "labels": torch.full(shape, IGNORED, dtype=torch.long),
    }
    if plan.is_paired:
        batch["pair_ids"] = torch.full(shape, -1, dtype=torch.long)
    taught: dict[str, list[torch.Tensor]] = {"teacher_tokens": [], "teacher_logs": []}
    numbers = {pair: number for number, pair in enumerate(pair for pack in packs for pair in pack)}
    for b, pack in enumerate(contexts):
        at = 0
        for row in pack:
            where, end = rows.slice(row), at + rows.length(row)
            tokens = torch.from_numpy(rows.tokens[where].astype("int64"))
            is_label = torch.from_numpy(rows.supervised[where]).bool()
            is_label[0] = False
            batch["input_ids"][b, at:end] = tokens
            batch["position_ids"][b, at:end] = torch.arange(end - at)
            batch["labels"][b, at:end] = torch.where(is_label, tokens, IGNORED)
            if rows.teacher is not None:
                said = rows.teacher.slice(row)
                taught["teacher_tokens"].append(torch.from_numpy(rows.teacher.tokens[said].astype("int64")))
                taught["teacher_logs"].append(torch.from_numpy(rows.teacher.logs[said]))
            if plan.is_paired:
                batch["pair_ids"][b, at:end] = torch.where(is_label, numbers[row // 2], -1)
            at = end
        batch["position_ids"][b, at:] = torch.arange(width - at)
    return {**batch, **{name: torch.cat(parts) for name, parts in taught.items() if parts}}


def empty_batch(plan: Plan) -> Batch:
    """A batch that teaches nothing: what a process runs while others still have rows of the step."""
    shape = (2 if plan.is_paired else 1, min(WIDTH_STEP, plan.settings["contextTokens"]))
    positions = torch.arange(shape[1]).expand(shape).clone()
    batch = {"input_ids": torch.full(shape, plan.pad_token), "position_ids": positions, "labels": torch.full(shape, IGNORED)}
    if plan.is_paired:
        batch["pair_ids"] = torch.full(shape, -1)
    return batch


class StepBatches(torch.utils.data.IterableDataset):
    """This process's micro-batches from step `first` on: of each step every `processes`-th, and empty ones where a step has
    fewer, so that all processes run equally many. What a step learns does not depend on the number of processes."""

    def __init__(self, plan: Plan, first: int, process: int, processes: int) -> None:
        self._plan, self._first, self._process, self._processes = plan, first, process, processes
        self.per_step = -(-plan.most_micro_batches // processes)

    def __len__(self) -> int:
        return (self._plan.total_steps - self._first + 1) * self.per_step

    def __iter__(self) -> Iterator[Batch]:
        for step in range(self._first, self._plan.total_steps + 1):
            micro_batches = self._plan.micro_batches(step)
            for turn in range(self.per_step):
                index = turn * self._processes + self._process
                is_there = index < len(micro_batches)
                packs = micro_batches[index] if is_there else []
                batch = build_batch(self._plan, self._plan.train, packs) if is_there else empty_batch(self._plan)
                yield {**batch, "step": step, "micro_batch": index, "packs": packs}

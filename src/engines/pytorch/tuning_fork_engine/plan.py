"""The plan that the text step wrote -> token rows, and which of them meet in each micro-batch of each step.

plan.json           totals, intervals, token ids of the sample prompts, where the base model lies
plan.safetensors    rows of both sides (tokens, supervised, lengths) and the order: rows of a pack, packs of a micro-batch,
                    micro-batches of a step, learning rate of a step
start.safetensors   start values of what is trained, where they are not the base model's own or zero
stacked.safetensors adapters that stay as they are under what is trained; absent without them
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file

from .errors import EngineError
from .run_files import CACHE, PLAN, read_json

Pack = list[int]
"""Rows (preference tuning: pairs) that stand in one context, in order."""


@dataclass(frozen=True)
class TeacherRows:
    """What a teacher said of every label, row after row; `starts` counts labels."""

    tokens: np.ndarray
    """[labels, K], the likeliest first."""
    logs: np.ndarray
    """[labels, K], log-probabilities at the distillation's temperature."""
    starts: np.ndarray

    def slice(self, row: int) -> slice:
        return slice(int(self.starts[row]), int(self.starts[row + 1]))


@dataclass(frozen=True)
class Rows:
    """Encoded rows one after the other; `starts` has one element more than there are rows."""

    tokens: np.ndarray
    supervised: np.ndarray
    starts: np.ndarray
    teacher: TeacherRows | None = None

    def __len__(self) -> int:
        return len(self.starts) - 1

    def length(self, row: int) -> int:
        return int(self.starts[row + 1] - self.starts[row])

    def slice(self, row: int) -> slice:
        return slice(int(self.starts[row]), int(self.starts[row + 1]))

    def count_labels(self, row: int) -> int:
        """The first token is never predicted."""
        where = self.slice(row)
        return int(self.supervised[where.start + 1 : where.stop].sum())


@dataclass(frozen=True)
class Packs:
    """Micro-batches as lists of packs, flat in memory: an order of millions of rows stays small."""

    rows: np.ndarray
    pack_starts: np.ndarray
    micro_starts: np.ndarray

    def __len__(self) -> int:
        return len(self.micro_starts) - 1

    def micro_batch(self, index: int) -> list[Pack]:
        packs = range(int(self.micro_starts[index]), int(self.micro_starts[index + 1]))
        return [self.rows[self.pack_starts[p] : self.pack_starts[p + 1]].tolist() for p in packs]


@dataclass(frozen=True)
class Plan:
    folder: Path
    settings: dict[str, Any]
    train: Rows
    held_out: Rows
    steps: Packs
    step_starts: np.ndarray
    evaluation: Packs
    learning_rates: np.ndarray

    @property
    def total_steps(self) -> int:
        return self.settings["totalSteps"]

    @property
    def is_paired(self) -> bool:
        return self.settings["rowsPerExample"] == 2

    @property
    def is_taught(self) -> bool:
        return self.train.teacher is not None

    @property
    def measure_names(self) -> list[str]:
        """What the objective measures beside its loss."""
        if self.is_paired:
            return ["rewardChosen", "rewardRejected", "rewardAccuracy", "rewardMargin"]
        return ["crossEntropyNats", "divergenceNats"] if self.is_taught else []

    @property
    def pad_token(self) -> int:
        return self.settings["padTokenId"]

    def micro_batches(self, step: int) -> list[list[Pack]]:
        """Of optimizer step `step`, counted from 1, over all processes."""
        return [self.steps.micro_batch(m) for m in range(int(self.step_starts[step - 1]), int(self.step_starts[step]))]

    @property
    def most_micro_batches(self) -> int:
        """In a step."""
        return int(np.diff(self.step_starts).max())

    def weight(self, step: int) -> int:
        """What the step's loss is divided by: its supervised tokens, in preference tuning its pairs."""
        packs = [pack for micro in self.micro_batches(step) for pack in micro]
        return self.count_weight(self.train, packs)

    def count_weight(self, rows: Rows, packs: list[Pack]) -> int:
        if self.is_paired:
            return sum(len(pack) for pack in packs)
        return sum(rows.count_labels(row) for pack in packs for row in pack)

    def count_tokens(self, rows: Rows, packs: list[Pack]) -> tuple[int, int]:
        """All tokens, and the supervised ones."""
        listed = [row for pack in packs for unit in pack for row in self.rows_of(unit)]
        return sum(rows.length(row) for row in listed), sum(rows.count_labels(row) for row in listed)

    def rows_of(self, unit: int) -> tuple[int, ...]:
        """A pair's chosen and rejected answer stand one after the other."""
        return (2 * unit, 2 * unit + 1) if self.is_paired else (unit,)


def read_plan(run: Path) -> Plan:
    """Raises EngineError when the run was not prepared for this engine."""
    folder = run / CACHE / PLAN
    if not (folder / "plan.json").exists():
        raise EngineError("run-invalid", f"{folder}: expected a plan for PyTorch, got none", "Resume the run with: tuning-fork resume")
    tensors = load_file(folder / "plan.safetensors")
    return Plan(
        folder=folder,
        settings=read_json(folder / "plan.json"),
        train=_read_rows(tensors, "train"),
        held_out=_read_rows(tensors, "heldOut"),
        steps=_read_packs(tensors, "steps"),
        step_starts=_sum_up(tensors["steps.microBatches"]),
        evaluation=_read_packs(tensors, "evaluation"),
        learning_rates=tensors["learningRates"],
    )


def _read_rows(tensors: dict[str, np.ndarray], side: str) -> Rows:
    rows = Rows(tensors[f"{side}.tokens"], tensors[f"{side}.supervised"], _sum_up(tensors[f"{side}.lengths"]))
    if f"{side}.teacherTokens" not in tensors:
        return rows
    starts = _sum_up(np.array([rows.count_labels(row) for row in range(len(rows))], dtype=np.int64))
    return replace(rows, teacher=TeacherRows(tensors[f"{side}.teacherTokens"], tensors[f"{side}.teacherLogs"], starts))


def _read_packs(tensors: dict[str, np.ndarray], name: str) -> Packs:
    return Packs(tensors[f"{name}.rows"], _sum_up(tensors[f"{name}.packLengths"]), _sum_up(tensors[f"{name}.packs"]))


def _sum_up(lengths: np.ndarray) -> np.ndarray:
    return np.concatenate(([0], np.cumsum(lengths, dtype=np.int64)))

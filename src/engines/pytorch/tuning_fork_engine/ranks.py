"""The processes of an attempt: who this one is among them, and what they agree on."""

from __future__ import annotations

import os
from datetime import timedelta

import torch
import torch.distributed as dist

from .errors import EngineError
from .ranks_environment import rank_from_environment

TIMEOUT = timedelta(minutes=30)



def join_processes(expected: int, use_gpu: bool) -> None:
    """Raises EngineError when not as many processes came as the recipe asks for: some launchers start one without a word."""
    number, count = rank_from_environment()
    is_elastic = ":" in os.environ.get("NNODES", "")
    if count != expected and (count == 1 or not is_elastic):
        raise EngineError(
            "engine",
            f"launcher: expected {expected} processes, got {count}",
            "Set launcher to torchrun; with a launcherConfig accelerate starts what that file says.",
        )
    if count > 1 and not dist.is_initialized():
        # Before anybody else does it: the time limit that is set later is not heeded on CPUs.
        dist.init_process_group("cuda:nccl,cpu:gloo" if use_gpu else "gloo", timeout=TIMEOUT, rank=number, world_size=count)


def rank() -> int:
    return dist.get_rank() if dist.is_initialized() else 0


def world_size() -> int:
    return dist.get_world_size() if dist.is_initialized() else 1


def describe_count() -> str:
    count = world_size()
    return "1 process" if count == 1 else f"{count} processes"


def sum_over_ranks(values: list[float]) -> list[float]:
    """The same sums on every rank, in float64 on the CPU."""
    if world_size() == 1:
        return values
    tensor = torch.tensor(values, dtype=torch.float64)
    dist.all_reduce(tensor)
    return tensor.tolist()


def agree_on(value: int) -> int:
    """What the first rank says."""
    if world_size() == 1:
        return value
    tensor = torch.tensor([value], dtype=torch.int64)
    dist.broadcast(tensor, src=0)
    return int(tensor.item())


def gather_texts(text: str) -> list[str]:
    """What every rank says, in their order."""
    if world_size() == 1:
        return [text]
    texts: list[str | None] = [None] * world_size()
    dist.all_gather_object(texts, text)
    return [t or "" for t in texts]


def leave_together() -> None:
    """Nobody closes connections that another still reads from."""
    if world_size() > 1:
        dist.barrier()

"""What ended each process of an attempt -> `logs/rank-N.error.json`, and which of them was the first."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from .errors import describe_error
from .run_files import RANK_LOGS, read_json, write_json

WAIT_SECONDS = 1.0
"""A process that fails because another did may be faster in saying so."""


def write_failure(run: Path, rank: int, error: BaseException) -> None:
    wire = describe_error(error)
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        wire["message"] = f"process {rank}: {wire['message']}"
    write_json(_path(run, rank), {"at": time.time(), "isLoss": is_lost_connection(error), "error": wire})


def read_first_failure(run: Path) -> dict[str, Any] | None:
    """Failures that are no mere loss of another process come first."""
    time.sleep(WAIT_SECONDS if int(os.environ.get("WORLD_SIZE", "1")) > 1 else 0)
    found = [read_json(path) for path in (run / RANK_LOGS).glob("rank-*.error.json")]
    found.sort(key=lambda failure: (failure["isLoss"], failure["at"]))
    return found[0]["error"] if found else None


def clear_failures(run: Path) -> None:
    """Of attempts before."""
    for path in (run / RANK_LOGS).glob("rank-*.error.json"):
        path.unlink(missing_ok=True)


def clear_own_failure(run: Path, rank: int) -> None:
    """Of the start before this one, where a launcher starts the processes again."""
    _path(run, rank).unlink(missing_ok=True)


def is_lost_connection(error: BaseException) -> bool:
    text = str(error)
    words = ("Connection closed by peer", "Connection reset by peer", "Broken pipe", "Connection refused", "NCCL", "Timed out", "recvVector", "Read error")
    return isinstance(error, RuntimeError) and any(word in text for word in words)


def is_retried() -> bool:
    """Whether the launcher starts all processes again after this failure."""
    return int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")) < int(os.environ.get("TORCHELASTIC_MAX_RESTARTS", "0"))


def _path(run: Path, rank: int) -> Path:
    return run / RANK_LOGS / f"rank-{rank}.error.json"

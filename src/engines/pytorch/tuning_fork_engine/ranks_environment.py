"""Who this process is among those that a launcher started, by its environment: known before PyTorch is loaded."""

from __future__ import annotations

import os


def is_launched() -> bool:
    return "RANK" in os.environ and "WORLD_SIZE" in os.environ


def rank_from_environment() -> tuple[int, int]:
    """Number and count; a process that nobody launched is the only one."""
    return int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))

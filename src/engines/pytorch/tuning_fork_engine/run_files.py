"""The run folder's names and small files: read, replaced whole, appended to by lines. The contract with every reader."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

RECORD = "run.json"
NOTES = "notes.json"
STATUS = "status.json"
METRICS = "metrics.jsonl"
SAMPLES = "samples.jsonl"
LOG = "log.txt"
RANK_LOGS = "logs"
CONTROL = "control"
CHECKPOINTS = "checkpoints"
ADAPTER = "adapter"
MODEL = "model"
CACHE = "cache"
PLAN = "pytorch"
"""Under the cache: what the text step wrote for this engine."""


def iso_now() -> str:
    """`2026-11-24T09:30:00.000Z`, as every file of the folder has it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def write_json(path: Path, value: Any, *, durable: bool = True) -> None:
    """Replaces the file whole. Without `durable` a power cut may bring the old content back, which is fine for a heartbeat."""
    staged = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with staged.open("w", encoding="utf-8") as file:
            file.write(json.dumps(value, indent=2) + "\n")
            file.flush()
            if durable:
                os.fsync(file.fileno())
        os.replace(staged, path)
    except BaseException:
        staged.unlink(missing_ok=True)
        raise


class LineWriter:
    """Rows -> lines of a .jsonl file; a line torn by a kill is closed before the next one."""

    def __init__(self, path: Path) -> None:
        is_torn = path.exists() and not _ends_with_newline(path)
        self._file = path.open("a", encoding="utf-8")
        if is_torn:
            self._file.write("\n")

    def append(self, row: dict[str, Any]) -> None:
        self._file.write(json.dumps(row, ensure_ascii=False) + "\n")
        self._file.flush()

    def sync(self) -> None:
        """Makes the lines durable; before a checkpoint of the same step is committed."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        self._file.close()


def _ends_with_newline(path: Path) -> bool:
    with path.open("rb") as file:
        if file.seek(0, os.SEEK_END) == 0:
            return True
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"

"""log.txt of the run, written by the first process alone; what libraries print goes to each process's own log."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

from .run_files import LOG, RANK_LOGS, iso_now


class LogFile:
    def __init__(self, run: Path, rank: int) -> None:
        self._file = (run / LOG).open("a", encoding="utf-8") if rank == 0 else None

    def write(self, text: str) -> None:
        """Never raises: a run does not end because its log cannot be written."""
        if self._file is None:
            return
        try:
            for line in text.rstrip("\n").split("\n"):
                self._file.write(f"{iso_now()} {line}\n")
            self._file.flush()
        except OSError as error:
            with contextlib.suppress(OSError):  # it goes to a file on the same disk
                print(f"log: {error}", file=sys.stderr)


def redirect_streams(run: Path, rank: int) -> None:
    """Standard output and error of this process, its native libraries' too, go to `logs/rank-N.txt` from here on."""
    folder = run / RANK_LOGS
    folder.mkdir(exist_ok=True)
    descriptor = os.open(folder / f"rank-{rank}.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    sys.stdout.flush()
    sys.stderr.flush()
    for stream in (1, 2):
        os.dup2(descriptor, stream)
    os.close(descriptor)

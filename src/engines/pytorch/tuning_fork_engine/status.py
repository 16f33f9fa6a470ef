"""status.json kept true: what happened, and a sign of life each second."""

from __future__ import annotations

import json
import os
import secrets
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .run_files import STATUS, iso_now, read_json, write_json

HEARTBEAT_SECONDS = 1.0
IDENTITY_VARIABLE = "TUNING_FORK_IDENTITY"
"""The identity of the trainer that started this process: its registry speaks for the run, not this process."""

Log = Callable[[str], None]


class StatusKeeper:
    def __init__(self, run: Path, log: Log) -> None:
        self._path = run / STATUS
        self._log = log
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
        self._status: dict[str, Any] = read_json(self._path)
        # A run that was only queued or being prepared has no rows yet that this attempt could supersede.
        if self._status["state"] not in ("queued", "preparing"):
            self._status["attempt"] += 1

    @property
    def attempt(self) -> int:
        return self._status["attempt"]

    @property
    def state(self) -> str:
        return self._status["state"]

    def start(self) -> None:
        self.set(state="preparing", identity=describe_process(), error=None, stoppedEarly=False, phase=phase("loading PyTorch", 0, 1))
        self._thread.start()

    def set(self, **change: Any) -> None:
        """Writes the change durably."""
        with self._lock:
            self._status.update(change)
            self._write(durable=True)

    def show(self, **change: Any) -> None:
        """Takes the change over; it is written with the next beat, and at once when the state changes."""
        with self._lock:
            is_new_state = "state" in change and change["state"] != self._status["state"]
            self._status.update(change, lastProgressAt=iso_now())
            if is_new_state:
                self._write(durable=False)

    def close(self, **change: Any) -> None:
        """The attempt's last word."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(timeout=2)
        self.set(identity=None, phase=None, **change)

    def leave(self) -> None:
        """Ends the signs of life without a last word: somebody else goes on."""
        self._ended.set()

    def _beat(self) -> None:
        while not self._ended.wait(HEARTBEAT_SECONDS):
            try:
                with self._lock:
                    self._write(durable=False)
            except OSError as error:
                self._log(f"status: {error}")

    def _write(self, *, durable: bool) -> None:
        self._status["heartbeatAt"] = iso_now()
        write_json(self._path, self._status, durable=durable)


def phase(name: str, done: int, total: int) -> dict[str, Any]:
    return {"name": name, "done": done, "total": total}


def describe_process() -> dict[str, Any]:
    """Whose signs of life these are: the trainer that started this process, or the process itself."""
    given = os.environ.get(IDENTITY_VARIABLE)
    if given is not None:
        return json.loads(given)
    return {"pid": os.getpid(), "startTime": read_start_time(os.getpid()), "nonce": secrets.token_hex(16), "host": socket.gethostname()}


def read_start_time(pid: int) -> str:
    """Linux: clock ticks since boot, as the registry compares them; elsewhere seconds since 1970."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
        return text[text.rindex(")") + 2 :].split(" ")[19]
    except (OSError, ValueError, IndexError):
        import psutil

        return str(psutil.Process(pid).create_time())

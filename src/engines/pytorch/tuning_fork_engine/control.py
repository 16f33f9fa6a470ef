"""`control/`: what somebody asks of a running attempt, taken up within a second and answered in files beside the request."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .run_files import CONTROL, read_json, write_json

POLL_SECONDS = 0.2
WORDS = ("continue", "pause", "stop")
"""In the order of their force: a stop is never taken back by a pause."""
_REQUEST = re.compile(r"^([\w-]{1,64})\.json$")


class Control:
    """What is asked for, from files and signals; a thread of its own looks at the files five times a second."""

    def __init__(self, run: Path, on_asked: Callable[[str], None]) -> None:
        self._folder = run / CONTROL
        self._on_asked = on_asked
        self._asked = 0
        self._checkpoints: list[str] = []
        self._is_checkpoint_wanted = False
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="control", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def ask(self, word: str) -> None:
        self._asked = max(self._asked, WORDS.index(word))
        self._on_asked(word)

    @property
    def asked(self) -> str:
        return WORDS[self._asked]

    def take_checkpoint_request(self) -> bool:
        """True once for each request to save now."""
        with self._lock:
            wanted, self._is_checkpoint_wanted = self._is_checkpoint_wanted, False
        return wanted

    def answer_checkpoints(self) -> None:
        """A checkpoint was committed."""
        with self._lock:
            done, self._checkpoints = self._checkpoints, []
        for request in done:
            self._answer(request, {"ok": True})

    def close(self, answer: dict[str, Any]) -> None:
        """The attempt has ended: everything asked for is answered."""
        self._ended.set()
        self._thread.join(timeout=2)
        for request in self._list_open(include_seen=True):
            self._answer(request, answer)

    def _watch(self) -> None:
        while not self._ended.wait(POLL_SECONDS):
            # A file that cannot be written now, on a full disk: the next round tries again.
            with contextlib.suppress(OSError):
                for request in self._list_open(include_seen=False):
                    self._take(request)

    def _take(self, request: str) -> None:
        try:
            kind = read_json(self._folder / f"{request}.json")["type"]
            if kind not in ("pause", "stop", "checkpoint"):
                raise ValueError(kind)
        except (OSError, ValueError, KeyError, TypeError) as error:
            message = f"{request}.json: expected pause, stop or checkpoint, got {error}"
            self._answer(request, {"error": {"code": "usage", "message": message}})
            return
        write_json(self._folder / f"{request}.seen.json", {"ok": True}, durable=False)
        if kind == "checkpoint":
            with self._lock:
                self._checkpoints.append(request)
                self._is_checkpoint_wanted = True
            self._on_asked(kind)
        else:
            self.ask(kind)

    def _list_open(self, *, include_seen: bool) -> list[str]:
        if not self._folder.is_dir():
            return []
        names = {path.name for path in self._folder.iterdir()}
        requests = (match.group(1) for name in sorted(names) if (match := _REQUEST.match(name)))
        return [r for r in requests if f"{r}.done.json" not in names and (include_seen or f"{r}.seen.json" not in names)]

    def _answer(self, request: str, answer: dict[str, Any]) -> None:
        write_json(self._folder / f"{request}.done.json", answer, durable=False)

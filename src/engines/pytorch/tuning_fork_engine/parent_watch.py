"""Ends this process when the trainer that started it is gone, so that nobody writes into a run that looks interrupted."""

from __future__ import annotations

import os
import threading

PARENT_VARIABLE = "TUNING_FORK_PARENT"
POLL_SECONDS = 0.5
ORPHANED = 3
"""The exit code of a process whose trainer is gone."""


def watch_parent() -> None:
    """Starts a thread that looks at the process in TUNING_FORK_PARENT; without that name nobody is waited for."""
    given = os.environ.get(PARENT_VARIABLE)
    if given is not None:
        threading.Thread(target=_watch, args=(int(given),), name="parent", daemon=True).start()


def _watch(pid: int) -> None:
    import psutil

    try:
        started = psutil.Process(pid).create_time()
        while psutil.Process(pid).create_time() == started:
            threading.Event().wait(POLL_SECONDS)
    except psutil.NoSuchProcess:
        pass
    os._exit(ORPHANED)

"""Where PyTorch compiles extensions (DeepSpeed's are compiled when they are first used): a folder of ours for each Python and PyTorch.

A build that is killed leaves a lock behind, and whoever needs the extension next waits for ever. Every launcher holds the folder,
shared with others, as long as it lives; one that finds nobody else there knows that the locks in it have no owner.
"""

from __future__ import annotations

import os
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

VARIABLE = "TORCH_EXTENSIONS_DIR"
_CLAIM = "in-use"
_held: list[int] = []
"""Descriptors that keep the claims of this process."""


def use_own_builds() -> None:
    """Names the folder to this process and its children, and clears it. A folder that the user named is left alone."""
    if os.environ.get(VARIABLE):
        return
    folder = _user_cache() / "extensions" / _describe_builds()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        clear_dead_locks(folder)
    except OSError:
        return  # a home that cannot be written: PyTorch's own way, which says what is wrong
    os.environ[VARIABLE] = str(folder)


def clear_dead_locks(folder: Path) -> list[Path]:
    """Locks that were removed; none while another process holds the folder. Holds it from now on."""
    try:
        import fcntl
    except ImportError:
        return []  # Windows, where DeepSpeed compiles nothing
    claim = os.open(folder / _CLAIM, os.O_RDWR | os.O_CREAT, 0o600)
    _held.append(claim)
    cleared = []
    try:
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        pass  # somebody is at work there
    else:
        cleared = sorted(folder.glob("*/lock"))
        for lock in cleared:
            lock.unlink(missing_ok=True)
    fcntl.flock(claim, fcntl.LOCK_SH)
    return cleared


def _describe_builds() -> str:
    try:
        torch = version("torch")
    except PackageNotFoundError:
        torch = "unknown"
    return f"py{sys.version_info[0]}{sys.version_info[1]}-torch{torch}"


def _user_cache() -> Path:
    """As `src/shared/userCache.ts`."""
    chosen = os.environ.get("TUNING_FORK_CACHE", "")
    if os.path.isabs(chosen):
        return Path(chosen)
    home = Path.home()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "tuning-fork" / "cache"
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "tuning-fork"
    caches = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(caches) if os.path.isabs(caches) else home / ".cache") / "tuning-fork"

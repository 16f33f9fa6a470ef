"""Files -> a folder that appears whole or not at all; a killed process leaves a complete version, or nothing.

Names and order are the embedded engine's: `<name>.tmp` while it is written, every file synced, then renamed; a folder that
replaces another passes through `<name>.new` (complete) and `<name>.old` (still complete).
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

Write = Callable[[Path], None]
"""Writes one file at the path that it is given."""


def create_folder(folder: Path, files: Mapping[str, Write], last: Callable[[dict[str, dict]], Mapping[str, Write]]) -> None:
    """Makes `folder`, which must not exist, from `files` and then `last`, which is told their sizes and digests."""
    staged = folder.with_name(f"{folder.name}.tmp")
    try:
        _stage(staged, files, last)
        os.replace(staged, folder)
        sync_folder(folder.parent)
    except BaseException:
        shutil.rmtree(staged, ignore_errors=True)
        raise


def replace_folder(folder: Path, files: Mapping[str, Write]) -> None:
    """Makes `folder` in place of the one that may stand there, which stays until the new one is complete."""
    staged = folder.with_name(f"{folder.name}.tmp")
    recover_folder(folder)
    try:
        _stage(staged, files, lambda _written: {})
        os.replace(staged, folder.with_name(f"{folder.name}.new"))
    except BaseException:
        shutil.rmtree(staged, ignore_errors=True)
        raise
    recover_folder(folder)


def recover_folder(folder: Path) -> None:
    """Finishes what a killed `replace_folder` began: afterwards only `folder` itself is left, complete, if it ever was."""
    staged, complete, old = (folder.with_name(f"{folder.name}.{end}") for end in ("tmp", "new", "old"))
    if complete.exists():
        if folder.exists():
            shutil.rmtree(old, ignore_errors=True)
            os.replace(folder, old)
        os.replace(complete, folder)
        sync_folder(folder.parent)
    shutil.rmtree(old, ignore_errors=True)
    shutil.rmtree(staged, ignore_errors=True)


def replace_file(path: Path, write: Write) -> None:
    """The same for one file."""
    staged = path.with_name(f"{path.name}.tmp")
    try:
        write(staged)
        _sync_file(staged)
        os.replace(staged, path)
    except BaseException:
        staged.unlink(missing_ok=True)
        raise


def digest_file(path: Path) -> dict:
    """Size and SHA-256, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(16 * 1024 * 1024):
            digest.update(piece)
    return {"bytes": path.stat().st_size, "sha256": digest.hexdigest()}


def sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _stage(staged: Path, files: Mapping[str, Write], last: Callable[[dict[str, dict]], Mapping[str, Write]]) -> None:
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(parents=True)
    written = {}
    for name, write in files.items():
        write(staged / name)
        _sync_file(staged / name)
        written[name] = digest_file(staged / name)
    for name, write in last(written).items():
        write(staged / name)
        _sync_file(staged / name)
    sync_folder(staged)


def _sync_file(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())

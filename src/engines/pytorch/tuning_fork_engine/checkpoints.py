"""A training state <-> the folder `step-000100/`: parameters, moments, state, and a manifest of sizes and SHA-256 written last.

Files and names are the embedded engine's. A folder without a true manifest does not exist for whoever resumes.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file

from .run_files import CHECKPOINTS, read_json
from .staged_folder import create_folder, digest_file
from .train_state import TrainState
from .trained_tensors import Tensors

PARAMETERS = "parameters.safetensors"
MOMENTS = "moments.safetensors"
STATE = "state.json"
MANIFEST = "manifest.json"
_NAME = re.compile(r"^step-(\d{6,})$")


class CheckpointFolder:
    def __init__(self, run: Path) -> None:
        self._folder = run / CHECKPOINTS

    def list(self) -> list[tuple[int, Path]]:
        """Newest first; not yet checked."""
        if not self._folder.is_dir():
            return []
        found = [(int(match.group(1)), path) for path in self._folder.iterdir() if (match := _NAME.match(path.name))]
        return sorted(found, reverse=True)

    def list_whole(self, on_broken: Callable[[Path, str], None]) -> list[Path]:
        """Those whose manifest is true, newest first."""
        whole = []
        for _, path in self.list():
            problem = check_manifest(path)
            if problem is None:
                whole.append(path)
            else:
                on_broken(path, problem)
        return whole

    def drop_after(self, last: Path) -> None:
        """Those beyond the one that the run goes on from: they are made again."""
        for _, path in self.list():
            if path == last:
                return
            self._remove(path)

    def find(self, step: int) -> Path | None:
        path = self._path(step)
        return path if path.is_dir() and check_manifest(path) is None else None

    def save(self, parameters: Tensors, moments: Tensors, state: TrainState, keep: int) -> Path:
        """Saves, reads it back, then removes all but the newest `keep` and the best."""
        path = self._path(state.step)
        if self.find(state.step) is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._remove(path)
            text = json.dumps(state.to_json(), indent=2)
            files = {
                PARAMETERS: lambda file: save_file(parameters, file),
                MOMENTS: lambda file: save_file(moments, file),
                STATE: lambda file: file.write_text(text, encoding="utf-8"),
            }
            create_folder(path, files, lambda written: {MANIFEST: _write_manifest(written)})
            problem = check_manifest(path)
            if problem is not None:
                raise OSError(f"{path}: {problem}")
        self.prune(keep, state.bestStep)
        return path

    def prune(self, keep: int, best_step: int | None) -> None:
        for step, path in self.list()[keep:]:
            if step != best_step:
                self._remove(path)

    def tidy(self) -> None:
        """Takes away what a killed process left half-written or half-removed."""
        if self._folder.is_dir():
            for path in self._folder.iterdir():
                if path.name.endswith((".tmp", ".gone")):
                    shutil.rmtree(path, ignore_errors=True)

    def _path(self, step: int) -> Path:
        return self._folder / f"step-{step:06d}"

    def _remove(self, path: Path) -> None:
        """Renamed first: a checkpoint half-removed must not look like one half-written."""
        if path.exists():
            gone = path.with_name(f"{path.name}.gone")
            shutil.rmtree(gone, ignore_errors=True)
            os.replace(path, gone)
            shutil.rmtree(gone, ignore_errors=True)


def read_state(checkpoint: Path) -> TrainState:
    return TrainState(**read_json(checkpoint / STATE))


def read_parameters(checkpoint: Path) -> Tensors:
    return load_file(checkpoint / PARAMETERS)


def read_moments(checkpoint: Path) -> Tensors:
    return load_file(checkpoint / MOMENTS)


def name_contents(checkpoint: Path) -> str:
    """The same on all hosts that saved the same: how long it took differs between them."""
    files = read_json(checkpoint / MANIFEST)["files"]
    return " ".join(files[name]["sha256"] for name in (PARAMETERS, MOMENTS))


def check_manifest(folder: Path) -> str | None:
    """What is wrong with the folder, in words; None when every file of its manifest is there, byte for byte."""
    try:
        files: dict[str, Any] = read_json(folder / MANIFEST)["files"]
        for name in (PARAMETERS, MOMENTS, STATE):
            if name not in files:
                return f"{MANIFEST} does not name {name}"
        for name, expected in files.items():
            if (folder / name).stat().st_size != expected["bytes"]:
                return f"{name} has {(folder / name).stat().st_size} bytes where {expected['bytes']} were written"
            if digest_file(folder / name) != expected:
                return f"{name} is not what was written"
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return str(error)
    return None


def _write_manifest(written: dict[str, dict]) -> Callable[[Path], None]:
    text = json.dumps({"schemaVersion": 1, "files": written}, indent=2)
    return lambda file: file.write_text(text, encoding="utf-8") and None

"""What goes wrong -> the form in which the run folder tells it: a code, a sentence and a hint."""

from __future__ import annotations

import errno
import traceback
from typing import Any


class EngineError(Exception):
    """A failure a person can act on. The message reads `<where>: expected <what>, got <value>`."""

    def __init__(self, code: str, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.hint = hint


def describe_error(error: BaseException) -> dict[str, Any]:
    """The wire form of anything raised, as status.json holds it."""
    if isinstance(error, EngineError):
        return wire_error(error.code, str(error), error.hint)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return wire_error("disk-full", f"{error.filename}: expected room on the disk, got none", "Free some space and resume the run.")
    if is_disk_full(error):
        return wire_error("disk-full", f"PyTorch: expected room on the disk, got {last_line(error)}", "Free some space and resume the run.")
    if isinstance(error, OSError) and error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
        return wire_error("not-writable", f"{error.filename}: expected a place that can be written, got {error.strerror}")
    if isinstance(error, ImportError):
        return wire_error(
            "engine",
            f"Python: expected the packages of the PyTorch engine, got {last_line(error)}",
            "Set up PyTorch again, or install the missing package into the Python that tuningFork.pythonPath names.",
        )
    if is_out_of_memory(error):
        return wire_error(
            "memory",
            f"PyTorch: expected the run to fit the device's memory, got {last_line(error)}",
            "Lower batchRows or contextTokens, turn gradientCheckpointing on, or set baseWeights to 4bit.",
        )
    return wire_error("engine", f"PyTorch: {last_line(error)}", "The log of the run has the whole message.")


def wire_error(code: str, message: str, hint: str | None = None) -> dict[str, Any]:
    return {"code": code, "message": message, **({} if hint is None else {"hint": hint})}


def last_line(error: BaseException) -> str:
    """What a traceback ends with: the type and the last line of its message."""
    lines = [line for line in "".join(traceback.format_exception_only(error)).splitlines() if line.strip()]
    return lines[-1].strip() if lines else type(error).__name__


def is_disk_full(error: BaseException) -> bool:
    """By its words: safetensors' errors have no number."""
    return any(words in str(error) for words in ("No space left on device", "os error 28"))


def is_out_of_memory(error: BaseException) -> bool:
    return type(error).__name__ == "OutOfMemoryError" or "not enough memory" in str(error) or isinstance(error, MemoryError)

"""One attempt at a run, on this process: the run folder as it was prepared -> its end, and the exit code that tells it."""

from __future__ import annotations

import contextlib
import signal
import traceback
from pathlib import Path
from typing import Any

from .control import Control
from .errors import EngineError, describe_error
from .failures import clear_own_failure, is_retried, read_first_failure, write_failure
from .log_file import LogFile, redirect_streams
from .parent_watch import watch_parent
from .status import StatusKeeper

DONE, FAILED, INTERRUPTED = 0, 1, 130
_STATES = {"finished": "finished", "stoppedEarly": "finished", "paused": "paused", "stopped": "stopped"}


def run_attempt(run: Path, rank: int) -> int:
    """The first process alone has status and control; all leave what went wrong with them."""
    watch_parent()
    log = LogFile(run, rank)
    status = StatusKeeper(run, log.write) if rank == 0 else None
    control = Control(run, lambda word: _show_asked(status, log, word)) if rank == 0 else None
    redirect_streams(run, rank)
    clear_own_failure(run, rank)
    if status is not None and control is not None:
        status.start()
        control.start()
    # A launcher that ends its processes, or a scheduler that wants the machine back: the first process tells the others.
    signal.signal(signal.SIGTERM, lambda *_: control.ask("pause") if control is not None else None)
    try:
        reason, state = _train(run, log, status, control)
    except BaseException as error:  # noqa: BLE001 - whatever it is, the run folder says it
        log.write(traceback.format_exc())
        # A full disk takes neither; its error is told all the same.
        with contextlib.suppress(OSError):
            traceback.print_exc()
        with contextlib.suppress(OSError):
            write_failure(run, rank, error)
        if status is not None and control is not None:
            _fail(run, log, status, control, error)
        return FAILED
    if status is not None and control is not None:
        log.write(f"PyTorch: {reason} at step {state.step}")
        status.close(
            state=_STATES[reason],
            step=state.step,
            bestStep=state.bestStep,
            bestEvalLossNats=state.bestEvalLossNats,
            stoppedEarly=reason == "stoppedEarly",
            error=None,
        )
        with contextlib.suppress(OSError):
            control.close({"ok": True})
    return DONE if _STATES[reason] == "finished" or rank != 0 else INTERRUPTED


def _train(run: Path, log: LogFile, status: StatusKeeper | None, control: Control | None) -> tuple[str, Any]:
    # Imported here: signs of life and requests are looked after while PyTorch loads.
    from .loop import LoopEnded
    from .session import build_training

    trainer = build_training(run, log, status, control)
    try:
        trainer.train()
    except LoopEnded as end:
        return end.reason, end.state
    raise EngineError("internal", "internal: the trainer left its loop by itself")


def _show_asked(status: StatusKeeper | None, log: LogFile, word: str) -> None:
    log.write(f"PyTorch: asked to {word}")
    if status is not None and (word == "stop" or (word == "pause" and status.state != "stopping")):
        status.show(state="pausing" if word == "pause" else "stopping")


def _fail(run: Path, log: LogFile, status: StatusKeeper, control: Control, error: BaseException) -> None:
    """Another process's failure is what ended this one, when it came first."""
    wire = read_first_failure(run) or describe_error(error)
    log.write(f"PyTorch: failed: {wire['code']}: {wire['message']}")
    if is_retried():
        status.leave()
        return
    try:
        status.close(state="failed", error=wire)
    except OSError as problem:  # a full disk: the run is shown as interrupted then
        log.write(f"PyTorch: the failure could not be written: {problem}")
    with contextlib.suppress(OSError):
        control.close({"error": wire})

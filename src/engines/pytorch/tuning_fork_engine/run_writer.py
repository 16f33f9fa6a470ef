"""What the loop decides -> the run folder. The first process alone writes it; where a host has a disk of its own, one process of
that host keeps the checkpoints there too, so that any host can go on."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import Any

import torch.distributed as dist

from . import ranks
from .checkpoints import CheckpointFolder, name_contents, read_moments, read_parameters, read_state
from .control import Control
from .errors import EngineError
from .log_file import LogFile
from .outputs import OutputWriter
from .plan import Plan
from .rank_allocation import RankAllocation
from .recipe import Recipe
from .run_files import METRICS, SAMPLES, LineWriter
from .status import StatusKeeper, phase
from .train_state import TrainState
from .trained_tensors import Tensors, TrainedTensors


class RunWriter:
    """`status` and `control` belong to the first process; the others have none."""

    def __init__(self, run: Path, plan: Plan, recipe: Recipe, log: LogFile, status: StatusKeeper | None, control: Control | None) -> None:
        self._plan, self._recipe, self._log, self._status, self._control = plan, recipe, log, status, control
        self._checkpoints = CheckpointFolder(run)
        self._output = OutputWriter(run, plan, recipe)
        has_own_disk = _has_own_disk(plan.folder)
        _require_first_host(has_own_disk)
        self._keeps_checkpoints = status is not None or has_own_disk
        if self._keeps_checkpoints:
            self._checkpoints.tidy()
        if status is not None:
            self._output.recover()
            self._metrics, self._samples = LineWriter(run / METRICS), LineWriter(run / SAMPLES)
        self._newest = self._agree_on_checkpoint()
        self.resumed_state = TrainState() if self._newest is None else read_state(self._newest)

    @property
    def asked(self) -> str:
        """What is asked of the first process; nothing is asked of others."""
        return "continue" if self._control is None else self._control.asked

    def take_checkpoint_request(self) -> bool:
        return self._control is not None and self._control.take_checkpoint_request()

    def resume(self, tensors: TrainedTensors, allocation: RankAllocation | None) -> None:
        """Fills what is trained from the newest checkpoint, or leaves it as it is. The output is written anew from the best one:
        a process may have been killed between saving that and writing the output."""
        state = self.resumed_state
        if self._newest is not None:
            try:
                moments = read_moments(self._newest)
                tensors.fill_values(read_parameters(self._newest))
                tensors.fill_moments(moments, state.step)
            except KeyError as error:
                raise EngineError("checkpoint-invalid", f"{self._newest}: expected what this recipe trains, got none of {error}") from error
            if allocation is not None:
                allocation.fill(moments)
            self.log(f"resumes at step {state.step} from {self._newest}")
        if self._status is None:
            return
        best = None if state.bestStep is None else self._checkpoints.find(state.bestStep)
        if best is not None:
            self._output.write(read_parameters(best), state)
        self._status.show(state=self._running_state(), step=state.step, totalSteps=self._plan.total_steps, phase=None)

    def add_step(self, row: dict[str, Any]) -> None:
        if self._status is not None:
            self._metrics.append({"kind": "step", "attempt": self._status.attempt, **row})
            self._status.show(step=row["step"], phase=None)

    def add_evaluation(self, row: dict[str, Any], state: TrainState) -> None:
        self.log(f"step {row['step']}: held-out loss {row['evalLossNats']:.4f} nats")
        if self._status is not None:
            self._metrics.append({"kind": "evaluation", "attempt": self._status.attempt, **row})
            self._status.show(bestStep=state.bestStep, bestEvalLossNats=state.bestEvalLossNats, phase=None)

    def add_sample(self, row: dict[str, Any]) -> None:
        if self._status is not None:
            self._samples.append({"attempt": self._status.attempt, **row})

    def show_phase(self, name: str, done: int, total: int) -> None:
        if self._status is not None:
            self._status.show(phase=phase(name, done, total))

    def save(self, values: Tensors, moments: Tensors, state: TrainState, *, is_best: bool) -> None:
        if self._status is not None:
            self._metrics.sync()
            self._samples.sync()
        if self._keeps_checkpoints:
            self._checkpoints.save(values, moments, state, self._recipe["keepCheckpoints"])
        if self._status is not None and self._control is not None:
            if is_best:
                self._output.write(values, state)
            self.log(f"step {state.step}: checkpoint")
            self._status.show()
            self._control.answer_checkpoints()

    def finish(self, values: Tensors, state: TrainState, *, is_paused: bool) -> None:
        """Leaves the output as it is to be found."""
        if self._status is None:
            return
        if not is_paused and state.step > 0:
            if state.bestStep is None:
                self._output.write(values, state)
            elif self._output.exists():
                self._output.rewrite_card(state)
        self._metrics.close()
        self._samples.close()

    def log(self, text: str) -> None:
        self._log.write(text)

    def _agree_on_checkpoint(self) -> Path | None:
        """The newest that every process finds whole: a host that was killed may have missed the last one. Raises EngineError on
        every process when one of them would start from elsewhere, which would be wrong without a sign."""
        whole = self._checkpoints.list_whole(lambda path, problem: self.log(f"{path}: passed over: {problem}"))
        found = [dict(json.loads(text)) for text in ranks.gather_texts(json.dumps({path.name: name_contents(path) for path in whole}))]
        common = [path for path in whole if all(other.get(path.name) == found[0].get(path.name) for other in found)]
        if common:
            if self._keeps_checkpoints:
                self._checkpoints.drop_after(common[0])
            return common[0]
        if not any(found):
            return None
        lacking = next((number for number, own in enumerate(found) if not own), 0)
        names = sorted({name for own in found for name in own})
        raise EngineError(
            "checkpoint-invalid",
            f"process {lacking}: expected a checkpoint that the others have too ({', '.join(names)}), got none",
            "Copy the run's checkpoints folder to every host, or put the run on a disk that all hosts share.",
        )

    def _running_state(self) -> str:
        return {"pause": "pausing", "stop": "stopping"}.get(self.asked, "running")


def _require_first_host(has_own_disk: bool) -> None:
    """Raises EngineError on every process where hosts have disks of their own and the first process, which writes the run, is not
    on the host of NODE_RANK 0, which tells how it ended."""
    hosts = [json.loads(text) for text in ranks.gather_texts(json.dumps([os.environ.get("NODE_RANK", "0"), has_own_disk]))]
    first = hosts[0][0]
    if first == "0" or not any(own for _, own in hosts):
        return
    raise EngineError(
        "engine",
        f"hosts: expected the first process on the host of NODE_RANK 0, got it on that of NODE_RANK {first}",
        "torchrun numbers hosts by their addresses (LOCAL_ADDR, else their names), sorted as text: "
        "give NODE_RANK=0 and MASTER_ADDR to the first of them, or put the run on a disk that all hosts share.",
    )


def _has_own_disk(folder: Path) -> bool:
    """Whether this process is the first of a host that does not see what the first host writes."""
    if ranks.world_size() == 1:
        return False
    token = [secrets.token_hex(8) if ranks.rank() == 0 else ""]
    dist.broadcast_object_list(token, src=0)
    mark = folder / f"seen-{token[0]}"
    if ranks.rank() == 0:
        mark.touch()
    dist.barrier()
    is_seen = mark.exists()
    dist.barrier()
    if ranks.rank() == 0:
        mark.unlink()
    return not is_seen and os.environ.get("LOCAL_RANK", "0") == "0"

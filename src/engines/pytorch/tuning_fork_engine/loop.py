"""The training loop around TRL's trainer: what happens when. Everything it decides is a pure function of the state it starts
from, so that a run continued from a checkpoint repeats the straight run's numbers.

At each boundary between steps, the first one included: evaluate when due, answer samples, save when due, obey.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import Any

from transformers import TrainerCallback

from . import ranks
from .control import WORDS
from .errors import EngineError
from .evaluation import evaluate_held_out, measure_reference
from .outputs import changes_nothing
from .peak_memory import read_peak_rss_bytes
from .plan import Plan
from .rank_allocation import RankAllocation
from .recipe import Recipe, is_ada_lora
from .run_writer import RunWriter
from .samples import answer_sample
from .train_state import TrainState, with_evaluation
from .trained_tensors import TrainedTensors
from .trainers import not_finite


class LoopEnded(Exception):
    """Leaves the trainer's loop; never shown as an error."""

    def __init__(self, reason: str, state: TrainState) -> None:
        super().__init__(reason)
        self.reason = reason
        self.state = state


class Loop(TrainerCallback):
    """Follows `plan` from `state` on."""

    def __init__(self, plan: Plan, recipe: Recipe, writer: RunWriter, tokenizer: Any, trainer: Any) -> None:
        self._plan, self._recipe, self._writer, self._tokenizer, self._trainer = plan, recipe, writer, tokenizer, trainer
        self._state = writer.resumed_state
        self._saved_step = self._state.step if self._state.step > 0 else -1
        self._mark = self._step_start = time.monotonic()

    def on_train_begin(self, *_args: Any, **_other: Any) -> None:
        """Model and optimizer are in place and spread over the processes."""
        self._mark = time.monotonic()
        self._tensors = TrainedTensors(self._trainer)
        self._allocation = RankAllocation(self._trainer.model, self._recipe) if is_ada_lora(self._recipe) else None
        self._writer.log(f"{ranks.describe_count()}; {self._tensors.count_local_elements()} trained elements on the first")
        if self._plan.is_paired:
            self._trainer.reference = measure_reference(self._trainer, self._plan, self._tell_progress("measuring the reference"))
            if self._trainer.reference is None:
                self._end(self._ask())
        self._writer.resume(self._tensors, self._allocation)
        self._boundary()

    def on_step_begin(self, *_args: Any, **_other: Any) -> None:
        self._step_start = time.monotonic()
        self._rate = self._trainer.set_learning_rate(self._state.step + 1)

    def on_optimizer_step(self, *_args: Any, **_other: Any) -> None:
        if self._allocation is not None:
            self._allocation.allocate(self._state.step + 1)

    def on_step_end(self, *_args: Any, **_other: Any) -> None:
        plan, step = self._plan, self._state.step + 1
        measured, self._trainer.measured = self._trainer.measured, []
        names = plan.measure_names
        sums = [sum(m.measures.get(name, 0.0) for m in measured) for name in names]
        loss, *sums = ranks.sum_over_ranks([sum(float(m.loss_sum) for m in measured), *sums])
        weight = plan.weight(step)
        loss = self._check_finite("loss", step, loss / weight)
        packs = [pack for micro in plan.micro_batches(step) for pack in micro]
        tokens, supervised = plan.count_tokens(plan.train, packs)
        self._state = replace(self._state, step=step, lastLossNats=loss)
        self._writer.add_step(
            {
                "step": step,
                "epoch": step / plan.settings["stepsPerEpoch"],
                "lossNats": loss,
                "learningRate": self._rate,
                "gradNorm": self._trainer.grad_norm,
                "supervisedTokens": supervised,
                "tokensPerSecond": tokens / max(time.monotonic() - self._step_start, 1e-9),
                "elapsedMs": self._add_elapsed(),
                "peakRssBytes": read_peak_rss_bytes(),
                **{name: value / weight for name, value in zip(names, sums, strict=True)},
            }
        )
        self._boundary()

    def _boundary(self) -> None:
        settings = self._plan.settings
        is_best = False
        if self._is_unevaluated() and self._ask() == "continue":
            is_best = self._evaluate()
        asked, is_requested = self._ask(), bool(ranks.agree_on(int(self._writer.take_checkpoint_request())))
        step = self._state.step
        stops_early = 0 < settings["patience"] <= self._state.evaluationsSinceBest
        is_over = step >= self._plan.total_steps or stops_early
        is_save_step = step > 0 and (step % settings["saveEverySteps"] == 0 or step == self._plan.total_steps)
        is_due = is_save_step or is_over or asked != "continue"
        if is_best or is_requested or (is_due and self._saved_step != step):
            self._save(is_best=is_best)
        if asked != "continue" and (not is_over or self._is_unevaluated()):
            self._end(asked)
        if is_over:
            self._end("stoppedEarly" if stops_early and step < self._plan.total_steps else "finished")

    def _is_unevaluated(self) -> bool:
        step = self._state.step
        is_due = step % self._plan.settings["evalEverySteps"] == 0 or step == self._plan.total_steps
        return is_due and self._state.evaluatedStep < step

    def _evaluate(self) -> bool:
        """Whether these parameters are the best so far."""
        is_best = False
        if len(self._plan.held_out) > 0:
            row = evaluate_held_out(self._trainer, self._plan, self._tell_progress("evaluating"))
            if row is None:
                return False
            step = self._state.step
            self._add_elapsed()
            loss = self._check_finite("held-out loss", step, row["evalLossNats"])
            self._state, is_best = with_evaluation(self._state, loss)
            self._writer.add_evaluation({"step": step, **row, "elapsedMs": self._state.elapsedMs}, self._state)
        else:
            self._state = replace(self._state, evaluatedStep=self._state.step)
        self._answer_samples()
        return is_best

    def _answer_samples(self) -> None:
        is_sharded = self._tensors.is_sharded
        for number, prompt in enumerate(self._recipe["samplePrompts"]):
            if self._ask() != "continue":
                return
            if not is_sharded and ranks.rank() != 0:
                continue
            answer = answer_sample(
                self._trainer, self._plan, self._tokenizer, number, is_sharded=is_sharded, is_interrupted=lambda: self._writer.asked != "continue"
            )
            if is_sharded or self._writer.asked == "continue":  # what a pause cut short is not the model's answer
                self._writer.add_sample({"step": self._state.step, "prompt": prompt, "text": answer})

    def _save(self, *, is_best: bool) -> None:
        self._add_elapsed()
        values = self._tensors.read_values()
        moments = self._tensors.read_moments()
        if self._allocation is not None:
            moments.update(self._allocation.read())
        self._writer.save(values, moments, self._state, is_best=is_best)
        self._saved_step = self._state.step

    def _end(self, asked: str) -> None:
        reason = {"pause": "paused", "stop": "stopped"}.get(asked, asked)
        values = self._tensors.read_values()
        is_over = reason in ("finished", "stoppedEarly")
        if is_over and self._state.step > 0 and changes_nothing(values):
            steps = self._state.step
            raise EngineError("engine", f"adapter: expected lora_B weights that moved in {steps} steps, got zeros", "Report this with the log of the run.")
        self._writer.finish(values, self._state, is_paused=reason == "paused")
        raise LoopEnded(reason, self._state)

    def _ask(self) -> str:
        """What is asked of all processes."""
        return WORDS[ranks.agree_on(WORDS.index(self._writer.asked))]

    def _tell_progress(self, name: str) -> Any:
        def tell(done: int, total: int) -> bool:
            self._writer.show_phase(name, done, total)
            return self._ask() == "continue"

        return tell

    def _add_elapsed(self) -> float:
        now = time.monotonic()
        self._state = replace(self._state, elapsedMs=self._state.elapsedMs + (now - self._mark) * 1000)
        self._mark = now
        return self._state.elapsedMs

    def _check_finite(self, what: str, step: int, value: float) -> float:
        if not math.isfinite(value):
            raise not_finite(what, step, value, self._recipe)
        return value

"""Everything the loop remembers beside tensors: what a checkpoint's state.json holds and an exact resume starts from."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any


@dataclass(frozen=True)
class TrainState:
    step: int = 0
    evaluatedStep: int = -1  # noqa: N815 - names as on disk
    baseEvalLossNats: float | None = None  # noqa: N815
    bestStep: int | None = None  # noqa: N815
    bestEvalLossNats: float | None = None  # noqa: N815
    evaluationsSinceBest: int = 0  # noqa: N815
    lastLossNats: float | None = None  # noqa: N815
    elapsedMs: float = 0.0  # noqa: N815

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def with_evaluation(state: TrainState, loss: float) -> tuple[TrainState, bool]:
    """The state after a held-out evaluation at its step, and whether that is the best so far; the base does not count."""
    evaluated = replace(state, evaluatedStep=state.step)
    if state.step == 0:
        return replace(evaluated, baseEvalLossNats=loss), False
    if state.bestEvalLossNats is None or loss < state.bestEvalLossNats:
        return replace(evaluated, bestStep=state.step, bestEvalLossNats=loss, evaluationsSinceBest=0), True
    return replace(evaluated, evaluationsSinceBest=state.evaluationsSinceBest + 1), False

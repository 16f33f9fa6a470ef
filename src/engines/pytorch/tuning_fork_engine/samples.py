"""The fixed prompts of a run and a model in training -> its greedy answers as they are now."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from transformers import GenerationConfig, PreTrainedTokenizerBase, StoppingCriteria, StoppingCriteriaList

from .plan import Plan


class _Interruption(StoppingCriteria):
    def __init__(self, is_interrupted: Callable[[], bool]) -> None:
        self._is_interrupted = is_interrupted

    def __call__(self, input_ids: torch.Tensor, scores: Any, **_other: Any) -> torch.Tensor:  # noqa: ARG002
        return torch.full((input_ids.shape[0],), self._is_interrupted(), dtype=torch.bool, device=input_ids.device)


@torch.no_grad()
def answer_sample(trainer: Any, plan: Plan, tokenizer: PreTrainedTokenizerBase, prompt: int, *, is_sharded: bool, is_interrupted: Callable[[], bool]) -> str:
    """The answer to the prompt of that number. Models in pieces answer on all processes together."""
    model = trainer.accelerator.unwrap_model(trainer.model_wrapped)
    was_training = model.training
    model.eval()
    try:
        ids = torch.tensor([plan.settings["samplePrompts"][prompt]], device=trainer.accelerator.device)
        settings = GenerationConfig(
            do_sample=False,
            max_new_tokens=plan.settings["sampleTokens"],
            eos_token_id=plan.settings["eosTokenIds"],
            pad_token_id=plan.pad_token,
            use_cache=True,
        )
        answer = model.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            generation_config=settings,
            synced_gpus=is_sharded,
            stopping_criteria=StoppingCriteriaList([] if is_sharded else [_Interruption(is_interrupted)]),
        )
        return tokenizer.decode(answer[0, ids.shape[1] :], skip_special_tokens=True)
    finally:
        model.train(was_training)

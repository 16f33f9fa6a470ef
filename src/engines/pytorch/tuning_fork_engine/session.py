"""Recipe and plan -> a trainer that is ready to follow them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from transformers import PreTrainedTokenizerFast, ProgressCallback
from transformers.utils import logging
from trl import DPOConfig, SFTConfig

from . import ranks
from .adapters import list_trained, make_adapter_config
from .base_model import load_base_model
from .control import Control
from .log_file import LogFile
from .loop import Loop
from .plan import Plan, read_plan
from .recipe import Recipe, choose_precision, count_processes, dtype_of, is_quantized, read_recipe, use_gpu
from .run_writer import RunWriter
from .sharding import allow_fsdp_on_cpu, require_sharded, sharding_arguments
from .stacked import add_stacked
from .status import StatusKeeper
from .trainers import PlannedDPOTrainer, PlannedSFTTrainer, placeholder_rows


def build_training(run: Path, log: LogFile, status: StatusKeeper | None, control: Control | None) -> Any:
    """A trainer whose `train` leaves by LoopEnded."""
    logging.disable_progress_bar()
    plan, recipe = read_plan(run), read_recipe(run)
    ranks.join_processes(count_processes(recipe), use_gpu())
    if recipe["threads"] is not None:
        torch.set_num_threads(recipe["threads"])
    writer = RunWriter(run, plan, recipe, log, status, control)
    writer.log(f"PyTorch {torch.__version__}, {choose_precision(recipe)}, {ranks.describe_count()}")
    writer.show_phase("loading weights", 0, 1)
    arguments = make_arguments(plan, recipe, plan.folder / "trl")
    arguments._n_gpu = min(1, arguments.n_gpu)  # one process, one card: Transformers would wrap the model in DataParallel
    allow_fsdp_on_cpu(recipe)
    model = load_base_model(plan, recipe)
    stacked = add_stacked(model, plan, dtype_of(choose_precision(recipe)))
    if stacked > 0:
        writer.log(f"on top of other adapters, at {stacked} layers")
    tokenizer = read_tokenizer(plan)
    is_paired = plan.is_paired
    trainer = (PlannedDPOTrainer if is_paired else PlannedSFTTrainer)(
        model=model,
        args=arguments,
        train_dataset=placeholder_rows(),
        processing_class=tokenizer,
        peft_config=make_adapter_config(plan, recipe),
    )
    require_sharded(trainer, recipe)
    fill_start(trainer.model, plan, recipe)
    trainer.follow(plan, recipe, writer.resumed_state.step + 1)
    trainer.args.max_steps = max(1, plan.total_steps - writer.resumed_state.step)
    trainer.remove_callback(ProgressCallback)
    trainer.add_callback(Loop(plan, recipe, writer, tokenizer, trainer))
    return trainer


def make_arguments(plan: Plan, recipe: Recipe, folder: Path) -> SFTConfig | DPOConfig:
    """TRL's defaults that differ from ours are all named: precision, checkpointing, lengths, what it writes."""
    precision = choose_precision(recipe)
    common: dict[str, Any] = {
        "output_dir": str(folder),
        "per_device_train_batch_size": recipe["batchRows"],
        "gradient_accumulation_steps": -(-plan.most_micro_batches // ranks.world_size()),
        "max_steps": plan.total_steps,
        "learning_rate": recipe["learningRate"],
        "max_grad_norm": recipe["clipNorm"],
        "seed": recipe["seed"],
        "bf16": precision == "bfloat16",
        "fp16": precision == "float16",
        "gradient_checkpointing": recipe["gradientCheckpointing"],
        "use_cpu": recipe["device"] == "cpu" or not (use_gpu() or torch.backends.mps.is_available()),
        "max_length": None,
        "save_strategy": "no",
        "eval_strategy": "no",
        "logging_strategy": "no",
        "report_to": [],
        "disable_tqdm": True,
        "remove_unused_columns": False,
        "dataloader_num_workers": 0,
        "average_tokens_across_devices": False,
        "ddp_find_unused_parameters": False,
        **sharding_arguments(recipe),
    }
    if plan.is_paired:
        return DPOConfig(**common, beta=recipe["dpoBeta"], precompute_ref_log_probs=True, disable_dropout=False)
    return SFTConfig(**common, dataset_kwargs={"skip_prepare_dataset": True}, packing=False)


def read_tokenizer(plan: Plan) -> PreTrainedTokenizerFast:
    """For decoding samples; rows come as tokens."""
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(plan.folder / "output" / "tokenizer.json"))
    tokenizer.eos_token = tokenizer.convert_ids_to_tokens(plan.settings["eosTokenIds"][0])
    tokenizer.pad_token = tokenizer.convert_ids_to_tokens(plan.pad_token)
    return tokenizer


def fill_start(model: torch.nn.Module, plan: Plan, recipe: Recipe) -> None:
    """The start values that the text step chose: both engines begin with the same ones."""
    trained = list_trained(model)
    if is_quantized(recipe):
        for parameter in trained.values():
            parameter.data = parameter.data.float()  # TRL rounds adapters of quantized models to bfloat16
    path = plan.folder / "start.safetensors"
    if not path.exists():
        return
    start = load_file(path)
    unknown = sorted(set(start) - set(trained))
    if unknown:
        raise KeyError(f"start values of {unknown[0]}, which is not trained")
    with torch.no_grad():
        for name, value in start.items():
            parameter = trained[name]
            if hasattr(parameter, "ds_id"):
                from deepspeed import zero

                with zero.GatheredParameters([parameter], modifier_rank=0):
                    parameter.data.copy_(value)
            else:
                parameter.copy_(value)

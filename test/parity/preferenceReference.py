"""What TRL's DPOTrainer computes for pairs that the engine encoded: the reference of preference tuning.

Reads  <bundle>/bundle.json             model, recipe, pairs in the order of training as {prompt, chosen, rejected} token ids
       <bundle>/initial.safetensors     start values of the adapter, PEFT names
Writes <bundle>/reference.json          losses and rewards of every step, versions
       <bundle>/reference.safetensors   every gradient of the first and of the second step, before clipping
"""

import json
import pathlib
import sys
import tempfile

import datasets
import peft
import torch
import transformers
import trl
from peft import LoraConfig, get_peft_model_state_dict, set_peft_model_state_dict
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
from trl import DPOConfig, DPOTrainer


class EncodedPairsTrainer(DPOTrainer):
    """DPOTrainer for pairs that are token ids already."""

    def _prepare_dataset(self, dataset, *arguments):
        return dataset


class KeepGradients(TrainerCallback):
    """Copies every gradient right before the optimizer of the first two steps reads it."""

    def __init__(self, tensors):
        self.tensors = tensors

    def on_pre_optimizer_step(self, args, state, control, model=None, **kwargs):
        if state.global_step > 1:
            return
        for name, parameter in model.named_parameters():
            if parameter.requires_grad:
                key = f"gradient.{state.global_step}.{name.replace('.default.weight', '.weight')}"
                self.tensors[key] = parameter.grad.clone()


def main():
    torch.set_num_threads(2)
    folder = pathlib.Path(sys.argv[1])
    bundle = json.loads((folder / "bundle.json").read_text())
    recipe = bundle["recipe"]
    model = AutoModelForCausalLM.from_pretrained(bundle["model"], dtype=torch.float32, attn_implementation="eager")
    tokenizer = AutoTokenizer.from_pretrained(bundle["model"])
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    pairs = datasets.Dataset.from_list(
        [{"prompt_ids": pair["prompt"], "chosen_ids": pair["chosen"], "rejected_ids": pair["rejected"]} for pair in bundle["pairs"]])
    tensors = {}
    with tempfile.TemporaryDirectory() as output:
        trainer = EncodedPairsTrainer(
            model=model,
            processing_class=tokenizer,
            train_dataset=pairs,
            peft_config=LoraConfig(r=recipe["rank"], lora_alpha=recipe["alpha"], lora_dropout=0.0,
                                   target_modules=recipe["targetModules"], task_type="CAUSAL_LM"),
            callbacks=[KeepGradients(tensors)],
            args=DPOConfig(
                output_dir=output, beta=recipe["dpoBeta"], loss_type=["sigmoid"], max_length=None,
                per_device_train_batch_size=recipe["batchRows"], gradient_accumulation_steps=recipe["gradientAccumulation"],
                max_steps=recipe["maxSteps"], learning_rate=recipe["learningRate"], lr_scheduler_type="constant", warmup_steps=0,
                optim="adamw_torch", adam_beta1=recipe["beta1"], adam_beta2=recipe["beta2"], adam_epsilon=1e-8,
                weight_decay=recipe["weightDecay"], max_grad_norm=recipe["clipNorm"], train_sampling_strategy="sequential",
                bf16=False, gradient_checkpointing=False, use_cpu=True, logging_steps=1, save_strategy="no", report_to=[],
                remove_unused_columns=False, disable_tqdm=True, seed=0))
        start = load_file(folder / "initial.safetensors")
        outcome = set_peft_model_state_dict(trainer.model, start)
        assert not outcome.unexpected_keys, outcome.unexpected_keys
        assert set(get_peft_model_state_dict(trainer.model)) == set(start)
        trainer.train()
        logs = [entry for entry in trainer.state.log_history if "loss" in entry]
    report = {
        "losses": [entry["loss"] for entry in logs],
        "rewardChosen": [entry["rewards/chosen"] for entry in logs],
        "rewardRejected": [entry["rewards/rejected"] for entry in logs],
        "rewardAccuracy": [entry["rewards/accuracies"] for entry in logs],
        "rewardMargin": [entry["rewards/margins"] for entry in logs],
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__, "peft": peft.__version__, "trl": trl.__version__},
    }
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, folder / "reference.safetensors")
    (folder / "reference.json").write_text(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()

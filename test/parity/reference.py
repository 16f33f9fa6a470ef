"""What PyTorch + PEFT computes for a training bundle that the engine wrote: the reference its numbers are held to.

Reads  <bundle>/bundle.json             recipe, batches of every step, held-out batches, prompts
       <bundle>/initial.safetensors     start values of the trained tensors, PEFT or Hugging Face names
       <bundle>/masks.safetensors       dropout masks of every micro-batch (optional)
       <bundle>/adapter/                the adapter the engine wrote (optional)
Writes <bundle>/reference.json          losses, held-out losses, greedy tokens, versions
       <bundle>/reference.safetensors   logits of the base at each prompt's last position, every gradient of step 0,
                                        logits of the written adapter

The base weights are read by transformers' own loaders (GGUF or safetensors), never from anything the engine wrote.
"""

import argparse
import json
import math
import pathlib

import peft
import torch
import transformers
from adapterReference import disk_name, feed_dropout, group_parameters, orthogonality, wrap_base
from peft import PeftModel
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM


def load_base(path: pathlib.Path):
    """The float32 base model; a GGUF file is decoded by transformers and copied into a plain model, as PEFT needs."""
    if path.suffix == ".gguf":
        loaded = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32)
        plain = AutoModelForCausalLM.from_config(loaded.config, attn_implementation="eager", dtype=torch.float32)
        plain.load_state_dict(loaded.state_dict())
        plain.tie_weights()
        return plain
    return AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32, attn_implementation="eager")


def forward_loss(model, batch):
    """Sum of weight x cross-entropy over a packed batch, segments kept apart by a dense mask."""
    rows, context = batch["batchRows"], batch["contextTokens"]
    ids = torch.tensor(batch["tokenIds"]).reshape(rows, context)
    positions = torch.tensor(batch["positions"]).reshape(rows, context)
    segments = torch.tensor(batch["segments"]).reshape(rows, context)
    causal = torch.ones(context, context, dtype=torch.bool).tril()
    allowed = (segments[:, :, None] == segments[:, None, :]) & causal
    mask = torch.zeros(rows, 1, context, context).masked_fill(~allowed[:, None], torch.finfo(torch.float32).min)
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    hidden = inner.model(input_ids=ids, attention_mask=mask, position_ids=positions).last_hidden_state
    targets = torch.tensor(batch["targetPositions"])
    logits = inner.lm_head(hidden.reshape(rows * context, -1)[targets])
    losses = torch.nn.functional.cross_entropy(logits, torch.tensor(batch["labels"]), reduction="none")
    weights = torch.tensor(batch["labelWeights"], dtype=torch.float32)
    return (losses * weights).sum(), weights.sum()


@torch.no_grad()
def held_out_loss(model, batches):
    total, weight = 0.0, 0.0
    for batch in batches:
        loss, count = forward_loss(model, batch)
        total, weight = total + loss.item(), weight + count.item()
    return total / weight if weight else None


def trained(model, method):
    """(name on disk, tensor) of everything trained."""
    for name, tensor in model.named_parameters():
        if tensor.requires_grad:
            yield (disk_name(name) if method == "lora" else name), tensor


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("bundle", type=pathlib.Path)
    arguments.add_argument("--threads", type=int, default=2)
    options = arguments.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)

    folder = options.bundle
    bundle = json.loads((folder / "bundle.json").read_text())
    base = load_base(pathlib.Path(bundle["model"])).eval()
    tensors, report = {}, {"versions": {"torch": torch.__version__, "transformers": transformers.__version__, "peft": peft.__version__}}

    with torch.no_grad():
        report["greedy"] = []
        for number, prompt in enumerate(bundle["prompts"]):
            ids = torch.tensor([prompt])
            tensors[f"logits.{number}"] = base(input_ids=ids).logits[0, -1].contiguous().clone()
            out = base.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=bundle["maxNewTokens"], do_sample=False, pad_token_id=0,
                                eos_token_id=bundle["eosTokenIds"])
            report["greedy"].append(out[0, len(prompt):].tolist())
    report["baseHeldOutLoss"] = held_out_loss(base, bundle["heldOut"])

    recipe = bundle["recipe"]
    start = load_file(folder / "initial.safetensors")
    if recipe["method"] == "lora":
        model = wrap_base(base, recipe, len(bundle["steps"]))
    else:
        model = base
        for parameter in model.parameters():
            parameter.requires_grad_(True)
    names = dict(trained(model, recipe["method"]))
    assert set(names) == set(start), sorted(set(names) ^ set(start))[:10]

    with torch.no_grad():
        for name, tensor in names.items():
            tensor.copy_(start[name])

    masks = folder / "masks.safetensors"
    set_place = feed_dropout(model, load_file(masks)) if masks.exists() else lambda step, micro_batch: None
    optimizer = torch.optim.AdamW(group_parameters(names, recipe), lr=1.0, betas=(recipe["beta1"], recipe["beta2"]), eps=1e-8)
    report["losses"], report["gradNorms"] = [], []
    model.train()
    for index, step in enumerate(bundle["steps"]):
        optimizer.zero_grad()
        total = sum(sum(batch["labelWeights"]) for batch in step["batches"])
        loss_sum = 0.0
        for micro_batch, batch in enumerate(step["batches"]):
            set_place(index + 1, micro_batch)
            loss, _ = forward_loss(model, batch)
            (loss / total).backward()
            loss_sum += loss.item()
        if index == 0:
            tensors.update({f"gradient.{name}": tensor.grad.clone() for name, tensor in names.items()})
        if recipe.get("adaLora"):
            (recipe["adaOrthogonality"] * orthogonality(names)).backward()
        norm = torch.nn.utils.clip_grad_norm_(list(names.values()), recipe["clipNorm"] or math.inf)
        for group in optimizer.param_groups:
            group["lr"] = step["learningRate"] * group["factor"]
        optimizer.step()
        if recipe.get("adaLora"):
            model.base_model.update_and_allocate(index + 1)
        report["losses"].append(loss_sum / total)
        report["gradNorms"].append(norm.item())
    if recipe.get("adaLora"):
        pattern = model.peft_config["default"].rank_pattern
        report["rankPattern"] = {disk_name(name): kept for name, kept in pattern.items()}
    model.eval()
    report["tunedHeldOutLoss"] = held_out_loss(model, bundle["heldOut"])

    if (folder / "adapter" / "adapter_config.json").exists():
        written = PeftModel.from_pretrained(load_base(pathlib.Path(bundle["model"])), folder / "adapter").eval()
        report["adapterHeldOutLoss"] = held_out_loss(written, bundle["heldOut"])
        with torch.no_grad():
            for number, prompt in enumerate(bundle["prompts"]):
                tensors[f"adapter.{number}"] = written(input_ids=torch.tensor([prompt])).logits[0, -1].contiguous().clone()

    save_file({k: v.contiguous() for k, v in tensors.items()}, folder / "reference.safetensors")
    (folder / "reference.json").write_text(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()

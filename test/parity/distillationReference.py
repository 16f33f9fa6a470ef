"""What plain PyTorch computes for a distillation: the teacher's top tokens, losses and gradients of the student.

Reads  <bundle>/bundle.json             student, teacher, recipe, batches of every step
       <bundle>/initial.safetensors     start values of the trained tensors, PEFT or Hugging Face names
Writes <bundle>/reference.json          losses and their two parts by step, the teacher's top tokens of the first batch
       <bundle>/reference.safetensors   every gradient of the first step
"""

import json
import pathlib
import sys

import torch
from peft import LoraConfig, get_peft_model, set_peft_model_state_dict
from safetensors.torch import load_file, save_file

from reference import load_base, trained


def target_logits(model, batch):
    """The logits at the supervised positions of a batch of rows that hold one example each."""
    rows, context = batch["batchRows"], batch["contextTokens"]
    ids = torch.tensor(batch["tokenIds"]).reshape(rows, context)
    segments = torch.tensor(batch["segments"]).reshape(rows, context)
    logits = model(input_ids=ids, attention_mask=(segments >= 0).long()).logits
    return logits.reshape(rows * context, -1)[torch.tensor(batch["targetPositions"])]


def with_rest(log_probabilities):
    """The rest of the vocabulary as one more token."""
    known = torch.logsumexp(log_probabilities, dim=-1, keepdim=True).clamp(max=-1e-7)
    return torch.cat([log_probabilities, torch.log(-torch.expm1(known))], dim=-1)


def main():
    torch.set_num_threads(2)
    folder = pathlib.Path(sys.argv[1])
    bundle = json.loads((folder / "bundle.json").read_text())
    recipe = bundle["recipe"]
    temperature, share, count = recipe["distillTemperature"], recipe["distillAlpha"], recipe["distillTopK"]
    teacher = load_base(pathlib.Path(bundle["teacher"])).eval()
    model = load_base(pathlib.Path(bundle["model"]))
    start = load_file(folder / "initial.safetensors")
    if recipe["method"] == "lora":
        model = get_peft_model(model, LoraConfig(r=recipe["rank"], lora_alpha=recipe["alpha"], lora_dropout=0.0,
                                                 target_modules=recipe["targetModules"], task_type="CAUSAL_LM"))
        assert not set_peft_model_state_dict(model, start).unexpected_keys
    names = dict(trained(model, recipe["method"]))
    assert set(names) == set(start)

    optimizer = torch.optim.AdamW(names.values(), lr=recipe["learningRate"], betas=(recipe["beta1"], recipe["beta2"]), eps=1e-8, weight_decay=0)
    report = {"losses": [], "crossEntropyNats": [], "divergenceNats": []}
    tensors = {}
    for index, batch in enumerate(bundle["batches"]):
        with torch.no_grad():
            said = torch.log_softmax(target_logits(teacher, batch) / temperature, dim=-1).topk(count, dim=-1)
        if index == 0:
            report["teacherIds"] = said.indices.flatten().tolist()
            report["teacherLogProbabilities"] = said.values.flatten().tolist()
        logits = target_logits(model, batch)
        labels = torch.tensor(batch["labels"])
        cross_entropy = torch.nn.functional.cross_entropy(logits, labels)
        own = torch.log_softmax(logits / temperature, dim=-1).gather(-1, said.indices)
        divergence = torch.nn.functional.kl_div(with_rest(own), with_rest(said.values), log_target=True, reduction="sum") / len(labels)
        loss = (1 - share) * cross_entropy + share * temperature**2 * divergence
        optimizer.zero_grad()
        loss.backward()
        if index == 0:
            tensors = {f"gradient.{name}": tensor.grad.clone().contiguous() for name, tensor in names.items()}
        optimizer.step()
        for name, value in (("losses", loss), ("crossEntropyNats", cross_entropy), ("divergenceNats", divergence)):
            report[name].append(value.item())
    save_file(tensors, folder / "reference.safetensors")
    (folder / "reference.json").write_text(json.dumps(report))


if __name__ == "__main__":
    main()

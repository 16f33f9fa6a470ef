"""The same work as test/bench/train.ts and decode.ts in PyTorch + PEFT, float32, eager: one line of JSON with what it took.

pytorch.py full PLAN       the loss as transformers computes it from labels: logits at every position
pytorch.py gathered PLAN   the same with logits at supervised positions only, which transformers leaves to its user
pytorch.py compiled PLAN   the first through torch.compile; compiling happens in the warm-up step
pytorch.py bfloat16 PLAN   the first with the frozen weights in bfloat16, the adapter in float32, under autocast
pytorch.py decode PLAN     prompt and greedy answer, with and without the adapter
"""

import gc
import json
import pathlib
import re
import sys
import time

import peft
import torch
import transformers
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer


def peak_rss_bytes():
    match = re.search(r"^VmHWM:\s*(\d+) kB$", pathlib.Path("/proc/self/status").read_text(), re.MULTILINE)
    return int(match.group(1)) * 1024


def reset_peak_rss():
    pathlib.Path("/proc/self/clear_refs").write_text("5")


def load_base(path):
    """The float32 base; transformers' GGUF loader marks it as quantised, which PEFT refuses, so it is copied into a plain model."""
    loaded = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32)
    plain = AutoModelForCausalLM.from_config(loaded.config, dtype=torch.float32)
    plain.load_state_dict(loaded.state_dict())
    plain.tie_weights()
    del loaded
    gc.collect()
    return plain


def add_lora(base, plan):
    lora = plan["lora"]
    return get_peft_model(base, LoraConfig(r=lora["rank"], lora_alpha=lora["alpha"], lora_dropout=0.0, target_modules=lora["targetModules"],
                                           task_type="CAUSAL_LM"))


def measure_training(plan, form):
    base = load_base(pathlib.Path(plan["model"]))
    model = add_lora(base.to(torch.bfloat16) if form == "bfloat16" else base, plan).train()
    if form == "bfloat16":
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.data = parameter.data.float()
    run = torch.compile(model) if form == "compiled" else model
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    settings = plan["optimizer"]
    optimizer = torch.optim.AdamW(trained, lr=settings["learningRate"], betas=(settings["beta1"], settings["beta2"]), eps=settings["epsilon"],
                                  weight_decay=settings["weightDecay"])
    ids = torch.tensor(plan["tokenIds"]).reshape(plan["batchRows"], plan["contextTokens"])
    start = plan["supervisedFrom"]
    labels = ids.clone()
    labels[:, :start] = -100

    def compute_loss():
        if form != "gathered":
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=form == "bfloat16"):
                return run(input_ids=ids, labels=labels, use_cache=False).loss
        inner = model.get_base_model()
        hidden = inner.model(input_ids=ids, use_cache=False).last_hidden_state[:, start - 1:-1]
        return torch.nn.functional.cross_entropy(inner.lm_head(hidden).flatten(0, 1), ids[:, start:].flatten())

    loading_peak = peak_rss_bytes()
    reset_peak_rss()
    step_ms, losses = [], []
    for step in range(plan["warmupSteps"] + plan["timedSteps"]):
        started = time.perf_counter()
        optimizer.zero_grad()
        loss = compute_loss()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, settings["clipNorm"])
        optimizer.step()
        if step >= plan["warmupSteps"]:
            step_ms.append(1000 * (time.perf_counter() - started))
        losses.append(loss.item())
    steps_peak = peak_rss_bytes()
    return {"stepMs": step_ms, "losses": losses, "peakRssBytes": max(loading_peak, steps_peak), "stepsPeakRssBytes": steps_peak}


class Clock(transformers.generation.streamers.BaseStreamer):
    """When the prompt went in and when each token came."""

    def __init__(self):
        self.times = []

    def put(self, value):
        self.times.append(time.perf_counter())

    def end(self):
        pass


@torch.no_grad()
def measure_decoding(plan):
    path = pathlib.Path(plan["model"])
    tokenizer = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
    messages = [{"role": "user", "content": plan["prompt"]}]
    encoded = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    base = load_base(path).eval()
    loading_peak = peak_rss_bytes()
    reset_peak_rss()
    report = {}
    for kind in ["base", "adapter"]:
        model = base if kind == "base" else add_lora(base, plan).eval()
        for tokens in [2, plan["outputTokens"]]:
            clock = Clock()
            started = time.perf_counter()
            model.generate(**encoded, max_new_tokens=tokens, min_new_tokens=tokens, do_sample=False, pad_token_id=0, streamer=clock)
        first, last = clock.times[1], clock.times[-1]
        prompt_tokens = encoded["input_ids"].shape[1]
        report[kind] = {"promptTokens": prompt_tokens, "outputTokens": len(clock.times) - 1,
                        "tokensPerSecond": (len(clock.times) - 2) / (last - first), "promptTokensPerSecond": prompt_tokens / (first - started)}
    steps_peak = peak_rss_bytes()
    return {**report, "peakRssBytes": max(loading_peak, steps_peak), "stepsPeakRssBytes": steps_peak}


def main():
    form, plan_file = sys.argv[1:]
    plan = json.loads(pathlib.Path(plan_file).read_text())
    torch.set_num_threads(plan["threads"])
    torch.manual_seed(0)
    transformers.utils.logging.set_verbosity_error()
    report = measure_decoding(plan) if form == "decode" else measure_training(plan, form)
    versions = {"torch": torch.__version__, "transformers": transformers.__version__, "peft": peft.__version__}
    print(json.dumps({**report, "versions": versions}))


main()

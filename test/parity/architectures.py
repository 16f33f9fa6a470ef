"""What transformers and PEFT compute for small random models of every architecture: the numbers ours are held to.

Run: python test/parity/architectures.py <folder> [case...]
Writes <folder>/<case>/config.json, model.safetensors   the model, weights in bfloat16, which float32 holds exactly
                       reference.json                   batch, prompt, losses of 20 steps (LoRA and full), greedy tokens
                       reference.safetensors            logits, LoRA's start values, every gradient of the first step
       <folder>/rope.json                               cosines and sines of every rope scaling
Every segment of a packed batch runs on its own here, without a mask of ours: windows and masks are transformers'.
"""

import json
import pathlib
import sys

import peft
import torch
import transformers
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM

STEPS = 20
LORA = {"rank": 2, "alpha": 4, "learningRate": 1e-2}
FULL = {"learningRate": 2e-3}
BETAS, EPSILON, WEIGHT_DECAY, CLIP = (0.9, 0.99), 1e-8, 0.01, 1.0
ROWS = [[9, 7], [13]]  # tokens of each segment of each row
CONTEXT = 16
PROMPT, GENERATED = 11, 8

SMALL = dict(
    vocab_size=40,
    hidden_size=8,
    intermediate_size=12,
    num_hidden_layers=2,
    num_attention_heads=2,
    num_key_value_heads=1,
    max_position_embeddings=64,
    bos_token_id=None,
    eos_token_id=None,
    pad_token_id=None,
)

# name -> model_type, what differs from SMALL. Windows are shorter than the segments, caps low enough to bend.
CASES = {
    "llama": ("llama", dict(head_dim=6, attention_bias=True, mlp_bias=True, rope_theta=500.0)),
    "mistral": ("mistral", dict(head_dim=16, sliding_window=4)),
    "qwen2": ("qwen2", dict(head_dim=16, use_sliding_window=True, sliding_window=5, max_window_layers=1, tie_word_embeddings=True)),
    "phi3": ("phi3", dict(hidden_size=16, partial_rotary_factor=0.5, sliding_window=4)),
    "phi3-longrope": (
        "phi3",
        dict(
            hidden_size=16,
            num_hidden_layers=1,
            original_max_position_embeddings=6,  # shorter than every segment: the long factors
            rope_parameters={"rope_type": "longrope", "rope_theta": 200.0, "short_factor": [1.0, 1.1, 1.2, 1.3], "long_factor": [1.0, 1.5, 3.0, 5.0]},
        ),
    ),
    "smollm3": ("smollm3", dict(head_dim=16, no_rope_layer_interval=2, use_sliding_window=True, sliding_window=4, rope_theta=300.0)),
    "olmo2": ("olmo2", dict(head_dim=16, attention_bias=True)),
    "gemma2": (
        "gemma2",
        dict(head_dim=16, query_pre_attn_scalar=24, sliding_window=4, attn_logit_softcapping=1.5, final_logit_softcapping=2.0),
    ),
    "gemma3_text": (
        "gemma3_text",
        dict(
            head_dim=16,
            query_pre_attn_scalar=12,
            sliding_window=4,
            sliding_window_pattern=2,
            rope_parameters={
                "full_attention": {"rope_type": "linear", "factor": 4.0, "rope_theta": 5000.0},
                "sliding_attention": {"rope_type": "default", "rope_theta": 100.0},
            },
        ),
    ),
    "qwen3": ("qwen3", dict(head_dim=16, use_sliding_window=True, sliding_window=4, max_window_layers=1)),
}


def make_model(folder, model_type, changes):
    """Writes the random model and loads it as transformers would."""
    config = transformers.AutoConfig.for_model(model_type, **{**SMALL, **changes})
    torch.manual_seed(20261124)
    model = AutoModelForCausalLM.from_config(config)
    for name, weight in model.named_parameters():
        if "norm" in name:
            torch.nn.init.uniform_(weight, -0.4 if "gemma" in model_type else 0.6, 0.4 if "gemma" in model_type else 1.4)
        else:
            torch.nn.init.normal_(weight, std=0.35)
    model.to(torch.bfloat16).save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    return load(folder)


def load(folder):
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()


def make_batch(vocabulary):
    generator = torch.Generator().manual_seed(7)
    rows, context = len(ROWS), CONTEXT
    ids = torch.randint(0, vocabulary, (rows, context), generator=generator)
    positions, segments, targets, labels, weights = [], [], [], [], []
    for row, lengths in enumerate(ROWS):
        start = 0
        for segment, length in enumerate(lengths):
            positions += range(length)
            segments += [segment] * length
            for at in range(start + length // 3, start + length - 1):
                targets.append(row * context + at)
                labels.append(int(ids[row, at + 1]))
                weights.append(1.0 if at % 3 else 0.5)
            start += length
        positions += [0] * (context - start)
        segments += [-1] * (context - start)
    return dict(batchRows=rows, contextTokens=context, tokenIds=ids.flatten().tolist(), positions=positions, segments=segments,
                targetPositions=targets, labels=labels, labelWeights=weights, tokens=sum(map(sum, ROWS)))


def mean_loss(model, batch):
    ids = torch.tensor(batch["tokenIds"]).reshape(batch["batchRows"], batch["contextTokens"])
    losses, at = {}, 0
    for row, lengths in enumerate(ROWS):
        start = 0
        for length in lengths:
            logits = model(ids[row : row + 1, start : start + length]).logits[0]
            for offset in range(length):
                losses[row * CONTEXT + start + offset] = logits[offset]
            start += length
    rows = torch.stack([losses[target] for target in batch["targetPositions"]])
    each = torch.nn.functional.cross_entropy(rows, torch.tensor(batch["labels"]), reduction="none")
    weights = torch.tensor(batch["labelWeights"])
    return (each * weights).sum() / weights.sum()


def train(model, batch, named, learning_rate):
    """Losses before each of the steps, and the gradients of the first."""
    decayed = [tensor for tensor in named.values() if tensor.dim() > 1]
    kept = [tensor for tensor in named.values() if tensor.dim() <= 1]
    groups = [{"params": decayed, "weight_decay": WEIGHT_DECAY}, {"params": kept, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=learning_rate, betas=BETAS, eps=EPSILON)
    losses, gradients = [], {}
    for step in range(STEPS):
        optimizer.zero_grad()
        loss = mean_loss(model, batch)
        loss.backward()
        if step == 0:
            gradients = {name: tensor.grad.clone() for name, tensor in named.items()}
        torch.nn.utils.clip_grad_norm_(list(named.values()), CLIP)
        optimizer.step()
        losses.append(loss.item())
    return losses, gradients


def linear_names(model):
    return sorted({name.split(".")[-1] for name, module in model.named_modules() if isinstance(module, torch.nn.Linear) and "lm_head" not in name})


def run_case(folder, model_type, changes):
    folder.mkdir(parents=True, exist_ok=True)
    base = make_model(folder, model_type, changes)
    batch = make_batch(base.config.vocab_size)
    tensors = {}

    prompt = batch["tokenIds"][:PROMPT]
    with torch.no_grad():
        ids = torch.tensor([prompt])
        out = base.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=GENERATED, min_new_tokens=GENERATED, do_sample=False, pad_token_id=0)
        greedy = out[0, PROMPT:].tolist()
        # The logits that each generated token was chosen from, computed without a cache.
        tensors["logits"] = base(out[:, :-1]).logits[0, PROMPT - 1 :].clone()

    modules = linear_names(base)
    lora = get_peft_model(load(folder), LoraConfig(r=LORA["rank"], lora_alpha=LORA["alpha"], target_modules=modules, task_type="CAUSAL_LM"))
    torch.manual_seed(3)
    adapters = {}
    for name, tensor in lora.named_parameters():
        if not tensor.requires_grad:
            continue
        # B is not zero, as it is at the start of a real run: A would have no gradient.
        torch.nn.init.normal_(tensor, std=0.2)
        adapters[name.replace(".default.weight", ".weight")] = tensor
    tensors.update({f"start.{name}": tensor.detach().clone() for name, tensor in adapters.items()})
    lora_losses, gradients = train(lora, batch, adapters, LORA["learningRate"])
    tensors.update({f"lora.{name}": gradient for name, gradient in gradients.items()})

    full = load(folder)
    full_losses, gradients = train(full, batch, dict(full.named_parameters()), FULL["learningRate"])
    tensors.update({f"full.{name}": gradient for name, gradient in gradients.items()})

    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, folder / "reference.safetensors")
    report = dict(
        versions={"torch": torch.__version__, "transformers": transformers.__version__, "peft": peft.__version__},
        modules=modules, batch=batch, prompt=prompt, greedy=greedy,
        lora={**LORA, "losses": lora_losses}, full={**FULL, "losses": full_losses},
        optimizer={"beta1": BETAS[0], "beta2": BETAS[1], "weightDecay": WEIGHT_DECAY, "clipNorm": CLIP},
    )
    (folder / "reference.json").write_text(json.dumps(report, separators=(",", ":")) + "\n")


def main():
    out = pathlib.Path(sys.argv[1])
    torch.set_num_threads(1)  # the models are too small for more
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    for name in sys.argv[2:] or CASES:
        run_case(out / name, *CASES[name])


if __name__ == "__main__":
    main()

"""What transformers and PEFT compute for small random models of every architecture: the numbers ours are held to.

Run: python test/parity/architectures.py <folder> [case...]
Writes <folder>/<case>/config.json, model.safetensors   the model, weights in bfloat16, which float32 holds exactly
                       reference.json                   batch, prompt, losses of 20 steps (LoRA and full), greedy tokens
                       reference.safetensors            logits, LoRA's start values, every gradient of the first step
                       model.gguf                       the same weights as llama.cpp's converter stores them, without a tokenizer
       <folder>/rope.json                               cosines and sines of the last position, for every rope scaling
Every segment of a packed batch runs on its own here, without a mask of ours: windows and masks are transformers'.
"""

import json
import pathlib
import sys

import gguf
import numpy as np
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
            rope_parameters={"rope_type": "longrope", "rope_theta": 200.0, "short_factor": [1.0, 1.125, 1.25, 1.5], "long_factor": [1.0, 1.5, 3.0, 5.0]},
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


def interleave(rows, heads):
    """What llama.cpp's converter does to the rows of q_proj and k_proj where its rope turns neighbouring pairs."""
    return rows.reshape(heads, 2, rows.shape[0] // heads // 2, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)


def write_gguf(path, model):
    """Keys and tensors as llama.cpp's conversion/*.py write them for these architectures."""
    config, model_type = model.config, model.config.model_type
    arch = {"mistral": "LLAMA", "gemma3_text": "GEMMA3"}.get(model_type, model_type.upper())
    rope = config.rope_parameters.get("full_attention", config.rope_parameters)
    heads, kv_heads = config.num_attention_heads, config.num_key_value_heads
    writer = gguf.GGUFWriter(path, gguf.MODEL_ARCH_NAMES[getattr(gguf.MODEL_ARCH, arch)])
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(heads)
    writer.add_head_count_kv(kv_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(rope["rope_theta"])
    if rope["rope_type"] == "linear":
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(rope["factor"])
    if model_type == "phi3":
        rope_size = int(rope.get("partial_rotary_factor", 1.0) * config.hidden_size) // heads
        writer.add_rope_scaling_orig_ctx_len(rope.get("original_max_position_embeddings", config.original_max_position_embeddings))
        writer.add_rope_dimension_count(rope_size)
        writer.add_sliding_window(config.sliding_window or 0)
        if rope["rope_type"] == "longrope":
            writer.add_tensor("rope_factors_long.weight", np.array(rope["long_factor"], dtype=np.float32))
            writer.add_tensor("rope_factors_short.weight", np.array(rope["short_factor"], dtype=np.float32))
    else:
        writer.add_key_length(config.head_dim)
        writer.add_value_length(config.head_dim)
    if arch in ("LLAMA", "SMOLLM3"):
        writer.add_rope_dimension_count(config.head_dim)
        writer.add_vocab_size(config.vocab_size)
    if model_type in ("mistral", "gemma2", "gemma3_text"):
        writer.add_sliding_window(config.sliding_window)
    if model_type == "gemma2":
        writer.add_attn_logit_softcapping(config.attn_logit_softcapping)
        writer.add_final_logit_softcapping(config.final_logit_softcapping)
    if model_type == "gemma3_text":
        writer.add_sliding_window_pattern([kind == "sliding_attention" for kind in config.layer_types])
        writer.add_rope_freq_base_swa(config.rope_parameters["sliding_attention"]["rope_theta"])

    names = gguf.get_tensor_name_map(getattr(gguf.MODEL_ARCH, arch), config.num_hidden_layers)
    for name, weight in model.state_dict().items():
        if name == "lm_head.weight" and config.tie_word_embeddings:
            continue
        rows = weight.float().numpy()
        if arch in ("LLAMA", "SMOLLM3") and ("q_proj" in name or "k_proj" in name):
            rows = interleave(rows, heads if "q_proj" in name else kv_heads)
        if "gemma" in model_type and name.endswith("norm.weight"):
            rows = rows + 1
        stored = names.get_name(name, try_suffixes=(".weight", ".bias"))
        if rows.ndim == 1:
            writer.add_tensor(stored, np.ascontiguousarray(rows))
        else:
            # A bfloat16 is the upper half of a float32, and these numbers have no more.
            halves = (np.ascontiguousarray(rows).view(np.uint32) >> 16).astype(np.uint16)
            writer.add_tensor(stored, halves, raw_dtype=gguf.GGMLQuantizationType.BF16)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def run_case(folder, model_type, changes):
    folder.mkdir(parents=True, exist_ok=True)
    base = make_model(folder, model_type, changes)
    write_gguf(folder / "model.gguf", base)
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


def write_ropes(path):
    """Tables of Llama's and Phi-3's own rotary modules: name -> config, positions, the last position's row."""
    from transformers.models.llama.modeling_llama import LlamaConfig, LlamaRotaryEmbedding
    from transformers.models.phi3.modeling_phi3 import Phi3Config, Phi3RotaryEmbedding

    yarn = {"rope_type": "yarn", "rope_theta": 1e4, "factor": 4.0, "original_max_position_embeddings": 64}
    long = {"rope_type": "longrope", "rope_theta": 1e4, "short_factor": [1.0 + i / 8 for i in range(8)], "long_factor": [1.0 + i for i in range(8)]}
    sizes = dict(hidden_size=32, num_attention_heads=2, num_key_value_heads=1, num_hidden_layers=1, vocab_size=8, intermediate_size=8,
                 max_position_embeddings=256, bos_token_id=None, eos_token_id=None, pad_token_id=None)
    kinds = {
        "default": (64, {"rope_type": "default", "rope_theta": 1e4}),
        "linear": (200, {"rope_type": "linear", "rope_theta": 1e4, "factor": 4.0}),
        "dynamic within the trained context": (200, {"rope_type": "dynamic", "rope_theta": 1e4, "factor": 4.0}),
        "dynamic beyond the trained context": (400, {"rope_type": "dynamic", "rope_theta": 1e4, "factor": 4.0}),
        "llama3": (200, {"rope_type": "llama3", "rope_theta": 1e4, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                         "original_max_position_embeddings": 64}),
        "yarn": (200, yarn),
        "yarn with its own factors": (200, {**yarn, "beta_fast": 16, "beta_slow": 2, "attention_factor": 0.75}),
        "yarn between magnitudes": (200, {**yarn, "mscale": 0.9, "mscale_all_dim": 0.6, "truncate": False}),
        "longrope short": (64, {**long, "original_max_position_embeddings": 64}),
        "longrope long": (65, {**long, "original_max_position_embeddings": 64}),
        "partial": (64, {"rope_type": "default", "rope_theta": 1e4, "partial_rotary_factor": 0.5}),
    }
    out = {}
    for name, (positions, parameters) in kinds.items():
        is_phi = "longrope" in name or name == "partial"
        more = {"original_max_position_embeddings": 64} if is_phi else {}
        config = (Phi3Config if is_phi else LlamaConfig)(**sizes, **more, rope_parameters=dict(parameters))
        module = (Phi3RotaryEmbedding if is_phi else LlamaRotaryEmbedding)(config)
        cos, sin = module(torch.zeros(1), torch.arange(positions)[None])
        half = cos.shape[-1] // 2
        json_config = {"model_type": config.model_type, **sizes, **more, "rope_parameters": parameters}
        out[name] = {"config": json_config, "positions": positions, "cosines": cos[0, -1, :half].tolist(), "sines": sin[0, -1, :half].tolist()}
    path.write_text(json.dumps(out, separators=(",", ":")) + "\n")


def main():
    out = pathlib.Path(sys.argv[1])
    torch.set_num_threads(1)  # the models are too small for more
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    out.mkdir(parents=True, exist_ok=True)
    write_ropes(out / "rope.json")
    for name in sys.argv[2:] or CASES:
        run_case(out / name, *CASES[name])


if __name__ == "__main__":
    main()

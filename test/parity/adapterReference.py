"""PEFT's side of an adapter's options: its config from a recipe, dropout by the engine's own masks, LoRA+, AdaLoRA."""

import torch
from peft import AdaLoraConfig, LoraConfig, get_peft_model

PEFT_PREFIX = "base_model.model."


def expand_layers(ranges):
    """["0", "8-10"] -> [0, 8, 9, 10]; nothing for all layers."""
    layers = []
    for text in ranges:
        first, _, last = text.partition("-")
        layers += range(int(first), int(last or first) + 1)
    return layers or None


def wrap_base(base, recipe, total_steps):
    common = dict(lora_alpha=recipe["alpha"], lora_dropout=recipe["dropout"], target_modules=recipe["targetModules"],
                  layers_to_transform=expand_layers(recipe["layersToTransform"]), modules_to_save=recipe["modulesToSave"] or None,
                  task_type="CAUSAL_LM")
    if recipe.get("adaLora"):
        schedule = recipe["adaSchedule"]
        config = AdaLoraConfig(init_r=recipe["rank"], target_r=recipe["adaTargetRank"], tinit=schedule["initialSteps"],
                               tfinal=schedule["finalSteps"], deltaT=recipe["adaIntervalSteps"], beta1=recipe["adaBeta1"],
                               beta2=recipe["adaBeta2"], orth_reg_weight=recipe["adaOrthogonality"], total_step=total_steps, **common)
    else:
        config = LoraConfig(r=recipe["rank"], use_rslora=recipe["rsLora"], use_dora=recipe["dora"], **common)
    return get_peft_model(base, config)


def disk_name(name):
    """The name under which the engine keeps a parameter of the wrapped model."""
    if ".modules_to_save.default." in name:
        return name.removeprefix(PEFT_PREFIX).replace(".modules_to_save.default.", ".")
    name = name.replace("lora_magnitude_vector.default.weight", "lora_magnitude_vector")
    for matrix in ("lora_A", "lora_B"):
        if name.endswith(f".{matrix}.default"):
            return name.replace(f".{matrix}.default", f".{matrix}.weight")
    return name.replace(".lora_E.default", ".lora_E").replace(".default.weight", ".weight")


class FedDropout(torch.nn.Module):
    """Multiplies by the engine's factors: rows of one table, in an order of this module's own."""

    def __init__(self, module, masks):
        super().__init__()
        self.module, self.masks, self.place = module, masks, None

    def forward(self, x):
        if not self.training:
            return x
        width = x.shape[-1]
        table = self.masks[f"{self.place}.dropout_masks_{width}"]
        rows = self.masks[f"{self.place}.{self.module}.dropout_rows"].long()
        return x * table[rows].reshape(x.shape)


def feed_dropout(model, masks):
    """Replaces PEFT's dropout; the returned function says which micro-batch is on."""
    fed = []
    for name, module in model.named_modules():
        if hasattr(module, "lora_dropout") and "default" in module.lora_dropout:
            module.lora_dropout["default"] = FedDropout(name.removeprefix(PEFT_PREFIX), masks)
            fed.append(module.lora_dropout["default"])

    def set_place(step, micro_batch):
        for dropout in fed:
            dropout.place = f"{step}.{micro_batch}"

    return set_place


def group_parameters(names, recipe):
    """AdamW's groups, each with the factor of its learning rate: LoRA+ lets B learn faster."""
    groups = {}
    for name, tensor in names.items():
        decays = tensor.dim() > 1
        factor = recipe["loraPlusRatio"] if recipe["method"] == "lora" and ".lora_B." in name else 1.0
        groups.setdefault((decays, factor), []).append(tensor)
    return [{"params": tensors, "weight_decay": recipe["weightDecay"] if decays else 0.0, "factor": factor}
            for (decays, factor), tensors in groups.items()]


def orthogonality(names):
    """AdaLoRA's regulariser as AdaLoraModel.forward adds it."""
    terms = []
    for name, tensor in names.items():
        if ".lora_A." in name or ".lora_B." in name:
            product = tensor @ tensor.T if ".lora_A." in name else tensor.T @ tensor
            terms.append(torch.norm(product - torch.eye(product.shape[0]), p="fro"))
    return sum(terms) / len(terms)

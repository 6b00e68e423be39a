"""Estimate what the captioners of profiles `colab` and `paper` take, by counting.

No accelerator is needed: torch counts the operations of models without weights (its
meta device), and the bytes that writing a token reads are the language model's. What a
device reaches of its makers' peaks is an assumption, below. An estimate, not a
measurement: who has the device runs the profile and keeps what its records say.

    python -m benchmarks.accelerators
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from transformers import (
    Blip2VisionConfig,
    Blip2VisionModel,
    CLIPVisionConfig,
    CLIPVisionModel,
    LlamaConfig,
    LlamaForCausalLM,
    OPTConfig,
    OPTForCausalLM,
)

from benchmarks.measuring import Figure, options, report
from fashionlib.book import runs

TOKENS = 40  # of a caption
BATCH = 16  # captions written side by side
REACHED, READ = 0.3, 0.5  # shares of the peak operations and of the bandwidth


@dataclass(frozen=True)
class Device:
    """Hold what its makers say an accelerator reaches at most."""

    name: str
    operations: float  # a second, 16-bit floats
    bandwidth: float  # bytes a second


@dataclass(frozen=True)
class Work:
    """What a profile asks of its captioners."""

    device: Device
    captions: int  # of the test articles, written once pretrained, twice fine-tuned
    bits: int  # of a weight


WORK = {
    "colab": Work(Device("T4", 65e12, 320e9), 240, 8),
    "paper": Work(Device("H100", 989e12, 3350e9), 10_500, 16),
}


def opt(hidden: int, layers: int) -> tuple[nn.Module, nn.Module, int]:
    """Build BLIP-2's vision tower and OPT, and say how many tokens a picture is.

    The Q-Former, a hundredth of the operations, is left out.
    """
    sizes = {"hidden_size": hidden, "word_embed_proj_dim": hidden}
    sizes |= {"ffn_dim": 4 * hidden, "num_hidden_layers": layers}
    language = OPTConfig(num_attention_heads=32, vocab_size=50304, **sizes)
    return Blip2VisionModel(Blip2VisionConfig()), OPTForCausalLM(language), 32


def llava(hidden: int, inner: int, layers: int) -> tuple[nn.Module, nn.Module, int]:
    """Build LLaVA-1.5's vision tower and language model likewise."""
    sizes = {"hidden_size": hidden, "intermediate_size": inner}
    heads = {"num_attention_heads": hidden // 128, "num_hidden_layers": layers}
    language = LlamaConfig(vocab_size=32064, **sizes, **heads)
    size = {"hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24}
    tower = CLIPVisionConfig(
        **size, num_attention_heads=16, image_size=336, patch_size=14
    )
    return CLIPVisionModel(tower), LlamaForCausalLM(language), 576


MODELS = {
    "blip2-opt-2.7b": (opt, (2560, 32)),
    "blip2-opt-6.7b": (opt, (4096, 32)),
    "llava-1.5-7b-hf": (llava, (4096, 11008, 32)),
    "llava-1.5-13b-hf": (llava, (5120, 13824, 40)),
}


def counted(name: str) -> dict[str, float]:
    """Count a model's weights, and the operations of one picture with its caption."""
    build, sizes = MODELS[name]
    with torch.device("meta"):
        tower, language, seen = build(*sizes)
        side = tower.config.image_size
        with FlopCounterMode(display=False) as looking, torch.no_grad():
            tower(torch.empty(1, 3, side, side))
        # fine-tuning an adapter needs the gradients of activations, not of weights
        language.requires_grad_(False)
        length = seen + TOKENS
        rows = torch.empty(1, length, language.config.hidden_size, requires_grad=True)
        answers = torch.zeros(1, length, dtype=torch.long)
        with FlopCounterMode(display=False) as reading:
            loss = language(inputs_embeds=rows, labels=answers).loss
            forward = reading.get_total_flops()
            loss.backward()
    again = forward if build is llava else 0  # layers are computed again, backwards
    modules = (tower, language)
    return {
        "weights": sum(p.numel() for module in modules for p in module.parameters()),
        "language": sum(p.numel() for p in language.parameters()),
        "look": looking.get_total_flops() + forward,
        "learn": looking.get_total_flops() + reading.get_total_flops() + again,
    }


def hours(name: str, profile: str) -> dict[str, float]:
    """Estimate the hours of fine-tuning a model, and of all captions that it writes."""
    work, count = WORK[profile], counted(name)
    training = runs.profile(profile)["06_fine_tuning"]
    pairs = training["steps"] * training["batch_size"]
    operations = REACHED * work.device.operations
    a_token = count["language"] * work.bits / 8 / BATCH / (READ * work.device.bandwidth)
    a_caption = count["look"] / operations + TOKENS * a_token
    return {
        "weights": count["weights"],
        "teraflop a pair": count["learn"] / 1e12,
        "fine-tuning": pairs * count["learn"] / operations / 3600,
        "captions": 3 * work.captions * a_caption / 3600,
    }


def main() -> None:
    options(__doc__)
    values, figures = {}, []
    for profile, work in WORK.items():
        named = map(Path, runs.profile(profile)["05_out_of_the_box"]["models"])
        found = {p.name: hours(p.name, profile) for p in named if p.name in MODELS}
        for name, took in found.items():
            what = f"{name} fine-tuned at profile {profile}, its captions written"
            device = f"estimated for one {work.device.name}"
            spent = took["fine-tuning"] + took["captions"]
            figures.append(Figure(what, spent, "h", note=device))
        values[profile] = found
    assumed = {"reached": REACHED, "read": READ, "tokens": TOKENS, "batch": BATCH}
    report(figures, {"assumed": assumed, **values})


if __name__ == "__main__":
    main()

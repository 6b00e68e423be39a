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
    Blip2VisionModel,
    CLIPVisionModel,
    LlamaForCausalLM,
    OPTForCausalLM,
)

from benchmarks import published
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


def parts(name: str) -> tuple[nn.Module, nn.Module, int]:
    """Build a captioner's vision tower and language model; a picture's tokens.

    BLIP-2's Q-Former, a hundredth of the operations, is left out.
    """
    config = published.CAPTIONERS[name].model().config
    vision, text = config.vision_config, config.text_config
    if config.model_type == "llava":
        return CLIPVisionModel(vision), LlamaForCausalLM(text), config.image_seq_length
    return Blip2VisionModel(vision), OPTForCausalLM(text), config.num_query_tokens


def counted(name: str) -> dict[str, float]:
    """Count a model's weights, and the operations of one picture with its caption."""
    with torch.device("meta"):
        tower, language, seen = parts(name)
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
    again = forward if "llava" in name else 0  # layers are computed again, backwards
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
        named = runs.profile(profile)["05_out_of_the_box"]["models"]
        known = [name for name in named if name in published.CAPTIONERS]
        found = {Path(name).name: hours(name, profile) for name in known}
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

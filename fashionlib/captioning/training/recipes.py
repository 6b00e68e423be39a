"""What a training run does, apart from its data, and where each recipe was read."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

LANGUAGE = (
    r"language_model\..*\.(q_proj|k_proj|v_proj|o_proj|out_proj|fc1|fc2"  # OPT, Llama
    r"|gate_proj|up_proj|down_proj|[qkvo]|wi_0|wi_1|wo)"  # Llama, T5
)
BRIDGE = (
    r"qformer\..*\.(query|key|value|dense)|language_projection"
    r"|multi_modal_projector\.linear_[12]"
)
VISION = (
    r"(vision_model|vision_tower)\..*\.(qkv|projection|q_proj|k_proj|v_proj|out_proj"
    r"|fc1|fc2)"
)
TARGETS = {  # what LoRA may be put beside, as a pattern of module names
    "linear": f"{LANGUAGE}|{BRIDGE}",
    "linear and vision": f"{LANGUAGE}|{BRIDGE}|{VISION}",
    "language q v": r"language_model\..*\.(q_proj|v_proj|[qv])",
    "attention q k": (
        r"qformer\..*\.(query|key)|language_model\..*\.(q_proj|k_proj|[qk])"
    ),
}


SHOWN = {  # fields: columns of `recipes_table`
    "batch_size": "batch",
    "lr": "rate",
    "betas": "betas",
    "weight_decay": "weight decay",
    "r": "rank",
    "alpha": "alpha",
    "dropout": "dropout",
    "targets": "LoRA on",
}


@dataclass(frozen=True)
class Lora:
    """Low-rank adapters; `targets` is a key of `TARGETS`.

    The defaults are the minis': those of Paper A's published adapter, less dropout.
    """

    r: int = 32
    alpha: int = 64
    dropout: float = 0.0
    rslora: bool = True
    targets: str = "linear"

    @property
    def pattern(self) -> str:
        """A regular expression that matches the whole name of each module to adapt."""
        if self.targets not in TARGETS:
            raise ValueError(
                f"unknown LoRA targets {self.targets!r}; known: {', '.join(TARGETS)}"
            )
        return rf".*\b({TARGETS[self.targets]})$"


@dataclass(frozen=True)
class Recipe:
    """What a run does, apart from its data.

    `lora=None` trains all weights; `flip` mirrors half of a mini's grids. `text_share`
    of the batches are plain sentences for the language model (`texts` of `train`). With
    `patience` the run stops after so many evaluations without a better validation loss,
    and the best weights are kept. `pad_to` and `end` are there to be compared with: the
    reference's code fills each row up to 512 tokens and learns the fill.

    `captioning`, `contrast` and `matching` weigh the parts of the loss, in nats: of a
    token of the caption; and, for a captioner with a retrieval part
    (`captioners.with_text`), of which text of the batch is the image's and the other
    way round, and of whether image and text belong together. The last costs three more
    passes of the Q-Former.
    """

    steps: int
    batch_size: int = 32
    lr: float = 1.2e-3
    warmup: int = 100  # steps, but never more than a fifth of all
    weight_decay: float = 0.05
    betas: tuple[float, float] = (0.9, 0.98)
    floor: float = 0.02  # of the learning rate, where the cosine ends
    longest: int = 84  # tokens of a caption
    flip: bool = True
    text_share: float = 0.0
    evaluations: int = 4
    patience: int = 0
    end: bool = True  # whether EOS ends each caption
    pad_to: int = 0  # tokens; 0: as the longest row of the batch, and not learned
    captioning: float = 1.0
    contrast: float = 0.0
    matching: float = 0.0
    lora: Lora | None = None
    seed: int = 0

    @property
    def joint(self) -> bool:
        """Whether image and text are brought together, with or without captioning."""
        return self.contrast > 0 or self.matching > 0

    def __post_init__(self) -> None:
        if self.steps < 1 or self.batch_size < 1 or self.lr < 0:
            raise ValueError(
                f"{self.steps} steps of {self.batch_size} captions at learning rate"
                f" {self.lr}; the first two are at least 1, the last is at least 0"
            )
        weights = (self.captioning, self.contrast, self.matching)
        unread = self.text_share and not self.captioning
        if min(weights) < 0 or not any(weights) or unread:
            raise ValueError(
                f"weights {weights} of captioning, contrast and matching,"
                f" {self.text_share:.0%} plain text; no weight is below 0, one is"
                " above, and plain text needs captioning"
            )


def recipe(
    name: str, steps: int, lora: dict[str, Any] | None = None, **changes: Any
) -> Recipe:
    """Return the configuration `name` of recipes.yaml, with `changes`.

    `lora` changes single fields of its adapter. ValueError for a name or field that
    isn't known.
    """
    known = _configurations()
    if name not in known:
        raise ValueError(f"unknown recipe {name!r}; known: {', '.join(known)}")
    fields = known[name]
    del fields["source"]
    adapter = fields.get("lora")
    if lora and not adapter:
        raise ValueError(
            f"the recipe {name!r} trains all weights; it has no adapter to change:"
            f" {lora}"
        )
    if "betas" in fields:
        fields["betas"] = tuple(fields["betas"])
    if adapter:
        fields["lora"] = Lora(**adapter | (lora or {}))
    return Recipe(steps, **fields | changes)


def sources() -> dict[str, str]:
    """Return each recipe's name and where its numbers stand."""
    return {name: fields["source"] for name, fields in _configurations().items()}


def recipes_table() -> pd.DataFrame:
    """Return all recipes as texts, one a row, with where their numbers stand."""
    rows = {}
    for name, source in sources().items():
        fields = asdict(recipe(name, steps=1))
        fields |= fields.pop("lora") or {}
        row = {
            column: str(fields[key]) for key, column in SHOWN.items() if key in fields
        }
        rows[name] = row | {"where its numbers stand": source}
    return pd.DataFrame.from_dict(rows, "index")


def _configurations() -> dict[str, dict[str, Any]]:
    path = Path(__file__).parent / "recipes.yaml"
    return yaml.safe_load(path.read_text(encoding="utf-8"))

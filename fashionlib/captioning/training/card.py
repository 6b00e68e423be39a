"""The model card of an adapter, and its way to the hub."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from fashionlib.captioning import captioners
from fashionlib.captioning.captioners import Captioner
from fashionlib.captioning.training.history import cost
from fashionlib.captioning.training.recipes import Recipe
from fashionlib.data.files import atomic
from fashionlib.data.provenance import hardware, versions


def model_card(
    base: str,
    recipe: Recipe,
    history: pd.DataFrame,
    data: Mapping[str, Any],
    scores: Mapping[str, float] | None = None,
) -> str:
    """Return the README.md of an adapter: its data, recipe, losses, scores and cost.

    Of a whole model where there is no `base`. `data` says what there is to say of the
    data, `split` among it; `scores` are test scores as fractions (CIDEr on its own
    scale). The front matter is the hub's.
    """
    front = {
        "base_model": base,
        "library_name": "peft",
        "pipeline_tag": "image-to-text",
        "tags": ["fashion", "image-captioning", "lora"],
        "language": "en",
    }
    title, way = f"LoRA on {base}", ", or `PeftModel.from_pretrained` on its base"
    if not base:
        front |= {"library_name": "transformers", "tags": front["tags"][:2]}
        title, way = "a whole model", ""
        del front["base_model"]
    spent = cost(history)
    took = {
        "training": f"{spent['seconds']:.0f} s",
        "energy": f"{spent['watt_hours']:.2f} Wh ({spent['how']})",
        "hardware": json.dumps(hardware()),
        "versions": json.dumps(versions()),
    }
    parts = {
        "Data": _rows(data),
        "Recipe": _rows(asdict(recipe)),
        "Losses": _losses(history),
        "Scores on the test split": _rows(scores) if scores else "None were measured.",
        "Cost": _rows(took),
    }
    body = "\n\n".join(f"## {title}\n\n{text}" for title, text in parts.items())
    return (
        f"---\n{yaml.safe_dump(front, sort_keys=False)}---\n\n# Fashion captions:"
        f" {title}\n\nLoad it with `fashionlib.captioning.captioners.load(folder)`"
        f"{way}.\n\n{body}\n"
    )


def _losses(history: pd.DataFrame) -> str:
    lines = ["| step | training | validation |", "|---|---|---|"]
    for row in history.dropna(subset=["validation"]).itertuples():
        lines.append(f"| {row.step} | {row.loss:.4f} | {row.validation:.4f} |")
    return "\n".join(lines)


def _rows(values: Mapping[str, Any]) -> str:
    lines = ["| | |", "|---|---|"]
    for name, value in values.items():
        number = isinstance(value, float) and value >= 1e-3
        text = f"{value:.4f}" if number else str(value).replace("|", "\\|")
        lines.append(f"| {name} | {text} |")
    return "\n".join(lines)


def save_adapter(
    captioner: Captioner,
    folder: Path,
    base: str | Path,
    text: str = "",
    push_to_hub: str = "",
) -> None:
    """Write the PEFT folder with `text` as its card; `push_to_hub` as of `publish`.

    The adapter names its base as a hub id, or as the way from its own folder to the
    base's: not as a path of this disk.
    """
    name = os.path.relpath(base, folder) if Path(base).is_dir() else str(base)
    for config in captioner.model.peft_config.values():
        config.base_model_name_or_path = name
    captioners.save(captioner, folder)
    publish(folder, text.replace(str(base), name), push_to_hub)


def publish(folder: Path, text: str, push_to_hub: str = "") -> None:
    """Write the card into an adapter's folder, and send the folder to the hub.

    `push_to_hub` names the repository, private; none is sent where it is empty. Look at
    it before you make it public: H&M's terms allow research, not publication.
    """
    with atomic(folder / "README.md") as part:
        part.write_text(text, encoding="utf-8")
    if push_to_hub:
        from huggingface_hub import HfApi

        api = HfApi()
        api.create_repo(push_to_hub, private=True, exist_ok=True)
        api.upload_folder(repo_id=push_to_hub, folder_path=folder)

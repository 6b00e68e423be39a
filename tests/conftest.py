"""What tests of several files share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chromium import chromium, demand
from PIL import Image

# tests ask for the CPU's numbers, which repeat to the last digit
os.environ["CUDA_VISIBLE_DEVICES"] = ""
# what a notebook needs was made by another here, and isn't taken from a release
os.environ["FASHIONLIB_BUNDLE"] = "no.zip"


@pytest.fixture
def photographed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int, int, int]]:
    """Put noise in place of the wardrobe's drawings, which are slower.

    The list gets the box of each consumer photo.
    """
    from wardrobe import views

    boxes: list[tuple[int, int, int, int]] = []

    def draw(garment, colour, rng, size):
        shape = (size[1], size[0], 3)
        return Image.fromarray(rng.integers(0, 255, shape, dtype=np.uint8))

    def consumer(garment, colour, rng, size):
        left, upper = int(rng.integers(size[0] - 1)), int(rng.integers(size[1] - 1))
        right = int(rng.integers(left + 1, size[0] + 1))
        lower = int(rng.integers(upper + 1, size[1] + 1))
        boxes.append((left, upper, right, lower))
        return draw(garment, colour, rng, size), boxes[-1]

    for name, view in (("flat", draw), ("detail", draw), ("consumer", consumer)):
        monkeypatch.setattr(views, name, view)
    return boxes


@pytest.fixture
def no_java(monkeypatch):
    """Split texts at spaces and make METEOR and SPICE-py 0, where they don't matter."""
    from fashionlib.captioning.metrics import meteor, scores, spice

    def split(texts, _):
        return [" ".join(text.lower().split()) for text in texts]

    def no_meteor(references, systems):
        size = len(references)
        zero = meteor.Meteor(np.zeros(size), 0.0, np.zeros((size, 23)))
        return [zero for _ in systems]

    def no_spice(references, systems):
        size = len(references)
        zero = spice.Spice(np.zeros(size), 0.0, np.zeros((size, 3, 3)))
        return [zero for _ in systems]

    monkeypatch.setattr(scores, "tokenise", split)
    monkeypatch.setattr(scores.meteor, "score_many", no_meteor)
    monkeypatch.setattr(scores.spice, "score_many", no_spice)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Headless Chromium. Without one a test is skipped; in CI it fails.

    One a module, not one a session: Playwright's event loop runs for as long as it is
    open, and no other test could start its own.
    """
    demand()
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """One torch thread: at the tests' sizes a second one only waits."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Save small models with random weights: resnet, clip, siglip and sentences.

    They are in the hub's layout.
    """
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import (
        BertConfig,
        BertModel,
        CLIPConfig,
        CLIPImageProcessorPil,
        CLIPModel,
        ConvNextImageProcessorPil,
        PreTrainedTokenizerFast,
        ResNetConfig,
        ResNetModel,
        SiglipConfig,
        SiglipImageProcessorPil,
        SiglipModel,
    )

    place = tmp_path_factory.mktemp("hub")
    torch.manual_seed(0)
    ResNetModel(
        ResNetConfig(embedding_size=8, hidden_sizes=[8, 12], depths=[1, 1])
    ).save_pretrained(place / "resnet")
    ConvNextImageProcessorPil(size={"shortest_edge": 40}).save_pretrained(
        place / "resnet"
    )
    words = ["<pad>", "<s>", "</s>", "a", "red", "blue", "dress", "coat"]
    tokenizer = Tokenizer(
        models.WordLevel({word: n for n, word in enumerate(words)}, unk_token="a")
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    reads = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>"
    )
    tower = {
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
    }
    CLIPModel(
        CLIPConfig(
            text_config=tower
            | {
                "vocab_size": len(words),
                "max_position_embeddings": 6,
                "eos_token_id": 2,
            },
            vision_config=tower | {"image_size": 32, "patch_size": 16},
            projection_dim=10,
        )
    ).save_pretrained(place / "clip")
    CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size=32).save_pretrained(
        place / "clip"
    )
    SiglipModel(
        SiglipConfig(
            text_config=tower
            | {
                "vocab_size": len(words),
                "max_position_embeddings": 6,
                "projection_size": 16,
            },
            vision_config=tower | {"image_size": 32, "patch_size": 16},
        )
    ).save_pretrained(place / "siglip")
    SiglipImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(
        place / "siglip"
    )
    BertModel(BertConfig(vocab_size=len(words), **tower)).save_pretrained(
        place / "sentences"
    )
    for folder in ("clip", "siglip", "sentences"):
        reads.save_pretrained(place / folder)
    return place

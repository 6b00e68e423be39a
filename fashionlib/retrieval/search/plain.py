"""Read a question without torch, whose import costs more than a search.

It computes what `captioners.embed_texts` and `captioners.embed_images` do, of a model
that `captioners.save` wrote.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from fashionlib.data import images
from fashionlib.data.files import read_json
from fashionlib.features import unit
from fashionlib.features.fingerprints import saved_tensors

PASSED = re.compile(  # by a question; the language model isn't
    r"(qformer|embeddings|feed_forwards|text_projection|vision_projection|query_tokens"
    r"|vision_model)\b"
)
LONGEST = 84  # tokens, as `contrast.text_batch`
BICUBIC = 3
LARGEST = 2**28  # bytes of weights read here; more are torch's to multiply

_erf = np.frompyfunc(math.erf, 1, 1)  # scipy's import costs more


@dataclass
class Layers:
    """The layers of a BLIP-2 that a question passes, in the names of its weights."""

    folder: Path

    @cached_property
    def config(self) -> dict[str, Any]:
        """The model's settings."""
        return read_json(self.folder / "config.json")

    @cached_property
    def weights(self) -> Mapping[str, np.ndarray]:
        """What a question passes, float32."""
        return dict(_weights(self.folder))

    def reads_pictures(self) -> bool:
        """Whether `picture` can: the model is small, and its tower as BLIP-2's is."""
        tower = self.config["vision_config"]
        return (
            tower.get("model_type") == "blip_2_vision_model"
            and tower.get("hidden_act") == "gelu"
            and not (self.folder / "cells.safetensors").is_file()
            and sum(f.stat().st_size for f in self.folder.glob("*.safetensors"))
            <= LARGEST
        )

    def dense(self, name: str, rows: np.ndarray) -> np.ndarray:
        """Multiply and add."""
        return rows @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]

    def norm(self, name: str, rows: np.ndarray, part: str = "qformer") -> np.ndarray:
        """Normalise each row."""
        eps = self.config[f"{part}_config"]["layer_norm_eps"]
        rows = rows - rows.mean(-1, keepdims=True)
        rows = rows / np.sqrt((rows**2).mean(-1, keepdims=True) + eps)
        return rows * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]

    def added(self, name: str, rows: np.ndarray, new: np.ndarray) -> np.ndarray:
        """Add what a layer of the Q-Former has made."""
        return self.norm(f"{name}.LayerNorm", rows + self.dense(f"{name}.dense", new))

    def attended(
        self, name: str, rows: np.ndarray, others: np.ndarray | None = None
    ) -> np.ndarray:
        """Attend to the rows themselves, or to others."""
        heads = self.config["qformer_config"]["num_attention_heads"]
        given = (rows, rows, rows) if others is None else (rows, others, others)
        parts = (
            self.dense(f"{name}.attention.{part}", states)
            for part, states in zip(("query", "key", "value"), given, strict=True)
        )
        return self.added(f"{name}.output", rows, _mixed(*parts, heads))

    def fed(self, first: str, second: str, rows: np.ndarray) -> np.ndarray:
        """Pass a feed-forward layer of the Q-Former."""
        return self.added(second, rows, _gelu(self.dense(f"{first}.dense", rows)))

    def text(self, ids: Sequence[int]) -> np.ndarray:
        """Return a text's vector (dim,) in the shared space."""
        rows = self.weights["embeddings.word_embeddings.weight"][ids]
        rows = rows + self.weights["embeddings.position_embeddings.weight"][: len(ids)]
        rows = self.norm("qformer.layernorm", rows)  # (tokens, width)
        for layer in range(self.config["qformer_config"]["num_hidden_layers"]):
            rows = self.attended(f"qformer.encoder.layer.{layer}.attention", rows)
            feed = f"feed_forwards.{layer}"
            rows = self.fed(f"{feed}.intermediate", f"{feed}.output", rows)
        return self.dense("text_projection", rows[0])

    def picture(self, pixels: np.ndarray) -> np.ndarray:
        """Return a picture's vector (dim,): the mean of its queries, each a unit row.

        `pixels` (3, side, side) are normalised.
        """
        vision = self.vision(pixels)
        rows = self.norm("qformer.layernorm", self.weights["query_tokens"][0])
        for layer in range(self.config["qformer_config"]["num_hidden_layers"]):
            name = f"qformer.encoder.layer.{layer}"
            rows = self.attended(f"{name}.attention", rows)
            if f"{name}.crossattention.output.dense.bias" in self.weights:
                rows = self.attended(f"{name}.crossattention", rows, vision)
            rows = self.fed(f"{name}.intermediate_query", f"{name}.output_query", rows)
        return unit(self.dense("vision_projection", rows)).mean(0)  # (queries, dim)

    def vision(self, pixels: np.ndarray) -> np.ndarray:
        """Return what the vision tower makes of a picture (1 + patches, width)."""
        config, weights = self.config["vision_config"], self.weights
        side = config["patch_size"]
        kernel = weights["vision_model.embeddings.patch_embedding.weight"]
        count = pixels.shape[1] // side
        patches = pixels.reshape(3, count, side, count, side).transpose(1, 3, 0, 2, 4)
        rows = patches.reshape(count**2, -1) @ kernel.reshape(len(kernel), -1).T
        rows += weights["vision_model.embeddings.patch_embedding.bias"]
        rows = np.concatenate(
            [weights["vision_model.embeddings.class_embedding"][0], rows]
        )
        rows = rows + weights["vision_model.embeddings.position_embedding"][0]
        for layer in range(config["num_hidden_layers"]):
            name = f"vision_model.encoder.layers.{layer}"
            read = self.norm(f"{name}.layer_norm1", rows, "vision")
            parts = np.split(self.dense(f"{name}.self_attn.qkv", read), 3, axis=1)
            mixed = _mixed(*parts, config["num_attention_heads"])
            rows = rows + self.dense(f"{name}.self_attn.projection", mixed)
            read = self.norm(f"{name}.layer_norm2", rows, "vision")
            wide = _gelu(self.dense(f"{name}.mlp.fc1", read))
            rows = rows + self.dense(f"{name}.mlp.fc2", wide)
        return self.norm("vision_model.post_layernorm", rows, "vision")


def _mixed(query: np.ndarray, key: np.ndarray, value: np.ndarray, heads: int) -> Any:
    """Mix the values (rows, width) by how near the keys are to each query."""
    query, key, value = (
        part.reshape(len(part), heads, -1) for part in (query, key, value)
    )
    scores = np.einsum("qhd,khd->hqk", query, key) / np.sqrt(query.shape[-1])
    shares = np.exp(scores - scores.max(-1, keepdims=True))
    shares /= shares.sum(-1, keepdims=True)
    return np.einsum("hqk,khd->qhd", shares, value).reshape(len(query), -1)


def _gelu(wide: np.ndarray) -> np.ndarray:
    return wide * (1 + _erf(wide / np.sqrt(2)).astype(np.float32)) / 2


def text_encoder(layers: Layers) -> Callable[[Sequence[str]], np.ndarray]:
    """Return a function from texts to float32 rows of length one (texts, dim)."""
    tokens = _tokeniser(layers.folder)
    return lambda texts: unit(np.stack([layers.text(tokens(text)) for text in texts]))


def image_encoder(layers: Layers) -> Callable[[Sequence[str]], np.ndarray] | None:
    """Return a function from pictures' references to rows (pictures, dim), or None.

    None is for a model that this module doesn't read pictures with.
    """
    processor = read_json(layers.folder / "processor_config.json")["image_processor"]
    if processor.get("resample") != BICUBIC or not layers.reads_pictures():
        return None
    size = processor["size"]["width"], processor["size"]["height"]
    mean, std = (np.array(processor[f"image_{name}"]) for name in ("mean", "std"))

    def pixels(reference: str) -> np.ndarray:
        picture = images.load(reference).resize(size, BICUBIC)
        scaled = np.asarray(picture) * processor["rescale_factor"]
        return np.moveaxis((scaled - mean) / std, -1, 0).astype(np.float32)

    return lambda given: unit(np.stack([layers.picture(pixels(one)) for one in given]))


def _weights(folder: Path) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the names and float32 values of what a question passes."""
    for name, values in saved_tensors(folder):
        if PASSED.match(name):
            if values.dtype == np.uint16:  # bfloat16
                values = (values.astype(np.uint32) << 16).view(np.float32)
            yield name, values.astype(np.float32, copy=False)


def _tokeniser(folder: Path) -> Callable[[str], list[int]]:
    """Return a function from a text to its ids between BOS and EOS."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    names = read_json(folder / "tokenizer_config.json")
    first, last = (tokenizer.token_to_id(names[f"{x}_token"]) for x in ("bos", "eos"))
    added = tokenizer.get_added_tokens_decoder()
    special = {number for number, token in added.items() if token.special}

    def tokens(text: str) -> list[int]:
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        plain = [number for number in ids if number not in special]
        return [first, *plain[:LONGEST], last]

    return tokens

"""Read the words of a question without torch, whose import costs more than a search.

It computes what `captioners.embed_texts` does, of a model that `captioners.save` wrote.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from scipy.special import erf
from tokenizers import Tokenizer

from fashionlib.data.files import read_json
from fashionlib.features import unit
from fashionlib.features.fingerprints import saved_tensors

PASSED = re.compile(  # by a text; its feed-forward layers are its own
    r"(qformer\.(layernorm|encoder\.layer\.\d+\.attention)|embeddings|feed_forwards"
    r"|text_projection)\."
)
LONGEST = 84  # tokens, as `contrast.text_batch`


def encoder(folder: Path) -> Callable[[Sequence[str]], np.ndarray]:
    """Return a function from texts to float32 rows of length one (texts, dim)."""
    config = read_json(folder / "config.json")["qformer_config"]
    heads, eps = config["num_attention_heads"], config["layer_norm_eps"]
    weights, tokens = dict(_weights(folder)), _tokeniser(folder)

    def dense(name: str, rows: np.ndarray) -> np.ndarray:
        return rows @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    def norm(name: str, rows: np.ndarray) -> np.ndarray:
        rows = rows - rows.mean(-1, keepdims=True)
        rows = rows / np.sqrt((rows**2).mean(-1, keepdims=True) + eps)
        return rows * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    def added(name: str, rows: np.ndarray, new: np.ndarray) -> np.ndarray:
        return norm(f"{name}.LayerNorm", rows + dense(f"{name}.dense", new))

    def attended(name: str, rows: np.ndarray) -> np.ndarray:
        query, key, value = (
            dense(f"{name}.attention.{part}", rows).reshape(len(rows), heads, -1)
            for part in ("query", "key", "value")
        )
        scores = np.einsum("qhd,khd->hqk", query, key) / np.sqrt(query.shape[-1])
        shares = np.exp(scores - scores.max(-1, keepdims=True))
        shares /= shares.sum(-1, keepdims=True)
        mixed = np.einsum("hqk,khd->qhd", shares, value).reshape(rows.shape)
        return added(f"{name}.output", rows, mixed)

    def read(text: str) -> np.ndarray:
        ids = tokens(text)
        rows = weights["embeddings.word_embeddings.weight"][ids]
        rows = rows + weights["embeddings.position_embeddings.weight"][: len(ids)]
        rows = norm("qformer.layernorm", rows)  # (tokens, width)
        for layer in range(config["num_hidden_layers"]):
            rows = attended(f"qformer.encoder.layer.{layer}.attention", rows)
            feed = f"feed_forwards.{layer}"
            wide = dense(f"{feed}.intermediate.dense", rows)
            wide = wide * (1 + erf(wide / np.sqrt(2))) / 2  # GELU
            rows = added(f"{feed}.output", rows, wide)
        return dense("text_projection", rows[0])

    return lambda texts: unit(np.stack([read(text) for text in texts]))


def _weights(folder: Path) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the names and float32 values of what a text passes."""
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

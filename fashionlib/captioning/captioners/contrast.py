"""What retrieval adds to a BLIP-2: texts in the space of its images, and losses.

BLIP-2 (Li et al., 2023, section 3.1): the Q-Former reads a text with the self-attention
that its queries use and with feed-forward layers of the text's own; image and text are
projected into one space, and their similarity is that of the closest query. Published
captioners come without these parts, so they are added here.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm
from transformers.masking_utils import create_bidirectional_mask
from transformers.models.blip_2.modeling_blip_2 import (
    Blip2QFormerIntermediate,
    Blip2QFormerOutput,
    Blip2TextEmbeddings,
)

from fashionlib.captioning.captioners.captioner import Captioner, padded, tokens
from fashionlib.captioning.captioners.generation import encode_batches, need_qformer
from fashionlib.features.threads import enough_for, one_thread

NAME = "retrieval"  # of the part among the model's modules
TEMPERATURE = 0.07  # to start with, as CLIP and BLIP-2 do
SHARPEST = 100.0  # similarities are multiplied by at most this (CLIP)
Pooling = Literal["first", "mean", "max"]
POOLED = {"first": lambda rows: rows[:, 0], "mean": lambda rows: rows.mean(1)}
POOLED["max"] = lambda rows: rows.amax(1)  # each dimension's largest


class Retrieval(nn.Module):
    """The Q-Former's way for texts, two projections into one space, a matching head.

    Always float32: a temperature in bfloat16 would not move by a step's worth.
    """

    def __init__(self, qformer: Any, words: int, dim: int, pad: int) -> None:
        super().__init__()
        config = copy.deepcopy(qformer)
        config.vocab_size, config.pad_token_id = words, pad
        self.embeddings = Blip2TextEmbeddings(config)
        self.feed_forwards = nn.ModuleList()
        for _ in range(config.num_hidden_layers):
            parts = {
                "intermediate": Blip2QFormerIntermediate(config),
                "output": Blip2QFormerOutput(config),
            }
            self.feed_forwards.append(nn.ModuleDict(parts))
        self.vision_projection = nn.Linear(config.hidden_size, dim)
        self.text_projection = nn.Linear(config.hidden_size, dim)
        self.itm_head = nn.Linear(config.hidden_size, 2)
        self.logit_scale = nn.Parameter(torch.tensor(-math.log(TEMPERATURE)))

    @property
    def scale(self) -> Tensor:
        """What similarities are multiplied by: one over the temperature."""
        return self.logit_scale.exp().clamp(max=SHARPEST)

    def read(
        self,
        qformer: nn.Module,
        ids: Tensor,
        mask: Tensor,
        queries: Tensor | None = None,
        vision: Tensor | None = None,
    ) -> Tensor:
        """Return the Q-Former's outputs for texts (texts, tokens, width), float32.

        With `queries` (texts, queries, width) and the vision tower's outputs `vision`,
        both are read together: queries first, then tokens. This is
        `Blip2QFormerModel.forward` with the text's own feed-forward layers.
        """
        first = 0 if queries is None else queries.shape[1]
        kind = qformer.layernorm.weight.dtype
        # (texts, queries + tokens, width)
        hidden = self.embeddings(ids, query_embeds=queries).to(kind)
        hidden = qformer.dropout(qformer.layernorm(hidden))
        mask = functional.pad(mask, (first, 0), value=1)
        mask = create_bidirectional_mask(
            config=qformer.config, inputs_embeds=hidden, attention_mask=mask
        )
        for layer, feed in zip(qformer.encoder.layer, self.feed_forwards, strict=True):
            hidden = layer.attention(hidden, attention_mask=mask)
            query, text = hidden[:, :first], hidden[:, first:].float()
            text = feed["output"](feed["intermediate"](text), text).to(kind)
            if first:
                if layer.has_cross_attention:
                    image = vision.to(kind)
                    query = layer.crossattention(query, encoder_hidden_states=image)
                query = layer.feed_forward_chunk_query(query)
            hidden = torch.cat([query, text], 1)
        return hidden.float()

    def images(self, queries: Tensor) -> Tensor:
        """Project query states into the shared space, unit rows (items, queries, d)."""
        return functional.normalize(self.vision_projection(queries.float()), dim=-1)

    def texts(self, qformer: nn.Module, ids: Tensor, mask: Tensor) -> Tensor:
        """Return texts in the shared space, unit rows (texts, dim)."""
        first = self.read(qformer, ids, mask)[:, 0]  # the first token's output
        return functional.normalize(self.text_projection(first), dim=-1)


def similarity(images: Tensor, texts: Tensor) -> Tensor:
    """Return the cosine of each image's closest query to each text, (items, texts).

    Images are (items, queries, dim), texts (texts, dim), both unit rows.
    """
    return torch.einsum("iqd,td->itq", images, texts).amax(-1)


def contrastive(logits: Tensor, same: Tensor) -> Tensor:
    """Return the symmetric cross entropy of logits (items, texts), in nats.

    It asks which text is this image's, and which image this text's. Where the mask
    `same` says that texts are equal, each of them is right, with equal shares: equal
    captions are nobody's negatives.
    """
    shares = same / same.sum(1, keepdim=True)
    of_images = functional.cross_entropy(logits, shares)
    return (of_images + functional.cross_entropy(logits.T, shares)) / 2


def losses(
    model: Any,
    queries: Tensor,
    vision: Tensor,
    ids: Tensor,
    mask: Tensor,
    matching: bool = False,
) -> dict[str, Tensor]:
    """Return {"contrast": loss} of a batch, nats, and "matching" where asked for.

    `queries` are the Q-Former's outputs for the images, `vision` the vision tower's;
    `ids` and `mask` the images' texts in the same order. Negatives are the batch's
    other rows.
    """
    part = model.get_submodule(NAME)
    cosines = similarity(part.images(queries), part.texts(model.qformer, ids, mask))
    logits, same = part.scale * cosines, (ids[:, None] == ids[None]).all(-1)
    parts = {"contrast": contrastive(logits, same)}
    if matching:
        logits = logits.detach().float()
        parts["matching"] = _matching(model, part, vision, ids, mask, logits, same)
    return parts


def _matching(
    model: Any,
    part: Any,
    vision: Tensor,
    ids: Tensor,
    mask: Tensor,
    logits: Tensor,
    same: Tensor,
) -> Tensor:
    """Return the cross entropy of "do image and text belong together?".

    Asked of each pair and of two wrong ones of each. The wrong partners are drawn by
    their similarity (BLIP-2's hard negatives), never among equal texts.
    """
    rows = torch.arange(len(ids), device=ids.device)
    # a row whose every other text is equal has no wrong partner
    able = rows[(~same).any(1)]
    text, image = (
        _draw(lot.masked_fill(same, -torch.inf)[able]) for lot in (logits, logits.T)
    )
    images, texts = torch.cat([rows, able, image]), torch.cat([rows, text, able])
    queries = model.query_tokens.expand(len(images), -1, -1)
    states = part.read(model.qformer, ids[texts], mask[texts], queries, vision[images])
    states = states[:, : queries.shape[1]]  # (pairs, queries, width)
    right = (torch.arange(len(images), device=ids.device) < len(rows)).long()
    return functional.cross_entropy(part.itm_head(states).mean(1), right)


def _draw(logits: Tensor) -> Tensor:
    """Draw a column of each row by the softmax of its logits."""
    if not len(logits):
        return torch.empty(0, dtype=torch.long, device=logits.device)
    return torch.multinomial(logits.softmax(1), 1)[:, 0]


def with_text(captioner: Captioner, dim: int = 128, seed: int = 0) -> Captioner:
    """Add a fresh retrieval part to a BLIP-2: texts and images in one space of `dim`.

    The text's feed-forward layers start as copies of the queries' own, everything else
    at random. Captioning doesn't change. ValueError where there is no Q-Former, a part
    already, or an adapter.
    """
    need_qformer(captioner)
    if hasattr(captioner.base, NAME) or captioner.model is not captioner.base:
        raise ValueError(
            "this captioner has a retrieval part or an adapter already; add the part"
            " once, and first"
        )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        part = attach(captioner, len(captioner.tokenizer), dim)
        spread = captioner.base.config.qformer_config.initializer_range
        nn.init.normal_(part.embeddings.word_embeddings.weight, std=spread)
        nn.init.normal_(part.embeddings.position_embeddings.weight, std=spread)
    layers = captioner.base.qformer.encoder.layer
    for layer, feed in zip(layers, part.feed_forwards, strict=True):
        feed["intermediate"].load_state_dict(layer.intermediate_query.state_dict())
        feed["output"].load_state_dict(layer.output_query.state_dict())
    return captioner


def attach(captioner: Captioner, words: int, dim: int) -> Retrieval:
    """Put a retrieval part of these sizes, its weights yet to come, into the model."""
    model, pad = captioner.base, captioner.tokenizer.pad_token_id
    part = Retrieval(model.config.qformer_config, words, dim, pad)
    model.add_module(NAME, part.to(model.device).eval())
    return part


def attach_like(captioner: Captioner, shapes: Mapping[str, Sequence[int]]) -> Retrieval:
    """Attach a part of the sizes of a saved one, read from its tensors' shapes."""
    names = ("embeddings.word_embeddings.weight", "text_projection.weight")
    if missing := [name for name in names if name not in shapes]:
        raise ValueError(f"a saved retrieval part lacks the weight {missing[0]}")
    words, width = (shapes[name][0] for name in names)
    return attach(captioner, words, width)


def text_batch(
    captioner: Captioner, texts: Sequence[str], longest: int = 84
) -> dict[str, Tensor]:
    """Make texts' text_ids and text_mask (texts, tokens), padded on the right.

    First and last stand the tokenizer's BOS and EOS.
    """
    tokenizer = captioner.tokenizer
    first, last = tokenizer.bos_token_id, tokenizer.eos_token_id
    rows = [[first, *ids[:longest], last] for ids in tokens(tokenizer, texts)]
    return {
        "text_ids": padded(rows, tokenizer.pad_token_id),
        "text_mask": padded([[1] * len(row) for row in rows], 0),
    }


def part_of(captioner: Captioner) -> Any:
    """Return the captioner's retrieval part; ValueError where it has none."""
    if not hasattr(captioner.base, NAME):
        raise ValueError(
            "this captioner has no retrieval part: add one with captioners.with_text,"
            ' and train it (training.Recipe\'s contrast), or ask for space="queries"'
        )
    return captioner.base.get_submodule(NAME)


@torch.inference_mode()
def embed_texts(
    captioner: Captioner, texts: Sequence[str], batch_size: int = 256
) -> np.ndarray:
    """Return texts in the shared space: float32 unit rows (texts, dim).

    ValueError without a retrieval part.
    """
    part, model, rows = part_of(captioner), captioner.base.eval(), []
    starts = range(0, len(texts), batch_size)
    with one_thread(enough_for(model)):
        for k in tqdm(starts, desc="texts", unit="batch", leave=False):
            batch = text_batch(captioner, texts[k : k + batch_size])
            ids = batch["text_ids"].to(model.device)
            mask = batch["text_mask"].to(model.device)
            rows.append(part.texts(model.qformer, ids, mask).cpu().numpy())
    return np.concatenate(rows)


@torch.inference_mode()
def embed_images(
    captioner: Captioner,
    images: Sequence[str],
    space: Literal["shared", "queries"] = "shared",
    pooling: Pooling | None = "mean",
) -> np.ndarray:
    """Return images as float32 unit rows (items, dim), pooled over the queries.

    With `pooling=None` they are (items, queries, dim). "queries" are the Q-Former's
    outputs as they are, of any BLIP-2 (Thesis B's embedding for retrieval, which
    doesn't say how the queries become one vector); "shared"
    are these projected into the space of texts, each a unit row before pooling.
    `pooling` takes the first query, the mean over the queries, or the largest of each
    dimension.
    ValueError without the part that is needed.
    """
    if space not in ("shared", "queries") or pooling not in (*POOLED, None):
        raise ValueError(
            f"space {space!r} and pooling {pooling!r}; known: shared, queries;"
            f" {', '.join(POOLED)}, None"
        )
    part, batches = part_of(captioner) if space == "shared" else None, []
    for output in encode_batches(captioner, images, batch_size=128):
        # (items, queries, width)
        rows = output.qformer_outputs.last_hidden_state.float()
        if part is not None:
            rows = part.images(rows)
        if pooling is not None:
            rows = POOLED[pooling](rows)
        batches.append(functional.normalize(rows, dim=-1).cpu().numpy())
    return np.concatenate(batches)

"""Minis: BLIP-2 and LLaVA scaled down, with random weights, to be pretrained."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from transformers import (
    Blip2Config,
    Blip2QFormerConfig,
    Blip2VisionConfig,
    CLIPVisionConfig,
    LlamaConfig,
    LlavaConfig,
    OPTConfig,
    PreTrainedTokenizerFast,
    T5Config,
)

from fashionlib.captioning.captioners.architectures import ARCHITECTURES, IMAGE
from fashionlib.captioning.captioners.captioner import Captioner
from fashionlib.captioning.captioners.rows import Rows

PAD, BOS, EOS = "<pad>", "<s>", "</s>"  # ids 0, 1, 2
IDS = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
IMAGE_ID = 3
HEADS = 4


@dataclass(frozen=True)
class Size:
    """Dimensions of a mini; a LLaVA has no Q-Former."""

    queries: int = 8
    qformer: int = 128
    qformer_layers: int = 2
    decoder: int = 192
    decoder_layers: int = 3
    vocabulary: int = 2500
    dropout: float = 0.1
    positions: int = 256  # of the language model: image tokens, prompt and caption


@dataclass(frozen=True)
class Vit:
    """A small vision transformer on pixels; the published models have a large one."""

    image_size: int = 64
    patch_size: int = 16
    width: int = 128
    layers: int = 3


SMALL, MEDIUM = Size(decoder=128, decoder_layers=2), Size()
MINIS = {
    "blip2-small": ("blip2", SMALL),
    "blip2-medium": ("blip2", MEDIUM),
    "blip2-t5-small": ("blip2-t5", SMALL),
    "llava-small": ("llava", SMALL),
    "llava-medium": ("llava", MEDIUM),
}


def mini(
    captions: Iterable[str],
    tower: Rows | Vit,
    name: str = "blip2-small",
    size: Size | None = None,
    seed: int = 0,
) -> Captioner:
    """Build the mini of this name (`MINIS`), with random weights.

    Its vision tower reads `tower`: rows of features, or pixels by a small transformer.
    `captions` make its tokenizer; `size` replaces its own.
    """
    if name not in MINIS:
        raise ValueError(f"unknown mini {name!r}; known: {', '.join(MINIS)}")
    kind, usual = MINIS[name]
    size = size or usual
    tokenizer = vocabulary(captions, size.vocabulary)
    network = model(kind, tower, size, len(tokenizer), seed)
    architecture = ARCHITECTURES[type(network).__name__]
    side = tower.image_size if isinstance(tower, Vit) else 224
    sides = {"height": side, "width": side}
    crop = {"crop_size": sides} if kind == "llava" else {}
    pixels = architecture.pixels(size=sides, **crop)
    rows = tower if isinstance(tower, Rows) else None
    return Captioner(network, tokenizer, pixels, architecture.prompt, rows=rows)


def vocabulary(captions: Iterable[str], size: int) -> PreTrainedTokenizerFast:
    """Learn a byte-level BPE tokenizer from captions.

    It has at most `size` tokens; templated text gives fewer.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        min_frequency=2,
        show_progress=False,
        special_tokens=[PAD, BOS, EOS, IMAGE],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator(captions, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        bos_token=BOS,
        eos_token=EOS,
        additional_special_tokens=[IMAGE],
        clean_up_tokenization_spaces=False,
    )


def model(kind: str, tower: Rows | Vit, size: Size, words: int, seed: int) -> nn.Module:
    """Build a model of kind "blip2" (OPT), "blip2-t5" or "llava" (Llama).

    Its weights are random. Three defaults of transformers would stop a BLIP-2 from
    learning: query tokens of zeros (all queries stay alike), a cross-attention in every
    second layer only, and a vision tower whose weights start at 1e-10.
    """
    if kind == "llava":
        config, name = llava_config(tower, size, words), "Llava"
    else:
        config, name = blip2_config(tower, size, words, kind == "blip2-t5"), "Blip2"
    grid = "Grid" if isinstance(tower, Rows) else ""
    torch.manual_seed(seed)
    network = ARCHITECTURES[f"{grid}{name}ForConditionalGeneration"].model(config)
    if kind != "llava":
        nn.init.normal_(network.query_tokens, std=0.5)
    return network.eval()


def _vision(tower: Rows | Vit, dropout: float) -> dict[str, Any]:
    if isinstance(tower, Vit):
        return {
            "hidden_size": tower.width,
            "intermediate_size": 2 * tower.width,
            "num_hidden_layers": tower.layers,
            "num_attention_heads": HEADS,
            "image_size": tower.image_size,
            "patch_size": tower.patch_size,
        }
    cells, dim = tower.shape
    return {
        "hidden_size": dim,
        "intermediate_size": dim,
        "num_hidden_layers": 0,
        "num_attention_heads": HEADS,
        "image_size": round(cells**0.5),
        "patch_size": 1,
        "attention_dropout": dropout,
    }


def blip2_config(tower: Rows | Vit, size: Size, words: int, t5: bool) -> Blip2Config:
    """Return a BLIP-2's configuration for a vocabulary of so many words."""
    vision = Blip2VisionConfig(**_vision(tower, size.dropout), initializer_range=0.02)
    qformer = Blip2QFormerConfig(
        vocab_size=words,
        hidden_size=size.qformer,
        encoder_hidden_size=vision.hidden_size,
        num_hidden_layers=size.qformer_layers,
        num_attention_heads=HEADS,
        intermediate_size=2 * size.qformer,
        cross_attention_frequency=1,
        hidden_dropout_prob=size.dropout,
        attention_probs_dropout_prob=size.dropout,
    )
    return Blip2Config(
        vision_config=vision,
        qformer_config=qformer,
        text_config=_t5(size, words) if t5 else _opt(size, words),
        num_query_tokens=size.queries,
        image_token_index=IMAGE_ID,
    )


def _t5(size: Size, words: int) -> T5Config:
    return T5Config(
        vocab_size=words,
        d_model=size.decoder,
        d_kv=size.decoder // HEADS,
        d_ff=4 * size.decoder,
        num_layers=size.decoder_layers,
        num_heads=HEADS,
        dropout_rate=size.dropout,
        feed_forward_proj="gated-gelu",
        decoder_start_token_id=0,
        pad_token_id=0,
        eos_token_id=2,
    )


def _opt(size: Size, words: int) -> OPTConfig:
    return OPTConfig(
        vocab_size=words,
        hidden_size=size.decoder,
        word_embed_proj_dim=size.decoder,
        num_hidden_layers=size.decoder_layers,
        num_attention_heads=HEADS,
        ffn_dim=4 * size.decoder,
        max_position_embeddings=size.positions,
        dropout=size.dropout,
        attention_dropout=0.0,
        **IDS,
    )


def llava_config(tower: Rows | Vit, size: Size, words: int) -> LlavaConfig:
    """Return a LLaVA's configuration for a vocabulary of so many words."""
    text = LlamaConfig(
        vocab_size=words,
        hidden_size=size.decoder,
        intermediate_size=3 * size.decoder,
        num_hidden_layers=size.decoder_layers,
        num_attention_heads=HEADS,
        tie_word_embeddings=True,
        max_position_embeddings=size.positions,
        attention_dropout=size.dropout,
        **IDS,
    )
    vision = CLIPVisionConfig(**_vision(tower, size.dropout))
    return LlavaConfig(
        vision_config=vision,
        text_config=text,
        image_token_index=IMAGE_ID,
        vision_feature_layer=-2,
        image_seq_length=(vision.image_size // vision.patch_size) ** 2,
    )

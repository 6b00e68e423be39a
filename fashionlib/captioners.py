"""BLIP-2 captioners: one way to load them, make batches, write captions, and read the Q-Former's query outputs.

A *twin* is a small BLIP-2 of transformers' own classes whose vision tower takes cached grid features
(`fashionlib.features.images`) in place of pixels, so that it trains in minutes on one CPU thread.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm
from transformers import (
    AutoConfig,
    AutoTokenizer,
    Blip2Config,
    Blip2ForConditionalGeneration,
    Blip2Processor,
    Blip2QFormerConfig,
    Blip2VisionConfig,
    OPTConfig,
    PreTrainedTokenizerFast,
)
from transformers.modeling_outputs import BaseModelOutputWithPooling
from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil

from fashionlib import images as pictures
from fashionlib.runs import atomic

# peft 0.21 asks transformers 5.23 for an attribute that was renamed; nothing a reader could do about it
warnings.filterwarnings("ignore", message="`is_gradient_checkpointing` is deprecated", category=FutureWarning)

PAD, BOS, EOS, IMAGE = "<pad>", "<s>", "</s>", "<image>"  # ids 0, 1, 2, 3 of a twin


@dataclass(frozen=True)
class Size:
    """Dimensions of a twin; the defaults make 2.9 million weights with 2,500 tokens."""

    queries: int = 8
    qformer: int = 192
    qformer_layers: int = 2
    decoder: int = 192
    decoder_layers: int = 3
    vocabulary: int = 2500
    dropout: float = 0.1


class CachedGrid(nn.Module):
    """A vision tower for features made earlier: (items, cells, dim) plus one learned vector per cell."""

    def __init__(self, config: Blip2VisionConfig) -> None:
        super().__init__()
        cells = (config.image_size // config.patch_size) ** 2
        self.position = nn.Parameter(torch.randn(cells, config.hidden_size) * 0.2)
        self.dropout = nn.Dropout(config.attention_dropout)

    def forward(self, pixel_values: Tensor, **_: Any) -> BaseModelOutputWithPooling:
        cells = self.dropout(pixel_values.to(self.position.dtype)) + self.position  # (items, cells, dim)
        return BaseModelOutputWithPooling(last_hidden_state=cells, pooler_output=cells.mean(1))


class GridBlip2ForConditionalGeneration(Blip2ForConditionalGeneration):
    """BLIP-2 on cached grid features. A batch without images is a batch of plain text for the language model."""

    def __init__(self, config: Blip2Config) -> None:
        super().__init__(config)
        self.vision_model = CachedGrid(config.vision_config)

    def forward(self, pixel_values: Tensor | None = None, **inputs: Any) -> Any:
        if pixel_values is None and inputs.get("mm_encoder_outputs") is None:
            return self.language_model(**inputs)
        return super().forward(pixel_values=pixel_values, **inputs)


CLASSES = {kind.__name__: kind for kind in (Blip2ForConditionalGeneration, GridBlip2ForConditionalGeneration)}


@dataclass
class Captioner:
    """A model with what turns images and captions into its batches. `prompt` is the text that each caption follows."""

    model: Any  # Blip2ForConditionalGeneration, or a PeftModel around it
    tokenizer: Any
    pixels: BlipImageProcessorPil
    prompt: str = ""

    @property
    def base(self) -> Blip2ForConditionalGeneration:
        """The BLIP-2 itself, with the adapter's layers in it where there is one."""
        return self.model.get_base_model() if hasattr(self.model, "get_base_model") else self.model

    @property
    def eos(self) -> int:
        """The token that ends a caption (for BLIP-2 OPT that is the line feed, not `</s>`)."""
        token = self.base.config.text_config.eos_token_id
        return token[0] if isinstance(token, list) else token

    @property
    def start(self) -> list[int]:
        """Image tokens, BOS, prompt: what stands before every caption."""
        config = self.base.config
        prompt = self.tokenizer(self.prompt, add_special_tokens=False)["input_ids"] if self.prompt else []
        return [config.image_token_index] * config.num_query_tokens + [config.text_config.bos_token_id] + prompt

    def inputs(self, images: Sequence[str] | np.ndarray) -> Tensor:
        """Paths -> (items, 3, height, width); for a twin, grid features -> (items, cells, dim). float32, on the CPU."""
        if isinstance(self.base, GridBlip2ForConditionalGeneration):
            cells, dim = self.base.vision_model.position.shape
            if np.shape(images)[1:] != (cells, dim):
                raise ValueError(f"grid features of shape {np.shape(images)[1:]}; this captioner takes {(cells, dim)}")
            return torch.from_numpy(np.asarray(images, dtype=np.float32))
        return self.pixels([pictures.load(path) for path in images], return_tensors="pt")["pixel_values"]

    def batch(self, images: Sequence[str] | np.ndarray | None, captions: Sequence[str], longest: int = 84,
              ) -> dict[str, Tensor]:
        """A training batch padded on the right: pixel_values, input_ids, attention_mask, labels.

        Targets are the caption (cut to `longest` tokens) and EOS; image tokens, BOS, prompt and pads are -100. With
        `images=None` the rows are text for the language model alone. Rows with and without images can't share a batch.
        """
        start = self.start if images is not None else [self.base.config.text_config.bos_token_id]
        ends = [ids[:longest] + [self.eos] for ids in tokens(self.tokenizer, captions)]
        width = len(start) + max(len(end) for end in ends)
        input_ids = torch.full((len(ends), width), self.tokenizer.pad_token_id)
        labels = torch.full_like(input_ids, -100)
        mask = torch.zeros_like(input_ids)
        for row, end in enumerate(ends):
            stop = len(start) + len(end)
            input_ids[row, :stop] = torch.tensor(start + end)
            labels[row, len(start):stop] = torch.tensor(end)
            mask[row, :stop] = 1
        made = {"input_ids": input_ids, "attention_mask": mask, "labels": labels}
        if images is None:
            return made
        check_image_tokens(input_ids, self.base.config)
        return {"pixel_values": self.inputs(images)} | made


def tokens(tokenizer: Any, captions: Sequence[str]) -> list[list[int]]:
    """The token ids of each caption, no BOS or EOS; a caption that spells a special token is plain text."""
    special = set(tokenizer.all_special_ids)
    return [[token for token in ids if token not in special]
            for ids in tokenizer(list(captions), add_special_tokens=False)["input_ids"]]


def check_image_tokens(input_ids: Tensor, config: Blip2Config) -> None:
    """Raise ValueError unless a row has one image token per query: with none, BLIP-2 ignores the image in silence."""
    found = (input_ids == config.image_token_index).sum(1)
    if (found != config.num_query_tokens).any():
        raise ValueError(f"{sorted(set(found.tolist()))} image tokens in a row for {config.num_query_tokens} queries; "
                         f"the image token is {config.image_token_index}")


def precision(device: str) -> torch.dtype:
    """float32 on a CPU, bfloat16 on GPUs of compute capability 8 and up, float16 on older ones."""
    if not device.startswith("cuda"):
        return torch.float32
    return torch.bfloat16 if torch.cuda.get_device_capability(device)[0] >= 8 else torch.float16


def load(name: str | Path, adapter: str | Path | None = None, device: str | None = None, prompt: str = "") -> Captioner:
    """A captioner from a hub id or a folder in the hub's layout, safetensors only; `adapter` is a PEFT folder.

    A twin stays in float32. Raises ValueError for an architecture that isn't BLIP-2 or where the tokenizer's `<image>`
    is not the model's image token.
    """
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    config = AutoConfig.from_pretrained(name)
    kind = (config.architectures or ["none"])[0]
    if kind not in CLASSES:
        raise ValueError(f"{name} is a {kind}; known architectures: {', '.join(CLASSES)}")
    dtype = torch.float32 if CLASSES[kind] is GridBlip2ForConditionalGeneration else precision(device)
    model = CLASSES[kind].from_pretrained(name, dtype=dtype, use_safetensors=True)
    tokenizer = AutoTokenizer.from_pretrained(name)
    if tokenizer.convert_tokens_to_ids(IMAGE) != config.image_token_index:
        raise ValueError(f"{name}: {IMAGE} is token {tokenizer.convert_tokens_to_ids(IMAGE)} of the tokenizer but "
                         f"{config.image_token_index} of the model")
    if adapter is not None:
        from peft import PeftModel

        model = PeftModel.from_pretrained(model, str(adapter), use_safetensors=True)
    return Captioner(model.to(device).eval(), tokenizer, BlipImageProcessorPil.from_pretrained(name), prompt)


def save(captioner: Captioner, folder: Path) -> None:
    """Write the hub's layout (config, safetensors, tokenizer, processor), or the PEFT folder of an adapted model."""
    with atomic(Path(folder)) as part:
        captioner.model.save_pretrained(part)
        if captioner.model is captioner.base:
            queries = captioner.base.config.num_query_tokens
            Blip2Processor(captioner.pixels, captioner.tokenizer, num_query_tokens=queries).save_pretrained(part)


def vocabulary(captions: Iterable[str], size: int) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer learned from captions, with at most `size` tokens (templated text gives fewer)."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=size, min_frequency=2, show_progress=False,
                                  special_tokens=[PAD, BOS, EOS, IMAGE],
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(captions, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token=PAD, bos_token=BOS, eos_token=EOS,
                                   additional_special_tokens=[IMAGE], clean_up_tokenization_spaces=False)


def twin(captions: Iterable[str], cells: int, dim: int = 256, size: Size = Size(), seed: int = 0) -> Captioner:  # noqa: B008
    """A small BLIP-2 with random weights for grid features (items, cells, dim); `captions` make its tokenizer.

    Two defaults of transformers would stop it from learning: query tokens of zeros (all queries stay alike) and a
    cross-attention in every second layer only.
    """
    tokenizer = vocabulary(captions, size.vocabulary)
    side, heads, ids = round(cells**0.5), 4, {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
    vision = Blip2VisionConfig(hidden_size=dim, intermediate_size=dim, num_hidden_layers=0, num_attention_heads=heads,
                               image_size=side, patch_size=1, attention_dropout=size.dropout, initializer_range=0.02)
    qformer = Blip2QFormerConfig(vocab_size=len(tokenizer), hidden_size=size.qformer, encoder_hidden_size=dim,
                                 num_hidden_layers=size.qformer_layers, num_attention_heads=heads,
                                 intermediate_size=2 * size.qformer, cross_attention_frequency=1,
                                 hidden_dropout_prob=size.dropout, attention_probs_dropout_prob=size.dropout)
    text = OPTConfig(vocab_size=len(tokenizer), hidden_size=size.decoder, word_embed_proj_dim=size.decoder,
                     num_hidden_layers=size.decoder_layers, num_attention_heads=heads, ffn_dim=4 * size.decoder,
                     max_position_embeddings=256, dropout=size.dropout, attention_dropout=0.0, **ids)
    torch.manual_seed(seed)
    model = GridBlip2ForConditionalGeneration(Blip2Config(
        vision_config=vision, qformer_config=qformer, text_config=text, num_query_tokens=size.queries,
        image_token_index=tokenizer.convert_tokens_to_ids(IMAGE)))
    nn.init.normal_(model.query_tokens, std=0.5)
    return Captioner(model.eval(), tokenizer, BlipImageProcessorPil(size={"height": 224, "width": 224}))


@torch.inference_mode()
def generate(captioner: Captioner, images: Sequence[str] | np.ndarray, batch_size: int = 128,
             max_new_tokens: int = 80) -> list[str]:
    """One greedy caption per image, without the prompt."""
    model, start = captioner.base.eval(), captioner.start
    ends = {"eos_token_id": captioner.eos, "pad_token_id": captioner.tokenizer.pad_token_id}
    written: list[str] = []
    for k in tqdm(range(0, len(images), batch_size), desc="captions", unit="batch"):
        pixels = captioner.inputs(images[k:k + batch_size]).to(model.device, model.dtype)
        input_ids = torch.tensor([start] * len(pixels), device=model.device)  # (items, start)
        check_image_tokens(input_ids, model.config)
        output = model.generate(pixel_values=pixels, input_ids=input_ids, attention_mask=torch.ones_like(input_ids),
                                max_new_tokens=max_new_tokens, do_sample=False, num_beams=1, **ends)
        new = output[:, len(start):]  # generate() repeats what it was given
        written += [text.strip() for text in captioner.tokenizer.batch_decode(new, skip_special_tokens=True)]
    return written


@torch.inference_mode()
def queries(captioner: Captioner, images: Sequence[str] | np.ndarray, batch_size: int = 128) -> np.ndarray:
    """The Q-Former's outputs (items, queries, dim) float32: what the language model is told about each image."""
    model, found = captioner.base.eval(), []
    for k in tqdm(range(0, len(images), batch_size), desc="queries", unit="batch"):
        pixels = captioner.inputs(images[k:k + batch_size]).to(model.device, model.dtype)
        output = model.get_image_features(pixels, return_dict=True).qformer_outputs.last_hidden_state
        found.append(output.float().cpu().numpy())
    return np.concatenate(found)

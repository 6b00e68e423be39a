"""Published models at their real size, with random weights, in the hub's layout.

Their weights need the hub; their shapes don't. The shapes are transformers' defaults
(Blip2Config is blip2-opt-2.7b's, LlavaConfig and LlamaConfig are llava-1.5-7b's) and
the model cards'; the counts of weights agree with the hub's (a test). Tokenizers are
stand-ins, learned from a few captions: vocabulary size and special tokens are the
published ones, all other tokens aren't.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import transformers
from huggingface_hub import split_torch_state_dict_into_shards
from safetensors.torch import save_file
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerFast
from transformers.core_model_loading import revert_weight_conversion
from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.convnext.image_processing_pil_convnext import (
    ConvNextImageProcessorPil,
)

SHARD = "2GB"
SPREAD, QUERIES = 0.02, 0.5  # standard deviations of weights, and of BLIP-2's queries


@dataclass(frozen=True)
class Published:
    """A model's class and shapes, its special tokens' ids, its image processor.

    Captioners are stored in bfloat16, the type in which a recent GPU has them.
    """

    kind: str  # of transformers
    config: Mapping[str, Any]
    special: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    words: int = 0  # of the tokenizer
    pixels: Any = None
    dtype: torch.dtype = torch.float32

    def model(self) -> PreTrainedModel:
        """Make the model on the meta device: shapes without weights."""
        kind = getattr(transformers, self.kind)
        with torch.device("meta"):
            return kind(kind.config_class(**self.config))


def _blip2(hidden: int, layers: int = 32) -> Published:
    text = {
        "model_type": "opt",
        "hidden_size": hidden,
        "word_embed_proj_dim": hidden,
        "ffn_dim": 4 * hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": 32,
        "vocab_size": 50304,
        "eos_token_id": 50118,  # the line feed
    }
    return Published(
        "Blip2ForConditionalGeneration",
        {"text_config": text, "image_token_index": 50265},
        {
            "bos_token": ("<s>", 0),
            "pad_token": ("<pad>", 1),
            "eos_token": ("</s>", 2),
            "line_feed": ("Ċ", 50118),
            "image_token": ("<image>", 50265),
        },
        50266,
        BlipImageProcessorPil(size={"height": 224, "width": 224}),
        torch.bfloat16,
    )


def _llava(hidden: int, inner: int, layers: int) -> Published:
    text = {
        "model_type": "llama",
        "hidden_size": hidden,
        "intermediate_size": inner,
        "num_hidden_layers": layers,
        "num_attention_heads": hidden // 128,
        "num_key_value_heads": hidden // 128,
        "vocab_size": 32064,
        "max_position_embeddings": 4096,
        "rms_norm_eps": 1e-5,
    }
    side = {"height": 336, "width": 336}
    return Published(
        "LlavaForConditionalGeneration",
        {"text_config": text, "pad_token_id": 32001},
        {
            "unk_token": ("<unk>", 0),
            "bos_token": ("<s>", 1),
            "eos_token": ("</s>", 2),
            "image_token": ("<image>", 32000),
            "pad_token": ("<pad>", 32001),
        },
        32002,
        CLIPImageProcessorPil(size={"shortest_edge": 336}, crop_size=side),
        torch.bfloat16,
    )


BERT = {
    "pad_token": ("[PAD]", 0),
    "unk_token": ("[UNK]", 100),
    "bos_token": ("[CLS]", 101),
    "eos_token": ("[SEP]", 102),
}
CLIP = {"bos_token": ("<|startoftext|>", 49406), "eos_token": ("<|endoftext|>", 49407)}
CAPTIONERS = {
    "Salesforce/blip2-opt-2.7b": _blip2(2560),
    "Salesforce/blip2-opt-6.7b": _blip2(4096),
    "llava-hf/llava-1.5-7b-hf": _llava(4096, 11008, 32),
    "llava-hf/llava-1.5-13b-hf": _llava(5120, 13824, 40),
}
RETRIEVAL = {
    "Salesforce/blip2-itm-vit-g": Published(
        "Blip2ForImageTextRetrieval",
        {"qformer_config": {"vocab_size": 30523, "use_qformer_text_input": True}},
        BERT,
        30523,
        BlipImageProcessorPil(size={"height": 224, "width": 224}),
    )
}
ENCODERS = {
    "microsoft/resnet-50": Published(
        "ResNetModel",
        {},
        pixels=ConvNextImageProcessorPil(size={"shortest_edge": 224}, crop_pct=0.875),
    ),
    "openai/clip-vit-base-patch16": Published(
        "CLIPModel",
        {"vision_config": {"patch_size": 16}, "text_config": {"eos_token_id": 49407}},
        CLIP | {"pad_token": CLIP["eos_token"]},
        49408,
        CLIPImageProcessorPil(),
    ),
    "patrickjohncyh/fashion-clip": Published(
        "CLIPModel",
        {"text_config": {"eos_token_id": 49407}},
        CLIP | {"pad_token": CLIP["eos_token"]},
        49408,
        CLIPImageProcessorPil(),
    ),
    "sentence-transformers/all-mpnet-base-v2": Published(
        "MPNetModel",
        {},
        {
            "bos_token": ("<s>", 0),
            "pad_token": ("<pad>", 1),
            "eos_token": ("</s>", 2),
            "unk_token": ("[UNK]", 104),
        },
        30527,
    ),
    "google-bert/bert-base-uncased": Published("BertModel", {}, BERT, 30522),
}
MODELS = CAPTIONERS | RETRIEVAL | ENCODERS


def write(name: str, folder: Path, captions: Sequence[str]) -> int:
    """Write a model of random weights in the hub's layout; return its bytes.

    One shard at a time is in memory. The tokenizer is learned from `captions`.
    """
    about = MODELS[name]
    model = about.model()
    config = model.config
    config.architectures, config.dtype = [about.kind], about.dtype
    config.save_pretrained(folder)
    torch.manual_seed(0)
    weights = revert_weight_conversion(model, stored(model))  # the hub's older names
    shards = split_torch_state_dict_into_shards(weights, max_shard_size=SHARD)
    for file, names in shards.filename_to_tensors.items():
        part = {name: filled(name, weights[name], about.dtype) for name in names}
        save_file(part, folder / file, {"format": "pt"})
    if shards.is_sharded:
        index = {"metadata": shards.metadata, "weight_map": shards.tensor_to_filename}
        text = json.dumps(index)
        (folder / "model.safetensors.index.json").write_text(text, encoding="utf-8")
    if about.special:
        tokenizer(captions, about).save_pretrained(folder)
    if about.pixels:
        about.pixels.save_pretrained(folder)
    if about.kind == "MPNetModel":
        _sentence_transformer(folder)
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def stored(model: PreTrainedModel) -> dict[str, Tensor]:
    """Return a model's weights as they are stored: tied ones once, with its buffers."""
    weights = dict(model.named_parameters())
    buffers = dict(model.named_buffers())
    kept = model.state_dict().keys() & buffers.keys()
    return weights | {name: buffers[name] for name in sorted(kept)}


def filled(name: str, shape: Tensor, dtype: torch.dtype) -> Tensor:
    """Return a tensor of this shape as training would start it.

    Weights are drawn, biases 0, norms and variances 1.
    """
    if not shape.is_floating_point():
        return torch.zeros(shape.shape, dtype=shape.dtype)
    made = torch.zeros(shape.shape, dtype=dtype)
    if name.endswith("query_tokens"):
        return made.normal_(std=QUERIES)
    if shape.dim() > 1 or "class_embedding" in name:
        return made.normal_(std=SPREAD)
    return made.fill_(float(name.endswith(("weight", "running_var", "logit_scale"))))


def tokenizer(captions: Sequence[str], about: Published) -> PreTrainedTokenizerFast:
    """Learn byte-level BPE from captions; special tokens have their published ids.

    Tokens that are never used fill the vocabulary up.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    before = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=1000,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    learned = Tokenizer(models.BPE())
    learned.pre_tokenizer = before
    learned.train_from_iterator(captions, trainer)
    merges = json.loads(learned.to_str())["model"]["merges"]
    vocabulary = dict(about.special.values())
    taken = set(vocabulary.values())
    free = itertools.filterfalse(taken.__contains__, range(about.words))
    tokens = sorted(learned.get_vocab().keys() - vocabulary.keys())
    vocabulary |= dict(zip(tokens, free, strict=False))
    vocabulary |= {f"unused {at}": at for at in free}
    made = Tokenizer(models.BPE(vocabulary, [tuple(pair) for pair in merges]))
    made.pre_tokenizer, made.decoder = before, decoders.ByteLevel()
    names = {name: token for name, (token, _) in about.special.items()}
    names.pop("line_feed", None)
    image = names.pop("image_token", None)
    _frame(made, about)
    more = [image] if image else []
    return PreTrainedTokenizerFast(
        tokenizer_object=made, additional_special_tokens=more, **names
    )


def _frame(tokenizer: Any, about: Published) -> None:
    """Put BOS before each text and EOS behind it, as the encoders of texts want it."""
    from tokenizers import processors

    first, last = about.special["bos_token"], about.special["eos_token"]
    single = f"{first[0]} $A {last[0]}"
    tokenizer.post_processor = processors.TemplateProcessing(
        single=single, special_tokens=[first, last]
    )


def _sentence_transformer(folder: Path) -> None:
    """Add what sentence-transformers reads: mean pooling, then unit length."""
    modules = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize",) * 2]
    rows = []
    for number, (place, kind) in enumerate(modules):
        (folder / place).mkdir(exist_ok=True)
        type_ = f"sentence_transformers.models.{kind.removeprefix('2_')}"
        rows.append({"idx": number, "name": str(number), "path": place, "type": type_})
    pooling = {"word_embedding_dimension": 768, "pooling_mode_mean_tokens": True}
    files = {
        "modules.json": rows,
        "sentence_bert_config.json": {"max_seq_length": 384, "do_lower_case": False},
        "1_Pooling/config.json": pooling,
    }
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content), encoding="utf-8")

"""Folders as the hub has them go through load, generate, LoRA, save and reload;
adapters name no disk.
"""

import functools
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from peft import PeftModel
from PIL import Image
from safetensors.torch import save_file
from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers import (
    AutoConfig,
    Blip2ForConditionalGeneration,
    LlavaForConditionalGeneration,
    PreTrainedModel,
    TrainingArguments,
)

from fashionlib.captioning import captioners, training
from fashionlib.captioning.captioners import Captioner
from fashionlib.captioning.captioners.architectures import (
    BLIP2,
    GRID_LLAVA,
    LLAVA,
    Architecture,
)
from fashionlib.captioning.captioners.checkpoints import base_of
from fashionlib.captioning.training import Lora, Recipe, fine_tuning
from fashionlib.captioning.training.card import model_card, save_adapter

CAPTIONS = [
    "a red dress with a collar",
    "blue jeans, slim",
    "a large hat",
    "green socks",
]
MEAN, STD = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]
RECIPE = Recipe(
    steps=20, batch_size=4, lr=3e-2, warmup=1, evaluations=1, lora=Lora(r=4, alpha=8)
)


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder, rng = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)
    paths = [str(folder / f"{i}.jpg") for i in range(4)]
    for path in paths:
        Image.fromarray(rng.integers(0, 255, (60, 40, 3), dtype=np.uint8)).save(path)
    return paths


def write(folder: Path, **files: Any) -> None:
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content))


def special(tokens: list[str], first: int) -> dict[str, dict[str, object]]:
    return {
        str(first + i): {
            "content": token,
            "lstrip": False,
            "normalized": False,
            "rstrip": False,
            "single_word": False,
            "special": True,
        }
        for i, token in enumerate(tokens)
    }


def opt_tokenizer(folder: Path) -> int:
    """GPT-2's, as OPT has it: <s>, <pad>, </s>, <unk> first, <image> last; </s> begins
    a text. The size without image.

    Its line feed is a token of its own.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(
        CAPTIONS * 3,
        trainers.BpeTrainer(
            vocab_size=330,
            special_tokens=["<s>", "<pad>", "</s>", "<unk>"],
            show_progress=False,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        ),
    )
    words = tokenizer.get_vocab_size()
    tokenizer.add_special_tokens(["<image>"])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="</s> $A", special_tokens=[("</s>", 2)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    tokenizer.model.save(str(folder))  # vocab.json, merges.txt
    write(
        folder,
        added_tokens={"<image>": words},
        tokenizer_config={
            "add_bos_token": True,
            "add_prefix_space": False,
            "bos_token": "</s>",
            "eos_token": "</s>",
            "unk_token": "</s>",
            "pad_token": "<pad>",
            "errors": "replace",
            "processor_class": "Blip2Processor",
            "clean_up_tokenization_spaces": False,
            "tokenizer_class": "GPT2Tokenizer",
            "added_tokens_decoder": (
                special(["<pad>", "</s>"], 1) | special(["<image>"], words)
            ),
        },
    )
    return words


def t5_tokenizer(folder: Path) -> int:
    """Unigrams, words and letters: <pad>, </s>, <unk> first; </s> ends a text. The size
    without image.
    """
    words = sorted({f"▁{word}" for text in CAPTIONS for word in text.split()})
    letters = sorted({letter for word in words for letter in word})
    tokenizer = Tokenizer(
        models.Unigram(
            [
                ("<pad>", 0.0),
                ("</s>", 0.0),
                ("<unk>", 0.0),
                *[(word, -2.0) for word in words],
                *[(letter, -9.0) for letter in letters],
            ],
            unk_id=2,
        )
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    size = tokenizer.get_vocab_size()
    tokenizer.add_special_tokens(["<pad>", "</s>", "<unk>", "<image>"])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", 1)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    write(
        folder,
        tokenizer_config={
            "eos_token": "</s>",
            "pad_token": "<pad>",
            "unk_token": "<unk>",
            "extra_ids": 0,
            "clean_up_tokenization_spaces": True,
            "processor_class": "Blip2Processor",
            "tokenizer_class": "T5Tokenizer",
            "added_tokens_decoder": (
                special(["<pad>", "</s>", "<unk>"], 0) | special(["<image>"], size)
            ),
        },
    )
    return size


def llama_tokenizer(folder: Path) -> int:
    """BPE with bytes to fall back on: <unk>, <s>, </s> first, <image> and <pad> last.
    The size without the last two.
    """
    first = ["<unk>", "<s>", "</s>", *[f"<0x{byte:02X}>" for byte in range(256)]]
    tokenizer = Tokenizer(
        models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True)
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.train_from_iterator(
        CAPTIONS * 3,
        trainers.BpeTrainer(vocab_size=340, special_tokens=first, show_progress=False),
    )
    tokenizer.pre_tokenizer = None
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    tokenizer.decoder = decoders.Sequence(
        [
            decoders.Replace("▁", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1, 0),
        ]
    )
    words = tokenizer.get_vocab_size()
    tokenizer.add_special_tokens(["<image>", "<pad>"])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", 1)]
    )
    content = json.loads(tokenizer.to_str())
    content["added_tokens"] = [
        token
        for token in content["added_tokens"]
        if not token["content"].startswith("<0x")
    ]
    write(
        folder,
        tokenizer=content,
        tokenizer_config={
            "add_bos_token": True,
            "add_eos_token": False,
            "bos_token": "<s>",
            "eos_token": "</s>",
            "unk_token": "<unk>",
            "pad_token": "<pad>",
            "legacy": False,
            "padding_side": "left",
            "processor_class": "LlavaProcessor",
            "clean_up_tokenization_spaces": False,
            "tokenizer_class": "LlamaTokenizer",
            "added_tokens_decoder": (
                special(["<unk>", "<s>", "</s>"], 0)
                | special(["<image>", "<pad>"], words)
            ),
        },
    )
    return words


def blip2_files(folder: Path, words: int, text: dict[str, Any]) -> None:
    write(
        folder,
        config={
            "architectures": ["Blip2ForConditionalGeneration"],
            "model_type": "blip-2",
            "image_token_index": words,
            "initializer_factor": 1.0,
            "initializer_range": 0.02,
            "num_query_tokens": 4,
            "torch_dtype": "float32",
            "transformers_version": "4.47.0.dev0",
            "use_decoder_only_language_model": text["model_type"] == "opt",
            "qformer_config": {
                "model_type": "blip_2_qformer",
                "vocab_size": words,
                "hidden_size": 32,
                "num_hidden_layers": 2,
                "num_attention_heads": 2,
                "intermediate_size": 64,
                "encoder_hidden_size": 24,
            },
            "vision_config": {
                "model_type": "blip_2_vision_model",
                "hidden_size": 24,
                "intermediate_size": 48,
                "num_hidden_layers": 2,
                "num_attention_heads": 2,
                "image_size": 28,
                "patch_size": 14,
            },
            "text_config": text,
        },
        preprocessor_config={
            "do_convert_rgb": True,
            "do_normalize": True,
            "do_rescale": True,
            "do_resize": True,
            "image_mean": MEAN,
            "image_processor_type": "BlipImageProcessor",
            "image_std": STD,
            "processor_class": "Blip2Processor",
            "resample": 3,
            "rescale_factor": 0.00392156862745098,
            "size": {"height": 28, "width": 28},
        },
        processor_config={"num_query_tokens": 4, "processor_class": "Blip2Processor"},
    )


def hub_blip2_opt(folder: Path) -> type[PreTrainedModel]:
    """As Salesforce/blip2-opt-2.7b: EOS is the line feed, weights in two shards."""
    words = opt_tokenizer(folder)
    feed = json.loads((folder / "vocab.json").read_text())["Ċ"]
    blip2_files(
        folder,
        words,
        {
            "model_type": "opt",
            "architectures": ["OPTForCausalLM"],
            "vocab_size": words + 39,
            "hidden_size": 32,
            "word_embed_proj_dim": 32,
            "ffn_dim": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "max_position_embeddings": 128,
            "bos_token_id": 2,
            "eos_token_id": feed,
            "pad_token_id": 1,
            "prefix": "</s>",
            "do_layer_norm_before": True,
        },
    )
    write(
        folder,
        generation_config={
            "_from_model_config": True,
            "bos_token_id": 2,
            "eos_token_id": feed,
            "pad_token_id": 1,
            "transformers_version": "4.47.0.dev0",
        },
    )
    return Blip2ForConditionalGeneration


def hub_blip2_t5(folder: Path) -> type[PreTrainedModel]:
    """As Salesforce/blip2-flan-t5-xl."""
    words = t5_tokenizer(folder)
    blip2_files(
        folder,
        words,
        {
            "model_type": "t5",
            "architectures": ["T5ForConditionalGeneration"],
            "vocab_size": words + 28,
            "d_model": 32,
            "d_kv": 16,
            "d_ff": 64,
            "num_layers": 2,
            "num_decoder_layers": 2,
            "num_heads": 2,
            "dense_act_fn": "gelu",
            "feed_forward_proj": "gated-gelu",
            "is_gated_act": True,
            "tie_word_embeddings": False,
            "bos_token_id": 1,
            "decoder_start_token_id": 0,
            "pad_token_id": 0,
            "eos_token_id": 1,
        },
    )
    return Blip2ForConditionalGeneration


def hub_llava(folder: Path) -> type[PreTrainedModel]:
    """As llava-hf/llava-1.5-7b-hf: a sparse text_config, a picture's middle, 4
    patches.
    """
    words = llama_tokenizer(folder)
    write(
        folder,
        config={
            "architectures": ["LlavaForConditionalGeneration"],
            "ignore_index": -100,
            "image_token_index": words,
            "model_type": "llava",
            "pad_token_id": words + 1,
            "projector_hidden_act": "gelu",
            "torch_dtype": "float16",
            "vision_feature_layer": -2,
            "vision_feature_select_strategy": "default",
            "tie_word_embeddings": False,
            "transformers_version": "4.36.0.dev0",
            "text_config": {
                "_name_or_path": "lmsys/vicuna-7b-v1.5",
                "architectures": ["LlamaForCausalLM"],
                "max_position_embeddings": 128,
                "model_type": "llama",
                "rms_norm_eps": 1e-05,
                "torch_dtype": "float16",
                "vocab_size": words + 64,
                "hidden_size": 32,
                "intermediate_size": 64,
                "num_hidden_layers": 2,
                "num_attention_heads": 2,
            },
            "vision_config": {
                "hidden_size": 24,
                "image_size": 28,
                "intermediate_size": 48,
                "model_type": "clip_vision_model",
                "num_attention_heads": 2,
                "num_hidden_layers": 2,
                "patch_size": 14,
                "projection_dim": 24,
                "vocab_size": 100,
            },
        },
        preprocessor_config={
            "crop_size": {"height": 28, "width": 28},
            "do_center_crop": True,
            "do_convert_rgb": True,
            "do_normalize": True,
            "do_rescale": True,
            "do_resize": True,
            "image_mean": MEAN,
            "image_std": STD,
            "image_processor_type": "CLIPImageProcessor",
            "processor_class": "LlavaProcessor",
            "resample": 3,
            "rescale_factor": 0.00392156862745098,
            "size": {"shortest_edge": 28},
        },
        processor_config={
            "image_token": "<image>",
            "num_additional_image_tokens": 1,
            "patch_size": 14,
            "processor_class": "LlavaProcessor",
            "vision_feature_select_strategy": "default",
        },
    )
    return LlavaForConditionalGeneration


def hub_name(name: str) -> str:
    """A weight's name in llava-hf's files, which are older than today's modules."""
    if name.startswith("lm_head"):
        return f"language_model.{name}"
    name = name.removeprefix("model.")
    older = {
        "language_model.": "language_model.model.",
        "vision_tower.": "vision_tower.vision_model.",
    }
    part = name.partition(".")[0] + "."
    return (
        name.replace(part, older.get(part, part), 1)
        if "vision_model" not in name
        else name
    )


def weights(folder: Path, kind: type[PreTrainedModel]) -> PreTrainedModel:
    """Random weights, written under the hub's names, for BLIP-2 in two shards; the
    model that they are of.
    """
    config = AutoConfig.from_pretrained(folder)
    torch.manual_seed(0)
    model = kind(config).eval()
    for name, weight in model.named_parameters():
        if (
            weight.dim() > 1 and "language_model" not in name
        ) or name == "query_tokens":
            torch.nn.init.normal_(weight, std=0.5 if name == "query_tokens" else 0.2)
    rename: Callable[[str], str] = (
        hub_name if kind is LlavaForConditionalGeneration else str
    )
    state = {
        rename(name): weight.clone() for name, weight in model.state_dict().items()
    }
    if kind is LlavaForConditionalGeneration:
        save_file(state, folder / "model.safetensors", {"format": "pt"})
        return model
    names = sorted(state)
    shards = {
        "model-00001-of-00002.safetensors": names[::2],
        "model-00002-of-00002.safetensors": names[1::2],
    }
    for file, part in shards.items():
        save_file({name: state[name] for name in part}, folder / file, {"format": "pt"})
    index = {
        "metadata": {"total_size": sum(w.nbytes for w in state.values())},
        "weight_map": {name: file for file, part in shards.items() for name in part},
    }
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    return model


@dataclass
class Trained:
    """A hub folder, and what training an adapter on it gave."""

    base: Path
    kind: type[PreTrainedModel]
    source: PreTrainedModel
    before: list[str]
    adapted: Captioner
    adapter: Path
    after: list[str]
    history: pd.DataFrame


def train(
    root: Path, write_hub: Callable[[Path], type[PreTrainedModel]], pictures: list[str]
) -> Trained:
    base = root / "base"
    base.mkdir()
    kind = write_hub(base)
    source = weights(base, kind)
    captioner = captioners.load(base, device="cpu")
    before = captioners.generate(captioner, pictures, max_new_tokens=8)
    adapted, history = training.train(
        captioner, pictures, CAPTIONS, RECIPE, root / "run", (pictures, CAPTIONS)
    )
    text = model_card(
        str(base),
        RECIPE,
        history,
        {"split": "by article"},
        {"BLEU-4": 0.25},
    )
    save_adapter(adapted, root / "adapter", base, text)
    after = captioners.generate(adapted, pictures, max_new_tokens=8)
    return Trained(
        base, kind, source, before, adapted, root / "adapter", after, history
    )


@pytest.fixture(scope="module")
def hubs(
    pictures: list[str], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Trained]:
    """Each made once, when first asked for."""
    return functools.cache(
        lambda write_hub: train(tmp_path_factory.mktemp("hub"), write_hub, pictures)
    )


@pytest.fixture(
    params=[hub_blip2_opt, hub_blip2_t5, hub_llava],
    ids=["blip2-opt", "blip2-t5", "llava"],
)
def trained(request: pytest.FixtureRequest, hubs: Callable[..., Trained]) -> Trained:
    return hubs(request.param)


@pytest.fixture
def opt(hubs: Callable[..., Trained]) -> Trained:
    return hubs(hub_blip2_opt)


def test_hub_folder_is_loaded_whole(trained: Trained) -> None:
    captioner = captioners.load(trained.base, device="cpu")
    assert (
        type(captioner.model) is trained.kind and captioner.model.dtype == torch.float32
    )
    loaded = captioner.model.state_dict()
    for name, weight in trained.source.state_dict().items():
        torch.testing.assert_close(loaded[name], weight.float(), rtol=0, atol=0)


def test_captions_are_tokenised_as_the_hub_does(trained: Trained) -> None:
    tokenizer = captioners.load(trained.base, device="cpu").tokenizer
    file = Tokenizer.from_file(str(trained.base / "tokenizer.json"))
    assert captioners.tokens(tokenizer, CAPTIONS) == [
        file.encode(text, add_special_tokens=False).ids for text in CAPTIONS
    ]
    assert [
        tokenizer.decode(ids).strip() for ids in captioners.tokens(tokenizer, CAPTIONS)
    ] == CAPTIONS


def test_pictures_are_prepared_as_the_hub_does(
    trained: Trained, pictures: list[str]
) -> None:
    """28 x 28, bicubic, normalised by the hub's means; LLaVA cuts the middle out of the
    scaled picture.
    """
    image = Image.open(pictures[0])  # 40 x 60
    if trained.kind is LlavaForConditionalGeneration:
        image = image.resize((28, 42), Image.Resampling.BICUBIC).crop((0, 7, 28, 35))
    else:
        image = image.resize((28, 28), Image.Resampling.BICUBIC)
    wanted = (np.asarray(image) / 255 - MEAN) / STD
    pixels = captioners.load(trained.base, device="cpu").inputs(pictures[:1])[0].numpy()
    np.testing.assert_allclose(pixels, np.moveaxis(wanted, -1, 0), rtol=1e-4, atol=1e-5)


def test_an_adapter_changes_captions_and_can_be_switched_off(
    trained: Trained, pictures: list[str]
) -> None:
    assert trained.after != trained.before
    with trained.adapted.model.disable_adapter():
        assert (
            captioners.generate(trained.adapted, pictures, max_new_tokens=8)
            == trained.before
        )
    assert trained.history["validation"].notna().sum() == 1


def test_three_ways_back_to_the_same_captions(
    trained: Trained, pictures: list[str]
) -> None:
    by_name = captioners.load(trained.base, adapter=trained.adapter, device="cpu")
    alone = captioners.load(trained.adapter, device="cpu")
    plain = captioners.load(trained.base, device="cpu")
    plain.model = PeftModel.from_pretrained(
        trained.kind.from_pretrained(trained.base), trained.adapter
    ).eval()
    for captioner in (by_name, alone, plain):
        assert (
            captioners.generate(captioner, pictures, max_new_tokens=8) == trained.after
        )


def test_an_adapter_is_whole_and_names_no_disk(trained: Trained) -> None:
    assert {path.name for path in trained.adapter.iterdir()} == {
        "adapter_config.json",
        "adapter_model.safetensors",
        "README.md",
    }
    config = json.loads((trained.adapter / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "../base"
    for name in ("adapter_config.json", "README.md"):
        assert str(trained.base.parent) not in (trained.adapter / name).read_text()


def test_the_card_says_what_was_done(trained: Trained) -> None:
    text = (trained.adapter / "README.md").read_text()
    _, front, body = text.split("---\n", 2)
    front = yaml.safe_load(front)
    assert front["base_model"] == "../base" and front["library_name"] == "peft"
    last = trained.history.dropna(subset=["validation"]).iloc[-1]
    assert f"| 20 | {last['loss']:.4f} | {last['validation']:.4f} |" in body
    assert (
        "| BLEU-4 | 0.2500 |" in body
        and "| split | by article |" in body
        and "| lr | 0.0300 |" in body
    )
    assert " Wh (assumed: 10 W for one busy core)" in body


def test_moved_together_they_find_each_other(
    trained: Trained, pictures: list[str], tmp_path: Path
) -> None:
    for name in ("base", "adapter"):
        shutil.copytree(trained.base.parent / name, tmp_path / name)
    captioner = captioners.load(tmp_path / "adapter", device="cpu")
    assert captioners.generate(captioner, pictures, max_new_tokens=8) == trained.after


@pytest.mark.parametrize(
    "base",
    ["/data/hf-models/blip2-opt-2.7b", "../../gone", "", None, "..", "~/models/x"],
)
def test_a_dead_base_is_named_with_the_next_step(
    opt: Trained, pictures: list[str], tmp_path: Path, base: str | None
) -> None:
    """The published CDL-RecSys/blip2-opt-2.7b-hm names a folder of its authors'."""
    place = shutil.copytree(opt.adapter, tmp_path / "hm")
    config = json.loads((place / "adapter_config.json").read_text()) | {
        "base_model_name_or_path": base
    }
    (place / "adapter_config.json").write_text(json.dumps(config))
    with pytest.raises(
        ValueError, match=r"hm was trained on .* Name its base: load\(base, adapter="
    ) as refusal:
        captioners.load(place, device="cpu")
    assert repr(base or "") in str(refusal.value)
    named = captioners.load(opt.base, adapter=place, device="cpu")
    assert captioners.generate(named, pictures, max_new_tokens=8) == opt.after


def test_an_adapter_of_a_hub_model_names_the_hub(
    opt: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "peft.utils.save_and_load.check_file_exists_on_hf_hub", None
    )  # the network is not asked
    base = "Salesforce/blip2-opt-2.7b"
    save_adapter(opt.adapted, tmp_path / "hm", base, f"on {base}\n")
    assert (
        json.loads((tmp_path / "hm" / "adapter_config.json").read_text())[
            "base_model_name_or_path"
        ]
        == base
    )
    assert (tmp_path / "hm" / "README.md").read_text() == f"on {base}\n"
    assert base_of(tmp_path / "hm") == base


def test_pickled_weights_are_refused(opt: Trained, tmp_path: Path) -> None:
    place = shutil.copytree(opt.adapter, tmp_path / "pickled")
    (place / "adapter_model.safetensors").unlink()
    torch.save({}, place / "adapter_model.bin")
    with pytest.raises(OSError, match="adapter_model.safetensors"):
        captioners.load(opt.base, adapter=place, device="cpu")


def test_an_adapter_of_another_model_is_refused(opt: Trained, tmp_path: Path) -> None:
    """Peft warns and gives an adapter that does nothing."""
    from safetensors.torch import load_file

    place = shutil.copytree(opt.adapter, tmp_path / "older")
    weights = load_file(place / "adapter_model.safetensors")
    save_file(
        {
            name.replace("language_model", "text_model"): weight
            for name, weight in weights.items()
        },
        place / "adapter_model.safetensors",
    )
    with pytest.raises(
        ValueError, match="older lacks 24 of .*language_model.*another base"
    ):
        captioners.load(opt.base, adapter=place, device="cpu")


def test_a_second_adapter_is_refused(opt: Trained) -> None:
    with pytest.raises(ValueError, match="has an adapter already; load its base alone"):
        training.adapt(captioners.load(opt.adapter, device="cpu"), Lora())


def test_the_hub_gets_a_private_repository(
    opt: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    class Hub:
        def create_repo(self, name: str, **how: object) -> None:
            calls.append(("create", name, how))

        def upload_folder(self, **how: object) -> None:
            there = sorted(
                path.name for path in Path(str(how["folder_path"])).iterdir()
            )
            calls.append(("upload", how["repo_id"], there))

    monkeypatch.setattr("huggingface_hub.HfApi", Hub)
    save_adapter(opt.adapted, tmp_path / "a", opt.base, "card")
    assert not calls
    save_adapter(
        opt.adapted, tmp_path / "b", opt.base, "card", push_to_hub="me/fashion"
    )
    assert calls == [
        ("create", "me/fashion", {"private": True, "exist_ok": True}),
        (
            "upload",
            "me/fashion",
            ["README.md", "adapter_config.json", "adapter_model.safetensors"],
        ),
    ]


def test_a_line_feed_in_a_caption_does_not_end_it(
    opt: Trained, pictures: list[str]
) -> None:
    """For BLIP-2 OPT the line feed is EOS."""
    captioner = captioners.load(opt.base, device="cpu")
    labels = captioner.batch(pictures[:1], ["a red\ndress\n"])["labels"][0]
    assert (labels == captioner.eos).sum() == 1 and labels[-1] == captioner.eos


def test_it_stops_at_the_line_feed(opt: Trained, pictures: list[str]) -> None:
    from transformers import LogitsProcessor

    captioner = captioners.load(opt.base, device="cpu")
    ids = [
        *captioners.tokens(captioner.tokenizer, ["a red dress"])[0],
        captioner.eos,
        *range(20, 40),
    ]

    class Dictated(LogitsProcessor):
        def __call__(
            self, input_ids: torch.Tensor, scores: torch.Tensor
        ) -> torch.Tensor:
            wanted = torch.full_like(scores, -torch.inf)
            wanted[:, ids[input_ids.shape[1] - len(captioner.start)]] = 0
            return wanted

    assert captioners.generate(
        captioner, pictures[:1], logits_processor=[Dictated()]
    ) == ["a red dress"]


@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize("architecture", [BLIP2, LLAVA, GRID_LLAVA])
def test_a_llava_on_pictures_computes_its_layers_again(
    tmp_path: Path, device: str, architecture: Architecture
) -> None:
    """On a processor too: the 7B's layers of two pictures would take 17 GiB."""
    base = SimpleNamespace(dtype=torch.float32, device=torch.device(device))
    captioner = SimpleNamespace(base=base, architecture=architecture)
    given = fine_tuning._arguments(RECIPE, tmp_path, captioner, 1, False)
    assert given.activation_checkpointing == (architecture is LLAVA)


def test_layers_that_are_computed_again_give_the_same_losses(
    hubs: Callable[..., Trained],
    pictures: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    base, losses, passes = hubs(hub_llava).base, [], []
    changed = {"activation_checkpointing": False}
    for run in ("again", "once"):
        captioner, seen = captioners.load(base, device="cpu"), []
        layer = captioner.base.model.language_model.layers[0].mlp
        layer.register_forward_pre_hook(lambda *_, seen=seen: seen.append(True))
        _, curve = training.train(captioner, pictures, CAPTIONS, RECIPE, tmp_path / run)
        losses.append(curve.loss)
        passes.append(len(seen))
        monkeypatch.setattr(
            fine_tuning,
            "TrainingArguments",
            lambda **given: TrainingArguments(**given | changed),
        )
    assert passes == [2 * RECIPE.steps, RECIPE.steps]
    pd.testing.assert_series_equal(*losses)


@pytest.mark.parametrize("bits", [8, 4])
def test_packed_weights_caption_and_learn(
    pictures: list[str], tmp_path: Path, bits: int
) -> None:
    """bitsandbytes on the CPU: slow, but the same calls as on a GPU."""
    pytest.importorskip("bitsandbytes")
    size = captioners.Size(
        queries=4, qformer=64, decoder=64, decoder_layers=1, qformer_layers=1
    )
    captioners.save(
        captioners.mini(CAPTIONS * 4, captioners.Vit(32, 16, 64, 1), size=size),
        tmp_path / "base",
    )
    captioner = captioners.load(tmp_path / "base", device="cpu", bits=bits)
    packed = {
        type(module).__name__ for module in captioner.base.language_model.modules()
    }
    assert f"Linear{bits}bit" + "Lt" * (bits == 8) in packed
    assert captioner.base.language_model.lm_head.weight.dtype.is_floating_point
    before = captioners.generate(captioner, pictures, max_new_tokens=4)
    assert len(before) == len(pictures)
    if bits == 4:
        # on a CPU bitsandbytes repacks 4-bit weights for the first caption and can't
        # learn from then on
        return
    tuned, curve = training.train(
        captioner, pictures, CAPTIONS, RECIPE, tmp_path / "run"
    )
    assert curve.loss.iloc[-1] < curve.loss.iloc[0]
    with tuned.model.disable_adapter():
        assert captioners.generate(tuned, pictures, max_new_tokens=4) == before

"""The published models' shapes, on torch's meta device: weights, LoRA's layers, tokens.

`benchmarks/rehearsal.py` runs them at this size, with random weights.
"""

import json
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch import nn
from transformers import AutoTokenizer

from benchmarks import published, rehearsal
from fashionlib.captioning import captioners, training
from fashionlib.captioning.captioners import Captioner, memory
from fashionlib.captioning.captioners.architectures import ARCHITECTURES

BLIP2, _, LLAVA, _ = published.CAPTIONERS
ITM = next(iter(published.RETRIEVAL))
CAPTIONS = ["a red dress with a collar", "blue jeans, slim"]

# as the hub's pages say: 3.74 B, 7.75 B, 7.06 B, 13.4 B, 1.17 B, 23.5 M (without the
# head), 150 M, 151 M, 109 M, 109 M
WEIGHTS = {
    "Salesforce/blip2-opt-2.7b": 3_744_761_856,
    "Salesforce/blip2-opt-6.7b": 7_752_869_376,
    "llava-hf/llava-1.5-7b-hf": 7_063_427_072,
    "llava-hf/llava-1.5-13b-hf": 13_351_494_656,
    "Salesforce/blip2-itm-vit-g": 1_172_032_258,
    "microsoft/resnet-50": 23_508_032,
    "openai/clip-vit-base-patch16": 149_620_737,
    "patrickjohncyh/fashion-clip": 151_277_313,
    "sentence-transformers/all-mpnet-base-v2": 109_484_928,
    "google-bert/bert-base-uncased": 109_482_240,
}


def test_every_published_model_has_its_weights() -> None:
    found = {
        name: sum(weight.numel() for weight in about.model().parameters())
        for name, about in published.MODELS.items()
    }
    assert found == WEIGHTS


@pytest.mark.parametrize("name", published.CAPTIONERS)
def test_linear_and_vision_are_all_linear_layers_less_the_head(name: str) -> None:
    """As the authors' adapter, and as peft's "all-linear"."""
    model = published.MODELS[name].model()
    linear = {
        path for path, layer in model.named_modules() if isinstance(layer, nn.Linear)
    }
    counts = rehearsal.layers(model, "linear and vision")
    assert counts.total() == len(linear) - 1 and min(counts.values()) > 0
    assert sum("lm_head" in path for path in linear) == 1
    behind = rehearsal.layers(model, "linear")
    assert {part.split()[0] for part in counts - behind} == {
        "vision_tower" if "llava" in name else "vision_model"
    }


@pytest.mark.parametrize(
    ("name", "targets", "layers"),
    [
        ("blip2-opt-2.7b", "language q v", {"language_model": {"q_proj", "v_proj"}}),
        ("llava-1.5-7b-hf", "language q v", {"language_model": {"q_proj", "v_proj"}}),
        (
            "blip2-opt-6.7b",
            "attention q k",
            {"qformer": {"query", "key"}, "language_model": {"q_proj", "k_proj"}},
        ),
        ("llava-1.5-13b-hf", "attention q k", {"language_model": {"q_proj", "k_proj"}}),
        ("blip2-itm-vit-g", "attention q k", {"qformer": {"query", "key"}}),
    ],
)
def test_a_recipe_adapts_the_layers_that_its_paper_names(
    name: str, targets: str, layers: dict[str, set[str]]
) -> None:
    """One of each in every block; the Q-Former's six cross-attentions have them too."""
    whole = next(each for each in published.MODELS if each.endswith(name))
    blocks = {"qformer": 18, "language_model": 40 if "13b" in name else 32}
    assert rehearsal.layers(published.MODELS[whole].model(), targets) == {
        f"{part} {layer}": blocks[part]
        for part, names in layers.items()
        for layer in names
    }


def test_the_authors_adapter_fits_and_names_no_layer_in_vain(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """peft puts it on the layers that `paper_a` adapts."""
    monkeypatch.setattr(rehearsal, "save_file", lambda weights, file: None)
    with torch.device("meta"):
        rehearsal.authors_adapter(BLIP2, tmp_path)
        settings = json.loads((tmp_path / "adapter_config.json").read_text())
        config = LoraConfig(target_modules=settings["target_modules"], r=1)
        adapted = get_peft_model(published.MODELS[BLIP2].model(), config)
    pattern = training.recipe("paper_a", 1).lora.targets
    wanted = rehearsal.layers(published.MODELS[BLIP2].model(), pattern).total()
    assert len(adapted.targeted_module_names) == wanted


@pytest.mark.parametrize(("name", "images"), [(BLIP2, 32), (LLAVA, 576)])
def test_the_stand_in_tokenizers_have_the_published_ids(
    name: str, images: int, tmp_path: Path
) -> None:
    about, model = published.MODELS[name], published.MODELS[name].model()
    published.tokenizer(CAPTIONS, about).save_pretrained(tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    assert len(tokenizer) == about.words
    for token, at in about.special.values():
        assert tokenizer.convert_tokens_to_ids(token) == at
    prompt = ARCHITECTURES[about.kind].prompt
    captioner = Captioner(model, tokenizer, about.pixels, prompt)
    assert captioner.start.count(model.config.image_token_index) == images
    assert [
        tokenizer.decode(ids) for ids in captioners.tokens(tokenizer, CAPTIONS)
    ] == CAPTIONS


@pytest.mark.parametrize("name", published.CAPTIONERS)
def test_what_a_published_captioner_needs(name: str) -> None:
    """A fifth more than its weights; 8 bits take half of it, 4 over a quarter."""
    model = published.MODELS[name].model()
    whole, eight, four = (
        memory.need(type(model), model.config, torch.float16, bits)
        for bits in (None, 8, 4)
    )
    assert whole == pytest.approx(2 * WEIGHTS[name] * 1.2, rel=0.01)
    assert 0.5 < eight / whole < 0.55 and 0.25 < four / whole < 0.33

"""Encoders by name: what they give is what their models give, and an index is asked by
its own.
"""

import copy
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from fashionlib.captioning import captioners
from fashionlib.captioning.captioners import Size, Vit
from fashionlib.features import encoders, unit
from fashionlib.retrieval import search
from fashionlib.retrieval.search import plain

pytest.importorskip("lancedb")
pytestmark = pytest.mark.usefixtures("one_thread")
CAPTIONS = [
    "a red dress with a collar",
    "blue jeans",
    "a large hat",
    "green socks, ribbed",
] * 3


@pytest.fixture(scope="module")
def items(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    place = tmp_path_factory.mktemp("shop")
    for colour in ("red", "blue", "green"):
        Image.new("RGB", (40, 40), colour).save(place / f"{colour}.png")
    return pd.DataFrame(
        {
            "item_id": ["r", "b", "g"],
            "image": [f"{place}/{c}.png" for c in ("red", "blue", "green")],
        }
    )


def blip2(folder: Path, seed: int = 0, text: bool = True) -> str:
    size = Size(queries=4, qformer=32, decoder=32, decoder_layers=1, qformer_layers=1)
    made = captioners.mini(
        CAPTIONS, Vit(image_size=32, width=16, layers=1), size=size, seed=seed
    )
    captioners.save(
        captioners.with_text(made, dim=8, seed=seed) if text else made, folder
    )
    return str(folder)


def clip(folder: Path) -> str:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import (
        CLIPConfig,
        CLIPImageProcessorPil,
        CLIPModel,
        PreTrainedTokenizerFast,
    )

    words = ["<pad>", "</s>", "a", "red", "dress"]
    tokenizer = Tokenizer(
        models.WordLevel({word: n for n, word in enumerate(words)}, unk_token="a")
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
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
                "vocab_size": 5,
                "max_position_embeddings": 6,
                "eos_token_id": 1,
            },
            vision_config=tower | {"image_size": 32, "patch_size": 16},
            projection_dim=10,
        )
    ).save_pretrained(folder)
    CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size=32).save_pretrained(
        folder
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>"
    ).save_pretrained(folder)
    return str(folder)


def test_a_joint_captioner_is_found_by_its_folder_and_followed_when_moved(
    items: pd.DataFrame, tmp_path: Path
) -> None:
    folder = blip2(tmp_path / "run" / "joint")
    search.build(items, search.load_encoder(folder), tmp_path / "run" / "index")
    (tmp_path / "run").rename(tmp_path / "moved")
    index = search.Index.open(
        tmp_path / "moved" / "index", root=Path(items["image"][0]).parent
    )
    captioner = captioners.load(tmp_path / "moved" / "joint")
    seen = captioners.embed_images(captioner, list(items["image"]))
    read = captioners.embed_texts(captioner, ["a red hat"])
    np.testing.assert_allclose(
        index.features().rows(["r", "b", "g"]), seen, rtol=1e-5, atol=1e-6
    )
    found = index.search(words="a red hat").set_index("item_id")["score"]
    np.testing.assert_allclose(
        found[["r", "b", "g"]], seen @ read[0], rtol=1e-5, atol=1e-6
    )
    assert found.is_monotonic_decreasing
    both = index.vector(items["image"][1], "a red hat", 0.25)
    np.testing.assert_allclose(
        both, unit(0.75 * seen[1] + 0.25 * read[0]), rtol=1e-5, atol=1e-6
    )
    blip2(tmp_path / "moved" / "joint", seed=1)  # trained on, say
    with pytest.raises(ValueError, match="is asked by .*joint.*index again"):
        search.Index.open(tmp_path / "moved" / "index", root=index.root).search(
            words="hat"
        )
    (tmp_path / "moved" / "joint").rename(tmp_path / "away")
    with pytest.raises(FileNotFoundError, match="encoder .*joint.* is not at .*moved"):
        search.Index.open(tmp_path / "moved" / "index", root=index.root).search(
            words="hat"
        )


def test_words_are_read_without_torch_as_the_captioner_reads_them(
    tmp_path: Path,
) -> None:
    folder = Path(blip2(tmp_path / "joint"))
    texts = ["a red dress with a collar", "", "blue " * 100, "a <s> hat <image> É"]
    captioner = captioners.load(folder)
    expected = captioners.embed_texts(captioner, texts)
    np.testing.assert_allclose(
        plain.text_encoder(plain.Layers(folder))(texts), expected, atol=1e-6
    )
    for kind in (torch.float16, torch.bfloat16):
        base = copy.deepcopy(captioner.base).to(kind)
        base.get_submodule("retrieval").float()
        captioners.save(replace(captioner, model=base), tmp_path / "half")
        rounded = captioners.embed_texts(captioners.load(tmp_path / "half"), texts)
        found = plain.text_encoder(plain.Layers(tmp_path / "half"))(texts)
        np.testing.assert_allclose(found, rounded, atol=1e-6)
        assert np.abs(found - expected).max() > 1e-6


def test_a_picture_is_read_without_torch_as_the_captioner_reads_it(
    items: pd.DataFrame, tmp_path: Path
) -> None:
    folder = Path(blip2(tmp_path / "joint"))
    expected = captioners.embed_images(captioners.load(folder), list(items["image"]))
    found = plain.image_encoder(plain.Layers(folder))(list(items["image"]))
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert np.abs(found[0] - found[1]).max() > 1e-4
    config = json.loads((folder / "config.json").read_text())
    config["vision_config"]["hidden_act"] = "quick_gelu"
    (folder / "config.json").write_text(json.dumps(config))
    assert plain.image_encoder(plain.Layers(folder)) is None


def test_a_question_imports_neither_torch_nor_a_rest_client(
    items: pd.DataFrame, tmp_path: Path
) -> None:
    folder = blip2(tmp_path / "joint")
    search.build(items, search.load_encoder(folder), tmp_path / "index")
    code = (
        "import sys\n"
        "from fashionlib.commands import main\n"
        f"words = ['search', 'a red hat', '--index', {str(tmp_path / 'index')!r}]\n"
        "assert main(words) == 0\n"
        "client = 'lance_namespace_urllib3_client'\n"
        f"assert main(['search', {items['image'][0]!r}, *words[2:]]) == 0\n"
        "assert not {'torch', 'scipy', f'{client}.api'} & sys.modules.keys()\n"
        "assert sys.modules[client].BranchApi\n"
        "assert f'{client}.api' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_clip_agrees_with_the_feature_spaces(
    items: pd.DataFrame, tmp_path: Path
) -> None:
    folder = clip(tmp_path / "clip")
    search.build(items, search.load_encoder(folder), tmp_path / "index")
    dual, index = encoders.dual(folder), search.Index.open(tmp_path / "index")
    seen = unit(dual.encode_images(list(items["image"]), list("rbg")).matrix)
    read = unit(dual.encode_texts(["a red dress"], ["q"]).matrix)
    found = index.search(words="a red dress").set_index("item_id")["score"]
    np.testing.assert_allclose(found[list("rbg")], seen @ read[0], rtol=1e-5, atol=1e-6)


def test_models_without_a_shared_space_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no retrieval part"):
        search.load_encoder(blip2(tmp_path / "plain", text=False))
    (tmp_path / "bert").mkdir()
    (tmp_path / "bert" / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(ValueError, match="bert"):
        search.load_encoder(tmp_path / "bert")

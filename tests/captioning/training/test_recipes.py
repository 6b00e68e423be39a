"""Recipes as data, what each LoRA pattern touches, towers taken out, and two processes
that stay alike.
"""

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from fashionlib.captioning import captioners, training
from fashionlib.captioning.captioners import Captioner, Size, Vit
from fashionlib.captioning.training import TARGETS, Lora, Recipe

CAPTIONS = [
    "a red dress with a collar",
    "blue jeans, slim",
    "a large hat",
    "green socks",
]
SIZE = Size(
    queries=4, qformer=32, qformer_layers=2, decoder=32, decoder_layers=2, dropout=0.0
)


pytestmark = pytest.mark.usefixtures("one_thread")


def make(kind: str = "blip2") -> Captioner:
    return captioners.mini(
        CAPTIONS * 3, Vit(32, 16, 16, layers=2), f"{kind}-small", size=SIZE
    )


@pytest.mark.parametrize("name", training.sources())
def test_every_recipe_is_whole_and_says_where_it_stands(name: str) -> None:
    made = training.recipe(name, steps=7)
    assert made.steps == 7 and len(training.sources()[name]) > 20
    assert isinstance(made.betas, tuple) and 0 < made.lr < 0.1
    if made.lora is not None:
        assert re.compile(made.lora.pattern) and made.lora.r > 0


def test_recipes_say_what_the_papers_print() -> None:
    paper, thesis = training.recipe("paper_a", 1), training.recipe("thesis_b", 1)
    assert paper.lora == Lora(
        r=32, alpha=64, dropout=0.05, rslora=True, targets="linear and vision"
    )
    assert (paper.lr, paper.batch_size, paper.patience > 0) == (1e-4, 16, True)
    assert (paper.weight_decay, paper.floor * paper.lr) == (1e-6, pytest.approx(1e-6))
    # none of it is in the paper's text
    assert "repository, not its text" in training.sources()["paper_a"]
    assert (thesis.lora.r, thesis.lora.targets, thesis.betas, thesis.weight_decay) == (
        8,
        "attention q k",
        (0.9, 0.98),
        0.01,
    )
    assert training.recipe("full", 1).lora is None


def test_single_fields_can_be_changed() -> None:
    changed = training.recipe("paper_a", 9, lora={"targets": "linear"}, lr=5e-4, seed=3)
    plain = training.recipe("paper_a", 9)
    assert (changed.lr, changed.seed, changed.lora.targets) == (5e-4, 3, "linear")
    assert (changed.lora.r, changed.batch_size) == (plain.lora.r, plain.batch_size)


@pytest.mark.parametrize(
    ("name", "how", "error", "words"),
    [
        ("paper_b", {}, ValueError, "unknown recipe 'paper_b'; known: paper_a, "),
        (
            "full",
            {"lora": {"r": 4}},
            ValueError,
            "'full' trains all weights; it has no adapter to change",
        ),
        ("paper_a", {"learning_rate": 1.0}, TypeError, "learning_rate"),
        ("paper_a", {"lora": {"rank": 4}}, TypeError, "rank"),
        ("paper_a", {"batch_size": 0}, ValueError, "5 steps of 0 captions"),
        ("paper_a", {"lr": -1.0}, ValueError, "learning rate -1.0"),
    ],
)
def test_unknown_recipes_and_fields_are_refused(
    name: str, how: dict[str, object], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        training.recipe(name, 5, **how)


def test_unknown_targets_are_refused() -> None:
    with pytest.raises(
        ValueError,
        match="unknown LoRA targets 'everything'; known: linear, linear and vision, ",
    ):
        training.adapt(make(), Lora(targets="everything"))


# Per layer. Q-Former: self-attention and cross-attention have query, key, value and an
# output dense; after them
# intermediate_query.dense and output_query.dense. Both minis' Q-Formers have
# cross-attention in every layer.
QFORMER = 2 * Counter(query=1, key=1, value=1, dense=1).total() + 2
BRIDGES = {
    "blip2": 2 * QFORMER + 1,
    "blip2-t5": 2 * QFORMER + 1,
    "llava": 2,
}  # and a projection; LLaVA: two layers
LANGUAGES = {
    "blip2": 2 * 6,  # q, k, v, out, fc1, fc2
    "blip2-t5": (
        2 * (4 + 3) + 2 * (8 + 3)
    ),  # encoder q, k, v, o, wi_0, wi_1, wo; decoder has cross-attention
    "llava": 2 * 7,
}  # q, k, v, o, gate, up, down
VISIONS = {
    "blip2": 2 * 4,
    "blip2-t5": 2 * 4,
    "llava": 2 * 6,
}  # qkv, projection, fc1, fc2; q, k, v, out, fc1, fc2
ATTENTIONS = {
    "blip2": 2,
    "blip2-t5": 2 + 2 * 2,
    "llava": 2,
}  # attention blocks in the language model
HITS = {
    "linear": {kind: BRIDGES[kind] + LANGUAGES[kind] for kind in BRIDGES},
    "linear and vision": {
        kind: BRIDGES[kind] + LANGUAGES[kind] + VISIONS[kind] for kind in BRIDGES
    },
    "language q v": {kind: 2 * ATTENTIONS[kind] for kind in BRIDGES},
    "attention q k": {
        kind: 2 * ATTENTIONS[kind] + (0 if kind == "llava" else 2 * 4)
        for kind in BRIDGES
    },
}
ENDS = {
    "language q v": {"q_proj", "v_proj", "q", "v"},
    "attention q k": {"query", "key", "q_proj", "k_proj", "q", "k"},
}


@pytest.fixture(scope="module", params=["blip2", "blip2-t5", "llava"])
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.mark.parametrize("targets", TARGETS)
def test_what_a_pattern_touches_by_hand(kind: str, targets: str) -> None:
    modules = dict(make(kind).model.named_modules())
    hit = [
        name for name in modules if re.fullmatch(Lora(targets=targets).pattern, name)
    ]
    assert len(hit) == HITS[targets][kind], hit
    assert all(isinstance(modules[name], nn.Linear) for name in hit)
    assert not any("lm_head" in name or "embed" in name for name in hit)
    vision = [name for name in hit if "vision" in name]
    assert len(vision) == (VISIONS[kind] if targets == "linear and vision" else 0)
    if targets in ENDS:
        assert {name.rpartition(".")[2] for name in hit} <= ENDS[targets]
    if targets == "language q v":
        assert all("language_model" in name for name in hit)


@pytest.mark.parametrize("targets", TARGETS)
def test_the_adapter_lies_exactly_there(kind: str, targets: str) -> None:
    captioner = training.adapt(make(kind), Lora(r=2, targets=targets))
    trained = {
        name.partition(".lora_")[0]
        for name, w in captioner.model.named_parameters()
        if w.requires_grad
    }
    assert len(trained) == HITS[targets][kind]


def test_all_linear_layers_but_the_head_are_adapted(kind: str) -> None:
    """ "linear and vision" leaves out the head and nothing else."""
    modules = make(kind).model.named_modules()
    pattern = Lora(targets="linear and vision").pattern
    left = {
        name.rpartition(".")[2]
        for name, module in modules
        if isinstance(module, nn.Linear) and not re.fullmatch(pattern, name)
    }
    assert left == {"lm_head"}


@pytest.mark.parametrize("kind", ["blip2", "llava"])
def test_lora_beside_a_cached_tower(
    kind: str, pictures: list[str], tmp_path: Path
) -> None:
    """Behind the tower it trains as with pictures; in the tower it is refused before
    anything is trained.
    """
    recipe = Recipe(
        steps=4, batch_size=4, lr=1e-2, warmup=1, evaluations=1, lora=Lora(r=4)
    )
    whole, by_pictures = training.train(
        make(kind), pictures, CAPTIONS, recipe, tmp_path / "pictures"
    )
    captioner = make(kind)
    rows = captioners.cache_vision(captioner, pictures, tmp_path)
    bare = captioners.without_tower(captioner, rows)
    with pytest.raises(
        ValueError,
        match=r"'linear and vision' touch \d+ layers of the vision tower .* is cached",
    ):
        training.train(
            bare,
            pictures,
            CAPTIONS,
            Recipe(steps=1, lora=Lora(targets="linear and vision")),
            tmp_path,
        )
    read, by_features = training.train(
        bare, pictures, CAPTIONS, recipe, tmp_path / "features"
    )
    np.testing.assert_allclose(by_features["loss"], by_pictures["loss"], rtol=1e-4)
    assert captioners.generate(read, pictures, max_new_tokens=6) == captioners.generate(
        whole, pictures, max_new_tokens=6
    )


def test_full_fine_tuning_beside_a_cached_tower_leaves_the_tower_as_it_was(
    pictures: list[str], tmp_path: Path
) -> None:
    """Every weight behind the tower is trained; the result has none: it captions
    features and can't be saved.
    """
    captioner = make()
    rows = captioners.cache_vision(captioner, pictures, tmp_path)
    bare = captioners.without_tower(captioner, rows)
    recipe = Recipe(steps=2, batch_size=4, lr=1e-2, warmup=0, evaluations=1)
    before = {
        name: weight.detach().clone() for name, weight in bare.model.named_parameters()
    }
    assert before and not any("vision_model" in name for name in before)
    trained, _ = training.train(
        bare, pictures, CAPTIONS, recipe, tmp_path / "run", (pictures, CAPTIONS)
    )
    moved = {
        name
        for name, weight in trained.model.named_parameters()
        if not torch.equal(weight, before[name])
    }
    assert any("qformer" in name for name in moved) and any(
        "language_model" in name for name in moved
    )
    assert len(captioners.generate(trained, pictures, max_new_tokens=3)) == 4
    with pytest.raises(ValueError, match="save the one it was made from"):
        captioners.save(trained, tmp_path / "whole")


def test_an_adapter_trained_beside_a_cached_tower_fits_the_whole_model(
    pictures: list[str], tmp_path: Path
) -> None:
    whole = make()
    captioners.save(whole, tmp_path / "base")
    rows = captioners.cache_vision(whole, pictures, tmp_path)
    recipe = Recipe(
        steps=4, batch_size=4, lr=1e-2, warmup=1, evaluations=1, lora=Lora(r=4)
    )
    trained, _ = training.train(
        captioners.without_tower(whole, rows),
        pictures,
        CAPTIONS,
        recipe,
        tmp_path / "run",
    )
    captioners.save(trained, tmp_path / "adapter")
    again = captioners.load(
        tmp_path / "base", adapter=tmp_path / "adapter", device="cpu"
    )
    assert captioners.generate(
        again, pictures, max_new_tokens=6
    ) == captioners.generate(trained, pictures, max_new_tokens=6)


TWO = """
import sys
from pathlib import Path
import numpy as np
import torch
from accelerate import PartialState
from fashionlib.captioning import captioners, training
from fashionlib.captioning.captioners import Rows, Size

torch.set_num_threads(1)
captions = ["a red dress", "blue jeans", "a large hat", "green socks"]
captions += ["a coat", "two belts", "a scarf", "shoes"]
grids = np.random.default_rng(0).normal(size=(8, 4, 12)).astype(np.float16)
size = Size(4, 32, 1, 32, 1, dropout=0.0)
images = list("abcdefgh")
captioner = captioners.mini(captions, Rows(images, grids), size=size)
recipe = training.Recipe(4, batch_size=2, lr=1e-2, warmup=1, evaluations=2, flip=False)
pairs, place = (images, captions), Path(sys.argv[1])
captioner, _ = training.train(captioner, *pairs, recipe, place / "run", pairs)
weights = torch.cat([w.detach().flatten() for w in captioner.base.parameters()])
np.save(place / f"{PartialState().process_index}.npy", weights.numpy())
"""


def test_two_processes_end_with_the_same_weights(tmp_path: Path) -> None:
    """As `accelerate launch` starts them for two GPUs, here on the CPU, where it leaves
    that to torchrun.
    """
    (tmp_path / "two.py").write_text(TWO)
    launch = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc_per_node",
        "2",
    ]
    done = subprocess.run(
        [*launch, str(tmp_path / "two.py"), str(tmp_path)],
        capture_output=True,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    first, second = (np.load(tmp_path / f"{rank}.npy") for rank in (0, 1))
    assert np.array_equal(first, second) and np.isfinite(first).all()
    fresh = captioners.mini(
        [
            "a red dress",
            "blue jeans",
            "a large hat",
            "green socks",
            "a coat",
            "two belts",
            "a scarf",
            "shoes",
        ],
        captioners.Rows([], np.empty((0, 4, 12))),
        size=Size(4, 32, 1, 32, 1, dropout=0.0),
    ).base.parameters()
    assert (
        np.abs(first - torch.cat([w.detach().flatten() for w in fresh]).numpy()).max()
        > 1e-3
    )
    assert len(list((tmp_path / "run").glob("*/checkpoint-*"))) == 1

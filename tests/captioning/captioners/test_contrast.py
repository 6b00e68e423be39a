"""The retrieval part of a BLIP-2: agreement with transformers, losses by hand, files,
and joint training.
"""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import Blip2ForImageTextRetrieval, Trainer

from fashionlib.captioning import captioners, training
from fashionlib.captioning.captioners import Captioner, Rows, Size, Vit, contrast
from fashionlib.captioning.training import Lora, Recipe, fine_tuning
from fashionlib.captioning.training.batches import Batches
from fashionlib.commands.jobs import finetune
from fashionlib.features import efficientnet
from fashionlib.retrieval import search

CAPTIONS = [
    "a red dress with a collar",
    "blue jeans, slim",
    "a large hat",
    "a green hat",
    "socks",
    "shiny black shoes",
    "a coat",
    "two belts",
]
SMALL = Size(queries=4, qformer=48, decoder=48, decoder_layers=1, dropout=0.0)

pytestmark = pytest.mark.usefixtures("one_thread")


GRIDS = np.random.default_rng(0).normal(size=(8, 4, 32)).astype(np.float16)
IMAGES = list("abcdefgh")  # read from their rows
ROWS = Rows(IMAGES, GRIDS)


def make(
    kind: str = "blip2-small", tower: Rows | Vit = ROWS, seed: int = 0
) -> Captioner:
    return captioners.mini(CAPTIONS * 2, tower, kind, size=SMALL, seed=seed)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder, rng = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)
    paths = [str(folder / f"{i}.png") for i in range(3)]
    for path in paths:
        Image.fromarray(rng.integers(0, 255, (70, 50, 3), dtype=np.uint8)).save(path)
    return paths


def published(
    captioner: Captioner, dim: int = 16, seed: int = 5
) -> Blip2ForImageTextRetrieval:
    """transformers' own retrieval model of the captioner's sizes, with other random
    weights.
    """
    config = captioner.base.config.__class__(**captioner.base.config.to_dict())
    config.qformer_config.use_qformer_text_input, config.image_text_hidden_size = (
        True,
        dim,
    )
    config.image_token_index = None  # else the model cuts the first texts' tokens off
    torch.manual_seed(seed)
    model = Blip2ForImageTextRetrieval(config).eval()
    torch.nn.init.normal_(model.query_tokens, std=0.5)
    return model


def test_agrees_with_transformers_on_the_same_weights(pictures: list[str]) -> None:
    """Similarity and matching logits of Blip2ForImageTextRetrieval, texts of unequal
    length in one batch.
    """
    captioner = make(tower=Vit(48, 16, 16, 1))
    theirs = published(captioner)
    captioner = captioners.with_text(captioner, dim=16)
    own, part = captioner.base, contrast.part_of(captioner)
    weights = theirs.state_dict()
    shared = {name: weights[name] for name in weights if name in own.state_dict()}
    own.load_state_dict(shared, strict=False)
    weights = {
        name.replace("qformer.encoder.layer", "feed_forwards"): tensor
        for name, tensor in weights.items()
    }
    weights["logit_scale"] = part.logit_scale.data  # theirs has no temperature
    part.load_state_dict({name: weights[name] for name in part.state_dict()})
    texts = contrast.text_batch(captioner, CAPTIONS[:3])
    assert texts["text_mask"].sum(1).unique().numel() > 1
    words = captioners.tokens(captioner.tokenizer, CAPTIONS[:3])
    assert texts["text_ids"][0].tolist() == [1, *words[0], 2]
    given = {
        "pixel_values": captioner.inputs(pictures),
        "input_ids": texts["text_ids"],
        "attention_mask": texts["text_mask"],
    }
    images = captioners.embed_images(captioner, pictures, pooling=None)
    cosines = contrast.similarity(
        torch.from_numpy(images),
        torch.from_numpy(captioners.embed_texts(captioner, CAPTIONS[:3])),
    )
    with torch.inference_mode():
        expected = theirs(**given).logits_per_image
        matched = theirs(**given, use_image_text_matching_head=True).logits_per_image
        vision = own.vision_model(given["pixel_values"]).last_hidden_state
        queries = own.query_tokens.expand(3, -1, -1)
        states = part.read(
            own.qformer, texts["text_ids"], texts["text_mask"], queries, vision
        )[:, :4]
    torch.testing.assert_close(cosines, expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(
        part.itm_head(states).mean(1), matched, rtol=1e-4, atol=1e-5
    )


def test_contrastive_loss_by_hand() -> None:
    logits = torch.tensor([[2.0, 0.0], [1.0, 0.0]])
    e = np.exp
    images = [
        np.log(1 + e(-2)),
        np.log(1 + e(1)),
    ]  # of image 0 its text leads by 2; of image 1 its text trails by 1
    texts = [
        np.log(1 + e(-1)),
        np.log(2),
    ]  # of text 0 its image leads by 1; of text 1 both are even
    assert contrast.contrastive(logits, torch.eye(2).bool()).item() == pytest.approx(
        (np.mean(images) + np.mean(texts)) / 2, rel=1e-6
    )


def test_equal_captions_are_nobodys_negatives() -> None:
    """Two equal texts, two images: the loss of a perfect model is that of not telling
    them apart, log 2.
    """
    same = torch.ones(2, 2).bool()
    assert contrast.contrastive(torch.zeros(2, 2), same).item() == pytest.approx(
        np.log(2)
    )
    apart = torch.tensor([[9.0, 9.0, -9.0], [9.0, 9.0, -9.0], [-9.0, -9.0, 9.0]])
    same = torch.tensor([[1, 1, 0], [1, 1, 0], [0, 0, 1]]).bool()
    assert contrast.contrastive(apart, same).item() == pytest.approx(
        2 / 3 * np.log(2), rel=1e-3
    )


def test_similarity_is_of_the_closest_query() -> None:
    images = torch.tensor([[[1.0, 0.0], [0.0, 1.0]]])
    texts = torch.nn.functional.normalize(
        torch.tensor([[3.0, 4.0], [1.0, 0.0], [-1.0, -1.0]]), dim=1
    )
    torch.testing.assert_close(
        contrast.similarity(images, texts),
        torch.tensor([[0.8, 1.0, -np.sqrt(0.5)]]).float(),
    )


def test_captioning_does_not_change() -> None:
    plain, joined = make(), captioners.with_text(make())
    assert captioners.generate(joined, IMAGES, max_new_tokens=8) == captioners.generate(
        plain, IMAGES, max_new_tokens=8
    )
    np.testing.assert_array_equal(
        captioners.encode_images(joined, IMAGES).queries,
        captioners.encode_images(plain, IMAGES).queries,
    )
    assert all(
        torch.equal(joined.base.get_parameter(name), weight)
        for name, weight in plain.base.named_parameters()
    )


def test_embeddings_are_unit_rows_and_differ() -> None:
    captioner = captioners.with_text(make(), dim=16)
    shared = captioners.embed_images(captioner, IMAGES)
    each = captioners.embed_images(captioner, IMAGES, pooling=None)
    texts = captioners.embed_texts(captioner, CAPTIONS, batch_size=3)
    assert (
        shared.shape == (8, 16) and each.shape == (8, 4, 16) and texts.shape == (8, 16)
    )
    assert captioners.embed_images(
        captioner, IMAGES, space="queries", pooling="max"
    ).shape == (8, 48)
    for rows in (shared, each, texts):
        assert rows.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(rows, axis=-1), 1, rtol=1e-5)
    for rows in (shared, texts):
        assert (
            min(np.abs(rows[i] - rows[j]).max() for i in range(8) for j in range(i))
            > 1e-4
        )
    mean = each.mean(1) / np.linalg.norm(each.mean(1), axis=-1, keepdims=True)
    np.testing.assert_allclose(shared, mean, atol=1e-6)
    first = captioners.embed_images(captioner, IMAGES, pooling="first")
    np.testing.assert_allclose(first, each[:, 0], atol=1e-6)
    np.testing.assert_allclose(
        captioners.embed_texts(captioner, CAPTIONS, batch_size=8), texts, atol=1e-6
    )


def test_what_cannot_be_embedded_says_the_next_step() -> None:
    plain = make()
    assert captioners.embed_images(plain, IMAGES, space="queries").shape == (8, 48)
    with pytest.raises(ValueError, match="add one with captioners.with_text"):
        captioners.embed_images(plain, IMAGES)
    with pytest.raises(ValueError, match="no retrieval part"):
        captioners.embed_texts(plain, CAPTIONS)
    with pytest.raises(ValueError, match="pooling 'sum'"):
        captioners.embed_images(plain, IMAGES, space="queries", pooling="sum")
    with pytest.raises(ValueError, match="LLaVA has no Q-Former"):
        captioners.with_text(make("llava-small"))
    with pytest.raises(ValueError, match="already"):
        captioners.with_text(captioners.with_text(plain))


@pytest.mark.parametrize("kind", ["blip2-small", "blip2-t5-small"])
def test_the_part_is_saved_and_loaded_with_the_folder(
    kind: str, tmp_path: Path
) -> None:
    captioner = captioners.with_text(make(kind), dim=16, seed=3)
    captioners.save(captioner, tmp_path / "joint")
    assert (tmp_path / "joint/retrieval.safetensors").is_file()
    again = captioners.load(tmp_path / "joint", device="cpu", rows=ROWS)
    np.testing.assert_array_equal(
        captioners.embed_texts(again, CAPTIONS),
        captioners.embed_texts(captioner, CAPTIONS),
    )
    np.testing.assert_array_equal(
        captioners.embed_images(again, IMAGES),
        captioners.embed_images(captioner, IMAGES),
    )
    assert captioners.generate(again, IMAGES, max_new_tokens=6) == captioners.generate(
        captioner, IMAGES, max_new_tokens=6
    )
    captioners.save(make(kind), tmp_path / "plain")
    assert not (tmp_path / "plain/retrieval.safetensors").exists()
    for name in ("logit_scale", "text_projection.weight"):
        without(tmp_path / "joint/retrieval.safetensors", name)
        with pytest.raises(ValueError, match=f"lacks .*{name}"):
            captioners.load(tmp_path / "joint", device="cpu", rows=ROWS)


def without(path: Path, end: str) -> None:
    """Take the weights whose names end so out of a file."""
    kept = {n: weight for n, weight in load_file(path).items() if not n.endswith(end)}
    save_file(kept, path, {"format": "pt"})


@pytest.fixture(scope="module")
def cells() -> efficientnet.Cells:
    rng = np.random.default_rng(0)
    return efficientnet.Cells(
        *(
            rng.normal(size=shape).astype(np.float32)
            for shape in ((1280,), (1280, 26), 6)
        ),
        np.ones(6, np.float32),
    )


def with_cells(captioner: Captioner, cells: efficientnet.Cells) -> Captioner:
    return replace(captioner, rows=replace(captioner.rows, cells=cells))


def test_a_mini_with_the_projection_reads_pictures(
    pictures: list[str], cells: efficientnet.Cells, tmp_path: Path
) -> None:
    """The same grid as chapter 03 keeps, and the same captions as from it; also after a
    folder and with an adapter.
    """
    grid = efficientnet.encode_images(pictures, pictures, cells, size=64)["grid"].matrix
    captioner = with_cells(make(), cells)
    np.testing.assert_array_equal(
        captioner.inputs(pictures).numpy(), grid.astype(np.float32)
    )
    captioners.save(captioner, tmp_path / "mini")
    again = captioners.load(tmp_path / "mini", device="cpu")
    by_rows = replace(captioner, rows=Rows(pictures, grid))
    assert captioners.generate(
        again, pictures, max_new_tokens=6
    ) == captioners.generate(by_rows, pictures, max_new_tokens=6)
    np.testing.assert_array_equal(
        captioners.embed_images(again, pictures, "queries"),
        captioners.embed_images(by_rows, pictures, "queries"),
    )
    mixed = captioners.load(
        tmp_path / "mini", device="cpu", rows=Rows(pictures[:1], grid[:1])
    )
    np.testing.assert_array_equal(mixed.inputs(pictures), grid.astype(np.float32))


def test_a_mini_without_the_projection_says_what_is_missing(
    pictures: list[str], cells: efficientnet.Cells
) -> None:
    with pytest.raises(ValueError, match="no projection of pictures"):
        captioners.generate(make(), pictures)
    narrow = captioners.mini(CAPTIONS, Rows([], np.empty((0, 4, 16))), size=SMALL)
    with pytest.raises(
        ValueError, match=r"of shape \(4, 32\); this captioner takes \(4, 16\)"
    ):
        with_cells(narrow, cells).inputs(pictures)


def test_the_projection_round_trips_and_another_file_is_refused(
    cells: efficientnet.Cells, tmp_path: Path
) -> None:
    cells.save(tmp_path / "cells.safetensors")
    again = efficientnet.Cells.load(tmp_path / "cells.safetensors")
    assert all(
        np.array_equal(getattr(again, name), getattr(cells, name))
        for name in vars(cells)
    )
    replace(cells, mean=cells.mean[:7]).save(tmp_path / "short.safetensors")
    with pytest.raises(ValueError, match="not a projection of cells"):
        efficientnet.Cells.load(tmp_path / "short.safetensors")


JOINT = Recipe(
    steps=90,
    batch_size=8,
    lr=5e-3,
    warmup=5,
    flip=False,
    evaluations=2,
    contrast=0.5,
    matching=0.2,
)


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> tuple:
    """A mini that has learned the eight pairs by heart, in both ways."""
    captioner = captioners.with_text(make(), dim=24)
    return training.train(
        captioner,
        IMAGES,
        CAPTIONS,
        JOINT,
        tmp_path_factory.mktemp("run"),
        (IMAGES, CAPTIONS),
    )


def test_a_joint_run_captions_and_retrieves(learned: tuple) -> None:
    captioner, curve = learned
    assert captioners.generate(captioner, IMAGES) == CAPTIONS
    images, texts = (
        captioners.embed_images(captioner, IMAGES),
        captioners.embed_texts(captioner, CAPTIONS),
    )
    assert (texts @ images.T).argmax(1).tolist() == list(
        range(8)
    )  # one vector an image
    each = captioners.embed_images(captioner, IMAGES, pooling=None)
    assert np.einsum("td,iqd->tiq", texts, each).max(-1).argmax(1).tolist() == list(
        range(8)
    )  # as it was trained
    assert curve["contrast"].iloc[0] == pytest.approx(
        np.log(8), rel=0.2
    )  # at first all eight look alike
    assert curve["contrast"].iloc[-1] < 0.1


def test_the_curve_says_the_parts_of_the_loss(learned: tuple) -> None:
    curve = learned[1]
    weighted = curve["captioning"] + 0.5 * curve["contrast"] + 0.2 * curve["matching"]
    np.testing.assert_allclose(curve["loss"], weighted, rtol=1e-4)
    held = curve.dropna(subset=["validation"])
    np.testing.assert_allclose(
        held["validation"],
        held["validation captioning"]
        + 0.5 * held["validation contrast"]
        + 0.2 * held["validation matching"],
        rtol=1e-4,
    )


@pytest.mark.parametrize("lora", [None, Lora(r=4, alpha=8)])
def test_gradients_reach_both_parts(lora: Lora | None) -> None:
    captioner = captioners.with_text(make())
    if lora:
        captioner = training.adapt(captioner, lora, whole=[contrast.NAME])
    batch = Batches(captioner, IMAGES, CAPTIONS, replace(JOINT, lora=lora), 1)[0]
    ids, mask = batch.pop("text_ids"), batch.pop("text_mask")
    outputs = captioner.model.train()(**batch)
    parts = contrast.losses(
        captioner.base,
        outputs.qformer_outputs.last_hidden_state,
        outputs.vision_outputs.last_hidden_state,
        ids,
        mask,
        matching=True,
    )
    for name, loss in parts.items():
        captioner.model.zero_grad()
        loss.backward(retain_graph=True)
        reached = {
            key
            for key, weight in captioner.model.named_parameters()
            if weight.grad is not None and weight.grad.abs().max() > 0
        }
        assert any("feed_forwards" in key for key in reached)  # the text's way
        assert any("crossattention" in key for key in reached)  # the image's
        assert any("itm_head" in key for key in reached) == (name == "matching")
        assert not any("language" in key for key in reached)
        assert (
            all("lora_" in key or ".retrieval." in key for key in reached)
            or lora is None
        )


def test_equal_texts_of_a_batch_need_no_wrong_partner() -> None:
    captioner = captioners.with_text(make())
    texts = contrast.text_batch(captioner, ["socks"] * 3)
    queries, vision = torch.randn(3, 4, 48), torch.randn(3, 4, 32)
    losses = contrast.losses(
        captioner.base, queries, vision, *texts.values(), matching=True
    )
    assert torch.isfinite(losses["matching"]) and torch.isfinite(losses["contrast"])


@pytest.mark.parametrize("lora", [None, Lora(r=4, alpha=8)])
def test_a_killed_joint_run_resumes_to_the_same_weights(
    tmp_path: Path,
    lora: Lora | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recipe = Recipe(
        steps=8,
        batch_size=3,
        lr=3e-3,
        warmup=2,
        evaluations=2,
        contrast=1.0,
        matching=0.5,
        lora=lora,
    )

    def start() -> Captioner:
        return captioners.with_text(
            captioners.mini(CAPTIONS * 2, ROWS, size=replace(SMALL, dropout=0.2))
        )

    whole, curve = training.train(start(), IMAGES, CAPTIONS, recipe, tmp_path / "whole")
    step, done = Trainer.training_step, []

    def killed(self: Trainer, *args: object, **kwargs: object) -> torch.Tensor:
        done.append(1)
        if len(done) == 7:  # the last checkpoint is at step 4
            raise KeyboardInterrupt
        return step(self, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "training_step", killed)
        with pytest.raises(KeyboardInterrupt):
            training.train(start(), IMAGES, CAPTIONS, recipe, tmp_path / "cut")
    resumed, again = training.train(start(), IMAGES, CAPTIONS, recipe, tmp_path / "cut")
    assert again.drop(columns=["seconds", "watts"]).equals(
        curve.drop(columns=["seconds", "watts"])
    )
    for (name, one), (_, other) in zip(
        whole.model.named_parameters(), resumed.model.named_parameters(), strict=True
    ):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6, msg=name)
    np.testing.assert_allclose(
        captioners.embed_texts(resumed, CAPTIONS),
        captioners.embed_texts(whole, CAPTIONS),
        atol=1e-5,
    )


def test_an_adapter_keeps_its_retrieval_part(tmp_path: Path) -> None:
    """Trained with LoRA on a base without the part; loaded from the adapter's folder,
    and merged into one model.
    """
    captioners.save(make(), tmp_path / "base")
    recipe = replace(JOINT, steps=4, lora=Lora(r=4, alpha=8))
    base = captioners.with_text(
        captioners.load(tmp_path / "base", device="cpu", rows=ROWS), dim=24
    )
    start = captioners.embed_texts(base, CAPTIONS)
    captioner, _ = training.train(base, IMAGES, CAPTIONS, recipe, tmp_path / "run")
    before = (
        captioners.embed_texts(captioner, CAPTIONS),
        captioners.embed_images(captioner, IMAGES),
    )
    assert np.abs(before[0] - start).max() > 1e-3
    captioners.save(captioner, tmp_path / "adapter")
    for again in (
        captioners.load(
            tmp_path / "base", tmp_path / "adapter", device="cpu", rows=ROWS
        ),
        captioners.merged(captioner),
    ):
        np.testing.assert_allclose(
            captioners.embed_texts(again, CAPTIONS), before[0], atol=1e-5
        )
        np.testing.assert_allclose(
            captioners.embed_images(again, IMAGES), before[1], atol=1e-5
        )
    captioners.save(again, tmp_path / "whole")
    np.testing.assert_allclose(
        captioners.embed_images(
            captioners.load(tmp_path / "whole", device="cpu", rows=ROWS), IMAGES
        ),
        before[1],
        atol=1e-5,
    )
    for name in ("text_projection.bias", "query.lora_A.weight", "logit_scale"):
        spoilt = shutil.copytree(tmp_path / "adapter", tmp_path / name)
        without(spoilt / "adapter_model.safetensors", name)
        with pytest.raises(ValueError, match=rf"{name} lacks \d+ .*{name}"):
            captioners.load(tmp_path / "base", spoilt, device="cpu", rows=ROWS)


def test_retrieval_alone_learns_to_match_and_leaves_the_language_model(
    tmp_path: Path,
) -> None:
    captioner = captioners.with_text(make(), dim=24)
    before = {
        name: weight.clone()
        for name, weight in captioner.base.language_model.state_dict().items()
    }
    recipe = Recipe(
        steps=100,
        batch_size=8,
        lr=5e-3,
        warmup=10,
        flip=False,
        captioning=0.0,
        contrast=0.2,
        matching=1.0,
    )
    trained, curve = training.train(captioner, IMAGES, CAPTIONS, recipe, tmp_path)
    assert "captioning" not in curve
    np.testing.assert_allclose(
        curve["loss"], 0.2 * curve["contrast"] + curve["matching"], rtol=1e-4
    )
    assert curve["matching"].iloc[0] == pytest.approx(
        np.log(3) - 2 / 3 * np.log(2), rel=0.1
    )  # one right to two wrong
    assert curve["matching"].iloc[-1] < 0.4
    assert all(
        torch.equal(before[name], weight)
        for name, weight in trained.base.language_model.state_dict().items()
    )


def test_texts_find_new_images_of_a_planted_world(tmp_path: Path) -> None:
    """Colour and kind each add their own direction to the cells; each of 16 texts has
    to find one of 16 new images.
    """
    rng = np.random.default_rng(0)
    kinds = ("hat", "dress", "coat", "sock")
    names = [
        f"a {colour} {kind}"
        for colour in ("red", "blue", "green", "black")
        for kind in kinds
    ]
    signs = {
        word: rng.normal(size=(4, 32)) for name in names for word in name.split()[1:]
    }

    def world(items: np.ndarray) -> np.ndarray:
        made = [
            sum(signs[word] for word in names[i].split()[1:])
            + 0.5 * rng.normal(size=(4, 32))
            for i in items
        ]
        return np.array(made, dtype=np.float16)

    which = np.arange(320) % 16
    captioner = captioners.with_text(
        captioners.mini(names * 3, ROWS, size=SMALL), dim=24
    )
    recipe = Recipe(
        steps=100, batch_size=16, lr=5e-3, warmup=10, flip=False, contrast=0.5
    )
    learned = [f"learned {n}" for n in range(320)]
    captioner.rows = Rows(learned, world(which))
    captioner, _ = training.train(
        captioner, learned, [names[i] for i in which], recipe, tmp_path
    )
    captioner.rows = Rows(names, world(np.arange(16)))
    images = captioners.embed_images(captioner, names)
    nearest = (captioners.embed_texts(captioner, names) @ images.T).argmax(1)
    assert (nearest == np.arange(16)).sum() >= 10  # chance: 1


def test_sentences_without_pictures_are_left_out(tmp_path: Path) -> None:
    captioner, recipe = (
        captioners.with_text(make()),
        replace(JOINT, steps=4, text_share=0.5),
    )
    batches = Batches(captioner, IMAGES, CAPTIONS, recipe, 4, CAPTIONS)
    made = [batches[i] for i in range(4)]
    assert all(("text_ids" in batch) == ("pixel_values" in batch) for batch in made)
    assert sum("text_ids" in batch for batch in made) == 2
    _, curve = training.train(
        captioner, IMAGES, CAPTIONS, recipe, tmp_path, texts=CAPTIONS
    )
    assert np.isfinite(curve["loss"]).all()


def test_what_a_joint_run_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ValueError, match="no retrieval part"):
        training.train(make(), IMAGES, CAPTIONS, JOINT, tmp_path)
    with pytest.raises(ValueError, match="plain text needs captioning"):
        Recipe(steps=1, captioning=0.0, contrast=1.0, text_share=0.4)
    with pytest.raises(ValueError, match=r"weights \(0.0, 0.0, 0.0\)"):
        Recipe(steps=1, captioning=0.0)
    keys = {
        fine_tuning._key(
            captioners.with_text(make(), seed=seed), JOINT, IMAGES, CAPTIONS, ()
        )
        for seed in (0, 1)
    }
    assert len(keys) == 2
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ValueError, match="2 processes, whose batches"):
        training.train(captioners.with_text(make()), IMAGES, CAPTIONS, JOINT, tmp_path)


@pytest.mark.parametrize("captioning", [1.0, 0.0])
def test_a_bfloat16_model_keeps_a_float32_part(
    pictures: list[str], tmp_path: Path, captioning: float
) -> None:
    captioner = make(tower=Vit(32, 16, 16, 1))
    captioner.base.to(torch.bfloat16)
    captioner = captioners.with_text(captioner, dim=16)
    images, texts = (
        captioners.embed_images(captioner, pictures),
        captioners.embed_texts(captioner, CAPTIONS),
    )
    assert images.dtype == texts.dtype == np.float32 and np.isfinite(images).all()
    recipe = Recipe(
        steps=2,
        batch_size=3,
        captioning=captioning,
        contrast=0.5,
        matching=0.5,
        lora=Lora(r=4, alpha=8),
    )
    trained, curve = training.train(captioner, pictures, CAPTIONS[:3], recipe, tmp_path)
    assert np.isfinite(curve["loss"]).all()
    assert {weight.dtype for weight in contrast.part_of(trained).parameters()} == {
        torch.float32
    }
    assert np.abs(captioners.embed_texts(trained, CAPTIONS) - texts).max() > 1e-6
    captioners.save(captioners.merged(trained), tmp_path / "whole")
    again = contrast.part_of(captioners.load(tmp_path / "whole"))
    assert {weight.dtype for weight in again.parameters()} == {torch.float32}


def test_a_joint_recipe_by_command(tmp_path: Path) -> None:
    """fashionlib finetune --recipe thesis_b_joint: the adapter's folder loads with its
    retrieval part.
    """
    captioners.save(make(tower=Vit(32, 16, 16, 1)), tmp_path / "base")
    rng, rows = np.random.default_rng(0), []
    for n, caption in enumerate(CAPTIONS):
        Image.fromarray(rng.integers(0, 255, (40, 30, 3), dtype=np.uint8)).save(
            tmp_path / f"{n}.png"
        )
        rows.append(
            {
                "item_id": str(n),
                "image": str(tmp_path / f"{n}.png"),
                "caption": caption,
                "split": "train" if n < 4 else "validation" if n < 6 else "test",
            }
        )
    recipe = training.recipe("thesis_b_joint", 2, batch_size=4)
    assert finetune.train_adapter(
        pd.DataFrame(rows),
        str(tmp_path / "base"),
        recipe,
        tmp_path / "out",
        {"split": "by hand"},
    )
    again = captioners.load(tmp_path / "out/adapter", device="cpu")
    rows = captioners.embed_texts(again, CAPTIONS)
    assert rows.shape == (8, 128)
    encoder = search.load_encoder(tmp_path / "out/adapter")  # as fashionlib index does
    assert np.allclose(encoder.encode_texts(CAPTIONS), rows, rtol=1e-5, atol=1e-6)
    assert "| contrast | 0.5000 |" in (tmp_path / "out/adapter/README.md").read_text()


def test_recipes_of_joint_training() -> None:
    theirs, joint = (
        training.recipe("thesis_b", 10),
        training.recipe("thesis_b_joint", 10),
    )
    assert replace(joint, contrast=0.0) == theirs and joint.joint and not theirs.joint
    assert replace(training.recipe("mini_joint", 10), contrast=0.0) == training.recipe(
        "mini", 10
    )

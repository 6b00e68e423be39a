"""The training loop: planted truth, adapters, resuming after a kill, and what a general
captioner would say.
"""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from transformers import Trainer

from fashionlib.captioning import captioners, controls, training
from fashionlib.captioning.captioners import Captioner, Rows, Size
from fashionlib.captioning.training import Lora, Recipe, fine_tuning
from fashionlib.captioning.training.batches import Batches, mirrored, plan

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
RECIPE = Recipe(steps=90, batch_size=8, lr=8e-3, warmup=5, flip=False, evaluations=2)


GRIDS = np.random.default_rng(0).normal(size=(8, 4, 32)).astype(np.float16)
IMAGES = list("abcdefgh")  # read from their rows
ROWS = Rows(IMAGES, GRIDS)


def make(seed: int = 0, dropout: float = 0.0, name: str = "blip2-small") -> Captioner:
    size = Size(queries=4, qformer=48, decoder=48, decoder_layers=1, dropout=dropout)
    return captioners.mini(CAPTIONS * 2, ROWS, name, size, seed)


@pytest.fixture(scope="module")
def learned(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Captioner, pd.DataFrame]:
    """A mini that has learned the eight captions by heart."""
    return training.train(
        make(),
        IMAGES,
        CAPTIONS,
        RECIPE,
        tmp_path_factory.mktemp("run"),
        (IMAGES, CAPTIONS),
    )


def test_eight_captions_are_learned_by_heart(
    learned: tuple[Captioner, pd.DataFrame],
) -> None:
    captioner, curve = learned
    assert captioners.generate(captioner, IMAGES) == CAPTIONS
    assert curve["loss"].iloc[-1] < curve["loss"].iloc[0] / 20
    assert curve.loc[curve["validation"].notna(), "step"].tolist() == [45, 90]


def test_shown_other_images_it_describes_those(
    learned: tuple[Captioner, pd.DataFrame],
) -> None:
    other = controls.shuffled(len(IMAGES), seed=3)
    written = captioners.generate(learned[0], [IMAGES[i] for i in other])
    assert written == [CAPTIONS[i] for i in other]
    assert not set(np.flatnonzero(np.array(written) == np.array(CAPTIONS)))


def test_adapter_learns_loads_and_can_be_switched_off(tmp_path: Path) -> None:
    base = make()
    captioners.save(base, tmp_path / "base")
    before = captioners.generate(base, IMAGES, max_new_tokens=12)
    recipe = Recipe(
        steps=8,
        batch_size=8,
        lr=5e-2,
        warmup=1,
        flip=False,
        lora=Lora(r=8, alpha=16, dropout=0.1),
    )
    adapted, _ = training.train(base, IMAGES, CAPTIONS, recipe, tmp_path / "run")
    trained = {
        name
        for name, weight in adapted.model.named_parameters()
        if weight.requires_grad
    }
    assert trained and all("lora_" in name for name in trained)
    assert any("qformer" in name for name in trained) and any(
        "fc1" in name for name in trained
    )
    assert not any("vision_model" in name for name in trained)
    written = captioners.generate(adapted, IMAGES, max_new_tokens=12)
    assert written != before
    with adapted.model.disable_adapter():
        assert captioners.generate(adapted, IMAGES, max_new_tokens=12) == before
    captioners.save(adapted, tmp_path / "adapter")
    assert {"adapter_config.json", "adapter_model.safetensors"} <= {
        p.name for p in (tmp_path / "adapter").iterdir()
    }
    again = captioners.load(
        tmp_path / "base", tmp_path / "adapter", device="cpu", rows=ROWS
    )
    assert captioners.generate(again, IMAGES, max_new_tokens=12) == written
    np.testing.assert_array_equal(
        captioners.encode_images(again, IMAGES).queries,
        captioners.encode_images(adapted, IMAGES).queries,
    )


@pytest.mark.parametrize("name", ["blip2-small", "llava-small"])
@pytest.mark.parametrize("lora", [None, Lora(r=4, alpha=8, dropout=0.2)])
def test_killed_run_resumes_to_the_same_losses(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    lora: Lora | None,
    name: str,
) -> None:
    recipe = Recipe(
        steps=12,
        batch_size=3,
        lr=3e-3,
        warmup=2,
        evaluations=2,
        text_share=0.25,
        lora=lora,
    )
    texts = ["a hat for the cold", "a belt"] * 3

    def trained(place: str) -> pd.DataFrame:
        captioner, folder = make(dropout=0.2, name=name), tmp_path / place
        run = (captioner, IMAGES, CAPTIONS, recipe, folder)
        return training.train(*run, texts=texts)[1]

    whole = trained("whole")
    step, done = Trainer.training_step, []

    def killed(self: Trainer, *args: object, **kwargs: object) -> torch.Tensor:
        done.append(1)
        if len(done) == 9:  # the last checkpoint is at step 6
            raise KeyboardInterrupt
        return step(self, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "training_step", killed)
        with pytest.raises(KeyboardInterrupt):
            trained("cut")
    resumed = trained("cut")
    assert len(resumed) == 12
    losses = ["step", "loss", "validation"]
    pd.testing.assert_frame_equal(resumed[losses], whole[losses], rtol=1e-5)
    assert resumed["seconds"].is_monotonic_increasing


@pytest.mark.parametrize(
    ("spoilt", "told"),
    [
        ("loss", "at step 5 the loss is nan, at learning rate"),
        ("gradients", r"at step 6 the weight \S+ is nan, at learning rate"),
        ("validation", "at step 6 the validation loss is nan"),
    ],
)
def test_what_is_not_finite_stops_the_run_and_the_last_checkpoint_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoilt: str, told: str
) -> None:
    recipe = Recipe(steps=9, batch_size=4, warmup=1, evaluations=3)
    step, done = Trainer.training_step, []

    def spoil(self: Trainer, model, *args: object) -> torch.Tensor:
        done.append(1)
        loss = step(self, model, *args)
        if spoilt == "loss" and len(done) == 5:
            return loss * torch.nan
        if spoilt == "gradients" and len(done) == 6:
            next(w for w in model.parameters() if w.grad is not None).grad += torch.nan
        if spoilt == "validation" and len(done) == 6:
            held = self.prediction_step
            self.prediction_step = lambda *a, **k: (held(*a, **k)[0] * torch.nan,) * 3
        return loss

    pairs = (IMAGES, CAPTIONS) if spoilt == "validation" else None
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "training_step", spoil)
        with pytest.raises(
            RuntimeError, match=f"{told}.*checkpoint-3.*lower"
        ) as caught:
            training.train(make(), IMAGES, CAPTIONS, recipe, tmp_path, pairs)
    assert "0.0012" in str(caught.value)
    _, curve = training.train(make(), IMAGES, CAPTIONS, recipe, tmp_path, pairs)
    assert curve["step"].max() == 9 and curve["loss"].notna().all()


def test_a_learning_rate_that_is_far_too_high_is_named(tmp_path: Path) -> None:
    recipe = Recipe(steps=4, batch_size=4, warmup=0, lr=1e30, evaluations=1)
    told = r"at step \d the loss is (nan|inf), at learning rate .*none yet.* 1e\+30"
    with pytest.raises(RuntimeError, match=told):
        training.train(make(), IMAGES, CAPTIONS, recipe, tmp_path)


def test_a_checkpoint_that_was_cut_off_is_passed_over(tmp_path: Path) -> None:
    recipe = Recipe(steps=6, batch_size=4, warmup=1, evaluations=3)
    training.train(make(), IMAGES, CAPTIONS, recipe, tmp_path)
    (folder,) = tmp_path.iterdir()
    (folder / "finished.json").unlink()
    shutil.copytree(folder / "checkpoint-6", folder / "checkpoint-2")
    state = (folder / "checkpoint-6/trainer_state.json").read_text()
    (folder / "checkpoint-6/trainer_state.json").write_text(state[: len(state) // 2])
    assert fine_tuning._last_whole(folder) == folder / "checkpoint-2"
    (folder / "checkpoint-6/trainer_state.json").unlink()
    assert fine_tuning._last_whole(folder) == folder / "checkpoint-2"
    assert fine_tuning._last_whole(tmp_path / "none") is None


def test_only_the_same_run_is_resumed() -> None:
    recipe, other = Recipe(steps=1, batch_size=4), Recipe(steps=2, batch_size=4)
    key = fine_tuning._key(make(), recipe, IMAGES, CAPTIONS, ())
    assert key == fine_tuning._key(make(), recipe, IMAGES, CAPTIONS, ())
    different = [
        (make(), other, IMAGES, CAPTIONS),
        (make(), recipe, IMAGES[::-1], CAPTIONS),
        (replace(make(), rows=Rows(IMAGES, -GRIDS)), recipe, IMAGES, CAPTIONS),
        (make(), recipe, IMAGES, CAPTIONS[::-1]),
        (make(seed=1), recipe, IMAGES, CAPTIONS),
    ]
    assert key not in {fine_tuning._key(*run, ()) for run in different}


@pytest.mark.parametrize("name", ["blip2-small", "llava-small"])
def test_a_finished_run_is_read_and_not_trained_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    recipe = Recipe(
        steps=8, batch_size=4, evaluations=4, patience=1, lr=0.0, warmup=0
    )  # never better: stops at once
    run = (IMAGES, CAPTIONS, recipe, tmp_path, (IMAGES, CAPTIONS))
    first, curve = training.train(make(name=name), *run)
    assert curve["step"].max() == 4
    monkeypatch.setattr(Trainer, "training_step", None)
    again, read = training.train(make(name=name), *run)
    pd.testing.assert_frame_equal(read, curve)
    assert captioners.generate(again, IMAGES) == captioners.generate(first, IMAGES)


def test_weights_of_another_model_are_refused(tmp_path: Path) -> None:
    recipe = Recipe(steps=2, batch_size=4, evaluations=1)
    training.train(make(), IMAGES, CAPTIONS, recipe, tmp_path)
    [path] = tmp_path.rglob("model.safetensors")
    weights = load_file(path)
    save_file({f"old.{name}": weight for name, weight in weights.items()}, path)
    with pytest.raises(ValueError, match=r"lacks \d+ weights of this model"):
        training.train(make(), IMAGES, CAPTIONS, recipe, tmp_path)


def test_each_image_needs_a_caption(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="8 captions for 7 images"):
        training.train(
            make(), IMAGES[:7], CAPTIONS, Recipe(steps=1, batch_size=4), tmp_path
        )
    with pytest.raises(ValueError, match="0 captions for 0 images"):
        training.train(make(), IMAGES[:0], [], Recipe(steps=1, batch_size=4), tmp_path)


def test_another_prompt_or_picture_size_is_another_run() -> None:
    recipe, asked, larger = Recipe(steps=1, batch_size=4), make(), make()
    asked.prompt = "a photo of"
    larger.pixels.size = {"height": 336, "width": 336}
    keys = {
        fine_tuning._key(captioner, recipe, IMAGES, CAPTIONS, ())
        for captioner in (make(), asked, larger)
    }
    assert len(keys) == 3


def test_two_gpus_in_one_process_are_refused_not_halved() -> None:
    with pytest.raises(
        ValueError, match="2 GPUs in one process; start one process each"
    ):
        fine_tuning._only([{}, {}])


def test_text_batches_hold_no_images_and_have_their_share() -> None:
    batches = Batches(
        make(),
        IMAGES,
        CAPTIONS,
        Recipe(steps=8, batch_size=3, text_share=0.25),
        8,
        CAPTIONS,
    )
    made = [batches[i] for i in range(len(batches))]
    assert sum("pixel_values" not in batch for batch in made) == 2
    assert all(
        torch.equal(batches[i][key], made[i][key]) for i in range(8) for key in made[i]
    )


@given(
    st.lists(st.integers(1, 60), min_size=1, max_size=50),
    st.integers(1, 8),
    st.integers(0, 3),
)
def test_each_epoch_of_the_plan_sees_each_row_once(
    lengths: list[int], size: int, seed: int
) -> None:
    per_epoch = -(-len(lengths) // size)
    batches = plan(lengths, size, 2 * per_epoch, np.random.default_rng(seed))
    assert sorted(np.concatenate(batches[:per_epoch])) == list(range(len(lengths)))
    assert sorted(np.concatenate(batches[per_epoch:])) == list(range(len(lengths)))
    assert max(map(len, batches)) <= size


@given(st.integers(2, 200), st.integers(0, 5))
def test_nobody_keeps_their_own_image(n: int, seed: int) -> None:
    order = controls.shuffled(n, seed)
    assert sorted(order) == list(range(n)) and (order != np.arange(n)).all()


def test_one_item_cannot_be_shuffled() -> None:
    with pytest.raises(ValueError, match="1 items can't be shuffled"):
        controls.shuffled(1, 0)


def test_mirrored_grid_swaps_left_and_right_only() -> None:
    grid = torch.arange(4).reshape(1, 4, 1)  # 0 1 over 2 3
    both = mirrored(grid.repeat(2, 1, 1), torch.tensor([True, False]))
    assert both[..., 0].tolist() == [[1, 0, 3, 2], [0, 1, 2, 3]]


@pytest.mark.parametrize(
    ("row", "caption"),
    [
        (
            {"colour": "Red", "pattern": "Stripe", "category": "Dress"},
            "a photo of a red striped dress",
        ),
        (
            {"colour": "Orange", "pattern": "Solid", "category": "Vest top"},
            "a photo of an orange vest top",
        ),
        (
            {
                "colour": "Dark Blue",
                "pattern": "All over pattern",
                "category": "Trousers",
            },
            "a photo of dark blue patterned trousers",
        ),
        (
            {"colour": "Unknown", "pattern": "Other structure", "category": "Bag"},
            "a photo of a bag",
        ),
        ({"colour": pd.NA, "pattern": None, "category": pd.NA}, "a photo of a garment"),
    ],
)
def test_generic_captions(row: dict[str, object], caption: str) -> None:
    assert controls.generic_caption(row) == caption

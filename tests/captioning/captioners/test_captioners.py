"""The captioners' guards: images are read, batches are masked, files round
trip.
"""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from fashionlib.captioning import captioners
from fashionlib.captioning.captioners import (
    MINIS,
    Captioner,
    Rows,
    Size,
    Vit,
    caches,
    checkpoints,
)

CAPTIONS = [
    "a red dress with a collar",
    "blue jeans",
    "a large hat",
    "green socks, ribbed",
]
SMALL = Size(
    queries=4, qformer=32, decoder=32, decoder_layers=1, qformer_layers=1, dropout=0.1
)


GRIDS = np.random.default_rng(0).normal(size=(4, 9, 12)).astype(np.float16)
IMAGES = list("abcd")  # read from their rows
ROWS = Rows(IMAGES, GRIDS)

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def mini() -> Captioner:
    return captioners.mini(CAPTIONS * 3, ROWS, size=SMALL)


def test_labels_by_hand(mini: Captioner) -> None:
    batch = mini.batch(IMAGES[:2], CAPTIONS[:2])
    long, short = captioners.tokens(mini.tokenizer, CAPTIONS[:2])
    pads = len(long) - len(short)
    assert batch["input_ids"].tolist() == [
        [3] * 4 + [1] + long + [2],
        [3] * 4 + [1] + short + [2] + [0] * pads,
    ]
    assert batch["labels"].tolist() == [
        [-100] * 5 + long + [2],
        [-100] * 5 + short + [2] + [-100] * pads,
    ]
    assert batch["attention_mask"].sum(1).tolist() == [
        5 + len(long) + 1,
        5 + len(short) + 1,
    ]
    assert mini.tokenizer.decode(long).strip() == CAPTIONS[0]


def test_prompt_is_shown_but_not_learned(mini: Captioner) -> None:
    mini.prompt = "a photo of"
    prompt = captioners.tokens(mini.tokenizer, ["a photo of"])[0]
    batch = mini.batch(IMAGES[:1], ["blue jeans"])
    assert batch["input_ids"][0, 4 : 5 + len(prompt)].tolist() == [1, *prompt]
    assert (batch["labels"][0, : 5 + len(prompt)] == -100).all()


def test_long_caption_is_cut_and_still_ends(mini: Captioner) -> None:
    labels = mini.batch(IMAGES[:1], [CAPTIONS[0] * 20], longest=7)["labels"][0]
    assert (labels != -100).sum() == 7 + 1 and labels[-1] == mini.eos


def test_caption_that_spells_special_tokens_is_plain_text(
    mini: Captioner,
) -> None:
    batch = mini.batch(IMAGES[:1], ["a <image> hat </s> and <pad>"])
    assert (batch["input_ids"] == 3).sum() == 4
    assert (batch["labels"] == mini.eos).sum() == 1


def test_image_tokens_are_counted(mini: Captioner) -> None:
    with pytest.raises(
        ValueError, match=r"\[3\] image tokens in a row for 4 image vectors"
    ):
        mini.check(torch.tensor([[3, 3, 3, 1, 9]]))


def test_grid_of_another_shape_is_refused(mini: Captioner) -> None:
    with pytest.raises(ValueError, match=r"\(16, 12\); this captioner takes \(9, 12\)"):
        rows = Rows(IMAGES, np.zeros((4, 16, 12), np.float16))
        captioners.generate(replace(mini, rows=rows), IMAGES)


def test_queries_differ_from_each_other(mini: Captioner) -> None:
    assert mini.model.query_tokens.abs().min() > 0
    outputs = captioners.encode_images(mini, IMAGES).queries
    assert outputs.shape == (4, 4, 32) and outputs.dtype == np.float32
    assert np.abs(outputs[0, 0] - outputs[0, 1]).max() > 0.1


def test_different_images_give_different_logits(
    mini: Captioner,
) -> None:
    batch = mini.batch(IMAGES[:2], ["a red dress"] * 2)
    with torch.inference_mode():
        logits = mini.model(**batch).logits
    assert (logits[0, -1] - logits[1, -1]).abs().max() > 1e-4


def test_text_batch_reads_no_image(mini: Captioner) -> None:
    batch = mini.batch(None, CAPTIONS[:2])
    assert "pixel_values" not in batch and not (batch["input_ids"] == 3).any()
    assert torch.isfinite(mini.model(**batch).loss)


def test_generation_repeats_no_prompt_and_does_not_depend_on_the_batch(
    mini: Captioner,
) -> None:
    mini.prompt = "a red dress"
    together = captioners.generate(mini, IMAGES, max_new_tokens=6)
    assert together == captioners.generate(mini, IMAGES, batch_size=1, max_new_tokens=6)
    assert all(
        len(captioners.tokens(mini.tokenizer, [text])[0]) <= 7 for text in together
    )


def test_where_memory_lacks_fewer_captions_are_written_at_once(mini, monkeypatch):
    whole, sizes = captioners.generate(mini, IMAGES, max_new_tokens=6), []
    write = mini.base.generate

    def full(pixel_values, **inputs):
        sizes.append(len(pixel_values))
        if len(pixel_values) > 1:
            raise torch.OutOfMemoryError
        return write(pixel_values=pixel_values, **inputs)

    monkeypatch.setattr(mini.base, "generate", full)
    assert captioners.generate(mini, IMAGES, 3, max_new_tokens=6) == whole
    assert sizes == [min(3, len(IMAGES)), *[1] * len(IMAGES)]


def test_same_seed_same_mini(mini: Captioner) -> None:
    again = captioners.mini(CAPTIONS * 3, ROWS, size=SMALL)
    other = captioners.mini(CAPTIONS * 3, ROWS, size=SMALL, seed=1)
    assert np.array_equal(
        captioners.encode_images(mini, IMAGES).queries,
        captioners.encode_images(again, IMAGES).queries,
    )
    assert not np.array_equal(
        captioners.encode_images(mini, IMAGES).queries,
        captioners.encode_images(other, IMAGES).queries,
    )


def test_save_and_load_give_the_same_captions(mini: Captioner, tmp_path: Path) -> None:
    captioners.save(mini, tmp_path / "mini")
    assert {
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "processor_config.json",
    } <= {path.name for path in (tmp_path / "mini").iterdir()}
    again = captioners.load(tmp_path / "mini", device="cpu", rows=ROWS)
    assert again.start == mini.start and again.eos == mini.eos
    assert np.array_equal(
        captioners.encode_images(again, IMAGES).queries,
        captioners.encode_images(mini, IMAGES).queries,
    )
    assert captioners.generate(again, IMAGES, max_new_tokens=6) == captioners.generate(
        mini, IMAGES, max_new_tokens=6
    )


def test_hub_layout_with_a_vision_tower_reads_pictures(
    mini: Captioner, tmp_path: Path
) -> None:
    """A folder as the hub has it, tiny: paths in, captions out, through the same
    functions.
    """
    from transformers import Blip2Config, Blip2ForConditionalGeneration
    from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil

    config = Blip2Config(
        **{
            **mini.model.config.to_dict(),
            "vision_config": {
                "hidden_size": 16,
                "intermediate_size": 16,
                "num_hidden_layers": 1,
                "num_attention_heads": 2,
                "image_size": 32,
                "patch_size": 16,
                "initializer_range": 0.02,
            },
        }
    )
    config.qformer_config.encoder_hidden_size = 16
    model = Blip2ForConditionalGeneration(config)
    torch.nn.init.normal_(model.query_tokens)
    pixels = BlipImageProcessorPil(size={"height": 32, "width": 32})
    captioners.save(Captioner(model.eval(), mini.tokenizer, pixels), tmp_path / "blip2")
    captioner = captioners.load(tmp_path / "blip2", device="cpu")
    paths = [str(tmp_path / f"{colour}.png") for colour in ("red", "blue")]
    for path in paths:
        Image.new("RGB", (50, 80), Path(path).stem).save(path)
    assert type(captioner.model) is Blip2ForConditionalGeneration
    assert captioner.batch(paths, CAPTIONS[:2])["pixel_values"].shape == (2, 3, 32, 32)
    assert len(captioners.generate(captioner, paths, max_new_tokens=3)) == 2
    red, blue = captioners.encode_images(captioner, paths).queries
    assert np.abs(red - blue).max() > 1e-5


def test_other_architectures_are_refused(mini: Captioner, tmp_path: Path) -> None:
    captioners.save(mini, tmp_path / "mini")
    path = tmp_path / "mini" / "config.json"
    path.write_text(
        json.dumps(
            json.loads(path.read_text()) | {"architectures": ["GPT2LMHeadModel"]}
        )
    )
    with pytest.raises(
        ValueError,
        match="GPT2LMHeadModel; known architectures: Blip2ForConditionalGeneration",
    ):
        captioners.load(tmp_path / "mini")


def test_tokenizer_of_another_model_is_refused(mini: Captioner, tmp_path: Path) -> None:
    captioners.save(mini, tmp_path / "mini")
    path = tmp_path / "mini" / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"image_token_index": 7}))
    with pytest.raises(
        ValueError, match="<image> is token 3 of the tokenizer but 7 of the model"
    ):
        captioners.load(tmp_path / "mini")


def test_a_checkpoint_that_lacks_a_weight_is_refused(
    mini: Captioner, tmp_path: Path
) -> None:
    captioners.save(mini, tmp_path / "mini")
    path = tmp_path / "mini" / "model.safetensors"
    weights = load_file(path)
    del weights["qformer.layernorm.weight"]
    save_file(weights, path, {"format": "pt"})
    with pytest.raises(
        ValueError, match="mini lacks 1 of the .* first qformer.layernorm.weight"
    ):
        captioners.load(tmp_path / "mini", device="cpu", rows=ROWS)


def test_precision_follows_the_hardware(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checkpoints.precision("cpu") == torch.float32
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (7, 5))
    assert checkpoints.precision("cuda") == torch.float16
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (8, 0))
    assert checkpoints.precision("cuda:0") == torch.bfloat16


TOWERS = {
    "grid": ROWS,
    "vit": Vit(image_size=48, patch_size=16, width=16, layers=2),
}  # both of 9 cells


@pytest.fixture(
    scope="module",
    params=[(name, tower) for name in MINIS for tower in TOWERS],
    ids="-".join,
)
def each(
    request: pytest.FixtureRequest, pictures: list[str]
) -> tuple[Captioner, list[str]]:
    """Every mini with either tower, and four images for it."""
    name, tower = request.param
    images = pictures if tower == "vit" else IMAGES
    return captioners.mini(CAPTIONS * 3, TOWERS[tower], name), images


Each = tuple[Captioner, list[str]]


def test_image_tokens_are_the_queries_or_the_patches(each: Each) -> None:
    captioner, images = each
    batch = captioner.batch(images, CAPTIONS)
    needed = 8 if captioner.architecture.name == "BLIP-2" else 9
    assert (batch["input_ids"] == 3).sum(1).tolist() == [needed] * 4
    assert (batch["attention_mask"][batch["input_ids"] == 3] == 1).all()


def test_each_image_has_its_own_logits(each: Each) -> None:
    captioner, images = each
    batch = captioner.batch(images, ["a red dress"] * 4)
    with torch.inference_mode():
        logits = captioner.model.eval()(**batch).logits
    gaps = [(logits[i] - logits[j]).abs().max() for i in range(4) for j in range(i)]
    assert min(gaps) > 1e-5


def test_targets_are_the_caption_and_eos_and_pads_stand_right(each: Each) -> None:
    captioner, images = each
    batch = captioner.batch(images, CAPTIONS)
    for row, ids in enumerate(captioners.tokens(captioner.tokenizer, CAPTIONS)):
        labels, shown = batch["labels"][row], batch["input_ids"][row]
        targets = labels != -100
        assert labels[targets].tolist() == [*ids, captioner.eos]
        if (
            captioner.encoder_decoder
        ):  # the encoder reads the start; the labels are the decoder's
            assert shown.tolist() == captioner.start and targets[: len(ids) + 1].all()
            continue
        filled = len(captioner.start) + len(ids) + 1
        assert shown[: len(captioner.start)].tolist() == captioner.start
        assert targets.nonzero().flatten().tolist() == list(
            range(len(captioner.start), filled)
        )
        assert batch["attention_mask"][row].tolist() == [1] * filled + [0] * (
            len(shown) - filled
        )
        assert (shown[filled:] == captioner.tokenizer.pad_token_id).all()


def test_pads_change_no_loss(each: Each) -> None:
    """The loss of a batch is the mean over tokens of its rows' losses."""
    captioner, images = each
    batch = captioner.batch(images, CAPTIONS)
    with torch.inference_mode():
        together = captioner.model.eval()(**batch).loss.item()
        alone = [
            captioner.model(
                **captioner.batch(images[i : i + 1], CAPTIONS[i : i + 1])
            ).loss.item()
            for i in range(4)
        ]
    sizes = (batch["labels"] != -100).sum(1).numpy()
    assert together == pytest.approx(np.average(alone, weights=sizes), rel=1e-4)


def test_written_text_starts_after_the_prompt_and_stands_alone(each: Each) -> None:
    """Every forced token is written and nothing else: no prompt, no USER:, no
    ASSISTANT:, no special token.
    """
    from transformers import LogitsProcessor

    captioner, images = each
    ids = captioners.tokens(captioner.tokenizer, ["a red dress"])[0] + [captioner.eos]
    begin = 1 if captioner.encoder_decoder else len(captioner.start)

    class Dictated(LogitsProcessor):
        def __call__(
            self, input_ids: torch.Tensor, scores: torch.Tensor
        ) -> torch.Tensor:
            wanted = torch.full_like(scores, -torch.inf)
            wanted[:, ids[input_ids.shape[1] - begin]] = 0
            return wanted

    prompt = captioner.prompt
    captioner.prompt = (
        prompt.replace("<image>", "USER: <image>\nwhat is it? ASSISTANT:")
        or "USER: what? ASSISTANT:"
    )
    begin = 1 if captioner.encoder_decoder else len(captioner.start)
    try:
        written = captioners.generate(
            captioner, images, max_new_tokens=12, logits_processor=[Dictated()]
        )
    finally:
        captioner.prompt = prompt
    assert written == ["a red dress"] * 4


def test_a_batch_is_captioned_as_one_by_one(each: Each) -> None:
    captioner, images = each
    together = captioners.generate(captioner, images, max_new_tokens=6)
    assert together == captioners.generate(
        captioner, images, batch_size=1, max_new_tokens=6
    )


def test_every_mini_is_saved_and_loaded(each: Each, tmp_path: Path) -> None:
    captioner, images = each
    captioners.save(captioner, tmp_path / "mini")
    again = captioners.load(tmp_path / "mini", device="cpu", rows=ROWS)
    assert type(again.model) is type(captioner.model) and again.start == captioner.start
    assert captioners.generate(again, images, max_new_tokens=6) == captioners.generate(
        captioner, images, max_new_tokens=6
    )
    batches = captioner.batch(images, CAPTIONS), again.batch(images, CAPTIONS)
    assert all(torch.equal(batches[0][key], batches[1][key]) for key in batches[0])


def test_a_mini_writes_different_captions_once_it_has_learned(
    pictures: list[str],
) -> None:
    """Planted truth: a model whose logits tell its pictures apart tells them
    apart in its text.
    """
    captioner = captioners.mini(
        CAPTIONS * 3, Vit(48, 16, 32, 2), size=Size(4, 32, 1, 32, 1, dropout=0.0)
    )
    batch = captioner.batch(pictures, CAPTIONS)
    optimiser = torch.optim.AdamW(captioner.model.parameters(), 5e-3)
    for _ in range(60):
        captioner.model(**batch).loss.backward()
        optimiser.step()
        optimiser.zero_grad()
    assert captioners.generate(captioner, pictures, max_new_tokens=20) == CAPTIONS


def test_pixels_are_cached_by_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fashionlib.data import images

    plain = captioners.mini(CAPTIONS, Vit(32, 16, 16, 1), size=SMALL)
    cached = replace(plain, pixel_cache=tmp_path / "cache")
    path = tmp_path / "a.png"
    noise = np.random.default_rng(1).integers(0, 255, (2, 50, 40, 3), dtype=np.uint8)
    Image.fromarray(noise[0]).save(path)
    first = cached.inputs([str(path)])
    assert torch.equal(first, plain.inputs([str(path)]))
    with monkeypatch.context() as patch:
        patch.setattr(images, "load", None)  # it is not decoded again
        assert torch.equal(cached.inputs([str(path)]), first)
    Image.fromarray(noise[1]).save(path)
    assert torch.equal(cached.inputs([str(path)]), plain.inputs([str(path)]))
    assert not torch.equal(cached.inputs([str(path)]), first)
    assert len(list((tmp_path / "cache").rglob("*.npy"))) == 2
    larger = captioners.mini(CAPTIONS, Vit(48, 16, 16, 1), size=SMALL)
    assert replace(larger, pixel_cache=tmp_path / "cache").inputs(
        [str(path)]
    ).shape == (1, 3, 48, 48)


@pytest.mark.parametrize(
    "setting",
    [
        {"size": {"height": 40, "width": 40}},
        {"do_resize": False},
        {"do_center_crop": True, "crop_size": {"height": 20, "width": 20}},
        {"do_center_crop": True, "crop_size": {"height": 24, "width": 24}},
        {"resample": 0},
    ],
)
def test_each_setting_of_a_processor_has_a_cache_of_its_own(
    tmp_path: Path, pictures: list[str], setting: dict
) -> None:
    from transformers import CLIPImageProcessorPil

    size = {"height": 32, "width": 32}
    usual = {"size": size, "do_center_crop": False, "resample": 3}
    one, other = (CLIPImageProcessorPil(**usual | s) for s in ({}, setting))
    folder = tmp_path / "cache"
    for processor in (one, other):
        cached = caches.resized(processor, pictures[0], folder)
        assert (cached == caches.resized(processor, pictures[0], None)).all()
    assert len(list(folder.rglob("*.npy"))) == 2


def test_a_cache_file_that_is_no_array_is_made_anew(
    tmp_path: Path, pictures: list[str]
) -> None:
    captioner = captioners.mini(CAPTIONS, Vit(32, 16, 16, 1), size=SMALL)
    whole = caches.resized(captioner.pixels, pictures[0], tmp_path)
    file = next(tmp_path.rglob("*.npy"))
    for garbage in (b"PK\x03\x04 not a zip", b"\x93NUMPY\x01\x00junk", b"\0" * 200):
        file.write_bytes(garbage)
        assert (caches.resized(captioner.pixels, pictures[0], tmp_path) == whole).all()


@pytest.mark.parametrize("left", [0, 100, 140])
def test_a_broken_cache_file_is_made_anew(
    tmp_path: Path, pictures: list[str], left: int
) -> None:
    captioner = captioners.mini(CAPTIONS, Vit(32, 16, 16, 1), size=SMALL)
    captioner.pixel_cache = tmp_path
    whole = captioner.inputs(pictures[:1])
    file = next(tmp_path.rglob("*.npy"))
    content = file.read_bytes()
    file.write_bytes(content[:left])
    assert torch.equal(captioner.inputs(pictures[:1]), whole)
    assert file.read_bytes() == content


def test_a_broken_picture_leaves_nothing_in_the_cache(tmp_path: Path) -> None:
    captioner = captioners.mini(CAPTIONS, Vit(32, 16, 16, 1), size=SMALL)
    captioner.pixel_cache = tmp_path / "cache"
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match="a.png"):
        captioner.inputs([str(tmp_path / "a.png")])
    assert not list((tmp_path / "cache").rglob("*.*"))


def vit_mini(kind: str, **how: object) -> Captioner:
    return captioners.mini(
        CAPTIONS * 3, Vit(48, 16, 16, 2), f"{kind}-small", size=SMALL, **how
    )


def cached(captioner: Captioner, images: list[str], folder: Path) -> torch.Tensor:
    return captioners.cache_vision(captioner, images, folder).features


@pytest.mark.parametrize("kind", ["blip2", "llava", "blip2-t5"])
def test_without_the_tower_nothing_changes(
    kind: str, pictures: list[str], tmp_path: Path
) -> None:
    captioner = vit_mini(kind)
    written = captioners.generate(captioner, pictures, max_new_tokens=6)
    with torch.inference_mode():
        loss = captioner.model(**captioner.batch(pictures, CAPTIONS)).loss
    rows = captioners.cache_vision(captioner, pictures, tmp_path, batch_size=3)
    assert rows.shape == (10, 16) and rows.features.dtype == torch.float32
    bare = captioners.without_tower(captioner, rows)
    with torch.inference_mode():
        assert bare.model(
            **bare.batch(pictures, CAPTIONS)
        ).loss.item() == pytest.approx(loss.item(), rel=1e-6)
    assert captioners.generate(bare, pictures, max_new_tokens=6) == written
    with pytest.raises(ValueError, match="no.png has none among those of 4 pictures"):
        captioners.generate(bare, ["no.png"])
    with pytest.raises(ValueError, match="save the one it was made from"):
        captioners.save(bare, tmp_path / "bare")
    with pytest.raises(ValueError, match="reads features already"):
        captioners.cache_vision(bare, pictures, tmp_path)


@pytest.mark.parametrize("kind", ["blip2", "llava"])
def test_features_are_made_once_for_each_tower_type_and_size(
    kind: str, pictures: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    captioner = vit_mini(kind)
    first = cached(captioner, pictures, tmp_path)

    def unused(*args: object, **kwargs: object) -> None:
        raise AssertionError("the tower was asked again")

    with monkeypatch.context() as patch:
        patch.setattr(captioner.tower, "forward", unused)
        assert torch.equal(cached(captioner, pictures, tmp_path), first)
    others = [vit_mini(kind, seed=1), vit_mini(kind), vit_mini(kind)]
    others[1].model.to(torch.bfloat16)
    others[2].pixels.image_mean = [0.0, 0.0, 0.0]  # another normalisation
    for count, other in enumerate(others, start=2):
        assert not torch.equal(cached(other, pictures, tmp_path).float(), first)
        assert len(list(tmp_path.glob("*.features"))) == count
    cached(captioner, pictures[::-1], tmp_path)
    assert len(list(tmp_path.glob("*.features"))) == 5


def test_features_cut_short_are_made_anew(pictures: list[str], tmp_path: Path) -> None:
    captioner = vit_mini("blip2")
    whole = cached(captioner, pictures, tmp_path).clone()
    file = next(tmp_path.glob("*.features"))
    file.write_bytes(file.read_bytes()[:1000])
    assert torch.equal(cached(captioner, pictures, tmp_path), whole)


def test_features_that_the_disk_cannot_hold_are_refused(
    pictures: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        captioners.caches.shutil,
        "disk_usage",
        lambda path: type("Usage", (), {"free": 100}),
    )
    with pytest.raises(OSError, match="for 4 pictures and 0.0 GiB are free"):
        cached(vit_mini("blip2"), pictures, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_text_batch_of_a_t5_has_a_start_too() -> None:
    """A T5 has no BOS."""
    captioner = captioners.mini(CAPTIONS * 3, ROWS, "blip2-t5-small", size=SMALL)
    batch = captioner.batch(None, CAPTIONS[:2])
    assert batch["input_ids"].tolist() == [[captioner.eos]] * 2
    assert torch.isfinite(captioner.model(**batch).loss)

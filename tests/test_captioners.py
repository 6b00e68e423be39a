"""The captioners' guards: images are looked at, batches are masked, files round trip."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from fashionlib import captioners
from fashionlib.captioners import Captioner, Grid, Size

CAPTIONS = ["a red dress with a collar", "blue jeans", "a large hat", "green socks, ribbed"]
SMALL = Size(queries=4, qformer=32, decoder=32, decoder_layers=1, qformer_layers=1, dropout=0.1)


@pytest.fixture
def grids() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(4, 9, 12)).astype(np.float16)


@pytest.fixture
def twin() -> Captioner:
    return captioners.twin(CAPTIONS * 3, Grid(9, 12), size=SMALL)


def test_labels_by_hand(twin: Captioner, grids: np.ndarray) -> None:
    batch = twin.batch(grids[:2], CAPTIONS[:2])
    long, short = captioners.tokens(twin.tokenizer, CAPTIONS[:2])
    pads = len(long) - len(short)
    assert batch["input_ids"].tolist() == [[3] * 4 + [1] + long + [2], [3] * 4 + [1] + short + [2] + [0] * pads]
    assert batch["labels"].tolist() == [[-100] * 5 + long + [2], [-100] * 5 + short + [2] + [-100] * pads]
    assert batch["attention_mask"].sum(1).tolist() == [5 + len(long) + 1, 5 + len(short) + 1]
    assert twin.tokenizer.decode(long).strip() == CAPTIONS[0]


def test_prompt_is_shown_but_not_learned(twin: Captioner, grids: np.ndarray) -> None:
    twin.prompt = "a photo of"
    prompt = captioners.tokens(twin.tokenizer, ["a photo of"])[0]
    batch = twin.batch(grids[:1], ["blue jeans"])
    assert batch["input_ids"][0, 4:5 + len(prompt)].tolist() == [1, *prompt]
    assert (batch["labels"][0, :5 + len(prompt)] == -100).all()


def test_long_caption_is_cut_and_still_ends(twin: Captioner, grids: np.ndarray) -> None:
    labels = twin.batch(grids[:1], [CAPTIONS[0] * 20], longest=7)["labels"][0]
    assert (labels != -100).sum() == 7 + 1 and labels[-1] == twin.eos


def test_caption_that_spells_special_tokens_is_plain_text(twin: Captioner, grids: np.ndarray) -> None:
    batch = twin.batch(grids[:1], ["a <image> hat </s> and <pad>"])
    assert (batch["input_ids"] == 3).sum() == 4
    assert (batch["labels"] == twin.eos).sum() == 1


def test_image_tokens_are_counted(twin: Captioner) -> None:
    with pytest.raises(ValueError, match=r"\[3\] image tokens in a row for 4 image vectors"):
        twin.check(torch.tensor([[3, 3, 3, 1, 9]]))


def test_grid_of_another_shape_is_refused(twin: Captioner) -> None:
    with pytest.raises(ValueError, match=r"\(16, 12\); this captioner takes \(9, 12\)"):
        captioners.generate(twin, np.zeros((2, 16, 12), np.float16))


def test_queries_differ_from_each_other(twin: Captioner, grids: np.ndarray) -> None:
    assert twin.model.query_tokens.abs().min() > 0
    outputs = captioners.queries(twin, grids)
    assert outputs.shape == (4, 4, 32) and outputs.dtype == np.float32
    assert np.abs(outputs[0, 0] - outputs[0, 1]).max() > 0.1


def test_different_images_give_different_logits(twin: Captioner, grids: np.ndarray) -> None:
    batch = twin.batch(grids[:2], ["a red dress"] * 2)
    with torch.inference_mode():
        logits = twin.model(**batch).logits
    assert (logits[0, -1] - logits[1, -1]).abs().max() > 1e-4


def test_text_batch_reads_no_image(twin: Captioner) -> None:
    batch = twin.batch(None, CAPTIONS[:2])
    assert "pixel_values" not in batch and not (batch["input_ids"] == 3).any()
    assert torch.isfinite(twin.model(**batch).loss)


def test_generation_repeats_no_prompt_and_does_not_depend_on_the_batch(twin: Captioner, grids: np.ndarray) -> None:
    twin.prompt = "a red dress"
    together = captioners.generate(twin, grids, max_new_tokens=6)
    assert together == captioners.generate(twin, grids, batch_size=1, max_new_tokens=6)
    assert all(len(captioners.tokens(twin.tokenizer, [text])[0]) <= 7 for text in together)


def test_same_seed_same_twin(grids: np.ndarray, twin: Captioner) -> None:
    again = captioners.twin(CAPTIONS * 3, Grid(9, 12), size=SMALL)
    other = captioners.twin(CAPTIONS * 3, Grid(9, 12), size=SMALL, seed=1)
    assert np.array_equal(captioners.queries(twin, grids), captioners.queries(again, grids))
    assert not np.array_equal(captioners.queries(twin, grids), captioners.queries(other, grids))


def test_save_and_load_give_the_same_captions(twin: Captioner, grids: np.ndarray, tmp_path: Path) -> None:
    captioners.save(twin, tmp_path / "twin")
    assert {"config.json", "model.safetensors", "tokenizer.json", "processor_config.json"} <= {
        path.name for path in (tmp_path / "twin").iterdir()}
    again = captioners.load(tmp_path / "twin", device="cpu")
    assert again.start == twin.start and again.eos == twin.eos
    assert np.array_equal(captioners.queries(again, grids), captioners.queries(twin, grids))
    assert captioners.generate(again, grids, max_new_tokens=6) == captioners.generate(twin, grids, max_new_tokens=6)


def test_hub_layout_with_a_vision_tower_reads_pictures(twin: Captioner, tmp_path: Path) -> None:
    """A folder as the hub has it, tiny: paths in, captions out, through the same functions."""
    from PIL import Image
    from transformers import Blip2Config, Blip2ForConditionalGeneration
    from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil

    config = Blip2Config(**{**twin.model.config.to_dict(), "vision_config": {
        "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "image_size": 32,
        "patch_size": 16, "initializer_range": 0.02}})
    config.qformer_config.encoder_hidden_size = 16
    model = Blip2ForConditionalGeneration(config)
    torch.nn.init.normal_(model.query_tokens)
    pixels = BlipImageProcessorPil(size={"height": 32, "width": 32})
    captioners.save(Captioner(model.eval(), twin.tokenizer, pixels), tmp_path / "blip2")
    captioner = captioners.load(tmp_path / "blip2", device="cpu")
    paths = [str(tmp_path / f"{colour}.png") for colour in ("red", "blue")]
    for path in paths:
        Image.new("RGB", (50, 80), Path(path).stem).save(path)
    assert type(captioner.model) is Blip2ForConditionalGeneration
    assert captioner.batch(paths, CAPTIONS[:2])["pixel_values"].shape == (2, 3, 32, 32)
    assert len(captioners.generate(captioner, paths, max_new_tokens=3)) == 2
    red, blue = captioners.queries(captioner, paths)
    assert np.abs(red - blue).max() > 1e-5


def test_other_architectures_are_refused(twin: Captioner, tmp_path: Path) -> None:
    captioners.save(twin, tmp_path / "twin")
    path = tmp_path / "twin" / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"architectures": ["GPT2LMHeadModel"]}))
    with pytest.raises(ValueError, match="GPT2LMHeadModel; known architectures: Blip2ForConditionalGeneration"):
        captioners.load(tmp_path / "twin")


def test_tokenizer_of_another_model_is_refused(twin: Captioner, tmp_path: Path) -> None:
    captioners.save(twin, tmp_path / "twin")
    path = tmp_path / "twin" / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"image_token_index": 7}))
    with pytest.raises(ValueError, match="<image> is token 3 of the tokenizer but 7 of the model"):
        captioners.load(tmp_path / "twin")


def test_precision_follows_the_hardware(monkeypatch: pytest.MonkeyPatch) -> None:
    assert captioners.precision("cpu") == torch.float32
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (7, 5))
    assert captioners.precision("cuda") == torch.float16
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (8, 0))
    assert captioners.precision("cuda:0") == torch.bfloat16

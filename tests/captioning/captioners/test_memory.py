"""What a captioner needs is counted by hand, and asked before its weights are fetched
or read.
"""

from pathlib import Path

import pytest
import torch
from torch import nn
from transformers import PreTrainedConfig, PreTrainedModel

from fashionlib.captioning import captioners
from fashionlib.captioning.captioners import Size, Vit, checkpoints, memory
from fashionlib.captioning.captioners.architectures import ARCHITECTURES


class Pair(nn.Module):
    """8 x 4 embedding, a 4 x 6 linear layer with its bias, a head: 32 + 24 + 6 + 32
    weights.
    """

    def __init__(self, config: PreTrainedConfig) -> None:
        super().__init__()
        self.embedding, self.inner = nn.Embedding(8, 4), nn.Linear(4, 6)
        self.lm_head = nn.Linear(4, 8, bias=False)


@pytest.mark.parametrize(
    ("dtype", "bits", "weights"),
    [
        (torch.float32, None, 4 * (32 + 24 + 6 + 32)),
        (torch.bfloat16, None, 2 * (32 + 24 + 6 + 32)),
        (torch.float16, 8, 2 * (32 + 6 + 32) + 24),
        (torch.float16, 4, 2 * (32 + 6 + 32) + 12),
    ],
)
def test_need_by_hand(dtype: torch.dtype, bits: int | None, weights: float) -> None:
    assert memory.need(Pair, PreTrainedConfig(), dtype, bits) == int(weights * 1.2)


def test_need_counts_a_tied_head_once() -> None:
    captioner = captioners.mini(
        ["a hat"],
        Vit(32, 16, 16, 1),
        "llava-small",
        size=Size(decoder=32, decoder_layers=1),
    )
    weights = sum(p.numel() for p in captioner.model.parameters())
    words, tied = (
        captioner.base.config.text_config.vocab_size,
        captioner.base.config.text_config.tie_word_embeddings,
    )
    assert tied and memory.need(
        type(captioner.model), captioner.base.config, torch.float32
    ) == pytest.approx(4 * weights * 1.2, rel=2e-3)  # and a few buffers
    assert (
        sum(w.numel() for w in captioner.model.state_dict().values())
        == weights + words * 32
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("memory") / "mini"
    size = Size(queries=4, qformer=32, qformer_layers=1, decoder=32, decoder_layers=1)
    captioners.save(
        captioners.mini(["a hat", "a red dress"], Vit(32, 16, 16, 1), size=size), place
    )
    return place


@pytest.fixture
def unread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading any weights fails the test."""

    def read(*args: object, **kwargs: object) -> None:
        pytest.fail("weights were read before memory was asked")

    monkeypatch.setattr(PreTrainedModel, "from_pretrained", read)


def test_too_little_memory_is_refused_before_weights_are_read(
    folder: Path, unread: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "need", lambda *_: 9 * 2**30)
    monkeypatch.setattr(memory, "free", lambda device: int(2.5 * 2**30))
    with pytest.raises(
        MemoryError,
        match=r"mini needs 9.0 GiB on cpu \(float32\) and 2.5 GiB are free. Take a GPU",
    ):
        captioners.load(folder, device="cpu")


class Needs:
    """A model that takes 12 bytes whole, 6 in 8 bits, 3 in 4 bits."""

    def __call__(
        self, kind: type, config: object, dtype: torch.dtype, bits: int | None = None
    ) -> int:
        return {None: 12, 8: 6, 4: 3}[bits]


@pytest.mark.parametrize(
    ("free", "bits", "chosen"),
    [(12, None, None), (11, None, 8), (5, None, 4), (12, 8, 8), (12, 4, 4)],
)
def test_a_gpu_takes_the_most_bits_that_fit(
    free: int,
    bits: int | None,
    chosen: int | None,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(memory, "need", Needs())
    monkeypatch.setattr(memory, "free", lambda device: free)
    assert (
        memory.preflight(
            folder, Pair, PreTrainedConfig(), "cuda:0", torch.float16, bits
        )
        == chosen
    )


@pytest.mark.parametrize(
    ("device", "free", "bits", "words"),
    [
        ("cuda:0", 2, None, r"\(4 bits\).*Take a GPU with more memory"),
        ("cuda:0", 5, 8, r"\(8 bits\).*Load it with bits=4"),
        ("cpu", 11, None, r"\(float32\).*Take a GPU \(there also with bits=8 or 4\)"),
    ],
)
def test_advice_says_what_would_fit(
    device: str,
    free: int,
    bits: int | None,
    words: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(memory, "need", Needs())
    monkeypatch.setattr(memory, "free", lambda device: free)
    dtype = torch.float32 if device == "cpu" else torch.float16
    with pytest.raises(MemoryError, match=words):
        memory.preflight(folder, Pair, PreTrainedConfig(), device, dtype, bits)


def test_bits_reach_the_weights_loader(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a GPU without room for whole weights: 8 bits, on that GPU, at the type of the
    hardware.
    """
    options = {}

    def read(name: object, **how: object) -> None:
        options.update(how)
        raise KeyboardInterrupt

    monkeypatch.setattr(memory, "need", Needs())
    monkeypatch.setattr(memory, "free", lambda device: 7)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (7, 5))
    monkeypatch.setattr(
        ARCHITECTURES["Blip2ForConditionalGeneration"].model,
        "from_pretrained",
        read,
    )
    with pytest.raises(KeyboardInterrupt):
        captioners.load(folder, device="cuda:1")
    assert (
        options["quantization_config"].load_in_8bit
        and not options["quantization_config"].load_in_4bit
    )
    assert (
        options["device_map"] == {"": "cuda:1"}
        and options["dtype"] == torch.float16
        and options["use_safetensors"] is True
    )


def test_other_bits_are_refused() -> None:
    with pytest.raises(ValueError, match="bits=3; weights are loaded in 8 or 4 bits"):
        checkpoints._packed(3, torch.float16)


def test_a_download_that_the_disk_cannot_hold_is_refused(
    unread: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A hub id: whole weights are fetched, in the type they are stored in, whatever
    they are loaded with.
    """
    config = PreTrainedConfig(dtype=torch.float32)
    stored = 4 * (32 + 24 + 6 + 32)
    monkeypatch.setattr(
        "huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "not" / "yet")
    )
    monkeypatch.setattr(memory, "free", lambda device: 10**9)
    monkeypatch.setattr(memory, "GIB", 1)
    monkeypatch.setattr(
        memory.shutil,
        "disk_usage",
        lambda place: type("Usage", (), {"free": stored - 1}),
    )
    for bits in (None, 8, 4):
        with pytest.raises(
            MemoryError,
            match=(
                rf"about {stored - 1}\.\d GiB and {stored - 1}\.0 GiB are free.*HF_HOME"
            ),
        ):
            memory.preflight(
                "nobody/nothing", Pair, config, "cuda:0", torch.float16, bits
            )
    monkeypatch.setattr(
        memory.shutil,
        "disk_usage",
        lambda place: type("Usage", (), {"free": stored + 1}),
    )
    assert (
        memory.preflight("nobody/nothing", Pair, config, "cuda:0", torch.float16)
        is None
    )


def test_what_is_in_the_hub_cache_needs_no_disk(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "huggingface_hub.try_to_load_from_cache", lambda name, file: "there"
    )
    monkeypatch.setattr(memory, "free", lambda device: 10**9)
    monkeypatch.setattr(
        memory.shutil, "disk_usage", lambda place: type("Usage", (), {"free": 0})
    )
    assert (
        memory.preflight(
            "nobody/nothing", Pair, PreTrainedConfig(), "cpu", torch.float32
        )
        is None
    )


def test_free_memory_is_a_number_of_bytes() -> None:
    assert 2**20 < memory.free("cpu") < 2**50

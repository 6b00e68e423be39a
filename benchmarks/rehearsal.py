"""Rehearse the published models at their real size, with random weights.

The code paths are those of chapters 05 to 16: load from a folder in the hub's layout,
write captions, fine-tune with the recipes of both papers, save an adapter and read it
back, load one in the layout of the authors' own, read in 8 and 4 bits, make chapter
12's feature spaces. Weights are bfloat16, as on a recent GPU; two pictures, two steps,
few tokens. Every step runs in a process of its own, whose peak is held against what
`memory.need` says. Of the models that are only counted there is no folder: their
shapes are made on torch's meta device.

    # BLIP-2 OPT-2.7b: 9 GB below the temporary folder, which TMPDIR chooses
    python -m benchmarks.rehearsal
    # chapter 12's encoders, and blip2-itm-vit-g: 7 GB
    python -m benchmarks.rehearsal --encoders
    # LLaVA-1.5-7b: 16 GB on disk, as much memory
    python -m benchmarks.rehearsal --llava
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers import LogitsProcessor

import wardrobe
from benchmarks import published
from benchmarks.measuring import Figure, alone, options, peak, report
from fashionlib.captioning import captioners, metrics, training
from fashionlib.captioning.captioners import Captioner, checkpoints, contrast, memory
from fashionlib.captioning.training import card, trainer
from fashionlib.data.files import read_json, write_json
from fashionlib.data.readers import hm
from fashionlib.features import encoders

TOKENS, STEPS, PICTURES = 5, 2, 2
BLIP2, LLAVA = "Salesforce/blip2-opt-2.7b", "llava-hf/llava-1.5-7b-hf"
RECIPES = "paper_a", "thesis_b_joint", "paper_a_qv", "thesis_b"
# as the authors' blip2-opt-2.7b-hm: names of layers, a base on a disk of theirs
AUTHORS = {"base_model_name_or_path": "/data/models/blip2-opt-2.7b", "bias": "none"}
clock = time.monotonic if torch.cuda.is_available() else time.process_time


def layers(model: nn.Module, targets: str) -> Counter[str]:
    """Count the layers that LoRA targets match, by part of the model and name."""
    pattern, found = training.Lora(targets=targets).pattern, Counter()
    for name, _ in model.named_modules():
        if re.fullmatch(pattern, name):
            parts = name.removeprefix("model.").split(".")
            found[" ".join(dict.fromkeys((parts[0], parts[-1])))] += 1
    return found


def counted(name: str) -> dict[str, Any]:
    """Count a model's weights, GiB and LoRA's layers, without making the weights."""
    model = published.MODELS[name].model()
    weights = sum(weight.numel() for weight in model.parameters())
    kind, config = type(model), model.config
    needs = {
        str(bits or 16): memory.need(kind, config, torch.bfloat16, bits) / memory.GIB
        for bits in (None, 8, 4)
    }
    found = {targets: dict(layers(model, targets)) for targets in training.TARGETS}
    stored = 2 * weights / memory.GIB
    return {"weights": weights, "GiB": stored, "needs GiB": needs, "layers": found}


def drawn(folder: Path) -> tuple[list[str], list[str]]:
    """Draw a wardrobe once; return the pictures and captions of a few items."""
    if not folder.is_dir():
        wardrobe.write(folder, 120, shoppers=0, size=(400, 600))
    items, _ = hm.filter_captioned(hm.items(folder))
    return items["image"].tolist()[:4], items["caption"].tolist()[:4]


class Stage:
    """What a step of the rehearsal measures: seconds of its parts, and its peak."""

    def __init__(self) -> None:
        self.found: dict[str, Any] = {}

    def timed(self, what: str, work: Any) -> Any:
        """Run `work`, and note its seconds (of the processor where there's no GPU)."""
        began = clock()
        result = work()
        self.found[what] = clock() - began
        return result

    def done(self, **more: Any) -> dict[str, Any]:
        """Return what was found, with the peak in GiB."""
        return self.found | more | {"peak GiB": peak()}


def load(folder: str, adapter: str | None = None, bits: int | None = None) -> Captioner:
    """Load as a recent GPU would: bfloat16, which a processor takes too."""
    with mock.patch.object(checkpoints, "precision", lambda device: torch.bfloat16):
        return captioners.load(folder, adapter, bits=bits)


@torch.inference_mode()
def logits(captioner: Captioner, folder: Path) -> np.ndarray:
    """Return the next token's logits after a picture with its caption, (words,)."""
    images, captions = drawn(folder)
    batch = captioner.batch(images[:1], captions[:1])
    batch["pixel_values"] = batch["pixel_values"].to(captioner.base.dtype)
    return captioner.base.eval()(**batch).logits[0, -1].float().numpy()


def gap(found: np.ndarray, file: Path) -> float:
    """Return the largest difference from the logits in a file, in their deviations."""
    others = np.load(file)
    return float(np.abs(found - others).max() / others.std())


def write(name: str, work: str) -> dict[str, Any]:
    """Write a model's folder."""
    stage, (_, captions) = Stage(), drawn(Path(work) / "wardrobe")
    folder = Path(work) / Path(name).name
    size = stage.timed("seconds", lambda: published.write(name, folder, captions))
    return stage.done(**{"GiB on disk": size / memory.GIB})


class Clock(LogitsProcessor):
    """Notes when each token's logits are there."""

    def __init__(self) -> None:
        self.times = [clock()]

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Note the time and change nothing."""
        self.times.append(clock())
        return scores


def caption(folder: str, adapter: str = "", bits: int = 0) -> dict[str, Any]:
    """Load a folder and write two captions (chapter 05); the logits go into a file.

    An error is a finding where bits are asked for.
    """
    stage, data = Stage(), Path(folder).parent / "wardrobe"
    try:
        captioner = stage.timed("load", lambda: load(folder, adapter or None, bits))
        ticks, images = Clock(), drawn(data)[0][:PICTURES]
        long = {"max_new_tokens": TOKENS, "min_new_tokens": TOKENS}
        captioners.generate(captioner, images, logits_processor=[ticks], **long)
        spent = np.diff(ticks.times)
        found, file = logits(captioner, data), Path(folder).parent / "base.npy"
    except Exception as error:
        if not bits:
            raise
        return stage.done(failed=f"{type(error).__name__}: {error}")
    if not adapter and not bits:
        np.save(file, found)
    return stage.done(
        **{"first token": spent[0], "a token": spent[1:].mean()},
        **{"from the base": gap(found, file), "finite": bool(np.isfinite(found).all())},
    )


def learn(folder: str, name: str) -> dict[str, Any]:
    """Fine-tune with a recipe (chapters 06, 07, 16), and save the adapter."""
    stage, data = Stage(), Path(folder).parent / "wardrobe"
    (images, captions), place = drawn(data), Path(folder).parent / name
    recipe = training.recipe(name, STEPS, batch_size=PICTURES, evaluations=1)
    captioner = load(folder)
    if recipe.joint:
        captioner = captioners.with_text(captioner)
    pairs, held = (images[:PICTURES], captions[:PICTURES]), (images[2:3], captions[2:3])
    with mock.patch.object(trainer, "time", SimpleNamespace(monotonic=clock)):
        captioner, curve = training.train(
            captioner, *pairs, recipe, place / "run", held, shown=0
        )
    card.save_adapter(captioner, place / "adapter", folder)
    found = logits(captioner, data)
    np.save(place / "tuned.npy", found)
    size = sum(file.stat().st_size for file in (place / "adapter").iterdir())
    return stage.done(
        **{"a step": curve["seconds"].iloc[1] - curve["seconds"].iloc[0]},
        losses=curve["loss"].tolist(),
        learned=training.count_weights(captioner)["learned"].to_dict(),
        **{"adapter MiB": size / 2**20},
        **{"from the base": gap(found, Path(folder).parent / "base.npy")},
    )


def read_back(adapter: str) -> dict[str, Any]:
    """Load an adapter's folder, which names its base; compare it with the trained."""
    stage, place = Stage(), Path(adapter).parent
    captioner = stage.timed("load", lambda: load(adapter))
    found = logits(captioner, place.parent / "wardrobe")
    return stage.done(**{"from the trained": gap(found, place / "tuned.npy")})


def spaces(folder: str, adapter: str) -> dict[str, Any]:
    """Make chapter 12's spaces of a fine-tuned BLIP-2."""
    stage, (images, _) = Stage(), drawn(Path(folder).parent / "wardrobe")
    captioner, ids = load(folder, adapter), [str(row) for row in range(len(images))]
    made = stage.timed(
        "spaces", lambda: captioners.feature_spaces(captioner, images, ids)
    )
    rows = captioners.cache_vision(captioner, images, Path(adapter).parent)
    shapes = {name: list(space.matrix.shape) for name, space in made.items()}
    queries = captioners.encode_images(captioner, images).queries
    shapes |= {"a picture's vision": list(rows.shape)}
    return stage.done(shapes=shapes | {"a picture's queries": list(queries.shape[1:])})


def authors_adapter(name: str, place: Path) -> None:
    """Write an adapter as the authors' blip2-opt-2.7b-hm lies on the hub.

    Rank 32, alpha 64, rank-stabilised, all linear layers by their names; its weights
    are random.
    """
    model = published.MODELS[name].model()
    lora = training.recipe("paper_a", 1).lora
    settings = AUTHORS | {"peft_type": "LORA", "r": lora.r, "lora_alpha": lora.alpha}
    settings |= {"use_rslora": lora.rslora, "lora_dropout": lora.dropout}
    found = [
        (path, layer)
        for path, layer in model.named_modules()
        if isinstance(layer, nn.Linear) and "lm_head" not in path
    ]
    settings["target_modules"] = sorted({path.rpartition(".")[2] for path, _ in found})
    weights = {}
    for path, layer in found:
        to, of = layer.weight.shape
        for part, shape in {"A": (lora.r, of), "B": (to, lora.r)}.items():
            key = f"base_model.model.{path}.lora_{part}.weight"
            weights[key] = 0.002 * torch.randn(shape)
    place.mkdir(parents=True, exist_ok=True)
    (place / "adapter_config.json").write_text(json.dumps(settings))
    save_file(weights, place / "adapter_model.safetensors")


def encoded(name: str, work: str) -> dict[str, Any]:
    """Encode pictures or captions with an encoder (chapter 12), or learn categories."""
    stage, (images, captions) = Stage(), drawn(Path(work) / "wardrobe")
    folder, ids = str(Path(work) / Path(name).name), [str(row) for row in range(4)]
    ways = {
        "ResNetModel": lambda: encoders.resnet50(images, ids, folder),
        "CLIPModel": lambda: encoders.clip(images, ids, folder, captions),
        "MPNetModel": lambda: encoders.sentences(captions, ids, folder),
    }
    way = ways.get(published.MODELS[name].kind)
    if way is None:  # chapter 08's classifier
        kinds, learn = ["a", "b"] * 2, metrics.category_classifier
        judge = stage.timed("seconds", lambda: learn(captions, kinds, 0, folder))
        return stage.done(labels=judge.predict(captions).tolist())
    return stage.done(shape=list(stage.timed("seconds", way).matrix.shape))


def retrieval(name: str, work: str) -> dict[str, Any]:
    """Read blip2-itm-vit-g's layout: our retrieval part agrees with transformers'.

    The captioner's language model is a small one: retrieval doesn't read it.
    """
    from transformers import Blip2Config, Blip2ForImageTextRetrieval
    from transformers.models.blip_2.modeling_blip_2 import (
        Blip2ForConditionalGeneration as Blip2,
    )

    stage, (images, captions) = Stage(), drawn(Path(work) / "wardrobe")
    folder = Path(work) / Path(name).name
    theirs = stage.timed(
        "load",
        lambda: Blip2ForImageTextRetrieval.from_pretrained(
            folder, dtype=torch.float32
        ).eval(),
    )
    small = {"model_type": "opt", "hidden_size": 32, "word_embed_proj_dim": 32}
    small |= {"num_hidden_layers": 1, "num_attention_heads": 2, "ffn_dim": 32}
    with torch.device("meta"):
        own = Blip2(Blip2Config(text_config=small)).eval()
    tokens = checkpoints.AutoTokenizer.from_pretrained(folder)
    captioner = Captioner(own, tokens, published.MODELS[name].pixels)
    weights = theirs.state_dict()
    own.load_state_dict(weights, strict=False, assign=True)
    own.language_projection.to_empty(device="cpu")
    own.language_model.to_empty(device="cpu")
    part = contrast.attach(captioner, theirs.config.qformer_config.vocab_size, 256)
    renamed = {
        key.replace("qformer.encoder.layer", "feed_forwards"): weights[key]
        for key in weights
    } | {"logit_scale": part.logit_scale.data}
    part.load_state_dict({key: renamed[key] for key in part.state_dict()})
    texts = contrast.text_batch(captioner, captions)
    given = {"input_ids": texts["text_ids"], "attention_mask": texts["text_mask"]}
    pixels = captioner.inputs(images).to(theirs.dtype)
    with torch.inference_mode():
        expected = theirs(pixel_values=pixels, **given).logits_per_image.float()
    vectors = captioners.embed_images(captioner, images, pooling=None)
    ours = contrast.similarity(
        torch.from_numpy(vectors),
        torch.from_numpy(captioners.embed_texts(captioner, captions)),
    )
    apart = float((ours - expected).abs().max())
    return stage.done(**{"largest difference of a cosine": apart})


def step(work: Path, call: str, *words: object, bits: int = 0) -> dict[str, Any]:
    """Run a step in a process of its own, once; that it failed is a finding, too.

    What it found is kept below `work`, so that a rehearsal that was cut off goes on.
    Exit code -9 is Linux's, where memory lacks. The error stands on the terminal.
    """
    given = [repr(str(word)) for word in words] + [f"bits={bits}"] * bool(bits)
    code = f"rehearsal.{call}({', '.join(given)})"
    file = work / "steps" / f"{hashlib.sha256(code.encode()).hexdigest()[:16]}.json"
    if not file.is_file():
        try:
            found = alone(code)
        except subprocess.CalledProcessError as error:
            found = {"failed": f"exit code {error.returncode}"}
        write_json(file, found)
    return read_json(file)


def rehearsed(name: str, recipes: Sequence[str], work: Path) -> dict[str, Any]:
    """Rehearse a captioner: written, captions, recipes, adapters, bits."""
    folder, run = work / Path(name).name, partial(step, work)
    found = {"write": run("write", name, work), "captions": run("caption", folder)}
    for recipe in recipes:
        found[recipe] = run("learn", folder, recipe)
        back = run("read_back", work / recipe / "adapter")
        found[f"{recipe}, read back"] = back
    if name == LLAVA:
        return found
    theirs, tuned = work / "authors", work / recipes[0] / "adapter"
    authors_adapter(name, theirs)
    found["the authors' layout"] = run("caption", folder, theirs)
    found["spaces"] = run("spaces", folder, tuned)
    for bits in (8, 4):
        found[f"{bits} bits"] = run("caption", folder, bits=bits)
    return found


def others(work: Path) -> dict[str, Any]:
    """Rehearse the encoders, and blip2-itm-vit-g."""
    found, run = {}, partial(step, work)
    for name in published.ENCODERS | published.RETRIEVAL:
        way = "retrieval" if name in published.RETRIEVAL else "encoded"
        found[name] = {"write": run("write", name, work), way: run(way, name, work)}
    return found


def figures(name: str, found: dict[str, Any], needs: dict[str, float]) -> list[Figure]:
    """Show a captioner's costs, and its peaks beside what `memory.need` says."""
    name, rows = Path(name).name, []
    for what, one in found.items():
        where = f"{name}, {what}"
        for key, unit in {"a step": "s", "a token": "s", "GiB on disk": "GiB"}.items():
            if key in one:
                rows.append(Figure(f"{where}: {key}", one[key], unit))
        bits = what.split()[0] if "bits" in what else "16"
        if what != "write" and "peak GiB" in one:
            peer = "memory.need", needs[bits]
            rows.append(Figure(f"{where}: peak", one["peak GiB"], "GiB", *peer))
    return rows


def main() -> None:
    given = options(__doc__, llava=False, encoders=False)
    what = "encoders" if given.encoders else LLAVA if given.llava else BLIP2
    work = Path(tempfile.gettempdir()) / f"rehearsal-{Path(what).name}"
    if given.encoders:
        found, rows = others(work), []
        for name, steps in found.items():
            for way in steps.keys() - {"write"}:
                where = f"{Path(name).name}, {way}: peak"
                rows.append(Figure(where, steps[way]["peak GiB"], "GiB"))
    else:
        known = published.CAPTIONERS | published.RETRIEVAL
        counts = {name: counted(name) for name in known}
        found = rehearsed(what, RECIPES[:1] if given.llava else RECIPES, work)
        rows = figures(what, found, counts[what]["needs GiB"])
        found["counts"] = counts
    report(rows, found)
    shutil.rmtree(work)


if __name__ == "__main__":
    main()

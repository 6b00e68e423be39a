"""Compare fine-tuning as Paper A's code does it with `training.train`, step by step.

Reference: each row filled up to 512 tokens, the fill learned too; each picture decoded,
resized and run through the vision tower at every step; no length buckets. Both sides
are `training.train` on one model, data, batch size and number of steps, LoRA on all
linear layers behind the tower. Samples a second are medians over rounds, the rungs
alternating, each a short run whose log gives the time, its start left out: of the
processor, and on a GPU of the wall. TFLOP are what torch counts in a forward and
backward pass (2 per multiply and add), pads included: they say which ratio the hardware
should show.

    # a mini on one CPU thread
    python -m benchmarks.finetune [--rounds 3] [--steps 40] [--items 400]
    # a GPU: shapes of BLIP-2-OPT-2.7b, random weights, bfloat16
    python -m benchmarks.finetune --full [--rounds 3]
"""

import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pandas as pd
import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import Blip2Config, Blip2ForConditionalGeneration

import wardrobe
from benchmarks.measuring import Figure, options, peak, report
from fashionlib.captioning import captioners, controls, training
from fashionlib.captioning.captioners import Captioner, Size, Vit, minis
from fashionlib.captioning.captioners.architectures import ARCHITECTURES, IMAGE
from fashionlib.captioning.training import batches, trainer
from fashionlib.data import provenance
from fashionlib.data.readers import hm

LADDER = (
    "reference",
    "dynamic padding",
    "pixel cache",
    "feature cache",
    "length buckets",
)  # each with those before
PAD_TO, HELD = 512, 48  # tokens a row; validation pictures
EPOCH, FEW = 20, 4  # timed steps: about an epoch; few where all rows are of one length
PEAKS = {
    "H100": 989,
    "H200": 989,
    "A100": 312,
    "L4": 121,
    "T4": 65,
}  # TFLOP/s in 16 bits, dense: NVIDIA's data sheets
MINI = (
    Vit(image_size=224, patch_size=16, width=192, layers=3),
    Size(queries=32, positions=640),
)


clock = time.monotonic if torch.cuda.is_available() else time.process_time


@dataclass(frozen=True)
class Bench:
    """What all rungs share: the data, the recipe, and starting weights in `start`."""

    items: pd.DataFrame  # image, caption, generic caption
    work: Path
    recipe: training.Recipe

    def captioner(self, rung: int, images: list[str]) -> Captioner:
        """Load the starting weights, reading images as this rung does."""
        captioner = captioners.load(self.work / "start")
        if rung >= 2:
            captioner.pixel_cache = self.work / "pixels"
        if rung < 3:
            return captioner
        rows = captioners.cache_vision(captioner, images, self.work / "features")
        return captioners.without_tower(captioner, rows)

    def train(
        self, rung: int, name: str, validate: bool = False, **changes: Any
    ) -> tuple[Captioner, pd.DataFrame]:
        """Run `training.train` on this rung.

        With `validate` the last HELD items are evaluated on, not trained on.
        """
        images = self.items["image"].tolist()
        captioner = self.captioner(rung, images)
        captions = self.items["caption"].tolist()
        held = (images[-HELD:], captions[-HELD:]) if validate else None
        recipe = replace(self.recipe, pad_to=0 if rung else PAD_TO, **changes)
        log = mock.patch.object(trainer, "time", SimpleNamespace(monotonic=clock))
        with log, in_order(bucketed=rung >= 4):
            return training.train(
                captioner,
                images[:-HELD],
                captions[:-HELD],
                recipe,
                self.work / f"{name}-{rung}",
                held,
                shown=0,
            )

    def rate(self, rung: int, round_: int) -> float:
        """Return samples a second after the first fifth of a short run."""
        timed = EPOCH if rung else FEW
        _, history = self.train(
            rung, f"round-{round_}", steps=timed * 5 // 4, evaluations=1, seed=round_
        )
        return (
            timed
            * self.recipe.batch_size
            / (history["seconds"].iloc[-1] - history["seconds"].iloc[0])
        )

    def tflop(self, rung: int) -> float:
        """TFLOP a sample of a step."""
        count = EPOCH // 2 if rung else 1
        images = self.items["image"].tolist()
        captioner = self.captioner(rung, images)
        with in_order(bucketed=rung >= 4):
            made = batches.Batches(
                captioner,
                images[:-HELD],
                self.items["caption"][:-HELD].tolist(),
                replace(self.recipe, pad_to=0 if rung else PAD_TO),
                count,
            )
        model = training.adapt(captioner, self.recipe.lora).model.train()
        with FlopCounterMode(display=False) as counter:
            for batch in made:
                inputs = {key: value.to(model.device) for key, value in batch.items()}
                inputs["pixel_values"] = inputs["pixel_values"].to(captioner.base.dtype)
                model(**inputs).loss.backward()
        return counter.get_total_flops() / (count * self.recipe.batch_size) / 1e12


@contextmanager
def in_order(bucketed: bool) -> Iterator[None]:
    """Batches planned as ever, or as if all captions were of one length."""
    plan = batches.plan
    with mock.patch.object(
        batches,
        "plan",
        plan if bucketed else lambda lengths, *how: plan([0] * len(lengths), *how),
    ):
        yield


def memory(bench: Bench, rung: int) -> dict[str, float]:
    """Return GiB at the peak of a short run, and before it.

    They are of a process of its own (on a GPU of what torch holds there).
    """
    bench.captioner(
        rung, bench.items["image"].tolist()
    )  # what is loaded, and what is cached once
    before = _peak()
    bench.train(rung, "memory", steps=3, evaluations=1)
    return {"peak GiB": round(_peak(), 2), "of it before training": round(before, 2)}


def _peak() -> float:
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 2**30
    return peak()


def to_loss(bench: Bench, steps: int) -> tuple[Captioner, dict[str, Any]]:
    """Train both ends of the ladder; time until each has the other's best loss.

    It is the masked validation loss, in seconds. Returns our trained captioner too.
    Ours begins with empty caches; filling them counts.
    """
    cold = replace(bench, work=bench.work / "cold")
    captioners.save(captioners.load(bench.work / "start"), cold.work / "start")
    started = clock()
    cold.captioner(len(LADDER) - 1, bench.items["image"].tolist())
    filled = clock() - started
    curves = {}
    for name, rung in (("reference", 0), ("ours", len(LADDER) - 1)):
        trained, history = cold.train(
            rung, "loss", validate=True, steps=steps, evaluations=10
        )
        curves[name] = history.dropna(subset=["validation"]).assign(
            seconds=history["seconds"] + filled * (rung > 0)
        )
    best = {name: curve["validation"].min() for name, curve in curves.items()}

    def reached(name: str, loss: float) -> float | None:
        there = curves[name][curves[name]["validation"] <= loss]
        return round(float(there["seconds"].iloc[0]), 1) if len(there) else None

    return trained, {
        "steps": steps,
        "seconds to fill ours' caches": round(filled, 1),
        "best loss": {name: round(loss, 4) for name, loss in best.items()},
        "seconds to ours' best": {name: reached(name, best["ours"]) for name in curves},
        "seconds to the reference's best": {
            name: reached(name, best["reference"]) for name in curves
        },
        "curves": {
            name: curve[["step", "seconds", "validation"]].round(4).to_dict("list")
            for name, curve in curves.items()
        },
    }


def generation(
    captioner: Captioner, images: list[str], rounds: int, single: int = 8
) -> dict[str, float | int]:
    """Measure captions a second, all at once and `single` one by one.

    Also how many of the latter differ.
    """
    rates: dict[str, list[float]] = {"one by one": [], "batched": []}
    for _ in range(rounds + 1):  # the first warms up
        started = clock()
        alone = captioners.generate(captioner, images[:single], batch_size=1)
        between = clock()
        together = captioners.generate(captioner, images, batch_size=len(images))
        rates["one by one"].append(single / (between - started))
        rates["batched"].append(len(images) / (clock() - between))
    median = {name: statistics.median(found[1:]) for name, found in rates.items()}
    lengths = [len(ids) for ids in captioners.tokens(captioner.tokenizer, together)]
    return {
        **{
            f"{name}, captions a second": round(rate, 2)
            for name, rate in median.items()
        },
        "ratio": round(median["batched"] / median["one by one"], 1),
        "batch": len(images),
        "tokens, median": statistics.median(lengths),
        "tokens, longest": max(lengths),
        "captions that differ": sum(
            a != b for a, b in zip(alone, together, strict=False)
        ),
        "of": single,
    }


def ladder(bench: Bench, rounds: int) -> dict[str, dict[str, Any]]:
    """Return each rung's samples a second, its ratio to the reference's, and TFLOP.

    TFLOP are a sample's. On a known card also the share of its peak: TFLOP a sample x
    samples a second / peak.
    """
    rates: dict[int, list[float]] = {rung: [] for rung in range(len(LADDER))}
    for round_ in range(rounds):
        for rung in rates:
            rates[rung].append(bench.rate(rung, round_))
    card = provenance.hardware()["accelerator"] or ""
    most = next((peak for name, peak in PEAKS.items() if name in card), None)
    result = {}
    for rung, name in enumerate(LADDER):
        rate, tflop = statistics.median(rates[rung]), bench.tflop(rung)
        result[name] = {
            "samples a second": round(rate, 2),
            "ratio": round(rate / statistics.median(rates[0]), 2),
            "TFLOP a sample": round(tflop, 5),
            "GFLOP/s": round(1000 * tflop * rate, 1),
            "share of peak": round(tflop * rate / most, 4) if most else None,
        }
    return result


def drawn(folder: Path, count: int, batch_size: int) -> pd.DataFrame:
    """Draw captioned items of a wardrobe with pictures of 400 x 600.

    They are HELD, and as many more as fill whole batches.
    """
    wardrobe.write(folder, count, shoppers=0, size=(400, 600))
    items, _ = hm.filter_captioned(hm.items(folder))
    if len(items) < HELD + batch_size:
        raise ValueError(
            f"{len(items)} captioned items of {count} drawn; {HELD + batch_size} are"
            " needed, draw more"
        )
    items = items[: HELD + (len(items) - HELD) // batch_size * batch_size]
    return items.assign(
        generic=[controls.generic_caption(row) for row in items.to_dict("records")]
    )


def pretrained_mini(items: pd.DataFrame, work: Path, steps: int) -> Captioner:
    """Train a mini on generic captions, and its language on the training captions.

    It learns the language from shuffled pictures. The weights of its tower are random.
    """
    vit, size = MINI
    captioner = captioners.mini(
        [*items["caption"], *items["generic"]], vit, "blip2-medium", size
    )
    tower, images = captioner.tower, items["image"].tolist()
    rows = captioners.cache_vision(captioner, images, work / "features")
    captions = items["caption"][:-HELD].tolist()
    others = controls.shuffled(len(items) - HELD, seed=0)
    recipe = training.recipe(
        "mini_pretraining", steps, text_share=0.0, batch_size=16, warmup=20
    )
    captioner, _ = training.train(
        captioners.without_tower(captioner, rows),
        images + [images[row] for row in others],
        items["generic"].tolist() + captions,
        recipe,
        work / "pretraining",
    )
    captioner.base.vision_model = tower
    return replace(captioner, rows=None)


def random_full(
    items: pd.DataFrame,
    config: Blip2Config,
    device: str = "cuda",
    dtype: torch.dtype = torch.bfloat16,
) -> Captioner:
    """Save a BLIP-2 of this configuration with random weights and a tokenizer.

    The tokenizer is learned from the captions.
    """
    tokenizer = minis.vocabulary(items["caption"], 2500)
    config.image_token_index = tokenizer.convert_tokens_to_ids(IMAGE)
    torch.set_default_dtype(dtype)
    with torch.device(device):
        model = Blip2ForConditionalGeneration(config).eval()
    torch.set_default_dtype(torch.float32)
    side = {
        "height": config.vision_config.image_size,
        "width": config.vision_config.image_size,
    }
    return Captioner(
        model,
        tokenizer,
        ARCHITECTURES["Blip2ForConditionalGeneration"].pixels(size=side),
    )


def opt_2_7b() -> Blip2Config:
    """Return the shapes of BLIP-2-OPT-2.7b: ViT-g, Q-Former and OPT."""
    text = {
        "hidden_size": 2560,
        "word_embed_proj_dim": 2560,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "ffn_dim": 10240,
        "vocab_size": 50304,
        "max_position_embeddings": 2048,
        "model_type": "opt",
        **minis.IDS,
    }
    return Blip2Config(
        vision_config={"initializer_range": 0.02}, text_config=text, num_query_tokens=32
    )


def main() -> None:
    given = options(__doc__, rounds=3, steps=40, items=400, full=False)
    if given.full and not torch.cuda.is_available():
        raise ValueError(
            "--full trains 3.7 billion weights on a GPU, and torch sees none; leave"
            " --full out"
        )
    if not given.full:
        torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        recipe = training.recipe("mini", given.steps, batch_size=16, warmup=5)
        items = drawn(work / "wardrobe", given.items, recipe.batch_size)
        start = (
            random_full(items, opt_2_7b())
            if given.full
            else pretrained_mini(items, work, steps=200)
        )
        captioners.save(start, work / "start")
        del start
        bench = Bench(items, work, recipe)
        result = measured(bench, given.rounds, 0 if given.full else given.steps)
    about = "BLIP-2-OPT-2.7b's shapes" if given.full else "a BLIP-2 mini"
    report(figures(result, about), result)


def figures(result: dict[str, Any], about: str) -> list[Figure]:
    """Show each rung beside the reference, then memory, the way to a loss, captions."""
    rows, recipe = dict(result["ladder"]), "Paper A's recipe"
    theirs = rows.pop("reference")["samples a second"]
    found, memory = [], result["memory"]
    for rung, row in rows.items():
        cost = 1000 / row["samples a second"], "ms", recipe, 1000 / theirs
        found.append(Figure(f"LoRA of {about}, a sample, + {rung}", *cost))
    last = LADDER[-1]
    cost = memory[last]["peak GiB"], "GiB", recipe, memory["reference"]["peak GiB"]
    found.append(Figure("its peak memory", *cost))
    best = result.get("to loss", {}).get("seconds to the reference's best", {})
    if best.get("ours"):  # it got there
        cost = best["ours"], "s", recipe, best["reference"]
        found.append(Figure("to the recipe's best loss, caches filled", *cost))
    made = result["generation"]
    cost = [
        1000 / made[f"{way}, captions a second"] for way in ("batched", "one by one")
    ]
    note = f"{made['captions that differ']} of {made['of']} differ"
    what = f"a caption of {made['tokens, median']:.0f} tokens, {made['batch']} at once"
    return [*found, Figure(what, cost[0], "ms", "one by one", cost[1], 10, note)]


def measured(bench: Bench, rounds: int, steps: int) -> dict[str, Any]:
    """Measure everything; with 0 steps no training to a loss.

    Memory comes first, while this process holds none of a GPU's.
    """
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        peaks = {
            LADDER[rung]: pool.apply(memory, (bench, rung))
            for rung in (0, len(LADDER) - 1)
        }
    result = {"memory": peaks, "ladder": ladder(bench, rounds)}
    images = bench.items["image"].tolist()[:128]
    captioner = bench.captioner(len(LADDER) - 1, images)
    if steps:
        captioner, result["to loss"] = to_loss(bench, steps)
    return result | {"generation": generation(captioner, images, rounds)}


if __name__ == "__main__":
    main()

"""One training loop for every captioner: pretraining, LoRA and full fine-tuning differ in their recipe only."""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from tqdm import tqdm
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments
from transformers.trainer_utils import get_last_checkpoint

from fashionlib.captioners import Captioner, tokens

SMALL = 10_000_000  # weights; below this a second CPU thread costs more than it brings
PATTERNS = {"stripe": "striped", "dot": "dotted", "check": "checked", "all over pattern": "patterned",
            "placement print": "printed", "embroidery": "embroidered"}  # H&M's name -> an adjective


@dataclass(frozen=True)
class Lora:
    """Low-rank adapters. The defaults are those of Paper A's published adapter: rank 32, alpha 64, dropout .05, rsLoRA.

    `targets` are the linear layers of the Q-Former, the projection and the language model: Paper A's "all-linear" less
    the vision tower, whose features are cached here.
    """

    r: int = 32
    alpha: int = 64
    dropout: float = 0.05
    rslora: bool = True
    targets: str = (r"(qformer\..*\.(query|key|value|dense)|language_projection"
                    r"|language_model\..*\.(q_proj|k_proj|v_proj|out_proj|fc1|fc2))")


@dataclass(frozen=True)
class Recipe:
    """What a run does, apart from its data. `lora=None` trains all weights; `flip` mirrors half of a twin's grids.

    `text_share` of the batches are plain sentences for the language model (`texts` of `train`).
    """

    steps: int
    batch_size: int = 32
    lr: float = 1.2e-3
    warmup: int = 100
    weight_decay: float = 0.05
    betas: tuple[float, float] = (0.9, 0.98)
    floor: float = 0.02  # of the learning rate, where the cosine ends
    longest: int = 84  # tokens of a caption
    flip: bool = True
    text_share: float = 0.0
    evaluations: int = 4
    lora: Lora | None = None
    seed: int = 0


def generic_caption(row: Mapping[str, Any]) -> str:
    """"a photo of a red striped dress": colour, pattern and category of an items row, as a general captioner might say.

    Solid and "other" patterns, and unknown values, are left out; a plural category has no article.
    """
    def known(name: str) -> str:
        word = str(row.get(name) if pd.notna(row.get(name)) else "").strip().lower()
        return "" if word in ("solid", "unknown", "undefined") or word.startswith("other") else word

    pattern = PATTERNS.get(known("pattern"), known("pattern"))
    thing = " ".join(word for word in (known("colour"), pattern, known("category") or "garment") if word)
    plural = thing.endswith("s") and not thing.endswith("ss")
    return f"a photo of {'' if plural else 'an ' if thing[0] in 'aeiou' else 'a '}{thing}"


def shuffled(n: int, seed: int) -> np.ndarray:
    """A random permutation of n rows without fixed points (one cycle): the control shows each item another's image."""
    if n < 2:
        raise ValueError(f"{n} items can't be shuffled so that each meets another; give at least 2")
    order = np.random.default_rng(seed).permutation(n)
    other = np.empty(n, dtype=np.int64)
    other[order] = np.roll(order, 1)
    return other


def plan(lengths: Sequence[int], batch_size: int, batches: int, rng: np.random.Generator) -> list[np.ndarray]:
    """`batches` batches of row numbers, each of captions of similar length: shuffle, sort runs of 16 batches, shuffle.

    The whole order is a function of the generator, so a resumed run sees the batches it would have seen.
    """
    planned: list[np.ndarray] = []
    while len(planned) < batches:
        rows = rng.permutation(len(lengths))
        for k in range(0, len(rows), 16 * batch_size):
            run = rows[k:k + 16 * batch_size]
            run = run[np.argsort(np.take(lengths, run), kind="stable")]
            cut = [run[j:j + batch_size] for j in range(0, len(run), batch_size)]
            planned += [cut[j] for j in rng.permutation(len(cut))]
    return planned[:batches]


class _Batches(torch.utils.data.Dataset):
    """Planned batches as a dataset: item i is the i-th batch, ready made, the same whenever it is asked for."""

    def __init__(self, captioner: Captioner, images: Any, captions: Sequence[str], recipe: Recipe, batches: int,
                 texts: Sequence[str] = (), training: bool = True) -> None:
        self.captioner, self.images, self.captions, self.texts = captioner, images, captions, texts
        self.recipe, self.training = recipe, training
        rng = np.random.default_rng([recipe.seed, 0])
        text = np.zeros(batches, dtype=bool)
        text[rng.permutation(batches)[:round(recipe.text_share * batches) if texts else 0]] = True
        read = iter(self._plan(texts, int(text.sum()), rng) if text.any() else [])
        seen = iter(self._plan(captions, int((~text).sum()), rng))
        self.batches = [(bool(is_text), next(read if is_text else seen)) for is_text in text]

    def _plan(self, captions: Sequence[str], batches: int, rng: np.random.Generator) -> list[np.ndarray]:
        lengths = [len(ids) for ids in tokens(self.captioner.tokenizer, captions)]
        return plan(lengths, self.recipe.batch_size, batches, rng)

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, i: int) -> dict[str, torch.Tensor]:
        is_text, rows = self.batches[i]
        if is_text:
            return self.captioner.batch(None, [self.texts[r] for r in rows], self.recipe.longest)
        grid = isinstance(self.images, np.ndarray)
        images = self.images[rows] if grid else [self.images[r] for r in rows]
        if grid and self.training and self.recipe.flip:
            images = mirrored(images, np.random.default_rng([self.recipe.seed, 1, i]).random(len(rows)) < 0.5)
        return self.captioner.batch(images, [self.captions[r] for r in rows], self.recipe.longest)


def mirrored(grids: np.ndarray, which: np.ndarray) -> np.ndarray:
    """Grid features (items, side * side, dim) with the rows of the mask `which` mirrored left to right."""
    items, cells, dim = grids.shape
    side = math.isqrt(cells)
    square = grids.reshape(items, side, side, dim)
    return np.where(which[:, None, None, None], square[:, :, ::-1], square).reshape(grids.shape)


def adapt(captioner: Captioner, lora: Lora, seed: int = 0) -> Captioner:
    """The captioner with fresh adapters; its own weights are frozen, and shared with `captioner`."""
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(seed)
    config = LoraConfig(r=lora.r, lora_alpha=lora.alpha, lora_dropout=lora.dropout, use_rslora=lora.rslora,
                        target_modules=rf".*{lora.targets}$")
    return Captioner(get_peft_model(captioner.model, config), captioner.tokenizer, captioner.pixels, captioner.prompt)


def train(captioner: Captioner, images: Sequence[str] | np.ndarray, captions: Sequence[str], recipe: Recipe,
          output_dir: Path, validation: tuple[Any, Sequence[str]] | None = None, texts: Sequence[str] = (),
          ) -> tuple[Captioner, pd.DataFrame]:
    """Train and return the captioner (adapted where the recipe says LoRA) and its curve: step, loss, validation.

    `images` are paths, or grid features for a twin; `validation` is (images, captions). Losses are nats per token. A
    killed run resumes from its checkpoint below `output_dir`, kept there under a name of its recipe, captions and
    starting weights, and removed when the run ends. Raises ValueError where the numbers of images and captions differ.
    """
    if len(images) != len(captions):
        raise ValueError(f"{len(captions)} captions for {len(images)} images")
    folder = Path(output_dir) / _key(captioner, recipe, images, captions, texts)
    if recipe.lora is not None:
        captioner = adapt(captioner, recipe.lora, recipe.seed)
    every = max(1, recipe.steps // max(1, recipe.evaluations))
    batches = _Batches(captioner, images, captions, recipe,
                       recipe.steps * int(os.environ.get("WORLD_SIZE", 1)), texts)
    held = validation and _Batches(captioner, *validation, recipe, math.ceil(len(validation[1]) / recipe.batch_size),
                                   training=False)
    trainer = Trainer(captioner.model, _arguments(recipe, folder, captioner, every, held is not None),
                      data_collator=_only, train_dataset=batches, eval_dataset=held,
                      callbacks=[_Bar(recipe.steps)])
    trainer.remove_callback(PrinterCallback)
    with _threads(captioner):
        trainer.train(resume_from_checkpoint=get_last_checkpoint(str(folder)) if folder.is_dir() else None)
    captioner.model.eval()
    if trainer.is_world_process_zero():
        shutil.rmtree(folder)
    return captioner, curve(trainer.state.log_history)


def curve(log: Sequence[Mapping[str, float]]) -> pd.DataFrame:
    """A trainer's log as a table: step, loss (mean since the row before), validation (missing where not measured)."""
    rows: dict[int, dict[str, float]] = {}
    for entry in log:
        named = {"loss": entry.get("loss"), "validation": entry.get("eval_loss")}
        rows.setdefault(int(entry["step"]), {}).update({k: v for k, v in named.items() if v is not None})
    table = pd.DataFrame([{"step": step, **rows[step]} for step in sorted(rows) if rows[step]])
    return table.reindex(columns=["step", "loss", "validation"])


def _arguments(recipe: Recipe, folder: Path, captioner: Captioner, every: int, evaluate: bool) -> TrainingArguments:
    dtype = captioner.base.dtype  # float32 weights on a GPU stay so: twins are small
    return TrainingArguments(
        output_dir=str(folder), max_steps=recipe.steps, per_device_train_batch_size=1, per_device_eval_batch_size=1,
        learning_rate=recipe.lr, warmup_steps=recipe.warmup, weight_decay=recipe.weight_decay,
        adam_beta1=recipe.betas[0], adam_beta2=recipe.betas[1], max_grad_norm=1.0,
        lr_scheduler_type="cosine_with_min_lr", lr_scheduler_kwargs={"min_lr_rate": recipe.floor},
        train_sampling_strategy="sequential", seed=recipe.seed, data_seed=recipe.seed,
        bf16=dtype == torch.bfloat16, fp16=dtype == torch.float16, use_cpu=captioner.base.device.type == "cpu",
        logging_steps=max(1, every // 5), eval_strategy="steps" if evaluate else "no", eval_steps=every,
        save_strategy="steps", save_steps=every, save_total_limit=1, prediction_loss_only=True, report_to="none",
        label_names=["labels"], disable_tqdm=True, dataloader_pin_memory=False, remove_unused_columns=False)


class _Bar(TrainerCallback):
    """A plain progress bar with the last loss."""

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.bar = tqdm(total=self.steps, initial=state.global_step, desc="training", unit="step", mininterval=1)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.bar.update(1)

    def on_log(self, args: Any, state: Any, control: Any, logs: Mapping[str, float] | None = None, **_: Any) -> None:
        if logs and "loss" in logs:
            self.bar.set_postfix(loss=f"{float(logs['loss']):.3f}")

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.bar.close()


def _key(captioner: Captioner, recipe: Recipe, images: Sequence[str] | np.ndarray, captions: Sequence[str],
         texts: Sequence[str]) -> str:
    """A name for a run: the same recipe, images, captions and starting weights give the same one."""
    digest = hashlib.sha256(json.dumps([asdict(recipe), list(captions), list(texts)]).encode())
    digest.update(images.tobytes() if isinstance(images, np.ndarray) else json.dumps(list(images)).encode())
    for weights in list(captioner.base.parameters())[::20]:  # a sample: full-size models have 3.7 billion
        digest.update(weights.detach().flatten()[:1000].float().cpu().numpy().tobytes())
    return digest.hexdigest()[:16]


def _only(items: list[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """The one planned batch of this process; several GPUs in one process would need several."""
    if len(items) != 1:
        raise ValueError(f"{len(items)} GPUs in one process; start one process each with `accelerate launch`, or set "
                         "CUDA_VISIBLE_DEVICES to one of them")
    return items[0]


@contextmanager
def _threads(captioner: Captioner) -> Any:
    """One torch thread while a small model trains on the CPU; as before afterwards."""
    before = torch.get_num_threads()
    weights = sum(p.numel() for p in captioner.base.parameters())
    torch.set_num_threads(1 if weights < SMALL and captioner.base.device.type == "cpu" else before)
    try:
        yield
    finally:
        torch.set_num_threads(before)

"""One training loop for every captioner: pretraining, LoRA and full fine-tuning differ
in their recipe only.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from tqdm import tqdm
from transformers import (
    EarlyStoppingCallback,
    PrinterCallback,
    TrainerCallback,
    TrainingArguments,
)

from fashionlib.captioning.captioners import Captioner, contrast, generate
from fashionlib.captioning.captioners.architectures import CachedTower
from fashionlib.captioning.training.batches import Batches
from fashionlib.captioning.training.losses import JointTrainer
from fashionlib.captioning.training.recipes import (
    Lora,
    Recipe,
)
from fashionlib.data.files import write_json
from fashionlib.features.threads import enough_for, one_thread

# on a disk that keeps no fine times Trainer says, every time, that it sorts checkpoints
# by number: what we want
logging.getLogger("transformers.trainer_utils").addFilter(
    lambda record: "mtime may not" not in record.getMessage()
)
CPU_WATTS = 10  # of one busy core of a server processor, for the energy estimate
PATTERNS = {
    "stripe": "striped",
    "dot": "dotted",
    "check": "checked",
    "all over pattern": "patterned",
    "placement print": "printed",
    "embroidery": "embroidered",
}  # H&M's name -> an adjective


def generic_caption(row: Mapping[str, Any]) -> str:
    """ "a photo of a red striped dress": colour, pattern and category of an items row,
    as a general captioner might say.

    Solid and "other" patterns, and unknown values, are left out; a plural category has
    no article.
    """

    def known(name: str) -> str:
        word = str(row.get(name) if pd.notna(row.get(name)) else "").strip().lower()
        return (
            ""
            if word in ("solid", "unknown", "undefined") or word.startswith("other")
            else word
        )

    pattern = PATTERNS.get(known("pattern"), known("pattern"))
    thing = " ".join(
        word
        for word in (known("colour"), pattern, known("category") or "garment")
        if word
    )
    plural = thing.endswith("s") and not thing.endswith("ss")
    return (
        f"a photo of {'' if plural else 'an ' if thing[0] in 'aeiou' else 'a '}{thing}"
    )


def shuffled(n: int, seed: int) -> np.ndarray:
    """A random permutation of n rows without fixed points (one cycle): the control
    shows each item another's image.
    """
    if n < 2:
        raise ValueError(
            f"{n} items can't be shuffled so that each meets another; give at least 2"
        )
    order = np.random.default_rng(seed).permutation(n)
    other = np.empty(n, dtype=np.int64)
    other[order] = np.roll(order, 1)
    return other


def adapt(
    captioner: Captioner, lora: Lora, seed: int = 0, whole: Sequence[str] = ()
) -> Captioner:
    """The captioner with fresh adapters; its own weights are frozen, and shared with
    `captioner`.

    The modules named in `whole` are trained whole, as copies that the adapter keeps.
    ValueError where a target lies in a vision tower that was replaced by its cached
    output, or where the captioner has an adapter already.
    """
    from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training

    if captioner.model is not captioner.base:
        raise ValueError(
            "this captioner has an adapter already; load its base alone,"
            " captioners.load(base)"
        )
    if isinstance(captioner.tower, CachedTower):
        refuse_tower(captioner, lora)
    torch.manual_seed(seed)
    config = LoraConfig(
        r=lora.r,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        use_rslora=lora.rslora,
        target_modules=lora.pattern,
        modules_to_save=list(whole) or None,
    )
    base = captioner.model
    if getattr(base, "quantization_method", None):
        base = prepare_model_for_kbit_training(base, use_gradient_checkpointing=False)
    return replace(captioner, model=get_peft_model(base, config))


def refuse_tower(captioner: Captioner, lora: Lora) -> None:
    """ValueError where LoRA targets a module of the vision tower: its output is, or is
    to be, cached.
    """
    lost = [
        name for name in captioner.tower_modules if re.fullmatch(lora.pattern, name)
    ]
    if lost:
        raise ValueError(
            f"LoRA targets {lora.targets!r} touch {len(lost)} layers of the vision"
            f' tower ({lost[0]} first), whose output is cached: take targets="linear",'
            " or train on pictures"
        )


def train(
    captioner: Captioner,
    images: Any,
    captions: Sequence[str],
    recipe: Recipe,
    output_dir: Path,
    validation: tuple[Any, Sequence[str]] | None = None,
    texts: Sequence[str] = (),
    shown: int = 3,
) -> tuple[Captioner, pd.DataFrame]:
    """Train and return the captioner (adapted where the recipe says LoRA) and its
    curve, see `curve`.

    `images` are whatever the captioner reads; `validation` is (images, captions), and
    the captions of its first `shown` images are written at each evaluation. Losses are
    nats per token, or the recipe's weighted sum of parts. A killed run resumes from its
    checkpoint below `output_dir`, kept there under a name of its recipe, captions and
    starting weights; a finished run is read from it and not trained again, until you
    remove `output_dir`. `accelerate launch` gives each GPU a process of its own. Raises
    ValueError where the numbers of images and captions differ or are 0, for patience
    without a validation set, and for a recipe that is joint where the captioner has no
    retrieval part, or in several processes.
    """
    processes = int(os.environ.get("WORLD_SIZE", 1))
    if len(images) != len(captions) or not len(captions):
        raise ValueError(f"{len(captions)} captions for {len(images)} images")
    if recipe.patience and validation is None:
        raise ValueError(
            f"patience of {recipe.patience} evaluations, but no validation captions to"
            " evaluate on"
        )
    if recipe.joint:
        contrast.part_of(captioner)
        if processes > 1:
            raise ValueError(
                f"{processes} processes, whose batches would not see each other's"
                " negatives: joint training runs in one; start it without `accelerate"
                " launch`"
            )
    folder = Path(output_dir) / _key(captioner, recipe, images, captions, texts)
    if recipe.lora is not None:
        captioner = adapt(
            captioner, recipe.lora, recipe.seed, [contrast.NAME] if recipe.joint else []
        )
    every = max(1, recipe.steps // max(1, recipe.evaluations))
    batches = Batches(
        captioner, images, captions, recipe, recipe.steps * processes, texts
    )
    held = validation and Batches(
        captioner,
        *validation,
        recipe,
        math.ceil(len(validation[1]) / recipe.batch_size),
        training=False,
    )
    finished, kept = folder / "finished.json", _last_whole(folder)
    steps = (
        int(kept.name.rpartition("-")[2]) if finished.is_file() else recipe.steps
    )  # patience may keep an early one
    batches.batches = batches.batches[: steps * processes]
    callbacks: list[TrainerCallback] = [_Bar(steps)]
    callbacks += (
        [_Samples(captioner, validation[0][:shown])] if validation and shown else []
    )
    callbacks += [EarlyStoppingCallback(recipe.patience)] if recipe.patience else []
    arguments = _arguments(
        replace(recipe, steps=steps), folder, captioner, every, held is not None
    )
    trainer = JointTrainer(
        captioner,
        recipe,
        arguments,
        data_collator=_only,
        train_dataset=batches,
        eval_dataset=held,
        callbacks=callbacks,
    )
    trainer.remove_callback(PrinterCallback)
    with one_thread(enough_for(captioner.base)):
        trainer.train(resume_from_checkpoint=kept and str(kept))
    captioner.model.eval()
    if trainer.is_world_process_zero() and not finished.is_file():
        write_json(finished, trainer.state.log_history)
    trainer.accelerator.wait_for_everyone()
    return captioner, curve(json.loads(finished.read_text()))


def curve(log: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """A trainer's log as a table, one row a step that was logged.

    Columns: step, loss (mean since the row before), validation (missing where not
    measured), captions (a list, where they were written), seconds (of training so far,
    over all its sittings), watts (of the GPU, where it can be asked). Of a joint run
    also the parts of both losses, unweighted: captioning, contrast, matching,
    validation captioning, ...
    """
    parts = [
        f"{when}{part}"
        for when in ("", "validation ")
        for part in ("captioning", "contrast", "matching")
    ]
    parts = [name for name in parts if any(name in entry for entry in log)]
    names = {
        "loss": "loss",
        "eval_loss": "validation",
        "captions": "captions",
        "seconds": "seconds",
        "watts": "watts",
    }
    names |= {name: name for name in parts}
    rows: dict[int, dict[str, Any]] = {}
    for entry in log:
        named = {names[key]: value for key, value in entry.items() if key in names}
        if named.keys() & {"loss", "validation"}:
            rows.setdefault(int(entry["step"]), {}).update(named)
    table = pd.DataFrame([{"step": step, **rows[step]} for step in sorted(rows)])
    return table.reindex(columns=["step", *names.values()])


def cost(history: pd.DataFrame) -> dict[str, Any]:
    """What a run took: seconds, watt hours, and `how` the latter was found.

    A GPU's power is asked at each log entry; a CPU's can't be, and CPU_WATTS a busy
    core is an assumption.
    """
    seconds = float(history["seconds"].max())
    watts = history["watts"].dropna().astype(float).mean()
    how = "the GPU's own reading"
    if pd.isna(watts):
        watts, how = CPU_WATTS, f"assumed: {CPU_WATTS} W for one busy core"
    return {"seconds": seconds, "watt_hours": seconds * float(watts) / 3600, "how": how}


def _last_whole(folder: Path) -> Path | None:
    """The latest checkpoint that was written to its end: Trainer writes its state last,
    and a kill may come before.
    """
    whole = [
        path.parent
        for path in folder.glob("checkpoint-*/trainer_state.json")
        if path.read_text().endswith("}\n")
    ]
    return max(whole, key=lambda path: int(path.name.rpartition("-")[2]), default=None)


def _arguments(
    recipe: Recipe, folder: Path, captioner: Captioner, every: int, evaluate: bool
) -> TrainingArguments:
    dtype = captioner.base.dtype  # float32 weights on a GPU stay so: minis are small
    return TrainingArguments(
        output_dir=str(folder),
        max_steps=recipe.steps,
        per_device_train_batch_size=1,
        per_device_eval_batch_size=1,
        learning_rate=recipe.lr,
        warmup_steps=recipe.warmup,
        weight_decay=recipe.weight_decay,
        adam_beta1=recipe.betas[0],
        adam_beta2=recipe.betas[1],
        max_grad_norm=1.0,
        lr_scheduler_type="cosine_with_min_lr",
        lr_scheduler_kwargs={"min_lr_rate": recipe.floor},
        train_sampling_strategy="sequential",
        seed=recipe.seed,
        data_seed=recipe.seed,
        bf16=dtype == torch.bfloat16,
        fp16=dtype == torch.float16,
        use_cpu=captioner.base.device.type == "cpu",
        logging_steps=max(1, every // 5),
        eval_strategy="steps" if evaluate else "no",
        eval_steps=every,
        save_strategy="steps",
        save_steps=every,
        save_total_limit=1,
        load_best_model_at_end=recipe.patience > 0,
        prediction_loss_only=True,
        report_to="none",
        label_names=["labels"],
        disable_tqdm=True,
        dataloader_pin_memory=False,
        remove_unused_columns=False,
    )


class _Bar(TrainerCallback):
    """A plain progress bar with the last loss."""

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.bar = tqdm(
            total=self.steps,
            initial=state.global_step,
            desc="training",
            unit="step",
            mininterval=1,
            disable=not state.is_world_process_zero,
        )

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.bar.update(1)

    def on_log(
        self,
        args: Any,
        state: Any,
        control: Any,
        logs: Mapping[str, float] | None = None,
        **_: Any,
    ) -> None:
        if logs and "loss" in logs:
            self.bar.set_postfix(loss=f"{float(logs['loss']):.3f}")

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.bar.close()


class _Samples(TrainerCallback):
    """Writes the captions of a few images at each evaluation, into the log."""

    def __init__(self, captioner: Captioner, images: Any) -> None:
        self.captioner, self.images = captioner, images

    def on_evaluate(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.is_world_process_zero:
            state.log_history[-1]["captions"] = generate(self.captioner, self.images)


def _key(
    captioner: Captioner,
    recipe: Recipe,
    images: Any,
    captions: Sequence[str],
    texts: Sequence[str],
) -> str:
    """A name for a run: the same recipe, images, captions, prompt and starting weights
    give the same one.
    """
    packed = getattr(captioner.base.config, "quantization_config", None)
    said = [
        asdict(recipe),
        list(captions),
        list(texts),
        captioner.prompt,
        captioner.pixels.to_dict(),
        str(packed),
    ]
    digest = hashlib.sha256(json.dumps(said, default=str).encode())
    if isinstance(
        images, torch.Tensor
    ):  # encoded by a tower: a sample of what may be many gigabytes
        digest.update(images[:: max(1, len(images) // 100)].float().numpy().tobytes())
    else:
        digest.update(
            images.tobytes()
            if isinstance(images, np.ndarray)
            else json.dumps(list(images)).encode()
        )
    for weights in list(captioner.base.parameters())[
        ::20
    ]:  # a sample: full-size models have 3.7 billion
        digest.update(weights.detach().flatten()[:1000].float().cpu().numpy().tobytes())
    if recipe.joint:
        for weights in contrast.part_of(captioner).parameters():
            digest.update(
                weights.detach().flatten()[:1000].float().cpu().numpy().tobytes()
            )
    return digest.hexdigest()[:16]


def _only(items: list[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """The one planned batch of this process; several GPUs in one process would need
    several.
    """
    if len(items) != 1:
        raise ValueError(
            f"{len(items)} GPUs in one process; start one process each with `accelerate"
            " launch`, or set CUDA_VISIBLE_DEVICES to one of them"
        )
    return items[0]

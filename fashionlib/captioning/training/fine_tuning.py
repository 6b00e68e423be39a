"""One training loop for every captioner.

Pretraining, LoRA and full fine-tuning differ in their recipe only.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import os
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import pandas as pd
import torch
from transformers import (
    EarlyStoppingCallback,
    PrinterCallback,
    TrainerCallback,
    TrainingArguments,
)

from fashionlib.captioning.captioners import Captioner, contrast
from fashionlib.captioning.captioners.architectures import LLAVA
from fashionlib.captioning.training.adapters import adapt
from fashionlib.captioning.training.batches import Batches
from fashionlib.captioning.training.history import curve
from fashionlib.captioning.training.recipes import Recipe
from fashionlib.captioning.training.trainer import JointTrainer, ProgressBar, Samples
from fashionlib.data.files import write_json
from fashionlib.features import fingerprints
from fashionlib.features.threads import enough_for, one_thread

# on a disk that keeps no fine times Trainer says, every time, that it sorts checkpoints
# by number: what we want
logging.getLogger("transformers.trainer_utils").addFilter(
    lambda record: "mtime may not" not in record.getMessage()
)

Pairs = tuple[Sequence[str], Sequence[str]]  # images and their captions


def train(
    captioner: Captioner,
    images: Sequence[str],
    captions: Sequence[str],
    recipe: Recipe,
    output_dir: Path,
    validation: Pairs | None = None,
    texts: Sequence[str] = (),
    shown: int = 3,
    callbacks: Sequence[TrainerCallback] = (),
) -> tuple[Captioner, pd.DataFrame]:
    """Train, and return the captioner and its curve, see `history.curve`.

    The captioner is adapted where the recipe says LoRA. Of the `validation` pairs the
    captions of the first `shown` images are written at each evaluation. Losses are nats
    per token, or the recipe's weighted sum of parts. A killed run resumes from its
    checkpoint below `output_dir`, which lies under a name of its recipe, captions and
    starting weights; a finished run is read from it and not trained again, until you
    remove `output_dir`. `accelerate launch` gives each GPU a process of its own.

    ValueError where the numbers of images and captions differ or are 0, for patience
    without validation pairs, and for a recipe that is joint where the captioner has no
    retrieval part, or in several processes, and for a checkpoint of another model's
    weights. RuntimeError where a loss is not finite: the last checkpoint before it is
    kept.
    """
    processes = int(os.environ.get("WORLD_SIZE", 1))
    _check(captioner, images, captions, recipe, validation, processes)
    folder = Path(output_dir) / _key(captioner, recipe, images, captions, texts)
    if recipe.lora is not None:
        whole = [contrast.NAME] if recipe.joint else []
        captioner = adapt(captioner, recipe.lora, recipe.seed, whole)
    finished, checkpoint = folder / "finished.json", _last_whole(folder)
    planned = recipe.steps * processes
    batches = Batches(captioner, images, captions, recipe, planned, texts)
    every = max(1, recipe.steps // max(1, recipe.evaluations))
    if finished.is_file():  # patience may have ended it at an early step
        recipe = replace(recipe, steps=_step(checkpoint))
        batches.batches = batches.batches[: recipe.steps * processes]
    callbacks = [ProgressBar(), *callbacks]
    held = None
    if validation:
        count = math.ceil(len(validation[1]) / recipe.batch_size)
        held = Batches(captioner, *validation, recipe, count, training=False)
        callbacks.append(Samples(captioner, validation[0][:shown]))
    if recipe.patience:
        callbacks.append(EarlyStoppingCallback(recipe.patience))
    trainer = JointTrainer(
        captioner,
        recipe,
        _arguments(recipe, folder, captioner, every, held is not None),
        data_collator=_only,
        train_dataset=batches,
        eval_dataset=held,
        callbacks=callbacks,
    )
    trainer.remove_callback(PrinterCallback)
    try:
        with one_thread(enough_for(captioner.base)):
            trainer.train(resume_from_checkpoint=checkpoint and str(checkpoint))
    except FloatingPointError as error:
        raise RuntimeError(
            f"training stopped: {error}; the last good checkpoint:"
            f" {_last_whole(folder) or 'none yet'}. Take a lower learning rate than"
            f" the recipe's {recipe.lr:g}"
        ) from error
    captioner.model.eval()
    if trainer.is_world_process_zero() and not finished.is_file():
        write_json(finished, trainer.state.log_history)
    trainer.accelerator.wait_for_everyone()
    return captioner, curve(json.loads(finished.read_text()))


def _check(
    captioner: Captioner,
    images: Sequence[str],
    captions: Sequence[str],
    recipe: Recipe,
    validation: Pairs | None,
    processes: int,
) -> None:
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


def _step(checkpoint: Path) -> int:
    return int(checkpoint.name.rpartition("-")[2])


def _last_whole(folder: Path) -> Path | None:
    """Return the latest checkpoint that was written to its end.

    Trainer writes its state last, and a kill may come before.
    """
    whole = [
        path.parent
        for path in folder.glob("checkpoint-*/trainer_state.json")
        if path.read_text().endswith("}\n")
    ]
    return max(whole, key=_step, default=None)


def _arguments(
    recipe: Recipe, folder: Path, captioner: Captioner, every: int, evaluate: bool
) -> TrainingArguments:
    dtype = captioner.base.dtype  # float32 weights on a GPU stay so: minis are small
    on_cpu = captioner.base.device.type == "cpu"
    return TrainingArguments(
        output_dir=str(folder),
        max_steps=recipe.steps,
        per_device_train_batch_size=1,
        per_device_eval_batch_size=1,
        learning_rate=recipe.lr,
        warmup_steps=min(recipe.warmup, recipe.steps // 5),
        weight_decay=recipe.weight_decay,
        adam_beta1=recipe.betas[0],
        adam_beta2=recipe.betas[1],
        max_grad_norm=1.0,
        lr_scheduler_type="cosine_with_min_lr",
        lr_scheduler_kwargs={"min_lr_rate": recipe.floor},
        train_sampling_strategy="sequential",
        seed=recipe.seed,
        bf16=dtype == torch.bfloat16,
        fp16=dtype == torch.float16,
        use_cpu=on_cpu,
        # LLaVA keeps 576 image tokens a picture: by count 140 GiB for 16 pictures of
        # the 7B, and 23 if layers are computed again when their gradient is
        activation_checkpointing=captioner.architecture == LLAVA,
        logging_steps=max(1, every // 5),
        logging_nan_inf_filter=False,  # it would pass over what JointTrainer stops at
        eval_strategy="steps" if evaluate else "no",
        eval_steps=every,
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


def _key(
    captioner: Captioner,
    recipe: Recipe,
    images: Sequence[str],
    captions: Sequence[str],
    texts: Sequence[str],
) -> str:
    """Name a run by its recipe, images, captions, prompt and starting weights."""
    settings = [
        asdict(recipe),
        list(images),
        list(captions),
        list(texts),
        captioner.prompt,
        captioner.pixels.to_dict(),
        str(getattr(captioner.base.config, "quantization_config", None)),
        fingerprints.weights(captioner.base),
    ]
    digest = hashlib.sha256(json.dumps(settings, default=str).encode())
    for image in images[:: max(1, len(images) // 100)]:  # a sample of what they hold
        digest.update(captioner.digest(image))
    return digest.hexdigest()[:16]


def _only(batches: list[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """Return the one planned batch of this process; several GPUs need several."""
    if len(batches) != 1:
        raise ValueError(
            f"{len(batches)} GPUs in one process; start one process each with"
            " `accelerate launch`, or set CUDA_VISIBLE_DEVICES to one of them"
        )
    return batches[0]

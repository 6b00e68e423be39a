"""The trainer of a run: the parts of its loss, and what it logs and shows."""

from __future__ import annotations

import importlib.util
import time
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm
from transformers import PreTrainedModel, Trainer, TrainerCallback

from fashionlib.captioning.captioners import Captioner, contrast, generate
from fashionlib.captioning.training.recipes import Recipe


class JointTrainer(Trainer):
    """A trainer that weighs the parts of a recipe's loss.

    Its log entries say each part alone where there are several, how long the run has
    taken over all its sittings, and the GPU's power. FloatingPointError where a loss,
    or a weight that a checkpoint would hold, is not finite. ValueError where a
    checkpoint has the weights of another model.
    """

    def __init__(
        self, captioner: Captioner, recipe: Recipe, *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(captioner.model, *args, **kwargs)
        self.captioner, self.recipe = captioner, recipe
        self.parts: dict[str, list[Tensor]] = defaultdict(list)  # since the last log

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        **how: Any,
    ) -> Any:
        """Weigh and add a batch's parts; without texts it is captioning alone."""
        inputs = dict(inputs)
        ids, mask = (inputs.pop(name, None) for name in ("text_ids", "text_mask"))
        if ids is None:
            return super().compute_loss(model, inputs, return_outputs, **how)
        base, recipe, parts = self.captioner.base, self.recipe, {}
        if recipe.captioning:
            loss, outputs = super().compute_loss(model, inputs, True, **how)
            parts["captioning"] = loss
        else:
            pixels = inputs["pixel_values"].to(base.dtype)
            outputs = base.get_image_features(pixels, return_dict=True)
        queries = outputs.qformer_outputs.last_hidden_state
        vision = outputs.vision_outputs.last_hidden_state
        matching = recipe.matching > 0
        parts |= contrast.losses(base, queries, vision, ids, mask, matching)
        for name, loss in parts.items():
            logged = name if model.training else f"validation {name}"
            self.parts[logged].append(loss.detach())
        total = sum(getattr(recipe, name) * loss for name, loss in parts.items())
        return (total, outputs) if return_outputs else total

    def training_step(self, *args: Any, **kwargs: Any) -> Tensor:
        """Return a step's loss, which must be finite."""
        loss = super().training_step(*args, **kwargs)
        self._check(loss, "the loss", self.state.global_step + 1)
        return loss

    def _save_checkpoint(self, model: torch.nn.Module, trial: Any) -> None:
        """Write a checkpoint of finite weights over the one before."""
        for name, weight in model.named_parameters():
            if weight.requires_grad:
                self._check(weight, f"the weight {name}", self.state.global_step)
        super()._save_checkpoint(model, trial)

    def _save(
        self, output_dir: str | None = None, state_dict: dict[str, Tensor] | None = None
    ) -> None:
        """Write all weights by their names in memory, by which they are read again.

        transformers gives a LLaVA's others in a file. Adapters keep theirs.
        """
        if not isinstance(self.model, PreTrainedModel):
            super()._save(output_dir, state_dict)
        elif self.args.should_save:
            names = {"state_dict": state_dict, "save_original_format": False}
            self.model.save_pretrained(output_dir, **names)

    def _issue_warnings_after_load(self, load_result: Any) -> None:
        """Refuse a checkpoint whose weights are not this model's."""
        tied = self.model.all_tied_weights_keys.keys()
        missing, others = set(load_result.missing_keys) - tied, load_result[1]
        if missing or others:
            raise ValueError(
                f"a checkpoint in {self.args.output_dir} lacks {len(missing)} weights"
                f" of this model, {min(missing, default='none')} first, and has"
                f" {len(others)} others; remove the folder and train again"
            )

    def _check(self, values: Tensor, what: str, step: int) -> None:
        finite = values.isfinite()
        if not finite.all():
            raise FloatingPointError(
                f"at step {step} {what} is {values[~finite][0].item()}, at learning"
                f" rate {self._get_learning_rate():.3g}"
            )

    def log(self, logs: dict[str, Any], start_time: float | None = None) -> None:
        """Add the seconds of all sittings, the GPU's watts and the loss's parts."""
        now, history = time.monotonic(), self.state.log_history
        before = history[-1]["seconds"] if history else 0.0
        logs["seconds"] = round(before + now - self.logged, 2)
        self.logged = now
        if self.args.device.type == "cuda" and importlib.util.find_spec("pynvml"):
            logs["watts"] = torch.cuda.power_draw(self.args.device) / 1000
        validation = "eval_loss" in logs
        held = torch.tensor(logs.get("eval_loss", 0.0))
        self._check(held, "the validation loss", self.state.global_step)
        for name in list(self.parts):
            if name.startswith("validation") == validation:
                logs[name] = torch.stack(self.parts.pop(name)).mean().item()
        super().log(logs, start_time)

    def train(self, *args: Any, **kwargs: Any) -> Any:
        """Train, and note when this sitting began."""
        self.logged = time.monotonic()
        return super().train(*args, **kwargs)


class ProgressBar(TrainerCallback):
    """A plain progress bar with the last loss."""

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Open the bar where the run goes on."""
        self.bar = tqdm(
            total=state.max_steps,
            initial=state.global_step,
            desc="training",
            unit="step",
            mininterval=1,
            disable=not state.is_world_process_zero,
        )

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Move the bar."""
        self.bar.update(1)

    def on_log(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Show the last loss."""
        last = state.log_history[-1]
        if "loss" in last:
            self.bar.set_postfix(loss=f"{last['loss']:.3f}")

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Close the bar."""
        self.bar.close()


class Samples(TrainerCallback):
    """Writes the captions of a few images at each evaluation, into the log."""

    def __init__(self, captioner: Captioner, images: Sequence[str]) -> None:
        self.captioner, self.images = captioner, images

    def on_evaluate(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Write them, in the main process."""
        if state.is_world_process_zero:
            state.log_history[-1]["captions"] = generate(self.captioner, self.images)

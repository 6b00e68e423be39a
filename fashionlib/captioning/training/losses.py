"""The loss of a run, in its parts: captioning, and what brings image and text
together.
"""

from __future__ import annotations

import importlib.util
import time
from collections import defaultdict
from typing import Any

import torch
from torch import Tensor
from transformers import Trainer

from fashionlib.captioning.captioners import Captioner, contrast
from fashionlib.captioning.training.recipes import Recipe


class JointTrainer(Trainer):
    """A trainer that weighs the parts of a recipe's loss.

    Its log entries say each part alone where there are several, how long the run has
    taken over all its sittings, and the GPU's power.
    """

    def __init__(
        self, captioner: Captioner, recipe: Recipe, *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(captioner.model, *args, **kwargs)
        self.captioner, self.recipe = captioner, recipe
        self.parts: dict[str, list[Tensor]] = defaultdict(
            list
        )  # since the last log entry

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        **how: Any,
    ) -> Any:
        inputs = dict(inputs)
        ids, mask = (inputs.pop(name, None) for name in ("text_ids", "text_mask"))
        if ids is None:
            return super().compute_loss(model, inputs, return_outputs, **how)
        base, found = self.captioner.base, {}
        if self.recipe.captioning:
            found["captioning"], outputs = super().compute_loss(
                model, inputs, True, **how
            )
        else:
            outputs = base.get_image_features(
                inputs["pixel_values"].to(base.dtype), return_dict=True
            )
        queries, vision = (
            outputs.qformer_outputs.last_hidden_state,
            outputs.vision_outputs.last_hidden_state,
        )
        found |= contrast.losses(
            base, queries, vision, ids, mask, self.recipe.matching > 0
        )
        for name, loss in found.items():
            self.parts[name if model.training else f"validation {name}"].append(
                loss.detach()
            )
        total = sum(getattr(self.recipe, name) * loss for name, loss in found.items())
        return (total, outputs) if return_outputs else total

    def log(self, logs: dict[str, Any], start_time: float | None = None) -> None:
        if not hasattr(self, "since"):
            before = max(
                (entry.get("seconds", 0.0) for entry in self.state.log_history),
                default=0.0,
            )
            self.since = self.started - before
        logs["seconds"] = round(time.monotonic() - self.since, 2)
        if self.args.device.type == "cuda" and importlib.util.find_spec("pynvml"):
            logs["watts"] = torch.cuda.power_draw(self.args.device) / 1000
        for name in [
            name
            for name in self.parts
            if name.startswith("validation") == ("eval_loss" in logs)
        ]:
            logs[name] = torch.stack(self.parts.pop(name)).mean().item()
        super().log(logs, start_time)

    def train(self, *args: Any, **kwargs: Any) -> Any:
        self.started = time.monotonic()
        return super().train(*args, **kwargs)

"""What labelling will cost, estimated before it is spent."""

from __future__ import annotations

import json
import math
from typing import NamedTuple

from fashionlib.labelling import prompts, records
from fashionlib.labelling.attribute_schema import ATTRIBUTES, DETAILS, SUBCATEGORIES

CHARACTERS = 4  # of English or JSON to a token, about
# pixels: many vision models take a token, or a fixed number, for a patch of this side
PATCH = 32


class Cost(NamedTuple):
    """What labelling takes if every reply is accepted; `cost` in the prices' unit."""

    requests: int
    tokens_in: int
    tokens_out: int
    cost: float

    def __str__(self) -> str:
        return (
            f"{self.requests:,} requests, {self.tokens_in:,} tokens in,"
            f" {self.tokens_out:,} out, cost {self.cost:,.2f}"
        )


def estimate(
    photos: int,
    batch_size: int,
    side: int,
    price_in: float,
    price_out: float,
    garments: float = 2,
    image_tokens: int | None = None,
) -> Cost:
    """Estimate the cost for so many photos with `garments` each.

    Two garments, a top and a bottom, is about the most. Prices are for a million
    tokens, in any currency. A picture counts `image_tokens`, else a token for each
    `PATCH` of a square of `side` pixels; models differ by a factor of ten and more, so
    look yours up. Retries come on top. ValueError for a batch size or side below 1.
    """
    if batch_size < 1 or side < 1:
        raise ValueError(
            f"batch size {batch_size} and side {side}: each must be 1 or more"
        )
    per_image = math.ceil(side / PATCH) ** 2 if image_tokens is None else image_tokens
    stages = [
        (photos, prompts.CATEGORY, {"image": 8, "categories": ["top", "pants"]}),
        (round(photos * garments), *_longest()),
    ]
    requests = tokens_in = tokens_out = 0
    for count, stage, entry in stages:
        request = prompts.Request(stage, ("",) * batch_size)
        characters = len(request.instructions) + len(request.question)
        batches = math.ceil(count / batch_size)
        requests += batches
        tokens_in += round(batches * characters / CHARACTERS) + count * (per_image + 4)
        tokens_out += math.ceil(count * len(json.dumps(entry)) / CHARACTERS)
    cost = (tokens_in * price_in + tokens_out * price_out) / 1e6
    return Cost(requests, tokens_in, tokens_out, cost)


def _longest() -> tuple[str, dict[str, object]]:
    """Return the category with the longest prompt, and a garment of longest values."""
    stage = max(records.CATEGORIES, key=lambda name: len(prompts.instructions(name)))
    values = {name: max(ATTRIBUTES[name], key=len) for name in records.ASKED[stage]}
    values["subcategory"] = max(SUBCATEGORIES[stage], key=len)
    values[records.COLOUR] = ["burgundy"]
    return stage, {"image": 8} | values | dict.fromkeys(DETAILS, False)

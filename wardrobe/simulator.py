"""Stand in for a vision LLM where there is none: know the truth, err at stated rates.

`RATES` and `BAD` are made up; no real model was measured. A simulator answers the same
requests with the same kind of text as an endpoint, so that its replies go through the
same reading, retries and halving.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePath

import numpy as np
import pandas as pd

from fashionlib.labelling.attribute_schema import (
    ATTRIBUTES,
    DETAILS,
    NONE,
    SUBCATEGORIES,
)
from fashionlib.labelling.prompts import CATEGORY, Request
from fashionlib.labelling.records import ASKED, CATEGORIES, COLOUR, COLUMNS, Record
from fashionlib.labelling.replies import Reply

# Chance that a photo's answer is wrong about an attribute; each of the ten details has
# that of "details".
RATES: Mapping[str, float] = {
    "category": 0.02,
    "subcategory": 0.15,
    "colour": 0.06,
    "tone": 0.15,
    "total_length": 0.15,
    "sleeve_length": 0.05,
    "fabric": 0.25,
    "pattern": 0.08,
    "zip_up": 0.08,
    "button": 0.08,
    "neckline": 0.2,
    "shoulder": 0.04,
    "details": 0.02,
}
# Chance that a reply is spoilt, and in that way; "unknown value" is one entry's.
BAD: Mapping[str, float] = {
    "refused": 0.01,
    "cut off": 0.02,
    "not JSON": 0.02,
    "wrong length": 0.03,
    "unknown value": 0.05,
    "fenced": 0.2,
}

# What a value is taken for; those not here, for any other. A length, and none, half or
# full: its neighbour.
LOOKALIKES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "category": {
        "top": ("dress",),
        "dress": ("top", "skirt"),
        "pants": ("skirt",),
        "skirt": ("pants", "dress"),
    },
    "colour": {
        "navy": ("black", "blue"),
        "black": ("navy", "gray"),
        "white": ("beige", "gray"),
        "beige": ("white", "khaki"),
        "burgundy": ("red", "brown"),
        "red": ("burgundy", "coral"),
        "coral": ("pink", "orange"),
        "pink": ("coral", "purple"),
        "mint": ("green", "blue"),
        "khaki": ("green", "beige"),
        "green": ("khaki", "mint"),
        "brown": ("burgundy", "khaki"),
        "purple": ("pink", "burgundy"),
        "orange": ("coral", "yellow"),
        "yellow": ("orange", "beige"),
        "blue": ("navy", "mint"),
        "gray": ("black", "white"),
    },
    "subcategory": {
        "shirt": ("blouse", "jacket"),
        "blouse": ("shirt", "t-shirt"),
        "sweater": ("sweatshirt", "cardigan"),
        "cardigan": ("sweater", "jacket"),
        "bomber jacket": ("varsity jacket", "jacket"),
        "varsity jacket": ("bomber jacket",),
        "slacks": ("straight pants", "cigarette pants"),
        "long dress": ("shirt dress",),
        "sleeveless": ("vest", "t-shirt"),
        "coat": ("jacket", "blazer"),
        "flare skirt": ("pleated skirt", "mini skirt"),
        "pleated skirt": ("flare skirt",),
    },
    "fabric": {
        "cotton": ("linen", "polyester/nylon"),
        "linen": ("cotton",),
        "wool knit": ("cotton knit",),
        "cotton knit": ("wool knit", "cotton"),
        "leather": ("polyester/nylon", "suede"),
        "suede": ("leather", "velvet/velveteen"),
        "velvet/velveteen": ("suede",),
        "silk/chiffon": ("polyester/nylon",),
        "wool woven/tweed": ("cotton woven/tweed",),
        "cotton woven/tweed": ("wool woven/tweed", "cotton"),
    },
    "pattern": {
        "check": ("checkerboard", "argyle"),
        "checkerboard": ("check",),
        "argyle": ("check", "pattern/jacquard"),
        "lettering": ("graphic",),
        "graphic": ("lettering",),
        "camouflage": ("animal",),
        "cable": ("solid",),
        "washed": ("solid",),
    },
    "neckline": {
        "round": ("boat",),
        "boat": ("round", "square"),
        "v-line": ("slit", "round"),
        "slit": ("v-line",),
        "sweetheart": ("square",),
        "square": ("sweetheart", "round"),
    },
}
ORDERED = ("total_length", "sleeve_length", "zip_up", "button")
USUAL: Mapping[str, str] = {
    "sleeve_length": "long",
    "neckline": "round",
    "shoulder": "normal",
    "total_length": "knee",
}


def made_up() -> pd.DataFrame:
    """Return a table of `RATES` and, as "reply: ...", `BAD`; column "made-up rate"."""
    rates = {name.replace("_", " "): rate for name, rate in RATES.items()}
    rates |= {f"reply: {name}": rate for name, rate in BAD.items()}
    return pd.Series(rates).to_frame("made-up rate")


class Simulator:
    """Answers requests from the truth, in place of an endpoint.

    The truth is {reference: the garment that it shows, or None}. The same photo gets
    the same errors whatever it is asked with; bad replies are drawn anew at each
    attempt.
    """

    def __init__(
        self,
        truth: Mapping[str, Record | None],
        rates: Mapping[str, float] = RATES,
        bad: Mapping[str, float] = BAD,
        seed: int = 0,
    ) -> None:
        self.truth, self.rates, self.bad, self.seed = truth, rates, bad, seed

    def __call__(self, requests: Sequence[Request]) -> list[Reply]:
        """Return the replies in order; no tokens are counted.

        KeyError for a picture that the truth doesn't know.
        """
        return [self._reply(request) for request in requests]

    def _reply(self, request: Request) -> Reply:
        rng = _rng(self.seed, request.stage, str(request.attempt), *request.images)
        numbered = enumerate(request.images, 1)
        entries = [self._entry(request.stage, image, n) for n, image in numbered]
        happens = {name: rng.random() < rate for name, rate in self.bad.items()}
        if happens.get("refused"):
            return Reply(refusal="I can't help with photos of people.")
        if happens.get("unknown value"):
            key = "categories" if request.stage == CATEGORY else COLOUR
            entries[int(rng.integers(len(entries)))][key] = ["teal"]
        if happens.get("wrong length"):
            entries.pop() if len(entries) > 1 else entries.append(entries[0])
        text = json.dumps(entries)
        if happens.get("cut off"):
            return Reply(text[: len(text) * 2 // 3], finish="length")
        if happens.get("not JSON"):
            text = f"Here is what I see: {text[:-1]}"  # and no end of the list
        return Reply(f"```json\n{text}\n```" if happens.get("fenced") else text)

    def _entry(self, stage: str, image: str, number: int) -> dict[str, object]:
        record = self.truth[image]
        if stage == CATEGORY:
            chance = _rng(self.seed, stage, image).random(2)
            own = [record["category"]] if record else []
            answers = [_mistaken(stage, c, CATEGORIES, self.rates, chance) for c in own]
            return {"image": number, "categories": answers}
        answer = spoilt(record or {}, stage, self.rates, _rng(self.seed, stage, image))
        keys = ("subcategory", *ASKED[stage], *DETAILS)
        return {"image": number} | {key: answer[key] for key in keys}


def spoilt(
    record: Record, category: str, rates: Mapping[str, float], rng: np.random.Generator
) -> Record:
    """Return the record with errors, as a garment of that category.

    A rate that isn't given is zero. The same generator errs at a higher rate wherever
    it erred at a lower, in the same way. What another category can't have is guessed:
    its first subcategory, and usual values.
    """
    choices = {"subcategory": SUBCATEGORIES[category]}
    choices |= {name: ATTRIBUTES[name] for name in ASKED[category]}
    answer: Record = {"category": category} | dict.fromkeys(ATTRIBUTES, NONE)
    colours = list(record.get(COLOUR, ["black"]))
    chances = rng.random((len(choices), 2))  # (attributes, 2): err or not, and how
    for (attribute, values), chance in zip(choices.items(), chances, strict=True):
        value = colours[0] if attribute == COLOUR else record.get(attribute)
        value = value if value in values else USUAL.get(attribute, values[0])
        answer[attribute] = _mistaken(attribute, value, values, rates, chance)
    first = answer[COLOUR]
    answer[COLOUR] = [first, *(colour for colour in colours[1:] if colour != first)]
    wrong = rng.random(len(DETAILS)) < rates.get("details", 0)
    for detail, flip in zip(DETAILS, wrong, strict=True):
        answer[detail] = record.get(detail, False) != bool(flip)
    return {name: answer[name] for name in COLUMNS}


def spoil_all(
    records: Iterable[Record], rates: Mapping[str, float], *seed: int
) -> list[Record]:
    """Return each record with errors, in its own category.

    The n-th draws from `seed` and n, so a higher rate errs wherever a lower one did.
    """
    return [
        spoilt(record, record["category"], rates, np.random.default_rng([*seed, n]))
        for n, record in enumerate(records)
    ]


def swap_any(labels: pd.DataFrame, rate: float, *seed: int) -> pd.DataFrame:
    """Return labels of which each is, at this rate, any other value of its column."""
    rng, swapped = np.random.default_rng(seed), labels.copy()
    for name, column in labels.items():
        values = column.unique()
        others = {value: [v for v in values if v != value] for value in values}
        drawn = [str(rng.choice(others[value])) for value in column]
        swapped[name] = np.where(rng.random(len(column)) < rate, drawn, column)
    return swapped


def _mistaken(
    attribute: str,
    value: str,
    values: Sequence[str],
    rates: Mapping[str, float],
    chance: np.ndarray,
) -> str:
    """Return the value, or by the attribute's rate one that it is taken for.

    `chance` is two numbers from 0 to 1.
    """
    if chance[0] >= rates.get(attribute, 0):
        return value
    if attribute in ORDERED:
        at = values.index(value)
        near = [values[n] for n in (at - 1, at + 1) if 0 <= n < len(values)]
    else:
        others = [other for other in values if other != value]
        near = LOOKALIKES.get(attribute, {}).get(value, others)
    return near[int(chance[1] * len(near))]


def _rng(seed: int, *names: str) -> np.random.Generator:
    """Seed by names; of a picture's path by its end, whatever folder a run lies in."""
    ends = ("/".join(PurePath(name).parts[-3:]) for name in names)
    digest = hashlib.sha256("\0".join((str(seed), *ends)).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "big"))

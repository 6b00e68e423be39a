"""The two prompts, in the shape of Thesis B's (section 3.3, figures 3.4 and 3.5) and in
our own words.

Stage 1 asks which garments each photo shows. Stage 2 asks one category's attributes, of
the photos that show it. Both take a batch of photos and want a JSON list as long as the
batch; ours also numbers its entries, so that a list in another order shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from fashionlib.labelling.attribute_schema import ATTRIBUTES, DETAILS, SUBCATEGORIES
from fashionlib.labelling.records import ASKED, CATEGORIES, COLOUR, MOST_COLOURS

CATEGORY = "category"
MOST_TOLD = 2000  # characters of a fault that are told to the model


@dataclass(frozen=True)
class Request:
    """What is asked of a model at once: `stage` is "category" or the category whose
    attributes are wanted.
    """

    stage: str
    images: tuple[str, ...]  # references
    attempt: int = 1
    faults: tuple[str, ...] = ()  # of the last attempt, in words

    @property
    def instructions(self) -> str:
        """The system's part: the same for all requests of a stage."""
        return instructions(self.stage)

    @property
    def question(self) -> str:
        """The user's part, which comes after the photos."""
        count = len(self.images)
        asked = (
            f"These were {count} photos. Answer with a JSON list of exactly {count}"
            " objects, photo 1 first."
        )
        told = (
            f" Your last answer could not be used. {' '.join(self.faults)[:MOST_TOLD]}"
            if self.faults
            else ""
        )
        return asked + told


GARMENTS = {
    "top": "anything worn above the waist, coats and jackets included",
    "dress": "one piece that covers both body and legs",
    "pants": "anything with two legs, shorts included",
    "skirt": "a lower garment without legs",
}
MEANINGS = {
    COLOUR: (
        f"the colours of its main cloth, most of it first, {MOST_COLOURS} at most;"
        " prints and letters don't count"
    ),
    "tone": "how its colours look",
    "total_length": "where its hem ends on a person",
    "sleeve_length": "",
    "fabric": "the likeliest cloth",
    "pattern": "the one that covers most of it",
    "zip_up": "how far a zip opens it",
    "button": "how far buttons open it",
    "neckline": "",
    "shoulder": "",
}
ENDING = (
    "Use the values as they are written here and no others. Answer with JSON alone: no"
    " words before or after it, no comments."
)


@cache
def instructions(stage: str) -> str:
    """What the model is told before it sees the photos of this stage."""
    return _seen() if stage == CATEGORY else _attributes(stage)


def _seen() -> str:
    kinds = [
        f"- {name}: {GARMENTS[name]} ({', '.join(SUBCATEGORIES[name])})"
        for name in CATEGORIES
    ]
    return "\n".join(
        [
            (
                "You sort photos of clothes. Some show one garment alone, some a person"
                " who wears several."
            ),
            "Say of each photo which of these it shows clearly enough to describe:",
            *kinds,
            (
                "Leave out bags, shoes, hats and what is barely in the frame. A photo"
                " without any of these has an empty list."
            ),
            (
                'For each photo: {"image": its number from 1, "categories": a list of'
                " the names above}."
            ),
            ENDING,
        ]
    )


def _attributes(category: str) -> str:
    keys = [f"- subcategory: one of {_values(SUBCATEGORIES[category])}"]
    for attribute in ASKED[category]:
        kind = "a list of" if attribute == COLOUR else "one of"
        meaning = f" ({MEANINGS[attribute]})" if MEANINGS[attribute] else ""
        keys.append(f"- {attribute}: {kind} {_values(ATTRIBUTES[attribute])}{meaning}")
    return "\n".join(
        [
            (
                f"You describe one garment of each photo: its {category}. Where there"
                " is more than one, take the largest."
            ),
            (
                "Everything else in the photo is of no interest. If you can't be sure,"
                " give the likeliest value."
            ),
            (
                'For each photo one object with the key "image" (its number from 1) and'
                " these keys:"
            ),
            *keys,
            f"- {', '.join(DETAILS)}: true or false each, whether the garment has it",
            ENDING,
        ]
    )


def _values(values: Sequence[str]) -> str:
    return " | ".join(values)

"""The two prompts, in the shape of Thesis B's and in our own words.

After its section 3.3, figures 3.4 and 3.5. Stage 1 asks which garments each photo
shows. Stage 2 asks one category's attributes, of the photos that show it. Both take a
batch of photos and want a JSON list as long as the batch; ours also numbers its
entries, so that a list in another order shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from fashionlib.labelling.attribute_schema import ATTRIBUTES, DETAILS, SUBCATEGORIES
from fashionlib.labelling.records import ASKED, CATEGORIES, COLOUR, MOST_COLOURS

CATEGORY = "category"
MOST_FAULTS = 2000  # characters about faults in a question


@dataclass(frozen=True)
class Request:
    """What is asked of a model at once.

    `stage` is "category", or the category whose attributes are wanted; `faults` are
    those of the last attempt, in words.
    """

    stage: str
    images: tuple[str, ...]  # references
    attempt: int = 1
    faults: tuple[str, ...] = ()

    @property
    def instructions(self) -> str:
        """The system's part: the same for all requests of a stage."""
        return instructions(self.stage)

    @property
    def question(self) -> str:
        """The user's part, which comes after the photos."""
        count = len(self.images)
        question = (
            f"These were {count} photos. Answer with a JSON list of exactly {count}"
            " objects, photo 1 first."
        )
        if self.faults:
            faults = " ".join(self.faults)[:MOST_FAULTS]
            question += f" Your last answer could not be used. {faults}"
        return question


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
    "fabric": "the likeliest cloth",
    "pattern": "the one that covers most of it",
    "zip_up": "how far a zip opens it",
    "button": "how far buttons open it",
}
ENDING = """\
Use the values as they are written here and no others. Answer with JSON alone: no \
words before or after it, no comments."""
CATEGORIES_PROMPT = f"""\
You sort photos of clothes. Some show one garment alone, some a person who wears \
several.
Say of each photo which of these it shows clearly enough to describe:
{{kinds}}
Leave out bags, shoes, hats and what is barely in the frame. A photo without any \
of these has an empty list.
For each photo: {{{{"image": its number from 1, "categories": a list of the names \
above}}}}.
{ENDING}"""
ATTRIBUTES_PROMPT = f"""\
You describe one garment of each photo: its {{category}}. Where there is more than \
one, take the largest.
Everything else in the photo is of no interest. If you can't be sure, give the \
likeliest value.
For each photo one object with the key "image" (its number from 1) and these keys:
{{keys}}
- {", ".join(DETAILS)}: true or false each, whether the garment has it
{ENDING}"""


@cache
def instructions(stage: str) -> str:
    """Return what the model reads before it sees the photos of this stage."""
    if stage == CATEGORY:
        kinds = [
            f"- {name}: {GARMENTS[name]} ({', '.join(SUBCATEGORIES[name])})"
            for name in CATEGORIES
        ]
        return CATEGORIES_PROMPT.format(kinds="\n".join(kinds))
    keys = [f"- subcategory: one of {' | '.join(SUBCATEGORIES[stage])}"]
    for attribute in ASKED[stage]:
        kind = "a list of" if attribute == COLOUR else "one of"
        key = f"- {attribute}: {kind} {' | '.join(ATTRIBUTES[attribute])}"
        meaning = MEANINGS.get(attribute)
        keys.append(f"{key} ({meaning})" if meaning else key)
    return ATTRIBUTES_PROMPT.format(category=stage, keys="\n".join(keys))

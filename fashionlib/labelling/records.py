"""Thesis B's attribute schema as pydantic models.

They say what a reply may hold about a photo, and name in words what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from fashionlib.labelling.attribute_schema import (
    ATTRIBUTES,
    DETAILS,
    NONE,
    SUBCATEGORIES,
)

CATEGORIES = tuple(SUBCATEGORIES)
COLOUR, MOST_COLOURS = "colour", 3
# what trousers and skirts are not asked for
LOWER_LACKS = ("sleeve_length", "neckline", "shoulder")
ASKED: Mapping[str, tuple[str, ...]] = {
    category: tuple(
        a for a in ATTRIBUTES if category in ("top", "dress") or a not in LOWER_LACKS
    )
    for category in CATEGORIES
}
COLUMNS = ("category", "subcategory", *ATTRIBUTES, *DETAILS)

# A garment: a value for each of `COLUMNS`. Colours are a list, the main one first;
# details are True or False; "none" where the category has no such thing.
Record = dict[str, Any]

_STRICT = ConfigDict(strict=True, extra="forbid")


class Shown(BaseModel):
    """Stage 1: the categories of the garments that photo number `image` shows.

    An empty list is an answer.
    """

    model_config = _STRICT
    image: int
    categories: list[Literal[CATEGORIES]]


@cache
def model(stage: str) -> type[BaseModel]:
    """Return the model of one entry: `Shown` at stage "category", else a garment.

    ValueError for an unknown stage.
    """
    if stage == "category":
        return Shown
    if stage not in CATEGORIES:
        raise ValueError(
            f"unknown stage {stage!r}; known: category, {', '.join(CATEGORIES)}"
        )
    colours = Annotated[
        list[Literal[ATTRIBUTES[COLOUR]]], Field(min_length=1, max_length=MOST_COLOURS)
    ]
    types = {"subcategory": Literal[SUBCATEGORIES[stage]], COLOUR: colours}
    for attribute in ASKED[stage]:
        if attribute != COLOUR:
            types[attribute] = Literal[ATTRIBUTES[attribute]]
    types |= dict.fromkeys(DETAILS, bool)
    fields = {name: (kind, ...) for name, kind in types.items()}
    return create_model(
        stage.capitalize(), __config__=_STRICT, image=(int, ...), **fields
    )


def read(stage: str, entry: Any) -> Record | list[str]:
    """Return the entry as a `Record`, or at stage "category" as its categories.

    ValueError that names every fault in words.
    """
    try:
        parsed = model(stage).model_validate(entry)
    except ValidationError as error:
        faults = [_in_words(fault) for fault in error.errors(include_url=False)]
        rest = [f"and {len(faults) - 5} more faults"] if len(faults) > 5 else []
        raise ValueError("; ".join(faults[:5] + rest)) from None
    if stage == "category":
        return _different("categories", parsed.categories)
    given = parsed.model_dump(exclude={"image"})
    _different(COLOUR, given[COLOUR])
    whole = dict.fromkeys(COLUMNS, NONE) | {"category": stage} | given
    return {name: whole[name] for name in COLUMNS}


def row(record: Record) -> Record:
    """Return the record as a row of a table: its colours in one text, "red, white"."""
    return record | {COLOUR: ", ".join(record[COLOUR])}


def of_row(row: Mapping[str, Any]) -> Record:
    """Return the record of a table's row, which may have other columns too."""
    record = {name: str(row[name]) for name in COLUMNS}
    record[COLOUR] = record[COLOUR].split(", ")
    return record | {detail: bool(row[detail]) for detail in DETAILS}


def _different(key: str, values: list[str]) -> list[str]:
    if len(set(values)) < len(values):
        raise ValueError(f"{key}: {', '.join(values)} names one twice")
    return values


def _in_words(error: Mapping[str, Any]) -> str:
    """Return pydantic's error in words that a model can act on."""
    place = _place(error["loc"])
    given, context = repr(error["input"])[:60], error.get("ctx", {})
    if error["type"] == "literal_error":
        return f"{place}: {given} is not one of {context['expected']}"
    return {
        "missing": f"{place} is missing",
        "extra_forbidden": f"{place} is no key of this list",
        "too_long": f"{place}: more than {context.get('max_length')}",
        "too_short": f"{place}: give at least one",
        "bool_type": f"{place}: {given} is neither true nor false",
        "list_type": f"{place}: {given} is no list",
        "model_type": f"{given} is no JSON object",
    }.get(error["type"], f"{place}: {given}: {error['msg']}")


def _place(path: Sequence[str | int]) -> str:
    return "".join(
        f"[{part}]" if isinstance(part, int) else repr(part)[1:-1][:60] for part in path
    )

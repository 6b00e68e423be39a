"""Thesis B's schema as pydantic models: what a reply may say of a photo, and what is
wrong with it in words.
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
LOWER_LACKS = (
    "sleeve_length",
    "neckline",
    "shoulder",
)  # what trousers and skirts are not asked for
ASKED: Mapping[str, tuple[str, ...]] = {
    category: tuple(
        a for a in ATTRIBUTES if category in ("top", "dress") or a not in LOWER_LACKS
    )
    for category in CATEGORIES
}
COLUMNS = ("category", "subcategory", *ATTRIBUTES, *DETAILS)

# A garment: a value for each of `COLUMNS`. Colours are a list, the main one first;
# details are True or False; "none"
# where the category has no such thing.
Record = dict[str, Any]

_STRICT = ConfigDict(strict=True, extra="forbid")


class Seen(BaseModel):
    """Stage 1: the categories of the garments that photo number `image` shows; none is
    an answer.
    """

    model_config = _STRICT
    image: int
    categories: list[Literal[CATEGORIES]]


@cache
def model(stage: str) -> type[BaseModel]:
    """What one entry of a reply's list must be: `Seen` at stage "category", else a
    garment of that category.

    ValueError for another stage.
    """
    if stage == "category":
        return Seen
    if stage not in CATEGORIES:
        raise ValueError(
            f"unknown stage {stage!r}; known: category, {', '.join(CATEGORIES)}"
        )
    one = {
        attribute: Literal[ATTRIBUTES[attribute]]
        for attribute in ASKED[stage]
        if attribute != COLOUR
    }
    colours = Annotated[
        list[Literal[ATTRIBUTES[COLOUR]]], Field(min_length=1, max_length=MOST_COLOURS)
    ]
    kinds = (
        {"subcategory": Literal[SUBCATEGORIES[stage]], COLOUR: colours}
        | one
        | dict.fromkeys(DETAILS, bool)
    )
    return create_model(
        stage.capitalize(),
        __config__=_STRICT,
        image=(int, ...),
        **{name: (kind, ...) for name, kind in kinds.items()},
    )


def read(stage: str, entry: Any) -> Record | list[str]:
    """The entry as a `Record`, or at stage "category" the categories; ValueError that
    names every fault in words.
    """
    try:
        found = model(stage).model_validate(entry)
    except ValidationError as error:
        told = [_told(fault) for fault in error.errors(include_url=False)]
        rest = [f"and {len(told) - 5} more faults"] if len(told) > 5 else []
        raise ValueError("; ".join(told[:5] + rest)) from None
    if stage == "category":
        return _different("categories", found.categories)
    given = found.model_dump(exclude={"image"})
    _different(COLOUR, given[COLOUR])
    lacks = dict.fromkeys(set(ATTRIBUTES) - set(ASKED[stage]), NONE)
    whole = {"category": stage} | given | lacks
    return {name: whole[name] for name in COLUMNS}


def row(record: Record) -> Record:
    """The record as a row of a table: its colours in one text, "red, white"."""
    return record | {COLOUR: ", ".join(record[COLOUR])}


def of_row(row: Mapping[str, Any]) -> Record:
    """The record of a table's row, which may have other columns too."""
    named = {name: str(row[name]) for name in COLUMNS if name not in DETAILS}
    return (
        named
        | {COLOUR: named[COLOUR].split(", ")}
        | {detail: bool(row[detail]) for detail in DETAILS}
    )


def _different(key: str, values: list[str]) -> list[str]:
    if len(set(values)) < len(values):
        raise ValueError(f"{key}: {', '.join(values)} names one twice")
    return values


def _told(error: Mapping[str, Any]) -> str:
    """A fault of pydantic's in words that a model can act on."""
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

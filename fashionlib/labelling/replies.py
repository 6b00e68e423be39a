"""Parse a model's replies without repair: accept each entry, or name its fault.

What is decided here: what lies around the list is taken off where one reading is left,
and counted by kind. A reply cut off at the token limit is never parsed, though its
beginning may be JSON. A list of another length, or one whose entries don't bear the
numbers 1, 2, ... in order, can't be laid beside the photos: all of it is refused. In an
aligned list each entry stands for itself.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, NamedTuple

from fashionlib.data.files import unique_keys
from fashionlib.labelling import records

THOUGHTS_END = re.compile(r".*</think(?:ing)?>", re.DOTALL)
FENCE = re.compile(r"(?:`+|~~~+)[ \t]*(?i:json\w*)?")
COMMA = re.compile(r",(?=\s*[\]}])")  # before the end of a list or an object
REFUSED, CUT_OFF, NOT_JSON, LENGTH, ORDER, RECORD = KINDS = (
    "refused",
    "cut off",
    "not JSON",
    "wrong length",
    "wrong order",
    "wrong record",
)


@dataclass(frozen=True)
class Reply:
    """A model's reply, or why there is none.

    `finish` is the endpoint's finish_reason; "length" is a reply that was cut off.
    `refusal`: a reason of the model's, the endpoint's or the picture reader's.
    """

    text: str = ""
    finish: str = "stop"
    refusal: str = ""
    tokens_in: int = 0
    tokens_out: int = 0

    @property
    def begun(self) -> bool:
        """Whether the text has more than a model's thoughts, should it have those."""
        answer = THOUGHTS_END.sub("", self.text).strip()
        return bool(answer) and not answer.startswith("<think")


class Fault(NamedTuple):
    """What is wrong: its kind, one of `KINDS`, and a text for the model to act on."""

    kind: str
    text: str

    @property
    def hopeless(self) -> bool:
        """Whether asking the same again can't help, though a smaller batch may."""
        return self.kind in (REFUSED, CUT_OFF)


class Parsed(NamedTuple):
    """A parsed reply: entries by their place in the batch, or one `fault` of it all.

    `faults` are those of single entries; `wrappings` say in words what was taken off.
    """

    accepted: dict[int, Any]
    faults: dict[int, Fault]
    fault: Fault | None
    wrappings: list[str]


def parse(reply: Reply, stage: str, count: int) -> Parsed:
    """Parse what the reply says about `count` photos at this stage.

    Each accepted entry is a `records.Record`, or at stage "category" a list of
    categories.
    """
    wrappings: list[str] = []
    entries = _entries(reply, stage, count, wrappings)
    if isinstance(entries, Fault):
        return Parsed({}, {}, entries, wrappings)
    accepted, faults = {}, {}
    for place, entry in enumerate(entries):
        try:
            accepted[place] = records.read(stage, entry)
        except ValueError as error:
            faults[place] = Fault(RECORD, str(error))
    return Parsed(accepted, faults, None, wrappings)


def _entries(
    reply: Reply, stage: str, count: int, wrappings: list[str]
) -> list[Any] | Fault:
    """Return the reply's list, as long as the batch and in its order, or the fault."""
    if reply.refusal or reply.finish == "content_filter":
        reason = reply.refusal or "the endpoint's filter withheld the reply"
        return Fault(REFUSED, reason)
    if reply.finish == "length":
        when = "" if reply.begun else " before its first word"
        reason = f"the reply was cut off{when}, at {reply.tokens_out} tokens"
        return Fault(CUT_OFF, f"{reason}; --max-tokens raises the limit")
    try:
        entries = _unwrapped(_decoded(reply.text, wrappings), stage, count, wrappings)
    except (ValueError, RecursionError) as error:
        began = reply.text[:80]
        return Fault(
            NOT_JSON, f"It was no JSON: {str(error)[:200]}. It began: {began!r}."
        )
    if not isinstance(entries, list):
        return Fault(NOT_JSON, f"It was {type(entries).__name__} and no JSON list.")
    if len(entries) != count:
        return Fault(LENGTH, f"The list had {len(entries)} entries for {count} photos.")
    numbers = [
        (place, entry["image"])
        for place, entry in enumerate(entries, 1)
        if isinstance(entry, dict) and type(entry.get("image")) is int
    ]
    if any(place != number for place, number in numbers):
        given = str([number for _, number in numbers])[:200]
        return Fault(ORDER, f"Its entries were numbered {given}, not 1 to {count}.")
    return entries


def _decoded(text: str, wrappings: list[str]) -> Any:
    """Decode a text's JSON: all of it, else from its first bracket to its last.

    Other brackets among the words leave no JSON: nothing is guessed then.
    """
    if thoughts := THOUGHTS_END.match(text):
        wrappings.append("after thoughts")
        text = text[thoughts.end() :]
    try:
        return _loaded(text)
    except ValueError:
        begin = re.search(r"[\[{]", text)
        end = max(text.rfind("]"), text.rfind("}")) + 1
        if not begin or not end:
            raise
    around = [text[: begin.start()], text[end:]]
    if any(map(FENCE.search, around)):
        wrappings.append("in a fence")
    if any(FENCE.sub("", part).strip() for part in around):
        wrappings.append("with words around")
    inner = text[begin.start() : end]
    whole = COMMA.sub("", inner)
    try:
        return _loaded(inner)
    except ValueError:
        if whole == inner:
            raise
    wrappings.append("with a comma at an end")
    return _loaded(whole)


def _unwrapped(value: Any, stage: str, count: int, wrappings: list[str]) -> Any:
    """Return the list in a value; the value where it isn't clear which that is."""
    while isinstance(value, str | dict):
        if isinstance(value, str):
            wrappings.append("encoded twice")
            value = _loaded(value)
            continue
        held = list(value.values())
        lists = [part for part in held if isinstance(part, list)]
        if value.keys() & records.model(stage).model_fields.keys():  # an entry
            if count > 1:
                return value
            kind, value = "one object for one photo", [value]
        elif len(value) == 1 or len(lists) == 1:
            kind, value = "in an object", (lists or held)[0]
        elif len(value) == count and all(isinstance(part, dict) for part in held):
            kind, value = "an object of objects", list(value.values())
        else:
            return value
        wrappings.append(kind)
    return value


def _loaded(text: str) -> Any:
    return json.loads(text, object_pairs_hook=unique_keys, parse_constant=_constant)


def _constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")

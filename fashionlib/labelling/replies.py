"""Parse a model's replies without repair: accept each entry, or name its fault.

What is decided here: one Markdown fence around the whole reply is taken off, and
counted; any other word beside the list is a fault. A reply cut off at the token limit
is never parsed, though its beginning may be JSON. A list of another length, or one
whose entries don't bear the numbers 1, 2, ... in order, can't be laid beside the
photos: all of it is refused. In an aligned list each entry stands for itself.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, NamedTuple

from fashionlib.data.files import unique_keys
from fashionlib.labelling import records

FENCE = re.compile(r"```(?:json|JSON)?[ \t]*\n(.*)\n[ \t]*```", re.DOTALL)
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

    `faults` are those of single entries.
    """

    accepted: dict[int, Any]
    faults: dict[int, Fault]
    fault: Fault | None = None
    fenced: bool = False


def parse(reply: Reply, stage: str, count: int) -> Parsed:
    """Parse what the reply says about `count` photos at this stage.

    Each accepted entry is a `records.Record`, or at stage "category" a list of
    categories.
    """
    fence = FENCE.fullmatch(reply.text.strip())
    fenced = fence is not None
    entries = _entries(reply, fence[1] if fence else reply.text, count)
    if isinstance(entries, Fault):
        return Parsed({}, {}, entries, fenced)
    accepted, faults = {}, {}
    for place, entry in enumerate(entries):
        try:
            accepted[place] = records.read(stage, entry)
        except ValueError as error:
            faults[place] = Fault(RECORD, str(error))
    return Parsed(accepted, faults, None, fenced)


def _entries(reply: Reply, text: str, count: int) -> list[Any] | Fault:
    """Return the reply's list, as long as the batch and in its order, or the fault."""
    if reply.refusal or reply.finish == "content_filter":
        reason = reply.refusal or "the endpoint's filter withheld the reply"
        return Fault(REFUSED, reason)
    if reply.finish == "length":
        return Fault(CUT_OFF, f"the reply was cut off at {reply.tokens_out} tokens")
    try:
        entries = json.loads(
            text, object_pairs_hook=unique_keys, parse_constant=_constant
        )
    except (ValueError, RecursionError) as error:
        reason = f"It was no JSON: {str(error)[:200]}. It began: {text[:80]!r}."
        return Fault(NOT_JSON, reason)
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


def _constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")

"""Replies of a model, read without repair: every entry is accepted, or its fault is
named.

What is decided here: one Markdown fence around the whole reply is taken off, and
counted; any other word beside the list is a fault. A reply cut off at the token limit
is never read, though its beginning may be JSON. A list of another length, or one whose
entries don't bear the numbers 1, 2, ... in order, can't be laid beside the photos: all
of it is refused. In an aligned list each entry stands for itself.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, NamedTuple

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
    """What came back. `refusal`: why there is no answer, from the model, the endpoint
    or the picture's reader.
    """

    text: str = ""
    finish: str = (
        "stop"  # the endpoint's finish_reason: "length" is a reply that was cut off
    )
    refusal: str = ""
    tokens_in: int = 0
    tokens_out: int = 0


class Fault(NamedTuple):
    """`kind` is one of `KINDS`; `hopeless` where asking the same again can't help, and
    a smaller batch may.
    """

    kind: str
    text: str

    @property
    def hopeless(self) -> bool:
        return self.kind in (REFUSED, CUT_OFF)


class Read(NamedTuple):
    """By place in the batch: accepted entries and faults of single ones; or one `fault`
    of the whole reply.
    """

    accepted: dict[int, Any]
    faults: dict[int, Fault]
    fault: Fault | None = None
    fenced: bool = False


def read(reply: Reply, stage: str, count: int) -> Read:
    """What the reply says about `count` photos at this stage: a `records.Record` each,
    or a list of categories.
    """
    fenced = FENCE.fullmatch(reply.text.strip())
    try:
        entries = _entries(reply, fenced[1] if fenced else reply.text, count)
    except _Refused as error:
        return Read({}, {}, error.args[0], bool(fenced))
    accepted, faults = {}, {}
    for place, entry in enumerate(entries):
        try:
            accepted[place] = records.read(stage, entry)
        except ValueError as error:
            faults[place] = Fault(RECORD, str(error))
    return Read(accepted, faults, None, bool(fenced))


class _Refused(Exception):
    """Carries the `Fault` of a whole reply."""


def _entries(reply: Reply, text: str, count: int) -> list[Any]:
    """The reply's list, as long as the batch and in its order."""
    if reply.refusal or reply.finish == "content_filter":
        raise _Refused(
            Fault(REFUSED, reply.refusal or "the endpoint's filter withheld the reply")
        )
    if reply.finish == "length":
        raise _Refused(
            Fault(CUT_OFF, f"the reply was cut off at {reply.tokens_out} tokens")
        )
    try:
        entries = json.loads(text, object_pairs_hook=_object, parse_constant=_constant)
    except (ValueError, RecursionError) as error:
        raise _Refused(
            Fault(
                NOT_JSON,
                f"It was no JSON: {str(error)[:200]}. It began: {text[:80]!r}.",
            )
        ) from error
    if not isinstance(entries, list):
        raise _Refused(
            Fault(NOT_JSON, f"It was {type(entries).__name__} and no JSON list.")
        )
    if len(entries) != count:
        raise _Refused(
            Fault(LENGTH, f"The list had {len(entries)} entries for {count} photos.")
        )
    numbers = [
        entry.get("image") if isinstance(entry, dict) else None for entry in entries
    ]
    known = [number for number in numbers if type(number) is int]
    if any(
        type(number) is int and number != place
        for place, number in enumerate(numbers, 1)
    ):
        raise _Refused(
            Fault(
                ORDER,
                f"Its entries were numbered {str(known)[:200]}, not 1 to {count}.",
            )
        )
    return entries


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object; ValueError where a key comes twice, of which Python would keep the
    last.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError(
            f"a key comes twice among {', '.join(repr(key)[:40] for key, _ in pairs)}"
        )
    return found


def _constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")

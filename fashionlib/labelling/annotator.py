"""Labels by prompt, after Thesis B's section 3.3: a vision LLM names the garments of a
photo and their attributes.

`label` asks whatever it is given: `client.Endpoint` or `batches.Batches` speak to an
OpenAI-compatible endpoint, `simulator.Simulator` errs at known rates. No reply is
repaired: an entry is accepted, asked for again with its fault named, or set aside with
its reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from fashionlib.labelling import records, replies
from fashionlib.labelling.prompts import CATEGORY, Request
from fashionlib.labelling.replies import Reply

Ask = Callable[[Sequence[Request]], Sequence[Reply]]  # replies in the requests' order
TRIAL = 16  # photos whose replies are looked at before more are asked for


@dataclass(frozen=True)
class Labels:
    """What came of labelling.

    `records`: one row a garment: item_id, image, and `records.COLUMNS`, colours as one
    text. A photo may have several. `set_aside`: one row a photo and stage without an
    accepted answer: item_id, image, stage, kind, reason. `empty`: item ids of photos on
    which no garment was seen. `counts`: requests, tokens_in, tokens_out, fenced
    (replies in a Markdown fence) and faults by kind, those that a later attempt mended
    included.
    """

    records: pd.DataFrame
    set_aside: pd.DataFrame
    empty: list[str]
    counts: dict[str, int]


def label(
    items: pd.DataFrame, ask: Ask, batch_size: int = 8, attempts: int = 3
) -> Labels:
    """Label the photos of `items` (columns item_id and image): categories first, then
    each category's attributes.

    An entry with a fault is asked for again, its fault named, `attempts` times in all.
    A whole reply that can't be used is too; then, or at once where repeating can't
    help, its batch is halved, and the halves have their own attempts. A photo that is
    alone and has none left is set aside. Items that share a picture share its labels.

    ValueError for a missing column, an item twice, a batch or attempts below 1, and
    where none of the first photos of a stage has an answer that can be used: the rest
    isn't asked then.
    """
    _refuse(items, batch_size, attempts)
    pictures = items["image"].astype(str)
    talk = _Talk(ask, batch_size, attempts)
    seen = talk.settle(CATEGORY, list(dict.fromkeys(pictures)))
    garments = []
    for category in records.CATEGORIES:
        found = talk.settle(
            category,
            [image for image, categories in seen.items() if category in categories],
        )
        garments += [
            {"image": image} | records.row(record) for image, record in found.items()
        ]
    named = pd.DataFrame({"item_id": items["item_id"].astype(str), "image": pictures})
    table = named.merge(
        pd.DataFrame(garments, columns=["image", *records.COLUMNS]), on="image"
    )
    aside = pd.DataFrame(talk.aside, columns=["image", "stage", "kind", "reason"])
    empty = named["item_id"][pictures.map(lambda image: seen.get(image) == [])]
    return Labels(
        table, named.merge(aside, on="image"), empty.tolist(), dict(talk.counts)
    )


def _refuse(items: pd.DataFrame, batch_size: int, attempts: int) -> None:
    missing = {"item_id", "image"} - set(items.columns)
    if missing:
        raise ValueError(
            f"items have no column {', '.join(sorted(missing))}; they have"
            f" {', '.join(items.columns)}"
        )
    unknown = int(items["image"].isna().sum())
    if unknown:
        raise ValueError(
            f"{unknown} of {len(items)} items have no image; drop them first"
        )
    if twice := items["item_id"][items["item_id"].duplicated()].tolist():
        raise ValueError(
            f"{len(items)} items, but {twice[0]} comes twice; ids must differ"
        )
    if batch_size < 1 or attempts < 1:
        raise ValueError(
            f"batch size {batch_size} and attempts {attempts}: each must be 1 or more"
        )


@dataclass
class _Talk:
    """One labelling's requests: who is asked, what was set aside, what it took."""

    ask: Ask
    batch_size: int
    attempts: int
    aside: list[tuple[str, str, str, str]] = field(
        default_factory=list
    )  # image, stage, kind, reason
    counts: Counter[str] = field(default_factory=Counter)

    def settle(self, stage: str, images: list[str]) -> dict[str, Any]:
        """{image: accepted answer} of this stage; the others are set aside."""
        step = self.batch_size
        batches = [
            Request(stage, tuple(images[k : k + step]))
            for k in range(0, len(images), step)
        ]
        first = -(-TRIAL // step)
        found = self._rounds(batches[:first])
        if not found and batches[first:]:
            kind, reason = self.aside[-1][2:]
            raise ValueError(
                f"stage {stage}: none of the first {first * step} photos has an answer"
                f" that can be used; the last was {kind}: {reason} Nothing more was"
                " asked; mend that or try another model."
            )
        return found | self._rounds(batches[first:])

    def _rounds(self, waiting: list[Request]) -> dict[str, Any]:
        """Ask until nothing is left to ask; each round holds the requests that the one
        before calls for.
        """
        found: dict[str, Any] = {}
        while waiting:
            asked, waiting = waiting, []
            for request, reply in zip(asked, self.ask(asked), strict=True):
                waiting += self._judge(request, reply, found)
        return found

    def _judge(
        self, request: Request, reply: Reply, found: dict[str, Any]
    ) -> list[Request]:
        """Put accepted entries into `found`; the requests that are needed for the
        others.
        """
        read = replies.read(reply, request.stage, len(request.images))
        self.counts.update(
            requests=1,
            tokens_in=reply.tokens_in,
            tokens_out=reply.tokens_out,
            fenced=read.fenced,
        )
        if read.fault:
            self.counts[read.fault.kind] += 1
            return self._whole(request, read.fault)
        found |= {
            request.images[place]: answer for place, answer in read.accepted.items()
        }
        self.counts.update(fault.kind for fault in read.faults.values())
        if request.attempt == self.attempts:
            for place, fault in read.faults.items():
                self._put_aside(request.images[place], request.stage, fault)
            return []
        told = tuple(
            f"Photo {n}: {fault.text}."
            for n, fault in enumerate(read.faults.values(), 1)
        )
        images = tuple(request.images[place] for place in read.faults)
        return (
            [replace(request, images=images, attempt=request.attempt + 1, faults=told)]
            if images
            else []
        )

    def _whole(self, request: Request, fault: replies.Fault) -> list[Request]:
        """What to ask after a reply of which nothing can be used."""
        if not fault.hopeless and request.attempt < self.attempts:
            return [replace(request, attempt=request.attempt + 1, faults=(fault.text,))]
        if len(request.images) > 1:
            middle = -(-len(request.images) // 2)
            return [
                Request(request.stage, half)
                for half in (request.images[:middle], request.images[middle:])
            ]
        self._put_aside(request.images[0], request.stage, fault)
        return []

    def _put_aside(self, image: str, stage: str, fault: replies.Fault) -> None:
        self.aside.append((image, stage, fault.kind, fault.text))

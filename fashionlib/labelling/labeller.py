"""Label photos by prompt (Thesis B, section 3.3): first categories, then attributes.

`label` asks whatever it is given: `client.Endpoint` and `batches.Batches` speak to an
OpenAI-compatible endpoint, a simulator may stand in for them. No reply is repaired: an
entry is accepted, asked for again with its fault named, or set aside with its reason.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from fashionlib.labelling import records, replies
from fashionlib.labelling.prompts import CATEGORY, Request
from fashionlib.labelling.replies import Reply

Ask = Callable[[Sequence[Request]], Sequence[Reply]]  # replies in the requests' order
TRIAL = 16  # photos of a stage that are asked about before all others


@dataclass(frozen=True)
class Labels:
    """The result of labelling.

    `records`: one row a garment: item_id, image, and `records.COLUMNS`, colours as one
    text. A photo may have several. `set_aside`: one row a photo and stage without an
    accepted answer: item_id, image, stage, kind, reason. `empty`: item ids of photos
    that show no garment. `counts`: requests, tokens_in, tokens_out, replies by what was
    taken off around their list, and faults by kind, those that a later attempt mended
    included.
    """

    records: pd.DataFrame
    set_aside: pd.DataFrame
    empty: list[str]
    counts: dict[str, int]


def label(
    items: pd.DataFrame, ask: Ask, batch_size: int = 8, attempts: int = 3
) -> Labels:
    """Label the photos of `items` (columns item_id and image).

    An entry with a fault is asked for again, its fault named, `attempts` times in all.
    A whole reply that can't be used is too; then, or at once where repeating can't
    help, its batch is halved, and the halves have their own attempts. A photo that is
    alone and has none left is set aside. Items that share a picture share its labels.

    ValueError for a missing column, an item twice, a batch or attempts below 1, and
    where none of the first photos of a stage has an answer that can be used, or a reply
    to them reaches its limit before its first word: the rest isn't asked then.
    """
    _check(items, batch_size, attempts)
    named = items[["item_id", "image"]].astype(str)
    run = _Run(ask, batch_size, attempts)
    categories = run.answers(CATEGORY, named["image"].unique().tolist())
    garments = []
    for category in records.CATEGORIES:
        images = [image for image, shown in categories.items() if category in shown]
        for image, record in run.answers(category, images).items():
            garments.append({"image": image} | records.row(record))
    rows = pd.DataFrame(garments, columns=["image", *records.COLUMNS])
    set_aside = pd.DataFrame(
        run.set_aside, columns=["image", "stage", "kind", "reason"]
    )
    empty = named["image"].isin([i for i, shown in categories.items() if not shown])
    return Labels(
        named.merge(rows, on="image"),
        named.merge(set_aside, on="image"),
        named["item_id"][empty].tolist(),
        dict(run.counts),
    )


def _check(items: pd.DataFrame, batch_size: int, attempts: int) -> None:
    missing = {"item_id", "image"} - set(items.columns)
    if missing:
        raise ValueError(
            f"items have no column {', '.join(sorted(missing))}; they have"
            f" {', '.join(items.columns)}"
        )
    if unknown := int(items["image"].isna().sum()):
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
class _Run:
    """The requests of one labelling, with what they counted and what failed."""

    ask: Ask
    batch_size: int
    attempts: int
    # image, stage, kind, reason
    set_aside: list[tuple[str, str, str, str]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    trying: bool = True  # the first photos of a stage

    def answers(self, stage: str, images: list[str]) -> dict[str, Any]:
        """Return {image: accepted answer} of a stage; set the other images aside."""
        size = self.batch_size
        starts = range(0, len(images), size)
        batches = [Request(stage, tuple(images[k : k + size])) for k in starts]
        trial = math.ceil(TRIAL / size)  # batches
        before, self.trying = len(self.set_aside), True
        answers = self._settle(batches[:trial])
        if not answers and batches[trial:]:
            kind, reason = self.set_aside[-1][2:]
            kinds = Counter(row[2] for row in self.set_aside[before:])
            counted = ", ".join(f"{count} {name}" for name, count in kinds.items())
            raise ValueError(
                f"stage {stage}: none of the first {trial * size} photos has an answer"
                f" that can be used ({counted}); the last was {kind}: {reason} Nothing"
                " more was asked; mend that or try another model."
            )
        self.trying = False
        return answers | self._settle(batches[trial:])

    def _settle(self, requests: list[Request]) -> dict[str, Any]:
        """Ask in rounds, each of the requests that the one before calls for."""
        answers: dict[str, Any] = {}
        while requests:
            follow_ups = []
            for request, reply in zip(requests, self.ask(requests), strict=True):
                follow_ups += self._judge(request, reply, answers)
            requests = follow_ups
        return answers

    def _judge(
        self, request: Request, reply: Reply, answers: dict[str, Any]
    ) -> list[Request]:
        """Add the accepted entries to `answers`; return requests for the others."""
        parsed = replies.parse(reply, request.stage, len(request.images))
        self.counts.update(
            requests=1,
            tokens_in=reply.tokens_in,
            tokens_out=reply.tokens_out,
        )
        self.counts.update(parsed.wrappings)
        cut_off = parsed.fault and parsed.fault.kind == replies.CUT_OFF
        if cut_off and self.trying and not reply.begun:
            raise ValueError(
                f"stage {request.stage}: {parsed.fault.text}. Nothing more was asked;"
                " replies that came are kept."
            )
        if parsed.fault:
            self.counts[parsed.fault.kind] += 1
            return self._after_unusable(request, parsed.fault)
        for place, answer in parsed.accepted.items():
            answers[request.images[place]] = answer
        faults = {request.images[n]: fault for n, fault in parsed.faults.items()}
        self.counts.update(fault.kind for fault in faults.values())
        if request.attempt == self.attempts:
            for image, fault in faults.items():
                self._put_aside(image, request.stage, fault)
            return []
        texts = [f"Photo {n}: {f.text}." for n, f in enumerate(faults.values(), 1)]
        again = replace(request, images=tuple(faults), attempt=request.attempt + 1)
        return [replace(again, faults=tuple(texts))] if faults else []

    def _after_unusable(self, request: Request, fault: replies.Fault) -> list[Request]:
        """Return what to ask after a reply of which nothing can be used."""
        if not fault.hopeless and request.attempt < self.attempts:
            return [replace(request, attempt=request.attempt + 1, faults=(fault.text,))]
        if len(request.images) == 1:
            self._put_aside(request.images[0], request.stage, fault)
            return []
        middle = math.ceil(len(request.images) / 2)
        halves = request.images[:middle], request.images[middle:]
        return [Request(request.stage, half) for half in halves]

    def _put_aside(self, image: str, stage: str, fault: replies.Fault) -> None:
        self.set_aside.append((image, stage, fault.kind, fault.text))

"""An accepted record as a compact caption, from one of several templates of its
category (Thesis B, section 3.3).

The words and templates are those of the wardrobe's style "template", so drawn and
labelled captions speak alike.
"""

from __future__ import annotations

import hashlib

import numpy as np

from fashionlib.labelling.attribute_schema import ATTRIBUTES, DETAILS
from fashionlib.labelling.records import COLOUR, Record
from wardrobe.catalogue import Garment
from wardrobe.words.grammar import listed
from wardrobe.words.plain import template


def caption(record: Record, item_id: str, seed: int = 0) -> str:
    """All that the record says, in one sentence; the item's id and the seed choose the
    template.
    """
    digest = hashlib.sha256(
        f"{seed}\0{item_id}\0{record['category']}".encode()
    ).digest()
    rng = np.random.default_rng(int.from_bytes(digest[:8], "big"))
    parts = {
        part: record[part]
        for part in ("category", "subcategory", *ATTRIBUTES)
        if part != COLOUR
    }
    garment = Garment(
        **parts, fit="regular", details=tuple(d for d in DETAILS if record[d])
    )
    return template(garment, listed(record[COLOUR]), rng)

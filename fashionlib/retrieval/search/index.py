"""The index: a folder with one table of vectors and of what is shown of an item; how it
is opened and asked.
"""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from fashionlib.features import Features, unit
from fashionlib.retrieval.search.encoder import Encoder, encoder

TABLE, ABOUT = "items", "fashionlib"
SHOWN = (
    "item_id",
    "image",
    "caption",
    "category",
    "colour",
    "product_id",
    "group",
    "pattern",
)  # text, kept of an item
FILTERS = ("category", "colour")
PROBES = 20  # cells of an approximate index that a query looks into


@dataclass
class Index:
    """An index as it was when it was opened; a later build is seen when it is opened
    again.
    """

    folder: Path
    root: Path  # of the catalogue: pictures lie below it
    about: dict[str, Any]  # the encoder, the catalogue's place, how many items
    table: Any  # LanceDB's
    given: Encoder | None = None

    @classmethod
    def open(
        cls,
        folder: str | Path,
        encoder: Encoder | None = None,
        root: str | Path | None = None,
    ) -> Index:
        """The index in `folder`; queries go through its own encoder, loaded at the
        first, or through the given one.

        `root` is where the catalogue lies, if it was moved. FileNotFoundError where
        there is no index or no catalogue; ValueError for an encoder that is not the one
        of its items.
        """
        table = opened(Path(folder))
        if table is None:
            raise FileNotFoundError(
                f"no index in {folder}; make one: fashionlib index ITEMS --model M"
                f" --out {folder}"
            )
        about = told(table)
        place = (
            Path(root)
            if root
            else Path(os.path.normpath(Path(folder).absolute() / about["root"]))
        )
        if not place.is_dir():
            raise FileNotFoundError(
                f"the catalogue of {folder} is not at {place}, where it was indexed;"
                " put it back, or say where it is now (root, or --root)"
            )
        index = cls(Path(folder), place, about, table, encoder)
        if encoder is not None:
            index._same(encoder)
        return index

    def __len__(self) -> int:
        return self.about["items"]

    @cached_property
    def encoder(self) -> Encoder:
        """What made the vectors, loaded by name. ValueError where its weights have
        changed since.
        """
        if self.given is not None:
            return self.given
        if self.about["model"] is None:
            return self._same(encoder(self.about["encoder"]))
        place = os.path.normpath(self.folder.absolute() / self.about["model"])
        if not Path(place).is_dir():
            raise FileNotFoundError(
                f"the encoder {self.about['encoder']} of {self.folder} is not at"
                f" {place}; put it back, or index again"
            )
        return self._same(encoder(place))

    def _same(self, other: Encoder) -> Encoder:
        if other.fingerprint != self.about["fingerprint"]:
            raise ValueError(
                f"the index {self.folder} was made by {self.about['encoder']} (weights"
                f" {self.about['fingerprint']}) and is asked by {other.name}"
                f" ({other.fingerprint}): their vectors have nothing in common. Ask"
                " with the first, or index again with the second."
            )
        return other

    def values(self, column: str) -> list[str]:
        """The values by which the column, "category" or "colour", can be filtered,
        sorted.
        """
        if column not in FILTERS:
            raise ValueError(f"no filter {column!r}; there are {', '.join(FILTERS)}")
        return self._values[column]

    @cached_property
    def _values(self) -> dict[str, list[str]]:
        rows = self.table.search().select(list(FILTERS)).to_arrow()
        return {
            column: sorted(set(rows[column].to_pylist()) - {None}) for column in FILTERS
        }

    def features(self) -> Features:
        """All vectors, rows of length one, by item id."""
        return features(self.table)

    def vector(
        self,
        image: str | Path | None = None,
        words: str | None = None,
        weight: float = 0.5,
    ) -> np.ndarray:
        """The query as a vector of length one (dim,): picture, words, or (1 - weight)
        picture + weight words.

        Picture and words have length one before they are added, and their sum after.
        ValueError where there is nothing to look for, a weight outside 0 to 1, or
        naming a picture that can't be read.
        """
        words = words.strip() if words else ""
        if image is None and not words:
            raise ValueError("nothing to look for: give a picture, words, or both")
        if not 0 <= weight <= 1:
            raise ValueError(
                f"weight {weight} of the words is not between 0 (the picture alone) and"
                " 1 (words alone)"
            )
        parts = []
        if image is not None:
            parts.append(
                (1 - weight if words else 1)
                * unit(self.encoder.images([str(image)])[0])
            )
        if words:
            parts.append(
                (weight if image is not None else 1)
                * unit(self.encoder.texts([words])[0])
            )
        return unit(np.sum(parts, axis=0)).astype(np.float32)

    def search(
        self,
        image: str | Path | None = None,
        words: str | None = None,
        weight: float = 0.5,
        k: int = 10,
        where: Mapping[str, str] | None = None,
    ) -> pd.DataFrame:
        """The `k` items nearest to the query (`vector`), best first, of those that are
        as `where` says.

        Columns item_id, score (cosine), image (a reference that `images.load` opens)
        and what is known of the item: caption, category, colour, product_id, group,
        pattern (missing where it isn't). Fewer rows where fewer items fit the filter.
        ValueError as `vector`; for `k` below 1; for an unknown filter or value, with
        the nearest known.
        """
        if k < 1:
            raise ValueError(f"k = {k} items; ask for 1 or more")
        chosen = self._where(where or {})
        return self.nearest(self.vector(image, words, weight), k, chosen)

    def nearest(self, vector: np.ndarray, k: int, condition: str = "") -> pd.DataFrame:
        """As `search`, for a query that is a vector of length one (dim,), and a
        condition in SQL.
        """
        query = (
            self.table.search(vector, vector_column_name="vector")
            .distance_type("dot")
            .limit(k)
        )
        query = query.select([*SHOWN, "_distance"])
        if self.about["cells"]:
            query = query.minimum_nprobes(PROBES).maximum_nprobes(
                0
            )  # further cells where a filter leaves too few
        found = (query.where(condition) if condition else query).to_arrow().to_pandas()
        found.insert(1, "score", 1 - found.pop("_distance"))
        return found.assign(image=[self._picture(image) for image in found["image"]])

    def _where(self, where: Mapping[str, str]) -> str:
        """The filters in SQL. Values are those of the table, upper and lower case
        apart, and are quoted.
        """
        parts = []
        for column, value in where.items():
            known = self.values(column)
            meant = [name for name in known if name.casefold() == value.casefold()]
            if not meant:
                names = {name.casefold(): name for name in known}
                near = [
                    names[name]
                    for name in difflib.get_close_matches(
                        value.casefold(), names, 5, 0.4
                    )
                ]
                told = ", ".join(near or known[:5]) or "none"
                raise ValueError(
                    f"no item has the {column} {value!r}; nearest of {len(known)}"
                    f" known: {told}"
                )
            quoted = ", ".join("'" + name.replace("'", "''") + "'" for name in meant)
            parts.append(f"`{column}` IN ({quoted})")
        return " AND ".join(parts)

    def _picture(self, image: str) -> str:
        """The picture's place. ValueError where the index leads out of the
        catalogue.
        """
        place = os.path.normpath(self.root / image)
        if not Path(place).is_relative_to(self.root):
            raise ValueError(
                f"the index {self.folder} names the picture {image!r}, outside its"
                f" catalogue {self.root}; it is not to be trusted: index again"
            )
        return place


def opened(folder: Path) -> Any:
    """LanceDB's table in the folder, at its newest version, or None where there is
    none.
    """
    import lancedb

    if not (folder / f"{TABLE}.lance").is_dir():
        return None
    try:
        return lancedb.connect(folder).open_table(TABLE)
    except ValueError as error:  # a first build that was killed
        if "was not found" in str(error):
            return None
        raise


def told(table: Any) -> dict[str, Any]:
    """What the index says of itself."""
    return json.loads((table.schema.metadata or {}).get(ABOUT.encode(), b"{}"))


def features(table: Any) -> Features:
    """The table's ids and vectors, and as `made_by` what the index says of itself."""
    rows = table.search().select(["item_id", "vector"]).to_arrow()
    vectors = pa.concat_arrays(
        rows["vector"].chunks or [pa.array([], rows["vector"].type)]
    )
    return Features(
        rows["item_id"].to_pylist(),
        vectors.flatten().to_numpy().reshape(len(rows), -1),
        told(table),
    )

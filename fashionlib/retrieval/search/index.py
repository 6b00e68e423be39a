"""The index: a folder with one table of vectors and of what is shown of an item."""

from __future__ import annotations

import difflib
import importlib.util
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fashionlib.data import images
from fashionlib.features import Features, nearest, unit
from fashionlib.retrieval.search.encoders import Encoder, load_encoder

TABLE, METADATA = "items", "fashionlib"  # names in the database
SHOWN = (  # texts that are stored of an item
    "item_id",
    "image",
    "caption",
    "category",
    "colour",
    "product_id",
    "group",
    "pattern",
)
FILTERS = ("category", "colour")
PROBES = 20  # cells of an approximate index that a query looks into


@dataclass
class Index:
    """An index as it was when it was opened; open it again to see a later build."""

    folder: Path
    root: Path  # of the catalogue: pictures lie below it
    metadata: dict[str, Any]  # `building.build` writes it
    table: Any  # LanceDB's
    given: Encoder | None = None

    @classmethod
    def open(
        cls,
        folder: str | Path,
        encoder: Encoder | None = None,
        root: str | Path | None = None,
    ) -> Index:
        """Open the index in `folder`.

        Queries go through its own encoder, loaded at the first, or through the given
        one. `root` is where the catalogue lies, if it was moved. FileNotFoundError
        where there is no index or no catalogue; ValueError for an encoder that is not
        the one of its items.
        """
        folder = Path(folder)
        table = open_table(folder)
        if table is None:
            raise FileNotFoundError(
                f"no index in {folder}; make one: fashionlib index ITEMS --model M"
                f" --out {folder}"
            )
        metadata = read_metadata(table)
        place = Path(root) if root else _place(folder, metadata["root"])
        if not place.is_dir():
            raise FileNotFoundError(
                f"the catalogue of {folder} is not at {place}, where it was indexed;"
                " put it back, or say where it is now (root, or --root)"
            )
        index = cls(folder, place, metadata, table, encoder)
        if encoder is not None:
            index._refuse_another(encoder)
        return index

    def __len__(self) -> int:
        return self.metadata["items"]

    @cached_property
    def encoder(self) -> Encoder:
        """What made the vectors, loaded by name.

        ValueError where its weights have changed since.
        """
        if self.given is not None:
            return self.given
        name, model = self.metadata["encoder"], self.metadata["model"]
        if model is not None:  # a folder
            place = _place(self.folder, model)
            if not place.is_dir():
                raise FileNotFoundError(
                    f"the encoder {name} of {self.folder} is not at {place}; put it"
                    " back, or index again"
                )
            name = str(place)
        encoder = load_encoder(name)
        self._refuse_another(encoder)
        return encoder

    def _refuse_another(self, encoder: Encoder) -> None:
        fingerprint = self.metadata["fingerprint"]
        if encoder.fingerprint != fingerprint:
            raise ValueError(
                f"the index {self.folder} was made by {self.metadata['encoder']}"
                f" (weights {fingerprint}) and is asked by {encoder.name}"
                f" ({encoder.fingerprint}): their vectors have nothing in common. Ask"
                " with the first, or index again with the second."
            )

    def values(self, column: str) -> list[str]:
        """Return the sorted values by which a column of `FILTERS` can be filtered."""
        if column not in FILTERS:
            raise ValueError(f"no filter {column!r}; there are {', '.join(FILTERS)}")
        return self._values[column]

    @cached_property
    def _values(self) -> dict[str, list[str]]:
        rows = self.table.search().select(list(FILTERS)).to_arrow()
        return {name: sorted(set(rows[name].to_pylist()) - {None}) for name in FILTERS}

    def features(self) -> Features:
        """Return all vectors, rows of length one, by item id."""
        return read_features(self.table)

    def vector(
        self,
        image: str | Path | None = None,
        words: str | None = None,
        weight: float = 0.5,
    ) -> np.ndarray:
        """Return the query as a vector of length one (dim,).

        It is the picture, the words, or (1 - weight) picture + weight words. Picture
        and words have length one before they are added, and their sum after. ValueError
        where there is nothing to look for, a weight outside 0 to 1, or naming a picture
        that can't be read.
        """
        words = words.strip() if words else ""
        if image is None and not words:
            raise ValueError("nothing to look for: give a picture, words, or both")
        if not 0 <= weight <= 1:
            raise ValueError(
                f"weight {weight} of the words is not between 0 (the picture alone) and"
                " 1 (words alone)"
            )
        weight = 1 if image is None else weight if words else 0
        vector = 0
        if image is not None:
            picture = self.encoder.encode_images([str(image)])[0]
            vector = vector + (1 - weight) * unit(picture)
        if words:
            vector = vector + weight * unit(self.encoder.encode_texts([words])[0])
        return unit(vector).astype(np.float32)

    def search(
        self,
        image: str | Path | None = None,
        words: str | None = None,
        weight: float = 0.5,
        k: int = 10,
        where: Mapping[str, str] | None = None,
    ) -> pd.DataFrame:
        """Return the `k` items nearest to the query (`vector`), best first.

        `where` maps columns of `FILTERS` to the value that an item must have. Columns
        item_id, score (cosine), image (a reference that `images.load` opens) and what
        is known of the item: caption, category, colour, product_id, group, pattern
        (missing where it isn't). Fewer rows where fewer items fit the filter.
        ValueError as `vector`; for `k` below 1; for an unknown filter or value, with
        the nearest known.
        """
        if k < 1:
            raise ValueError(f"k = {k} items; ask for 1 or more")
        condition = self._condition(where or {})
        return self.nearest(self.vector(image, words, weight), k, condition)

    def nearest(self, vector: np.ndarray, k: int, condition: str = "") -> pd.DataFrame:
        """As `search`, for a vector of length one (dim,), and a condition in SQL."""
        query = self.table.search(vector, vector_column_name="vector")
        query = query.distance_type("dot").limit(k).select([*SHOWN, "_distance"])
        if self.metadata["cells"]:
            # 0: look into further cells where a filter leaves too few
            query = query.minimum_nprobes(PROBES).maximum_nprobes(0)
        if condition:
            query = query.where(condition)
        rows = query.to_arrow().to_pandas()
        rows.insert(1, "score", 1 - rows.pop("_distance"))
        return rows.assign(image=[self._picture(image) for image in rows["image"]])

    def recall(self, vectors: np.ndarray, k: int) -> float:
        """Return the share of the exact k nearest items that the index finds.

        `vectors` (queries, dim) have length one; the mean is over them.
        """
        space, shares = self.features(), []
        exact = nearest(vectors, space.matrix, k)[0]  # (queries, k) rows of the space
        for vector, rows in zip(vectors, exact, strict=True):
            true = {space.ids[row] for row in rows}
            shares.append(len(true & {*self.nearest(vector, k)["item_id"]}) / k)
        return float(np.mean(shares))

    def _condition(self, where: Mapping[str, str]) -> str:
        """Return the filters in SQL: the table's own values, quoted, in any case."""
        parts = []
        for column, value in where.items():
            known = self.values(column)
            matches = [name for name in known if name.casefold() == value.casefold()]
            if not matches:
                raise ValueError(
                    f"no item has the {column} {value!r}; nearest of {len(known)}"
                    f" known: {_nearest_names(value, known)}"
                )
            quoted = ["'" + name.replace("'", "''") + "'" for name in matches]
            parts.append(f"`{column}` IN ({', '.join(quoted)})")
        return " AND ".join(parts)

    def _picture(self, image: str) -> str:
        """Return the picture's place; ValueError where the catalogue lacks it."""
        place = os.path.normpath(self.root / image)
        inside = Path(place).is_relative_to(self.root)
        if not inside or images.leads_out(place, self.root):
            raise ValueError(
                f"the index {self.folder} names the picture {image!r}, outside its"
                f" catalogue {self.root}; it is not to be trusted: index again"
            )
        return place


def open_table(folder: Path) -> Any:
    """Open LanceDB's table at its newest version; None where there is none."""
    _put_off(
        "lance_namespace_urllib3_client"
    )  # a REST client: half of LanceDB's import
    import lancedb

    if not (folder / f"{TABLE}.lance").is_dir():
        return None
    try:
        return lancedb.connect(folder).open_table(TABLE)
    except ValueError as error:  # a first build that was killed
        if "was not found" in str(error):
            return None
        raise


def _put_off(package: str) -> None:
    """Run a package's own code when a name of it is asked for, not when a module is."""
    spec = importlib.util.find_spec(package)
    if spec is None or package in sys.modules:
        return
    module = sys.modules[package] = importlib.util.module_from_spec(spec)

    def load(name: str) -> Any:
        del module.__getattr__
        spec.loader.exec_module(module)
        return getattr(module, name)

    module.__getattr__ = load


def read_metadata(table: Any) -> dict[str, Any]:
    """Return the metadata that a build wrote into the table's schema."""
    return json.loads((table.schema.metadata or {}).get(METADATA.encode(), b"{}"))


def read_features(table: Any) -> Features:
    """Return the table's ids and vectors, with its metadata as `made_by`."""
    rows = table.search().select(["item_id", "vector"]).to_arrow()
    vectors = rows["vector"].combine_chunks().flatten().to_numpy()
    matrix = vectors.reshape(len(rows), -1)
    return Features(rows["item_id"].to_pylist(), matrix, read_metadata(table))


def _place(folder: Path, way: str) -> Path:
    """Return where a way from the index's folder leads."""
    return Path(os.path.normpath(folder.absolute() / way))


def _nearest_names(value: str, known: list[str]) -> str:
    folded = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(value.casefold(), folded, 5, 0.4)
    return ", ".join([folded[name] for name in near] or known[:5]) or "none"

"""Who asks, who may answer and who is right: the rules of the consumer-to-shop
benchmarks and of two tasks on H&M.

DeepFashion consumer-to-shop (Liu et al., CVPR 2016): a consumer's photo is a query, the
test split's shop photos are the gallery, and the exact item must be among the first k.
DeepFashion2 (Ge et al., CVPR 2019; the evaluation in its repository,
deepfashion2_retrieval_test.py): a user's garment with a style above 0 is a query, all
shop garments of the split are the gallery, and any of those with the same pair and
style will do. There a detector finds the garments, and one that it misses is a miss;
here the annotated boxes are given.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import sparse

from fashionlib.data import images
from fashionlib.data.items import (
    BOX,
    CAPTION,
    COLOUR,
    CONSUMER,
    IMAGE,
    ITEM,
    PRODUCT,
    SHOP,
    SOURCE,
    SPLIT,
    TEST,
    VALIDATION,
)
from fashionlib.data.readers import layouts


@dataclass(frozen=True)
class Benchmark:
    """`queries` and `gallery`: rows of an items table, reindexed; `relevant`, bool
    (queries, gallery): what is true.

    A query is one row, one garment. Entries of `excluded` are not in that query's
    gallery. `rule` says in words what counts, and what was left out. ValueError for
    shapes that don't fit, or an empty side.
    """

    queries: pd.DataFrame
    gallery: pd.DataFrame
    relevant: sparse.csr_matrix
    rule: str
    excluded: sparse.csr_matrix | None = None

    def __post_init__(self) -> None:
        shape = (len(self.queries), len(self.gallery))
        if not all(shape):
            raise ValueError(
                f"{shape[0]} queries and a gallery of {shape[1]}: one each is needed."
                f" {self.rule}"
            )
        for pairs in (self.relevant, self.excluded):
            if pairs is not None and pairs.shape != shape:
                raise ValueError(
                    f"pairs of shape {pairs.shape} for {shape[0]} queries and"
                    f" {shape[1]} gallery rows"
                )

    @property
    def clusters(self) -> np.ndarray:
        """(queries,) the product of each query, what intervals resample; a query
        without one is its own.
        """
        own = pd.Series([f"query {row}" for row in range(len(self.queries))])
        return (
            self.queries[PRODUCT].fillna(own) if PRODUCT in self.queries else own
        ).to_numpy(str)

    def crop(self) -> Benchmark:
        """The same, with pictures cut to their boxes (`images.cropped`); a picture
        without a box stays whole.
        """
        without = sum(
            int(side[BOX].isna().sum()) for side in (self.queries, self.gallery)
        )
        told = f"; {without} pictures have no box and stay whole" if without else ""
        return replace(
            self,
            queries=_cropped(self.queries),
            gallery=_cropped(self.gallery),
            rule=f"{self.rule}. Pictures cut to the given boxes{told}",
        )

    def full(self) -> Benchmark:
        """The same, by whole pictures: a gallery photo of several garments is one row,
        true where any of them is.

        Otherwise its garments would all have one vector, and tie with each other.
        Queries stay garments: those of one photo ask with the same picture for
        different things, and no encoder of whole pictures can serve them all.
        """
        codes, photos = pd.factorize(self.gallery[IMAGE])
        garments = np.arange(len(codes))
        within = sparse.csr_matrix(
            (np.ones(len(codes), np.int32), (garments, codes)),
            (len(codes), len(photos)),
        )
        first = self.gallery.iloc[np.unique(codes, return_index=True)[1]].reset_index(
            drop=True
        )
        shared = len(self.queries) - self.queries[IMAGE].nunique()
        excluded = (
            None
            if self.excluded is None
            else _true(self.excluded.astype(np.int32) @ within)
        )
        return replace(
            self,
            gallery=first,
            relevant=_true(self.relevant.astype(np.int32) @ within),
            excluded=excluded,
            rule=(
                f"{self.rule}. Whole pictures: {len(codes)} gallery rows in"
                f" {len(photos)} photos; {shared} of {len(self.queries)} queries share"
                " their photo with another"
            ),
        )


def deepfashion(
    items: pd.DataFrame, split: str = TEST, unfindable: bool = False
) -> Benchmark:
    """DeepFashion consumer-to-shop: the true item is one; each of its shop photos is a
    hit, and ranks count photos.

    `items` are of `datasets.consumer2shop`. `unfindable` keeps queries whose item has
    no shop photo: each is a miss. ValueError where a photo is missing.
    """
    return _street(
        items,
        split,
        unfindable,
        "DeepFashion consumer-to-shop",
        "a shop photo of the same item",
    )


def deepfashion2(
    items: pd.DataFrame, split: str = VALIDATION, unfindable: bool = False
) -> Benchmark:
    """DeepFashion2: any shop garment of the same pair and style is a hit; shop garments
    of style 0 fill the gallery.

    `items` are of `datasets.deepfashion2`, whose product is split, pair and style;
    users' garments of style 0 are no queries. The test split ships without annotations.
    `unfindable` keeps queries without a true shop garment: each is a miss. ValueError
    where a photo is missing.
    """
    return _street(
        items,
        split,
        unfindable,
        "DeepFashion2",
        "a shop garment of the same pair and style",
    )


def variants(items: pd.DataFrame, split: str | None = None) -> Benchmark:
    """Same product, other colour, on H&M's articles: true are the product's articles of
    another colour name.

    The query itself, and its product's articles of the same colour name, are not in its
    gallery; every other article is. Queries are the articles of `split` (all where
    None); those without a true article are left out and counted.
    """
    rows = _whole(items)
    asking = rows if split is None else rows[rows[SPLIT] == split]
    alike = [_same(asking[PRODUCT], rows[PRODUCT]), _same(_shade(asking), _shade(rows))]
    excluded = alike[1]
    relevant = _true(
        alike[0].astype(np.int32) - alike[0].multiply(excluded).astype(np.int32)
    )
    kept = np.diff(relevant.indptr) > 0
    siblings = int((np.diff(excluded.indptr)[kept] - 1).sum())
    rule = (
        f"Same product, other colour; {len(asking) - kept.sum()} of {len(asking)}"
        f" articles have no such variant and are no queries; {siblings} pairs of the"
        " same colour name are left out"
    )
    return Benchmark(
        asking[kept].reset_index(drop=True), rows, relevant[kept], rule, excluded[kept]
    )


def captions(items: pd.DataFrame, split: str | None = None) -> Benchmark:
    """Text to image: a caption is a query, each article with that very caption is true
    (colours of a product are).

    Each distinct caption of `split` (all where None) asks once; the gallery are all
    articles with a picture.
    """
    rows = _whole(items)
    said = (
        rows[rows[CAPTION].notna()]
        if split is None
        else rows[rows[CAPTION].notna() & (rows[SPLIT] == split)]
    )
    asking = said.drop_duplicates(CAPTION).reset_index(drop=True)
    rule = (
        f"Text to image: {len(asking)} distinct captions of {len(said)} articles; true"
        " are all articles that have it"
    )
    return Benchmark(asking, rows, _same(asking[CAPTION], rows[CAPTION]), rule)


def _street(
    items: pd.DataFrame, split: str, unfindable: bool, name: str, true: str
) -> Benchmark:
    rows = _whole(items[items[SPLIT] == split])
    shop = rows[rows[SOURCE] == SHOP].reset_index(drop=True)
    worn = rows[rows[SOURCE] == CONSUMER]
    asking = worn[worn[PRODUCT].notna()].reset_index(drop=True)
    true_pairs = layouts.pairs(rows).dropna()
    places = [
        pd.Index(side[ITEM]).get_indexer(true_pairs[column])
        for side, column in ((asking, layouts.QUERY), (shop, layouts.GALLERY))
    ]
    relevant = _true(
        sparse.csr_matrix(
            (np.ones(len(true_pairs), np.int32), places), (len(asking), len(shop))
        )
    )
    kept = np.full(len(asking), True) if unfindable else np.diff(relevant.indptr) > 0
    lost = int((np.diff(relevant.indptr) == 0).sum())
    rule = (
        f"{name}, split {split}: a hit is {true}; {lost} of {len(asking)} queries have"
        f" none in the gallery and are {'misses' if unfindable else 'left out'};"
        f" {len(worn) - len(asking)} consumer rows without an item are no queries"
    )
    return Benchmark(asking[kept].reset_index(drop=True), shop, relevant[kept], rule)


def _same(asking: pd.Series, given: pd.Series) -> sparse.csr_matrix:
    """Bool (asking, given): where both have the same value; a missing one is like
    nothing.
    """
    codes, values = pd.factorize(pd.concat([asking, given], ignore_index=True))
    sides = []
    for part in (codes[: len(asking)], codes[len(asking) :]):
        there = np.flatnonzero(part >= 0)
        ones = np.ones(len(there), np.int32)
        sides.append(
            sparse.csr_matrix(
                (ones, (there, part[there])), (len(part), max(1, len(values)))
            )
        )
    return _true(sides[0] @ sides[1].T)


def _true(counts: sparse.spmatrix) -> sparse.csr_matrix:
    made = sparse.csr_matrix(counts)
    made.eliminate_zeros()
    made.sort_indices()
    return made.astype(bool)


def _shade(rows: pd.DataFrame) -> pd.Series:
    """Product and colour name as one value; the article's own id where either is
    missing.
    """
    return (rows[PRODUCT] + "\0" + rows[COLOUR]).fillna(rows[ITEM])


def _cropped(rows: pd.DataFrame) -> pd.DataFrame:
    boxed = [
        (
            images.cropped(image, box)
            if isinstance(box, (tuple, list, np.ndarray))
            else image
        )
        for image, box in zip(rows[IMAGE], rows[BOX], strict=True)
    ]
    return rows.assign(**{IMAGE: boxed})


def _whole(items: pd.DataFrame) -> pd.DataFrame:
    """The items, reindexed. ValueError where one has no picture."""
    bare = items[ITEM][items[IMAGE].isna()]
    if len(bare):
        raise ValueError(
            f"{len(bare)} of {len(items)} items have no picture, first"
            f" {bare.iloc[0]!r}; leave them out first: items[items['image'].notna()]."
            " fashionlib check lists them"
        )
    return items.reset_index(drop=True)

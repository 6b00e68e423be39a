"""The rules of two consumer-to-shop benchmarks and of two tasks on H&M.

DeepFashion consumer-to-shop (Liu et al., CVPR 2016): a consumer's photo is a query,
shop photos are the gallery, and the exact item must be among the first k. Its README
says that the gallery is the shop photos of val and test; here it is the query's split.
DeepFashion2 (Ge et al., CVPR 2019; the evaluation in its repository,
deepfashion2_retrieval_test.py): a user's garment with a style above 0 is a query, all
shop garments of the split are the gallery, and any of those with the same pair and
style will do. There a detector finds the garments, and one that it misses is a miss;
here the annotated boxes are given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

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
from fashionlib.features import Features
from fashionlib.retrieval.hits import first_hits

if TYPE_CHECKING:  # a search starts without scipy
    from scipy import sparse


@dataclass(frozen=True)
class Benchmark:
    """A retrieval task: queries, a gallery, and which gallery rows are true.

    `queries` and `gallery` are rows of an items table, reindexed; a query is one row,
    one garment. `relevant`, bool (queries, gallery), is what is true. Entries of
    `excluded` are not in that query's gallery. `rule` says in words what counts, and
    what was left out. ValueError for shapes that don't fit, or an empty side.
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
        """(queries,) the product of each query, which intervals resample.

        A query without a product is a cluster of its own.
        """
        own = pd.Series([f"query {row}" for row in range(len(self.queries))])
        if PRODUCT not in self.queries:
            return own.to_numpy(str)
        return self.queries[PRODUCT].fillna(own).to_numpy(str)

    def ranks(self, queries: np.ndarray, gallery: np.ndarray) -> np.ndarray:
        """Return the rank of each query's first true row, by `hits.first_hits`.

        `queries` (queries, dim) and `gallery` are vectors of this task's rows.
        """
        return first_hits(queries, gallery, self.relevant, self.excluded)

    def ranks_by(self, encode: Callable[[pd.Series], np.ndarray]) -> np.ndarray:
        """Return the ranks where `encode` turns pictures into vectors (items, dim)."""
        return self.ranks(encode(self.queries[IMAGE]), encode(self.gallery[IMAGE]))

    def crop(self) -> Benchmark:
        """Return the task with pictures cut to their boxes (`images.cropped`).

        A picture without a box stays whole.
        """
        sides = (self.queries, self.gallery)
        whole = sum(int(side[BOX].isna().sum()) for side in sides)
        note = f"; {whole} pictures have no box and stay whole" if whole else ""
        return replace(
            self,
            queries=_cropped(self.queries),
            gallery=_cropped(self.gallery),
            rule=f"{self.rule}. Pictures cut to the given boxes{note}",
        )

    def full(self) -> Benchmark:
        """Return the task with one gallery row a photo, true where any garment is.

        Otherwise the garments of a photo would all have one vector, and tie with each
        other. Queries stay garments: those of one photo ask with the same picture for
        different things, and no encoder of whole pictures can serve them all.
        """
        codes, photos = pd.factorize(self.gallery[IMAGE])
        photo_of = _indicator(codes, len(photos))  # (garments, photos)
        excluded = self.excluded
        if excluded is not None:
            excluded = _boolean(excluded.astype(np.int32) @ photo_of)
        shared = len(self.queries) - self.queries[IMAGE].nunique()
        return replace(
            self,
            gallery=self.gallery.drop_duplicates(IMAGE).reset_index(drop=True),
            relevant=_boolean(self.relevant.astype(np.int32) @ photo_of),
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
    """Make DeepFashion consumer-to-shop: each shop photo of the query's item is a hit.

    Ranks count photos. `items` are of `readers.consumer2shop`. `unfindable` keeps
    queries whose item has no shop photo: each is a miss. ValueError where a photo is
    missing.
    """
    rule = "DeepFashion consumer-to-shop", "a shop photo of the same item"
    return _street(items, split, unfindable, *rule)


def deepfashion2(
    items: pd.DataFrame, split: str = VALIDATION, unfindable: bool = False
) -> Benchmark:
    """Make DeepFashion2: any shop garment of the same pair and style is a hit.

    Shop garments of style 0 fill the gallery, users' garments of style 0 are no
    queries. `items` are of `readers.deepfashion2`, whose product is split, pair and
    style. The test split ships without annotations. `unfindable` keeps queries without
    a true shop garment: each is a miss. ValueError where a photo is missing.
    """
    rule = "DeepFashion2", "a shop garment of the same pair and style"
    return _street(items, split, unfindable, *rule)


def street(folders: Mapping[str, str | Path]) -> dict[str, Benchmark]:
    """Make the benchmarks of {layout: folder}, each by crop and by whole picture.

    Keys are "DeepFashion, crop", "DeepFashion, full" and so on. ValueError for a layout
    that is neither "consumer2shop" nor "deepfashion2".
    """
    rules = {
        "consumer2shop": ("DeepFashion", deepfashion),
        "deepfashion2": ("DeepFashion2", deepfashion2),
    }
    if unknown := folders.keys() - rules.keys():
        raise ValueError(f"no benchmark {min(unknown)!r}; known: {', '.join(rules)}")
    tasks = {}
    for layout, folder in folders.items():
        name, rule = rules[layout]
        task = rule(layouts.items(Path(folder)))
        tasks |= {f"{name}, crop": task.crop(), f"{name}, full": task.full()}
    return tasks


def pictures(tasks: Iterable[Benchmark]) -> list[str]:
    """Return all pictures of the tasks' queries and galleries, each once."""
    sides = [side[IMAGE] for task in tasks for side in (task.queries, task.gallery)]
    return list(dict.fromkeys(picture for side in sides for picture in side))


def by_picture(catalogue: Features, items: pd.DataFrame, more: Features) -> Features:
    """Return one space of the catalogue's pictures and more, its ids the pictures.

    `catalogue` has rows by item_id, `items` say whose picture is whose, `more` has rows
    by picture.
    """
    distinct = items.drop_duplicates(IMAGE)
    matrix = np.concatenate([catalogue.rows(distinct[ITEM]), more.matrix])
    return Features([*distinct[IMAGE], *more.ids], matrix)


def variants(items: pd.DataFrame, split: str | None = None) -> Benchmark:
    """Make "same product, other colour" of H&M's articles.

    True are the product's articles of another colour name. The query itself, and its
    product's articles of the same colour name, are not in its gallery; every other
    article is. Queries are the articles of `split` (all where None); those without a
    true article are left out and counted.
    """
    gallery = _with_pictures(items)
    queries = gallery if split is None else gallery[gallery[SPLIT] == split]
    product = _same(queries[PRODUCT], gallery[PRODUCT])
    excluded = _same(_shade(queries), _shade(gallery))
    relevant = _boolean(product > excluded)
    has_true = np.diff(relevant.indptr) > 0
    siblings = int((np.diff(excluded.indptr)[has_true] - 1).sum())
    rule = (
        f"Same product, other colour; {len(queries) - has_true.sum()} of {len(queries)}"
        f" articles have no such variant and are no queries; {siblings} pairs of the"
        " same colour name are left out"
    )
    return Benchmark(
        queries[has_true].reset_index(drop=True),
        gallery,
        relevant[has_true],
        rule,
        excluded[has_true],
    )


def captions(items: pd.DataFrame, split: str | None = None) -> Benchmark:
    """Make text to image: a caption is a query, each article that has it is true.

    The colours of a product share a caption. Each distinct caption of `split` (all
    where None) asks once; the gallery are all articles with a picture.
    """
    gallery = _with_pictures(items)
    captioned = gallery[gallery[CAPTION].notna()]
    if split is not None:
        captioned = captioned[captioned[SPLIT] == split]
    queries = captioned.drop_duplicates(CAPTION).reset_index(drop=True)
    rule = (
        f"Text to image: {len(queries)} distinct captions of {len(captioned)} articles;"
        " true are all articles that have it"
    )
    relevant = _same(queries[CAPTION], gallery[CAPTION])
    return Benchmark(queries, gallery, relevant, rule)


def _street(
    items: pd.DataFrame, split: str, unfindable: bool, name: str, true: str
) -> Benchmark:
    rows = _with_pictures(items[items[SPLIT] == split])
    gallery = rows[rows[SOURCE] == SHOP].reset_index(drop=True)
    worn = rows[rows[SOURCE] == CONSUMER]
    queries = worn[worn[PRODUCT].notna()].reset_index(drop=True)
    pairs = layouts.pairs(rows).dropna()
    places = (
        pd.Index(queries[ITEM]).get_indexer(pairs[layouts.QUERY]),
        pd.Index(gallery[ITEM]).get_indexer(pairs[layouts.GALLERY]),
    )
    from scipy import sparse

    shape = (len(queries), len(gallery))
    counts = sparse.csr_matrix((np.ones(len(pairs), np.int32), places), shape)
    relevant = _boolean(counts)
    has_true = np.diff(relevant.indptr) > 0
    fate = "misses" if unfindable else "left out"
    rule = (
        f"{name}, split {split}: a hit is {true}; {int((~has_true).sum())} of"
        f" {len(queries)} queries have none in the gallery and are {fate};"
        f" {len(worn) - len(queries)} consumer rows without an item are no queries"
    )
    asked = has_true | unfindable
    queries = queries[asked].reset_index(drop=True)
    return Benchmark(queries, gallery, relevant[asked], rule)


def _same(left: pd.Series, right: pd.Series) -> sparse.csr_matrix:
    """Return bool (left, right): where both have a value, and the same."""
    codes, values = pd.factorize(pd.concat([left, right], ignore_index=True))
    width = max(1, len(values))
    one = _indicator(codes[: len(left)], width)  # (left, values)
    other = _indicator(codes[len(left) :], width)  # (right, values)
    return _boolean(one @ other.T)


def _indicator(codes: np.ndarray, width: int) -> sparse.csr_matrix:
    """Return (rows, width) with 1 at each row's code; -1 is a missing value."""
    from scipy import sparse

    rows = np.flatnonzero(codes >= 0)
    ones = np.ones(len(rows), np.int32)
    return sparse.csr_matrix((ones, (rows, codes[rows])), (len(codes), width))


def _boolean(counts: sparse.spmatrix) -> sparse.csr_matrix:
    from scipy import sparse

    made = sparse.csr_matrix(counts)
    made.eliminate_zeros()
    made.sort_indices()
    return made.astype(bool)


def _shade(rows: pd.DataFrame) -> pd.Series:
    """Return product and colour name as one value, or the article's id without both."""
    return (rows[PRODUCT] + "\0" + rows[COLOUR]).fillna(rows[ITEM])


def _cropped(rows: pd.DataFrame) -> pd.DataFrame:
    has_box = rows[BOX].notna()
    pairs = zip(rows[IMAGE][has_box], rows[BOX][has_box], strict=True)
    references = rows[IMAGE].copy()
    references[has_box] = [images.cropped(image, box) for image, box in pairs]
    return rows.assign(**{IMAGE: references})


def _with_pictures(items: pd.DataFrame) -> pd.DataFrame:
    """Return the items, reindexed; ValueError where one has no picture."""
    bare = items[ITEM][items[IMAGE].isna()]
    if len(bare):
        raise ValueError(
            f"{len(bare)} of {len(items)} items have no picture, first"
            f" {bare.iloc[0]!r}; leave them out first: items[items['image'].notna()]."
            " fashionlib check lists them"
        )
    return items.reset_index(drop=True)

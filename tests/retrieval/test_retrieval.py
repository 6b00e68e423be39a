"""Retrieval: both benchmarks' rules worked by hand, exact ranks with ties against the
encoder, intervals, chance.
"""

from __future__ import annotations

from fractions import Fraction
from math import comb
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import wardrobe
from fashionlib import retrieval, stats
from fashionlib.data import images
from fashionlib.data.readers import consumer2shop, deepfashion2, layouts
from fashionlib.features import Features
from fashionlib.retrieval import (
    Benchmark,
    accuracy,
    chance,
    difference,
    first_hits,
    per_group,
)
from fashionlib.retrieval.hits import TIE


def rows(*given: tuple) -> pd.DataFrame:
    """(item_id, product_id, source, image, category) each, of split "test"."""
    made = pd.DataFrame(
        given, columns=["item_id", "product_id", "source", "image", "category"]
    )
    return made.assign(
        split="test", box=[(0, 0, 5, 5)] * len(made), caption=None, colour=None
    )


def toward(*angles: float) -> np.ndarray:
    """Unit vectors in the plane, at these angles in degrees."""
    turned = np.radians(angles)
    return np.stack([np.cos(turned), np.sin(turned)], axis=1).astype(np.float32)


def matrix(pairs: list[tuple[int, int]], shape: tuple[int, int]) -> sparse.csr_matrix:
    given = np.array(pairs, dtype=int).reshape(-1, 2)
    return sparse.csr_matrix((np.ones(len(given), bool), tuple(given.T)), shape)


def benchmark(
    relevant: sparse.csr_matrix, products: list[str] | None = None, **more: object
) -> Benchmark:
    queries = pd.DataFrame(
        {"product_id": products or [f"p{row}" for row in range(relevant.shape[0])]}
    )
    return Benchmark(
        queries,
        pd.DataFrame(index=range(relevant.shape[1])),
        relevant,
        "by hand",
        **more,
    )


# The rules

SHOP = rows(
    ("s0", "A", "shop", "s0.jpg", "top"),
    ("s1", "B", "shop", "s1.jpg", "top"),
    ("s2", "B", "shop", "s2.jpg", "top"),
    ("s3", "C", "shop", "s3.jpg", "skirt"),
    ("s4", None, "shop", "s4.jpg", "skirt"),
)
WORN = rows(
    ("q0", "A", "consumer", "q0.jpg", "top"),
    ("q1", "B", "consumer", "q1.jpg", "top"),
    ("q2", "B", "consumer", "q2.jpg", "top"),
    ("q3", "C", "consumer", "q3.jpg", "skirt"),
    ("q4", "D", "consumer", "q4.jpg", "skirt"),
    ("q5", None, "consumer", "q5.jpg", "skirt"),
)
GALLERY = toward(0, 40, 80, 120, 160)  # s0 A, s1 B, s2 B, s3 C, s4 nobody's
QUERIES = toward(10, 65, 15, 170)  # q0 A, q1 B, q2 B, q3 C


def test_a_benchmark_worked_by_hand() -> None:
    """By angle: q0 sees s0 first (hit at 1). q1 sees s2 first (B: 1). q2 at 15 sees s0
    (15 off), then s1 (25): 2. q3 at 170 sees s4 (10), then s3 (50): 2. q4's item is in
    no shop; q5 has no item and never asks.
    """
    made = retrieval.deepfashion(pd.concat([WORN, SHOP]))
    assert made.queries["item_id"].tolist() == ["q0", "q1", "q2", "q3"]
    assert made.gallery["item_id"].tolist() == ["s0", "s1", "s2", "s3", "s4"]
    assert made.relevant.toarray().astype(int).tolist() == [
        [1, 0, 0, 0, 0],
        [0, 1, 1, 0, 0],
        [0, 1, 1, 0, 0],
        [0, 0, 0, 1, 0],
    ]
    assert (
        "1 of 5 queries have none in the gallery and are left out; 1 consumer rows"
        " without an item" in made.rule
    )
    first = first_hits(QUERIES, GALLERY, made.relevant)
    assert first.tolist() == [1, 1, 2, 2]
    table = accuracy(first, made, (1, 2))
    assert table.accuracy.tolist() == [2 / 4, 4 / 4] and table.queries.tolist() == [
        4,
        4,
    ]
    by_hand = [
        (Fraction(1, 5) + Fraction(2, 5) + Fraction(2, 5) + Fraction(1, 5)) / 4,
        (Fraction(2, 5) + 2 * (1 - Fraction(3, 5) * Fraction(2, 4)) + Fraction(2, 5))
        / 4,
    ]
    np.testing.assert_allclose(table.chance, [float(part) for part in by_hand])


def test_queries_that_cannot_be_found_are_misses_where_asked() -> None:
    made = retrieval.deepfashion(pd.concat([WORN, SHOP]), unfindable=True)
    assert (
        made.queries["item_id"].tolist() == ["q0", "q1", "q2", "q3", "q4"]
        and "are misses" in made.rule
    )
    first = first_hits(np.concatenate([QUERIES, toward(120)]), GALLERY, made.relevant)
    assert first.tolist() == [1, 1, 2, 2, 0]
    table = accuracy(first, made, (1, 5))
    assert table.accuracy.tolist() == [2 / 5, 4 / 5]
    assert chance(made, (5,))[5].tolist() == [1, 1, 1, 1, 0]


def test_deepfashion2_takes_any_garment_of_pair_and_style_and_its_own_split(
    tmp_path: Path,
) -> None:
    items = pd.concat([WORN, SHOP]).assign(split="validation")
    other = pd.concat([WORN, SHOP]).assign(split="train")
    made = retrieval.deepfashion2(pd.concat([other, items]))
    assert (
        len(made.queries) == 4
        and len(made.gallery) == 5
        and set(made.gallery["split"]) == {"validation"}
    )
    assert np.diff(made.relevant.indptr).tolist() == [1, 2, 2, 1]


@pytest.mark.parametrize(
    ("layout", "reader", "rule"),
    [
        ("consumer2shop", consumer2shop, retrieval.deepfashion),
        ("deepfashion2", deepfashion2, retrieval.deepfashion2),
    ],
)
def test_the_drawn_layouts_follow_their_rule(
    tmp_path: Path, photographed: list, layout: str, reader: object, rule: object
) -> None:
    wardrobe.write(tmp_path / "drawn", items=60, shoppers=0, seed=3, layout=layout)
    items = layouts.items(tmp_path / "drawn")
    made = rule(items)
    for (
        row,
        query,
    ) in made.queries.iterrows():  # the definition, once more, in plain words
        true = [
            n
            for n, shop in made.gallery.iterrows()
            if shop["product_id"] == query["product_id"]
        ]
        assert made.relevant[row].nonzero()[1].tolist() == true and true
        assert (
            query["source"] == "consumer"
            and query["split"] == made.gallery["split"][true[0]]
        )
    assert set(made.gallery["source"]) == {"shop"}
    crop, full = retrieval.street({layout: tmp_path / "drawn"}).values()
    assert crop.rule == made.crop().rule and full.rule == made.full().rule
    paths = retrieval.pictures([crop, crop])
    assert sorted(paths) == sorted({*crop.queries["image"], *crop.gallery["image"]})
    cut = made.crop()
    for reference, box in zip(cut.queries["image"], cut.queries["box"], strict=True):
        assert images.size(reference) == (box[2] - box[0], box[3] - box[1])


def test_a_benchmark_of_another_layout_is_refused() -> None:
    with pytest.raises(ValueError, match="no benchmark 'hm'; known: consumer2shop"):
        retrieval.street({"hm": "anywhere"})


def test_whole_pictures_of_several_garments_are_one_gallery_row() -> None:
    shop = SHOP.assign(
        image=["x.jpg", "y.jpg", "x.jpg", "y.jpg", "z.jpg"]
    )  # x shows A and B, y B and C
    made = retrieval.deepfashion(pd.concat([WORN, shop]))
    vectors = GALLERY[[0, 1, 0, 1, 4]]  # garments of one photo have one vector
    assert first_hits(toward(0), vectors, made.relevant[:1]).tolist() == [
        2
    ]  # A ties with the B in its own photo
    full = made.full()
    assert (
        full.gallery["image"].tolist() == ["x.jpg", "y.jpg", "z.jpg"]
        and "5 gallery rows in 3 photos" in full.rule
    )
    assert full.relevant.toarray().astype(int).tolist() == [
        [1, 0, 0],
        [1, 1, 0],
        [1, 1, 0],
        [0, 1, 0],
    ]
    assert first_hits(toward(0), GALLERY[[0, 1, 4]], full.relevant[:1]).tolist() == [1]
    assert len(full.queries) == 4  # two garments of one photo stay two questions


def test_a_photo_without_a_box_stays_whole_and_one_that_is_missing_is_named() -> None:
    shop = SHOP.assign(box=[None, *SHOP["box"][1:]])
    cut = retrieval.deepfashion(pd.concat([WORN, shop])).crop()
    assert cut.gallery["image"].tolist()[:2] == ["s0.jpg", "s1.jpg#box=0,0,5,5"]
    assert "1 pictures have no box and stay whole" in cut.rule
    with pytest.raises(ValueError, match="2 of 11 items have no picture, first 's0'"):
        retrieval.deepfashion(
            pd.concat([WORN, SHOP.assign(image=[None, None, *SHOP["image"][2:]])])
        )


def test_variants_are_the_product_in_another_colour() -> None:
    items = rows(
        *[
            (f"a{n}", product, "shop", f"{n}.jpg", "top")
            for n, product in enumerate("PPPPQR")
        ]
    )
    items = items.assign(colour=["red", "red", "blue", None, "red", "blue"])
    made = retrieval.variants(items)
    assert (
        made.queries["item_id"].tolist() == ["a0", "a1", "a2", "a3"]
        and "2 of 6 articles" in made.rule
    )
    assert made.relevant.toarray().astype(int).tolist() == [
        [0, 0, 1, 1, 0, 0],
        [0, 0, 1, 1, 0, 0],
        [1, 1, 0, 1, 0, 0],
        [1, 1, 1, 0, 0, 0],
    ]
    assert made.excluded.toarray().astype(
        int
    ).tolist() == [  # itself, and the other red one
        [1, 1, 0, 0, 0, 0],
        [1, 1, 0, 0, 0, 0],
        [0, 0, 1, 0, 0, 0],
        [0, 0, 0, 1, 0, 0],
    ]
    assert "2 pairs of the same colour name" in made.rule
    asked = retrieval.variants(items.assign(split=["train", "test"] * 3), split="test")
    assert asked.queries["item_id"].tolist() == ["a1", "a3"] and len(asked.gallery) == 6


def test_a_caption_finds_every_article_that_has_it() -> None:
    items = SHOP.assign(caption=["red top", "blue top", "red top", None, "skirt"])
    made = retrieval.captions(items)
    assert (
        made.queries["caption"].tolist() == ["red top", "blue top", "skirt"]
        and len(made.gallery) == 5
    )
    assert made.relevant.toarray().astype(int).tolist() == [
        [1, 0, 1, 0, 0],
        [0, 1, 0, 0, 0],
        [0, 0, 0, 0, 1],
    ]


# Ranks


@pytest.mark.parametrize("block", [1, 700, 2**24])
def test_ranks_agree_with_scikit_learn_sorting_everything(block: int) -> None:
    from sklearn.metrics.pairwise import cosine_similarity

    rng = np.random.default_rng(1)
    queries, gallery = rng.normal(size=(60, 12)), rng.normal(size=(90, 12))
    relevant = sparse.csr_matrix(rng.random((60, 90)) < 0.03)
    excluded = sparse.csr_matrix((rng.random((60, 90)) < 0.05) & ~relevant.toarray())
    scores = np.where(excluded.toarray(), -np.inf, cosine_similarity(queries, gallery))
    expected = []
    for row, order in enumerate(np.argsort(-scores, axis=1)):
        true = set(relevant[row].nonzero()[1])
        expected.append(
            next((rank for rank, item in enumerate(order, 1) if item in true), 0)
        )
    assert 0 in expected and max(expected) > 20
    assert first_hits(queries, gallery, relevant, excluded, block).tolist() == expected


def test_several_vectors_score_with_the_nearest_as_in_blip2() -> None:
    rng = np.random.default_rng(2)
    texts, gallery = rng.normal(size=(40, 8)), rng.normal(size=(50, 4, 8))
    relevant = matrix([(row, row) for row in range(40)], (40, 50))
    unit = [
        vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
        for vectors in (texts, gallery)
    ]
    scores = np.einsum("td,ivd->tiv", *unit).max(2)
    expected = (scores >= scores[np.arange(40), np.arange(40)][:, None]).sum(1)
    assert first_hits(texts, gallery, relevant, block=999).tolist() == expected.tolist()
    one = first_hits(texts, gallery[:, :1], relevant)
    assert one.tolist() == first_hits(texts, gallery[:, 0], relevant).tolist()


@pytest.mark.parametrize("items", [7, 1000, 4099])
def test_an_encoder_that_says_the_same_of_everything_finds_nothing(items: int) -> None:
    """All scores are equal but for rounding, which depends on where in a block a row
    stands.
    """
    same = np.random.default_rng(3).normal(size=1280).astype(np.float32)
    queries, gallery = np.tile(same, (33, 1)), np.tile(3 * same, (items, 1))
    relevant = matrix([(row, row % items) for row in range(33)], (33, items))
    assert set(first_hits(queries, gallery, relevant)) == {
        items
    }  # behind every false row
    assert set(
        first_hits(queries, gallery, sparse.csr_matrix(np.ones((33, items), bool)))
    ) == {1}  # unless all is true


def test_ties_count_against_the_encoder_and_true_rows_do_not_hinder_each_other() -> (
    None
):
    gallery = toward(0, 0, 0, 90)
    assert first_hits(toward(0), gallery, matrix([(0, 1)], (1, 4))).tolist() == [3]
    assert first_hits(
        toward(0), gallery, matrix([(0, 0), (0, 1)], (1, 4))
    ).tolist() == [2]
    assert first_hits(
        toward(0), gallery, matrix([(0, 1)], (1, 4)), matrix([(0, 0)], (1, 4))
    ).tolist() == [2]
    nearer = toward(0, 1)  # cosines 1.5e-4 apart: no tie
    assert 1 - nearer[1, 0] > 100 * TIE
    assert first_hits(toward(0), nearer, matrix([(0, 0)], (1, 2))).tolist() == [1]


def test_the_length_and_type_of_rows_does_not_matter() -> None:
    rng = np.random.default_rng(4)
    queries, gallery = rng.normal(size=(20, 6)), rng.normal(size=(30, 6))
    relevant = matrix([(row, row) for row in range(20)], (20, 30))
    expected = first_hits(queries, gallery, relevant).tolist()
    scaled = gallery * rng.uniform(0.01, 100, (30, 1))
    assert (
        first_hits(50 * queries, scaled.astype(np.float32), relevant).tolist()
        == expected
    )
    assert (
        first_hits(queries, gallery, relevant.astype(int).tocoo()).tolist() == expected
    )


def test_what_cannot_be_ranked_is_refused_with_its_row() -> None:
    good, relevant = toward(0, 45, 90), matrix([(0, 0)], (3, 3))
    nan, zero = good.copy(), good.copy()
    nan[1, 0], zero[2] = np.nan, 0
    for queries, gallery, told in (
        (nan, good, "query row 1 is not finite, 1 of 3"),
        (good, zero, "gallery row 2 is all zeros, 1 of 3"),
        (good, np.ones((3, 5)), r"shape \(3, 2\) for a gallery of shape \(3, 5\)"),
        (good[:2], good, r"relevant is of shape \(3, 3\), for 2 queries and 3 items"),
    ):
        with pytest.raises(ValueError, match=told):
            first_hits(queries, gallery, relevant)
    with pytest.raises(
        ValueError, match="gallery row 0 is true for query 0 and excluded"
    ):
        first_hits(good, good, relevant, relevant)
    with pytest.raises(ValueError, match="3 queries and a gallery of 0"):
        first_hits(good, good[:0], relevant[:, :0])


# Tables


def test_chance_is_the_binomial_ratio_and_what_shuffling_gives() -> None:
    rng = np.random.default_rng(5)
    relevant = sparse.csr_matrix(rng.random((30, 40)) < 0.08)
    excluded = sparse.csr_matrix((rng.random((30, 40)) < 0.2) & ~relevant.toarray())
    made = benchmark(relevant, excluded=excluded)
    sizes, true = 40 - np.diff(excluded.indptr), np.diff(relevant.indptr)
    for k, found in chance(made, (1, 10, 39)).items():
        exact = [
            1 - Fraction(comb(n - r, k), comb(n, k)) if k <= n else Fraction(int(r > 0))
            for n, r in zip(sizes.tolist(), true.tolist(), strict=True)
        ]
        np.testing.assert_allclose(found, [float(part) for part in exact], atol=1e-12)
    shuffled = [
        first_hits(
            rng.normal(size=(30, 5)), rng.normal(size=(40, 5)), relevant, excluded
        )
        for _ in range(200)
    ]
    share = np.mean([((ranks > 0) & (ranks <= 10)).mean() for ranks in shuffled])
    assert abs(share - chance(made, (10,))[10].mean()) < 0.02


def test_intervals_resample_products_not_queries() -> None:
    """Ten products with twenty queries each, that hit all or none: ten independent
    values, not two hundred.
    """
    relevant = matrix([(row, 0) for row in range(200)], (200, 5))
    first = np.repeat([1, 3] * 5, 20)
    products = np.repeat([f"p{n}" for n in range(10)], 20).tolist()
    grouped, alone = (
        accuracy(first, benchmark(relevant, given), (1,)).loc["top-1"]
        for given in (products, None)
    )
    assert grouped.accuracy == alone.accuracy == 1 / 2
    assert (grouped.high - grouped.low) > 3 * (alone.high - alone.low)
    assert abs((grouped.high - grouped.low) - 2 * 1.96 * np.sqrt(0.25 / 10)) < 0.1


def test_clustered_means_of_unequal_clusters_are_over_the_queries_drawn() -> None:
    values, clusters = np.array([1.0, 0, 0, 0]), ["a", "b", "b", "b"]
    means = stats.resampled_means(values, 0, 4000, clusters)
    assert set(np.round(means, 9)) == {0.0, round(1 / 4, 9), 1.0}  # bb, ab, aa
    assert abs(np.mean(means == 1 / 4) - 1 / 2) < 0.03
    alone = stats.resampled_means(values, 7, 500, range(4))
    np.testing.assert_array_equal(alone, stats.resampled_means(values, 7, 500))
    with pytest.raises(ValueError, match="3 cluster labels for 4 values"):
        stats.resampled_means(values, 0, 10, ["a", "b", "b"])


def test_a_difference_is_paired_and_a_cutoff_counts_from_one() -> None:
    relevant = matrix([(row, 0) for row in range(100)], (100, 9))
    made, rng = benchmark(relevant), np.random.default_rng(6)
    worse = rng.choice([1, 5], 100)
    better = np.where(np.arange(100) < 12, 1, worse)
    table = difference(better, worse, made, (1, 10))
    gained = int(((better == 1) & (worse == 5)).sum())
    assert gained > 0 and table.difference["top-1"] == gained / 100
    assert table.low["top-1"] > 0 and table.p["top-1"] < 0.05
    assert table.loc["top-10"].tolist() == [0, 0, 0, 1]  # all hit either way
    apart = accuracy(better, made, (1,)), accuracy(worse, made, (1,))
    assert (
        apart[0].low.iloc[0] < apart[1].high.iloc[0]
    )  # unpaired, the intervals overlap
    with pytest.raises(ValueError, match="cutoffs"):
        accuracy(better, made, (0, 10))
    with pytest.raises(ValueError, match="99 ranks for 100 queries"):
        accuracy(better[1:], made)


def test_a_table_of_tasks_and_encoders_holds_the_accuracy_of_each() -> None:
    tasks = {"crop": retrieval.deepfashion(pd.concat([WORN, SHOP]))}
    ranks = {"crop": {"planted": tasks["crop"].ranks(QUERIES, GALLERY)}}
    assert ranks["crop"]["planted"].tolist() == [1, 1, 2, 2]
    table = retrieval.overview(tasks)
    assert table.loc["crop", ["queries", "gallery"]].tolist() == [4, 5]
    assert table.loc["crop", "true rows per query"] == 6 / 4
    assert table.loc["crop", "chance"] == pytest.approx((1 + 2 + 2 + 1) / 4 / 5)
    table = retrieval.accuracies(ranks, tasks, (1, 2), seed=3)
    one = accuracy(ranks["crop"]["planted"], tasks["crop"], (1, 2), seed=3)
    assert table.loc["crop", "planted"].equals(one)


def test_pictures_of_catalogue_and_street_are_one_space() -> None:
    catalogue = Features([*SHOP["item_id"]], GALLERY)
    worn = Features([*WORN["image"][:4]], QUERIES)
    space = retrieval.by_picture(catalogue, SHOP, worn)
    task = retrieval.deepfashion(pd.concat([WORN, SHOP]))
    assert task.ranks_by(space.rows).tolist() == [1, 1, 2, 2]


def test_each_category_has_its_own_accuracy_and_chance() -> None:
    made = retrieval.deepfashion(pd.concat([WORN, SHOP]))
    table = per_group(first_hits(QUERIES, GALLERY, made.relevant), made, cutoffs=(1,))
    assert table.index.tolist() == [("top", "top-1"), ("skirt", "top-1")]
    assert table.accuracy.tolist() == [2 / 3, 0] and table.queries.tolist() == [3, 1]
    np.testing.assert_allclose(table.chance, [(1 / 5 + 2 / 5 + 2 / 5) / 3, 1 / 5])


def test_an_empty_side_says_which_rule_left_nothing() -> None:
    with pytest.raises(
        ValueError, match="0 queries and a gallery of 5.*1 of 1 queries have none"
    ):
        retrieval.deepfashion(pd.concat([WORN.iloc[4:5], SHOP]))

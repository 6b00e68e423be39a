"""Feature spaces: files, joins by id, concatenation, neighbours."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fashionlib import features
from fashionlib.features import Features, spaces


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(5, 3), (5, 2, 3), (0, 3), (5, 1)])
def test_features_survive_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type, shape: tuple
) -> None:
    monkeypatch.setattr(spaces, "GROUP", 2 * 3 * 2 * 8)  # bytes: a few rows a group
    matrix = np.random.default_rng(0).normal(size=shape).astype(kind)
    space = Features(
        ["0108775015", "7", "é", "a b", ""][: shape[0]],
        matrix,
        {"encoder": "none", "size": 224},
    )
    space.save(tmp_path / "space.parquet")
    again = features.load(tmp_path / "space.parquet")
    assert again.ids == space.ids and again.made_by == space.made_by
    assert (
        np.array_equal(again.matrix, matrix)
        and again.matrix.dtype == kind
        and again.matrix.flags.writeable
    )
    assert [path.name for path in tmp_path.iterdir()] == ["space.parquet"]


def test_matrix_that_is_no_block_of_memory_is_saved_in_its_own_order(
    tmp_path: Path,
) -> None:
    matrix = np.asfortranarray(np.arange(12, dtype=np.float32).reshape(4, 3))[::2]
    Features(["a", "b"], matrix).save(tmp_path / "space.parquet")
    assert features.load(tmp_path / "space.parquet").matrix.tolist() == [
        [0, 1, 2],
        [6, 7, 8],
    ]
    with pytest.raises(
        ValueError, match=r"space\.parquet: features of type int64; give floats"
    ):
        Features(["a"], np.array([[1]])).save(tmp_path / "space.parquet")


@pytest.mark.parametrize(
    "lists",
    [pa.list_(pa.float64()), pa.large_list(pa.float32()), pa.list_(pa.float32(), 2)],
)
def test_somebody_elses_parquet_is_read(tmp_path: Path, lists: pa.DataType) -> None:
    table = pa.table(
        {
            "price": [1, 2, 3],
            "features": pa.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], lists),
            "item_id": pa.array(["01", "02", "03"], pa.large_string()),
        }
    )
    pq.write_table(table, tmp_path / "theirs.parquet", row_group_size=2)
    space = features.load(tmp_path / "theirs.parquet")
    assert (
        space.ids == ["01", "02", "03"]
        and space.matrix.tolist() == [[1, 2], [3, 4], [5, 6]]
        and not space.made_by
    )


RAGGED = pa.list_(pa.float32())
FAULTS = [
    (
        {"item_id": ["a"], "vector": [[1.0]]},
        "no column 'features'; its columns are item_id, vector",
    ),
    (
        {"id": ["a"], "features": [[1.0]]},
        "no column 'item_id'; its columns are id, features",
    ),
    ({"item_id": [108775015], "features": [[1.0]]}, "item_id is int64, not string"),
    ({"item_id": ["a"], "features": [1.0]}, "features is double, not a list of float"),
    (
        {"item_id": ["a"], "features": [["x"]]},
        "features is list<element: string>, not a list of float",
    ),
    ({"item_id": ["a", "a"], "features": [[1.0], [2.0]]}, "2 ids, but only 1 of them"),
    ({"item_id": ["a", None], "features": [[1.0], [2.0]]}, "row 1 has no item_id"),
    ({"item_id": ["a", "b"], "features": [[1.0], None]}, "row 1 has no features"),
    (
        {"item_id": ["a", "b"], "features": [[1.0], [None]]},
        "1 numbers are missing near row 0",
    ),
    (
        {"item_id": ["a", "b", "c"], "features": [[1.0, 2.0], [3.0, 4.0], [5.0]]},
        "row 2 has 1 features, row 0 2",
    ),
]


@pytest.mark.parametrize(("columns", "fault"), FAULTS)
def test_a_parquet_without_features_says_what_is_missing(
    tmp_path: Path, columns: dict, fault: str
) -> None:
    pq.write_table(pa.table(columns), tmp_path / "theirs.parquet")
    with pytest.raises(ValueError) as raised:
        features.load(tmp_path / "theirs.parquet")
    assert (
        "theirs.parquet" in str(raised.value)
        and fault in str(raised.value)
        and "Features.save" in str(raised.value)
    )


@pytest.mark.parametrize(
    "about",
    [
        {"shape": "[3]"},
        {"shape": "[-1, -2]"},
        {"shape": "two"},
        {"shape": "7"},
        {"made_by": "{"},
        {"made_by": "[1]"},
    ],
)
def test_metadata_that_contradict_the_rows_are_refused(
    tmp_path: Path, about: dict[str, str]
) -> None:
    table = pa.table(
        {"item_id": ["a"], "features": [[1.0, 2.0]]}
    ).replace_schema_metadata(about)
    pq.write_table(table, tmp_path / "theirs.parquet")
    with pytest.raises(ValueError, match=r"theirs\.parquet holds no features"):
        features.load(tmp_path / "theirs.parquet")


def test_lengths_are_compared_across_row_groups(tmp_path: Path) -> None:
    table = pa.table(
        {"item_id": ["a", "b"], "features": pa.array([[1.0, 2.0], [3.0]], RAGGED)}
    )
    pq.write_table(table, tmp_path / "theirs.parquet", row_group_size=1)
    with pytest.raises(ValueError, match="row 1 has 1 features, the rows before 2"):
        features.load(tmp_path / "theirs.parquet")


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PK\x03\x04 an old npz", None])
def test_file_that_is_no_parquet_is_named(
    tmp_path: Path, content: bytes | None
) -> None:
    Features(["a"], np.ones((1, 4), np.float32)).save(tmp_path / "space.parquet")
    whole = (tmp_path / "space.parquet").read_bytes()
    (tmp_path / "space.parquet").write_bytes(
        whole[: len(whole) // 2] if content is None else content
    )
    with pytest.raises(ValueError, match=r"space\.parquet holds no features"):
        features.load(tmp_path / "space.parquet")


def test_rows_join_by_id_and_name_what_is_missing() -> None:
    space = Features(["a", "b", "c"], np.array([[1.0], [2.0], [3.0]]))
    assert space.rows(["c", "a", "c"]).tolist() == [[3.0], [1.0], [3.0]]
    with pytest.raises(
        ValueError, match=r"features for 1 of 3 items; missing: \['x', 'y'\]"
    ):
        space.rows(["x", "a", "y"])
    with pytest.raises(ValueError, match="2 ids for 3 rows"):
        Features(["a", "b"], np.zeros((3, 1)))
    with pytest.raises(ValueError, match="2 ids, but only 1"):
        Features(["a", "a"], np.zeros((2, 1)))


def test_missing_features_name_the_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"gone\.parquet"):
        features.load(tmp_path / "gone.parquet")


def test_concatenation_gives_both_spaces_the_same_weight() -> None:
    a = Features(["x", "y"], np.array([[3.0, 4.0], [0.0, 2.0]]))
    b = Features(["y", "x"], np.array([[5.0], [-7.0]]))
    both = features.concatenate(a, b)
    assert both.ids == ["x", "y"]
    np.testing.assert_allclose(both.matrix, [[3 / 5, 4 / 5, -1], [0, 1, 1]], rtol=1e-6)


@pytest.mark.parametrize("k", [1, 3, 40])
def test_the_highest_are_the_first_of_a_stable_sort(k: int) -> None:
    rng = np.random.default_rng(0)
    for scores in (
        rng.normal(size=(30, 40)),
        rng.integers(0, 4, (30, 40)).astype(float),
        np.ones((5, 40)),
    ):
        assert (
            spaces.highest(scores, k).tolist()
            == np.argsort(-scores, axis=1, kind="stable")[:, :k].tolist()
        )


def test_nearest_agrees_with_scikit_learn() -> None:
    from sklearn.neighbors import NearestNeighbors

    rng = np.random.default_rng(0)
    queries, gallery = rng.normal(size=(20, 5)), rng.normal(size=(50, 5))
    distances, rows = (
        NearestNeighbors(n_neighbors=4, metric="cosine")
        .fit(gallery)
        .kneighbors(queries)
    )
    found, cosine = features.nearest(queries, gallery, 4)
    assert np.array_equal(found, rows)
    np.testing.assert_allclose(cosine, 1 - distances, rtol=1e-9)
    with pytest.raises(ValueError, match="k = 51 neighbours from a gallery of 50"):
        features.nearest(queries, gallery, 51)

"""`fashionlib retrieve` as a stranger runs it: the numbers of the library, and one line
for each kind of bad file.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fashionlib import retrieval
from fashionlib.commands import main
from fashionlib.commands.jobs import retrieve
from fashionlib.features import Features

RNG = np.random.default_rng(0)
QUERIES, GALLERY = (
    RNG.normal(size=(30, 8)).astype("float32"),
    RNG.normal(size=(40, 8)).astype("float32"),
)
PAIRS = [(row, row) for row in range(30)] + [
    (row, 30 + row % 10) for row in range(0, 30, 2)
]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    np.save(tmp_path / "q.npy", QUERIES)
    np.save(tmp_path / "g.npy", GALLERY)
    pd.DataFrame(PAIRS, columns=["query", "gallery"]).to_csv(
        tmp_path / "pairs.csv", index=False
    )
    return tmp_path


def run(folder: Path, **changes: str) -> int:
    given = {
        "--queries": "q.npy",
        "--gallery": "g.npy",
        "--relevant": "pairs.csv",
        "--out": "r.json",
    } | {f"--{name}": value for name, value in changes.items() if name != "k"}
    words = [
        word for name, value in given.items() for word in (name, str(folder / value))
    ]
    return main(["retrieve", *words, "-k", changes.get("k", "1,10,20")])


def test_the_command_gives_the_librarys_numbers_and_each_query(
    files: Path, capsys: pytest.CaptureFixture
) -> None:
    assert run(files, hits="hits.csv", k="10,1") == 0
    result, kept = (
        json.loads((files / "r.json").read_text()),
        pd.read_csv(files / "hits.csv"),
    )
    pairs = retrieve.true_pairs(files / "pairs.csv", 30, 40)
    first = retrieval.first_hits(QUERIES, GALLERY, pairs)
    assert kept["first_hit"].tolist() == first.tolist() and kept[
        "query"
    ].tolist() == list(range(30))
    assert list(kept) == ["query", "first_hit", "top-1", "top-10"]
    assert (
        result["top-10"]["accuracy"]
        == pytest.approx(kept["top-10"].mean())
        == (first <= 10).mean()
    )
    assert (
        result["top-10"]["low"]
        < result["top-10"]["accuracy"]
        < result["top-10"]["high"]
    )
    assert result["top-1"]["chance"] == pytest.approx((15 * 2 / 40 + 15 * 1 / 40) / 30)
    assert (result["queries"], result["gallery"], result["pairs"], result["dim"]) == (
        30,
        40,
        45,
        8,
    )
    assert "against the encoder" in result["conventions"]["ties"]
    assert f"top-1 {result['top-1']['accuracy']:.4f}  [" in capsys.readouterr().out


def test_parquet_and_several_vectors_are_read_too(files: Path) -> None:
    Features([f"i{row}" for row in range(30)], QUERIES, {}).save(files / "q.parquet")
    several = np.stack([GALLERY, np.full_like(GALLERY, 1e-3)], axis=1)
    np.save(files / "g3.npy", several.astype("float64"))
    found = retrieve.retrieve_files(
        files / "q.parquet", files / "g3.npy", files / "pairs.csv"
    )
    expected = retrieval.first_hits(
        QUERIES, several, retrieve.true_pairs(files / "pairs.csv", 30, 40)
    )
    assert found.per_query["first_hit"].tolist() == expected.tolist()
    assert "nearest of an item's vectors" in found.result["conventions"]["score"]


def test_a_query_is_not_in_its_own_gallery_where_both_are_one_file(files: Path) -> None:
    np.save(
        files / "g.npy",
        np.repeat(GALLERY[:4], 2, axis=0)
        + np.tile([[0], [0.01]], (4, 8)).astype("float32"),
    )
    (files / "pairs.csv").write_text(
        "query,gallery\n" + "".join(f"{row},{row ^ 1}\n" for row in range(8))
    )
    found = retrieve.retrieve_files(
        files / "g.npy", files / "g.npy", files / "pairs.csv", (1,)
    )
    assert (
        found.result["top-1"]["accuracy"] == 1
    )  # its twin comes first, as it isn't there itself
    assert found.result["top-1"]["chance"] == pytest.approx(1 / 7)
    assert found.result["conventions"]["gallery"] == "all rows but the query's own"
    (files / "pairs.csv").write_text(
        "query,gallery\n0,0\n" + "".join(f"{row},{row ^ 1}\n" for row in range(8))
    )
    with pytest.raises(
        ValueError, match="gallery row 0 is true for query 0 and excluded"
    ):
        retrieve.retrieve_files(files / "g.npy", files / "g.npy", files / "pairs.csv")


def spoiled(row: int, value: float) -> np.ndarray:
    made = QUERIES.copy()
    made[row] = value
    return made


@pytest.mark.parametrize(
    ("told", "spoil"),
    [
        (
            "q.npy has rows of 5 numbers, .*g.npy of 8",
            lambda f: np.save(f / "q.npy", QUERIES[:, :5]),
        ),
        (
            "q.npy: row 7 is not finite, 1 of 30",
            lambda f: np.save(f / "q.npy", spoiled(7, np.inf)),
        ),
        (
            "q.npy: row 3 is all zeros, 1 of 30",
            lambda f: np.save(f / "q.npy", spoiled(3, 0)),
        ),
        (
            "q.npy: int64 of shape",
            lambda f: np.save(f / "q.npy", np.ones((30, 8), np.int64)),
        ),
        (r"q.npy: float32 of shape \(8,\)", lambda f: np.save(f / "q.npy", QUERIES[0])),
        (
            r"q.npy: float32 of shape \(0, 8\)",
            lambda f: np.save(f / "q.npy", QUERIES[:0]),
        ),
        (
            r"q.npy: queries of shape \(30, 2, 8\)",
            lambda f: np.save(f / "q.npy", np.stack([QUERIES] * 2, 1)),
        ),
        (
            "q.npy is no whole .npy",
            lambda f: np.save(
                f / "q.npy", np.array([{"a": 1}], object), allow_pickle=True
            ),
        ),
        (
            "q.npy is no whole .npy",
            lambda f: (f / "q.npy").write_bytes((f / "q.npy").read_bytes()[:300]),
        ),
        (
            "q.npy is no whole .npy",
            lambda f: (f / "q.npy").write_bytes(b"PK\x03\x04 an archive"),
        ),
        ("q.npy is no whole .npy", lambda f: (f / "q.npy").write_bytes(b"")),
        (
            "pairs.csv, line 3: gallery '40' is out of range: there are 40 rows",
            "query,gallery\n0,1\n1,40\n",
        ),
        (
            "pairs.csv, line 2: query '30' is out of range: there are 30 rows",
            "query,gallery\n30,1\n",
        ),
        ("pairs.csv, line 2: gallery '-1' is no row number", "query,gallery\n1,-1\n"),
        ("pairs.csv, line 2: query '1.0' is no row number", "query,gallery\n1.0,2\n"),
        ("pairs.csv, line 2: gallery '' is no row number", "query,gallery\n1,\n"),
        (
            "pairs.csv has no column 'query'; its columns are q, gallery",
            "q,gallery\n1,2\n",
        ),
        (
            "pairs.csv: query row 1 has no true row, 29 of 30 queries have none",
            "query,gallery\n0,1\n",
        ),
        ("pairs.csv: query row 0 has no true row, 30 of 30", "query,gallery\n"),
        ("pairs.csv: the file is empty", ""),
        ("q.npy is one of the inputs", {"out": "q.npy"}),
        ("named twice", {"hits": "r.json"}),
        ("are no whole numbers from 1", {"k": "0,10"}),
        ("vectors are read from .npy or .parquet", {"queries": "pairs.csv"}),
        ("No such file", {"gallery": "none.npy"}),
    ],
)
def test_bad_input_ends_with_one_line_that_names_it(
    files: Path, capsys: pytest.CaptureFixture, told: str, spoil: object
) -> None:
    changes = spoil if isinstance(spoil, dict) else {}
    if isinstance(spoil, str):
        (files / "pairs.csv").write_text(spoil)
    elif callable(spoil):
        spoil(files)
    assert run(files, **changes) == 2
    error = capsys.readouterr().err
    assert re.search(told, error) and error.count("\n") == 1, error
    assert not (files / "r.json").exists() and (files / "q.npy").exists()


def test_a_pair_named_twice_counts_once(files: Path) -> None:
    (files / "pairs.csv").write_text(
        "query,gallery,note\n" + "".join(f"{a},{b},x\n" for a, b in PAIRS + PAIRS)
    )
    assert (
        retrieve.retrieve_files(
            files / "q.npy", files / "g.npy", files / "pairs.csv"
        ).result["pairs"]
        == 45
    )

"""H&M on the hub: the reader on parquet written by hand, hostile files, the wardrobe's
copy.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from edits import fault_counts
from PIL import Image

import wardrobe
from fashionlib.data import images
from fashionlib.data.items import ITEM_COLUMNS
from fashionlib.data.readers import hm_hub, layouts
from wardrobe.catalogue import Garment
from wardrobe.layouts import hm_hub as layout

SCHEMA = pa.schema(
    [
        ("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
        ("text", pa.string()),
    ]
)


def jpeg(shade: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (6, 9), (shade,) * 3).save(out, "JPEG")
    return out.getvalue()


def giant() -> bytes:
    """A PNG that says it is 30,000 x 30,000."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data))
            + kind
            + data
            + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0))
    return (
        b"\x89PNG\r\n\x1a\n"
        + head
        + chunk(b"IDAT", zlib.compress(b"\0"))
        + chunk(b"IEND", b"")
    )


ROWS = [
    ("0108775015.jpg", "Jersey top.", jpeg(10)),
    ("0108775044.jpg", "Jersey top.", jpeg(80)),
    (None, "Tights.", jpeg(150)),
    ("photo.jpg", "  ", jpeg(220)),
    ("0110065001.jpg", None, jpeg(40)),
]


def put(path: Path, rows: list[tuple], schema: pa.Schema = SCHEMA) -> None:
    path.parent.mkdir(exist_ok=True)
    table = pa.Table.from_pylist(
        [{"image": {"bytes": b, "path": p}, "text": t} for p, t, b in rows], schema
    )
    pq.write_table(table, path, row_group_size=2)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two shards, of three rows and two."""
    put(tmp_path / "data" / "train-00000-of-00002.parquet", ROWS[:3])
    put(tmp_path / "data" / "train-00001-of-00002.parquet", ROWS[3:])
    return tmp_path


def kinds(root: Path, severity: str = "fault") -> list[str]:
    return list(fault_counts(hm_hub.check(root), severity))


def test_items_are_the_shards_rows_in_order(root: Path) -> None:
    items = hm_hub.items(root)
    assert items.columns.tolist() == ITEM_COLUMNS
    made_up = ["train-00000-of-00002-2", "train-00001-of-00002-0"]
    assert items["item_id"].tolist() == [
        "0108775015",
        "0108775044",
        *made_up,
        "0110065001",
    ]
    assert items["product_id"].fillna("").tolist() == [
        "0108775",
        "0108775",
        "",
        "",
        "0110065",
    ]
    assert items["caption"].fillna("").tolist() == [
        "Jersey top.",
        "Jersey top.",
        "Tights.",
        "",
        "",
    ]
    assert (
        items[["category", "group", "colour", "pattern", "box"]].isna().all(axis=None)
    )
    assert items["source"].eq("shop").all()
    shades = [np.asarray(images.load(reference)).mean() for reference in items["image"]]
    np.testing.assert_allclose(shades, [10, 80, 150, 220, 40], atol=2)


def test_shards_may_lie_in_the_folder_itself(root: Path) -> None:
    for path in (root / "data").iterdir():
        path.rename(root / path.name)
    assert layouts.candidates(root) == ["hm_hub"] and len(hm_hub.items(root)) == 5


def test_a_faultless_folder(root: Path) -> None:
    report = hm_hub.check(root)
    assert not report.broken
    assert report.counts == {"rows": 5, "distinct captions": 2}
    assert [(f.kind, f.count) for f in report.faults] == [
        ("row without text", 2),
        ("picture not named like an article", 2),
    ]


def test_no_picture_is_read_for_the_table(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    batches = pq.ParquetFile.iter_batches
    monkeypatch.setattr(
        pq.ParquetFile,
        "iter_batches",
        lambda *a, **k: asked.append(k["columns"]) or batches(*a, **k),
    )
    hm_hub.items(root)
    assert asked == [["image.path", "text"]] * 2


def shard(rows: list[tuple], **how: pa.Schema) -> Callable[[Path], None]:
    return lambda root: put(root / "data" / "train-00001-of-00002.parquet", rows, **how)


def cut(root: Path) -> None:
    path = root / "data" / "train-00001-of-00002.parquet"
    path.write_bytes(path.read_bytes()[:-9])


def without(column: str) -> Callable[[Path], None]:
    def write(root: Path) -> None:
        path = root / "data" / "train-00001-of-00002.parquet"
        pq.write_table(pq.read_table(path).drop_columns(column), path)

    return write


def objects(root: Path) -> None:
    """Pictures as pickles in place of the struct."""
    rows = {"image": [b"\x80\x04."], "text": ["x"]}
    pq.write_table(pa.table(rows), root / "data" / "train-00001-of-00002.parquet")


def empty(root: Path) -> None:
    for path in (root / "data").iterdir():
        put(path, [])


NUMBERS = pa.schema([SCHEMA.field("image"), ("text", pa.int64())])
REFUSED = {
    "no text": ("column missing or of another type", without("text")),
    "no picture": ("column missing or of another type", without("image")),
    "text of numbers": (
        "column missing or of another type",
        shard([(None, 5, jpeg(1))], schema=NUMBERS),
    ),
    "pickles": ("column missing or of another type", objects),
    "cut short": ("parquet can't be read", cut),
    "an article twice": ("article twice", shard([ROWS[0]])),
    "0 rows": ("0 rows", empty),
}
BROKEN = {
    "no JPEG": ("broken image", shard([("0110065001.jpg", "Top.", b"GIF89a")])),
    "cut JPEG": ("broken image", shard([("0110065001.jpg", "Top.", jpeg(9)[:-9])])),
    "giant": ("broken image", shard([("0110065001.jpg", "Top.", giant())])),
    "no bytes": ("broken image", shard([("0110065001.jpg", "Top.", None)])),
    "climbs out": (
        "picture path that climbs out",
        shard([("../../0110065001.jpg", "Top.", jpeg(9))]),
    ),
    "absolute": (
        "picture path that climbs out",
        shard([("/etc/0110065001.jpg", "Top.", jpeg(9))]),
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_hostile_folder_is_refused_and_its_fault_is_listed(
    root: Path, name: str
) -> None:
    kind, spoil = REFUSED[name]
    spoil(root)
    with pytest.raises(ValueError, match=kind):
        hm_hub.items(root)
    assert kind in kinds(root)


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_picture_is_listed_and_refused_when_it_is_opened(
    root: Path, name: str
) -> None:
    kind, spoil = BROKEN[name]
    spoil(root)
    found = [f for f in hm_hub.check(root).faults if f.severity == "fault"]
    assert [(f.kind, f.count) for f in found] == [(kind, 1)]
    reference = hm_hub.items(root)["image"].iloc[-1]
    if kind == "broken image":
        with pytest.raises(ValueError, match=r"00001-of-00002.parquet#0"):
            images.load(reference)
        assert found[0].examples[0].startswith("0110065001: ")
    else:  # the path is never opened
        assert images.load(reference).size == (6, 9)


def test_a_giant_is_refused_by_its_size(root: Path) -> None:
    BROKEN["giant"][1](root)
    assert "900,000,000 pixels" in str(hm_hub.check(root))
    with pytest.raises(ValueError, match="900,000,000 pixels"):
        images.load(hm_hub.items(root)["image"].iloc[-1])


def test_check_never_stops_at_the_first_fault(root: Path) -> None:
    put(
        root / "data" / "train-00000-of-00002.parquet",
        [("1" * 10, "x", b"?"), ("1" * 10, "x", jpeg(3))],
    )
    objects(root)
    expected = {"broken image", "article twice", "column missing or of another type"}
    assert set(kinds(root)) == expected


def test_an_empty_folder_is_named(tmp_path: Path) -> None:
    assert layouts.candidates(tmp_path) == []
    with pytest.raises(FileNotFoundError, match="data/\\*.parquet"):
        hm_hub.items(tmp_path)
    assert kinds(tmp_path) == ["file missing"]


@pytest.mark.parametrize(("count", "seed"), [(1, 0), (2, 1), (250, 2)])
def test_the_wardrobe_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int, seed: int
) -> None:
    def grey(
        garment: Garment, colour: str, rng: np.random.Generator, size: tuple[int, int]
    ) -> Image.Image:
        return Image.new("RGB", size, (int(rng.integers(256)),) * 3)

    monkeypatch.setattr(layout, "views", SimpleNamespace(flat=grey))
    truth = wardrobe.articles(count, seed)
    layout.write(tmp_path, truth, seed, size=(20, 30))
    items = hm_hub.items(tmp_path)
    assert items["item_id"].tolist() == truth["item_id"].tolist()
    assert items["product_id"].tolist() == truth["product_id"].tolist()
    assert items.groupby("product_id")["caption"].nunique().eq(1).all()
    shades = [
        int(np.random.default_rng([seed, 1, int(i)]).integers(256))
        for i in truth["item_id"]
    ]
    for row in {0, count // 2, count - 1}:
        shown = np.asarray(images.load(items["image"][row]))
        assert shown.shape == (30, 20, 3) and abs(shown.mean() - shades[row]) < 3
    assert not hm_hub.check(tmp_path).faults


def test_the_wardrobe_has_the_same_bytes_for_the_same_seed(tmp_path: Path) -> None:
    """With drawn pictures."""
    truth = wardrobe.articles(4, 0)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        layout.write(tmp_path / name, truth, 0, size=(32, 48))
    assert images.square(hm_hub.items(tmp_path / "one")["image"][0], 32).std() > 1
    for path in (tmp_path / "one" / "data").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / "data" / path.name).read_bytes()

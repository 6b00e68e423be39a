"""Which layout a folder has, what all layouts promise, and which shop items answer a
query.
"""

from __future__ import annotations

import re
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import wardrobe
from fashionlib.data import images
from fashionlib.data.items import ITEM_COLUMNS
from fashionlib.data.readers import layouts

WRITTEN = ("dfmm", "consumer2shop", "deepfashion2")
SIZE = (48, 72)
SIGNS = {
    "hm": "articles.csv",
    "hm_hub": "data/train-00000-of-00001.parquet",
    "facad": "TEST_IMAGES_5.hdf5",
    "dfmm": "captions.json",
    "consumer2shop": "Anno/list_bbox_consumer2shop.txt",
    "deepfashion2": "validation/annos/000001.json",
}


@pytest.fixture(scope="module", params=WRITTEN)
def drawn(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A small wardrobe, really drawn, in the folder named like its layout."""
    root = tmp_path_factory.mktemp("wardrobe") / request.param
    wardrobe.write(root, items=5, seed=1, layout=request.param, size=SIZE)
    return root


def giant() -> bytes:
    """A PNG of 30,000 x 30,000 pixels, as far as its header goes."""
    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"\0")), (b"IEND", b""))
    parts = (
        struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d))
        for k, d in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize("layout", SIGNS)
def test_a_folder_is_recognised_by_its_files(tmp_path: Path, layout: str) -> None:
    path = tmp_path / SIGNS[layout]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")
    assert layouts.detect_layout(tmp_path) == layout


def test_every_layout_has_the_same_two_functions() -> None:
    assert SIGNS.keys() == layouts.LAYOUTS.keys() == layouts.SIGNS.keys()
    for layout in layouts.LAYOUTS.values():
        assert all(callable(getattr(layout, name)) for name in ("items", "check"))


def test_an_unknown_folder_is_told_what_each_layout_lacks(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="none of 6 known layouts") as error:
        layouts.detect_layout(tmp_path)
    assert all(
        name in str(error.value)
        for name in [*SIGNS, "articles.csv", "captions.json", "train/annos/"]
    )
    with pytest.raises(FileNotFoundError, match="is no folder"):
        layouts.detect_layout(tmp_path / "none")


def test_two_layouts_in_a_folder_are_no_layout(tmp_path: Path) -> None:
    for name in ("captions.json", "articles.csv"):
        (tmp_path / name).write_text("")
    with pytest.raises(ValueError, match="has 2 layouts: hm, dfmm"):
        layouts.check(tmp_path)


def test_the_drawn_wardrobe_is_recognised_read_and_faultless(drawn: Path) -> None:
    assert layouts.detect_layout(drawn) == drawn.name
    items, report = layouts.items(drawn), layouts.check(drawn)
    assert items.columns.tolist()[: len(ITEM_COLUMNS)] == ITEM_COLUMNS
    assert not report.broken, str(report)
    assert (
        report.counts["items"] == len(items) > 0
        and "synthetic" in report.counts.values()
    )
    for row in items.itertuples():
        assert images.load(row.image).size == SIZE
        if row.box is not None:
            left, upper, right, lower = row.box
            assert images.load(images.cropped(row.image, row.box)).size == (
                right - left,
                lower - upper,
            )


BAD = {
    "giant": (giant(), "900,000,000 pixels, more than 50"),
    "empty": (b"", "no JPEG, PNG, WEBP"),
    "cut": (None, "cut short"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_picture_is_named(drawn: Path, name: str) -> None:
    content, why = BAD[name]
    victim = Path(layouts.items(drawn)["image"].iloc[-1])
    whole = victim.read_bytes()
    victim.write_bytes(whole[:-200] if content is None else content)
    try:
        [fault] = [f for f in layouts.check(drawn).faults if f.severity == "fault"]
        assert (fault.kind, fault.count) == (
            "broken image",
            1,
        ) and victim.name in fault.examples[0]
        assert re.search(why, fault.examples[0])
        with pytest.raises(ValueError, match=victim.name):
            images.load(victim)
    finally:
        victim.write_bytes(whole)


@pytest.mark.parametrize("layout", WRITTEN)
def test_the_same_seed_gives_the_same_bytes(tmp_path: Path, layout: str) -> None:
    content = []
    for seed in (5, 5, 6):
        root = tmp_path / str(len(content))
        wardrobe.write(root, items=2, seed=seed, layout=layout, size=SIZE)
        content.append(
            {
                p.relative_to(root): p.read_bytes()
                for p in root.rglob("*")
                if p.is_file()
            }
        )
    assert content[0] == content[1] != content[2] and len(content[0]) > 5


def test_a_box_over_the_edge_is_reported_and_refused(tmp_path: Path) -> None:
    wardrobe.write(tmp_path / "root", items=1, layout="deepfashion2", size=SIZE)
    name = next(tmp_path.glob("root/*/image/000002.jpg"))
    Image.new("RGB", (5, 5)).save(name)
    items = layouts.items(tmp_path / "root")
    row = items[items["image"] == str(name)].iloc[0]
    faults = [
        f.kind for f in layouts.check(tmp_path / "root").faults if f.severity == "fault"
    ]
    assert faults == ["box outside the image"]
    with pytest.raises(ValueError, match="does not lie in 5 x 5 pixels"):
        images.load(images.cropped(row["image"], row["box"]))


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["consumer", "shop"]),
            st.sampled_from(["a", "b", "c", None]),
        ),
        max_size=12,
    )
)
def test_pairs_are_all_and_only_the_equal_products(
    rows: list[tuple[str, str | None]],
) -> None:
    items = pd.DataFrame(
        {
            "item_id": [f"i{n}" for n in range(len(rows))],
            "product_id": [p for _, p in rows],
            "source": [s for s, _ in rows],
        },
        dtype="str",
    )
    pairs = layouts.pairs(items)
    expected = []
    for n, (source, product) in enumerate(rows):
        if source == "consumer" and product is not None:
            truths = [
                f"i{m}" for m, other in enumerate(rows) if other == ("shop", product)
            ]
            expected += [(f"i{n}", truth) for truth in truths or [None]]
    got = [(q, None if pd.isna(g) else g) for q, g in pairs.to_numpy()]
    assert got == expected


def test_layouts_import_neither_torch_nor_h5py() -> None:
    code = (
        "import sys, fashionlib.data.readers.layouts; sys.exit(bool({'torch', 'h5py',"
        " 'skia'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0

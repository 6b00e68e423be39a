"""The FACAD reader on a folder written by hand, the repaired attributes against their
definition, the wardrobe's.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import pandas as pd
import pytest
from edits import fault_counts
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import wardrobe
from fashionlib.data import images, overlap
from fashionlib.data.items import ITEM_COLUMNS
from fashionlib.data.readers import facad, facad_files, jsonfile, layouts
from wardrobe.catalogue import Garment
from wardrobe.layouts import facad as layout

WORDS = ["a", "red", "dress", "blue", "bag", "with", "pocket", "for", "summer", "gown"]
MAP = {word: n for n, word in enumerate(["nah", *WORDS], start=1)}
MAP |= {"<pad>": 0, "<unk>": 15804, "<start>": 15805, "<end>": 15806}
META = [
    {
        "id": 11,
        "description": "a red dress with pocket",
        "category": "dress",
        "categoryid": 7,
        "attr": ["nah", "red", "nah", "nah", "pocket"],
    },
    {
        "id": 12,
        "description": "blue bag",
        "category": "bag",
        "categoryid": 9,
        "attr": ["blue", "nah", "blue"],
    },
    {
        "id": 13,
        "description": "a blue dress with pocket for summer",
        "category": "dress",
        "categoryid": 7,
        "attr": ["nah", "blue", "nah", "nah", "pocket", "nah", "summer"],
    },
    {
        "id": 14,
        "description": "a red dress with bag",
        "category": "dress",
        "categoryid": 7,
        "attr": ["nah"] * 5,
    },
]
TEXTS = {
    "TRAIN": ["a red dress with pocket", "a red dress with pocket", "blue bag"],
    "VAL": ["summer gown for summer"],
    "TEST": ["a blue dress with pocket for", "a red dress with gown", "blue bag"],
}
NUMBERS = {"TRAIN": [7, [7], 9], "VAL": [4], "TEST": [7, 7, 9]}


def ids(text: str) -> list[int]:
    return [15805, *(MAP[word] for word in text.split()), 15806, 0, 0]


def pixels(rows: int) -> np.ndarray:
    return np.arange(rows * 3 * 4 * 5, dtype=np.uint8).reshape(rows, 3, 4, 5)


def put(path: Path, content: object) -> None:
    path.write_text(json.dumps(content))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A faultless folder: seven pictures of 5 x 4 pixels and four metadata items."""
    put(tmp_path / "WORDMAP.json", MAP)
    put(tmp_path / "meta_all_129927.json", META)
    for prefix, texts in TEXTS.items():
        with h5py.File(tmp_path / f"{prefix}_IMAGES.hdf5", "w") as file:
            file["images"] = pixels(len(texts))
        put(tmp_path / f"{prefix}_CAPTIONS.json", [ids(text) for text in texts])
        put(tmp_path / f"{prefix}_CATES.json", NUMBERS[prefix])
        put(
            tmp_path / f"{prefix}_ATTRS.json",
            [[MAP["red"], MAP["nah"]], *[[MAP["bag"]]] * (len(texts) - 1)],
        )
    return tmp_path


def kinds(root: Path, severity: str = "fault") -> list[str]:
    return list(fault_counts(facad.check(root), severity))


def test_items_are_rows_of_pictures_with_their_captions(root: Path) -> None:
    items = facad.items(root)
    assert items.columns.tolist() == [*ITEM_COLUMNS, "split"]
    assert items["split"].tolist() == ["train"] * 3 + ["validation"] + ["test"] * 3
    assert items["caption"].tolist() == [
        text for texts in TEXTS.values() for text in texts
    ]
    assert items["category"].tolist() == [
        "dress",
        "dress",
        "bag",
        "4",
        "dress",
        "dress",
        "bag",
    ]
    assert items["product_id"].tolist()[:3] == ["11", "11", "12"]
    assert (
        items["product_id"].str.startswith("caption-").tolist()
        == [False] * 3 + [True] + [False] * 3
    )
    assert (
        items["item_id"].is_unique
        and items["source"].eq("shop").all()
        and items["box"].isna().all()
    )
    np.testing.assert_array_equal(
        np.asarray(images.load(items["image"][1])), np.moveaxis(pixels(3)[1], 0, -1)
    )


def test_without_metadata_rows_of_a_caption_are_a_product_and_categories_stay_numbers(
    root: Path,
) -> None:
    (root / "meta_all_129927.json").unlink()
    items = facad.items(root)
    assert items["category"].tolist() == ["7", "7", "9", "4", "7", "7", "9"]
    products = items["product_id"].tolist()
    assert (
        products[0] == products[1]
        and products[2] == products[6]
        and len(set(products)) == 5
    )
    assert kinds(root, "note") == [
        "file missing",
        "attributes none of which is in the caption",
        "caption in train and test",
    ]


def test_captions_that_two_splits_share_are_counted(root: Path) -> None:
    report = facad.check(root)
    assert fault_counts(report, "note")["caption in train and test"] == 1
    assert report.counts["rows of a caption in train and test"] == 2  # "blue bag"
    assert not report.broken


def test_more_pictures_than_captions_names_the_release_that_fits(root: Path) -> None:
    for path in root.glob("TEST_*"):
        path.rename(path.with_name(f"{path.stem}_5{path.suffix}"))
    with h5py.File(root / "TEST_IMAGES_5.hdf5", "w") as file:
        file["images"] = pixels(4)
    says = "TEST_CAPTIONS_5.json: 3 for 4"
    with pytest.raises(ValueError, match=f"the release without _5 fits.*{says}"):
        facad.items(root)


def test_the_older_release_has_a_suffix(root: Path) -> None:
    expected = facad.items(root)
    for path in [*root.glob("*_*.json"), *root.glob("*.hdf5"), root / "WORDMAP.json"]:
        if not path.name.startswith("meta"):
            path.rename(path.with_name(f"{path.stem}_5{path.suffix}"))
    items = facad.items(root)
    assert items["image"].str.contains("_IMAGES_5.hdf5#", regex=False).all()
    same = [c for c in expected if c not in ("item_id", "image")]
    pd.testing.assert_frame_equal(items[same], expected[same])


def test_the_unknown_word_and_padding_are_no_words(root: Path) -> None:
    """A caption that lost a word keeps its metadata item: 5 of its 6 words are among
    the first 6.
    """
    put(
        root / "VAL_CAPTIONS.json",
        [[15805, *ids("a blue dress with")[1:5], 15804, *ids("for summer")[1:3], 1, 0]],
    )
    row = facad.items(root).iloc[3]
    assert (row["caption"], row["product_id"]) == ("a blue dress with for summer", "13")


def test_attributes_are_those_of_the_item_whose_text_overlaps_most(root: Path) -> None:
    table = facad.attributes(root)
    assert table["product_id"].tolist() == [
        "13",
        "11",
        "12",
    ]  # 11 and 14 share 4 of 5 words: the first wins
    np.testing.assert_allclose(table["overlap"], [6 / 6, 4 / 5, 2 / 2])
    assert table["attributes"].tolist() == [
        ("blue", "pocket", "summer"),
        ("red", "pocket"),
        ("blue",),
    ]
    assert table["shipped"].tolist() == [("red",), ("bag",), ("bag",)]


def test_more_of_the_repaired_attributes_stand_in_their_caption(root: Path) -> None:
    # blue, pocket of three; red of two; blue. Shipped: bag of red, bag, bag
    assert facad.repair(root) == {"shipped": 1 / 3, "attributes": (2 + 1 + 1) / 6}


def test_a_caption_that_shares_no_word_has_no_attributes(root: Path) -> None:
    put(root / "TEST_CAPTIONS.json", [ids("gown"), ids("blue bag"), [15805, 15806]])
    (root / "TEST_ATTRS.json").unlink()
    table = facad.attributes(root)
    assert table["product_id"].isna().tolist() == [True, False, True]
    assert table["attributes"].isna().tolist() == [True, False, True]
    assert table["shipped"].isna().all()


def test_attributes_need_metadata_and_test_pictures(root: Path) -> None:
    (root / "meta_all_129927.json").unlink()
    with pytest.raises(FileNotFoundError, match="meta_all_129927.json"):
        facad.attributes(root)
    (root / "TEST_IMAGES.hdf5").unlink()
    with pytest.raises(FileNotFoundError, match="TEST_IMAGES"):
        facad.attributes(root)


def naive(caption: str, texts: list[str]) -> tuple[int, float]:
    """Paper A's definition, all texts compared."""
    wanted, length, best = set(caption.lower().split()), len(caption.split()), (-1, 0.0)
    for row, text in enumerate(texts):
        share = len(wanted & set(text.lower().split()[:length])) / max(len(wanted), 1)
        if share > best[1]:
            best = row, share
    return best


SENTENCES = st.lists(
    st.lists(st.sampled_from("aABbcdefgh"), max_size=9).map(" ".join), max_size=12
)


@settings(max_examples=300, deadline=None)
@given(captions=SENTENCES, texts=SENTENCES)
def test_overlap_agrees_with_comparing_all_texts(
    captions: list[str], texts: list[str]
) -> None:
    rows, shares = overlap.closest(captions, texts)
    assert list(zip(rows.tolist(), shares.tolist(), strict=True)) == [
        naive(caption, texts) for caption in captions
    ]


def test_overlap_agrees_on_texts_with_common_and_rare_words() -> None:
    rng = np.random.default_rng(0)
    chances = 1 / np.arange(1, 301)
    drawn = [
        rng.choice(300, rng.integers(1, 30), p=chances / chances.sum())
        for _ in range(700)
    ]
    texts = [" ".join(f"w{n}" for n in words) for words in drawn]
    rows, shares = overlap.closest(texts[500:], texts[:500])
    assert list(zip(rows.tolist(), shares.tolist(), strict=True)) == [
        naive(text, texts[:500]) for text in texts[500:]
    ]


def test_overlap_refuses_what_is_no_caption() -> None:
    with pytest.raises(ValueError, match="1001 words, more than 1000"):
        overlap.closest(["w " * 1001], ["w"])


def rewrite(prefix: str = "TRAIN") -> Callable[[Callable], Callable]:
    """A fault made by writing another file of pictures."""
    return lambda fill: lambda root: _filled(root / f"{prefix}_IMAGES.hdf5", fill)


def _filled(path: Path, fill: Callable) -> None:
    path.unlink()
    with h5py.File(path, "w") as file:
        fill(file)


def cut(name: str) -> Callable[[Path], None]:
    return lambda root: (root / name).write_bytes((root / name).read_bytes()[:-3])


def remove(name: str) -> Callable[[Path], None]:
    return lambda root: (root / name).unlink()


def replace(name: str, content: object) -> Callable[[Path], None]:
    return lambda root: put(root / name, content)


SECRET = [("/etc/hostname", 0, 60)]
FAULTS = {
    "dataset missing": (
        "pictures can't be read",
        rewrite()(lambda f: f.create_dataset("pictures", data=pixels(3))),
    ),
    "floats": (
        "pictures can't be read",
        rewrite()(lambda f: f.create_dataset("images", data=pixels(3) / 255)),
    ),
    "objects": (
        "pictures can't be read",
        rewrite()(
            lambda f: f.create_dataset(
                "images", (3,), h5py.special_dtype(vlen=np.uint8)
            )
        ),
    ),
    "channels last": (
        "pictures can't be read",
        rewrite()(
            lambda f: f.create_dataset("images", data=np.moveaxis(pixels(3), 1, -1))
        ),
    ),
    "a group": (
        "pictures can't be read",
        rewrite()(lambda f: f.create_group("images")),
    ),
    "a link out": (
        "pictures can't be read",
        rewrite()(
            lambda f: f.__setitem__(
                "images", h5py.ExternalLink("../../TEST_IMAGES.hdf5", "images")
            )
        ),
    ),
    "stored elsewhere": (
        "pictures can't be read",
        rewrite()(
            lambda f: f.create_dataset(
                "images", (1, 3, 4, 5), np.uint8, external=SECRET
            )
        ),
    ),
    "giant": (
        "pictures can't be read",
        rewrite()(
            lambda f: f.create_dataset(
                "images", (3, 3, 30_000, 30_000), np.uint8, chunks=(1, 3, 256, 256)
            )
        ),
    ),
    "giant chunks": (
        "pictures can't be read",
        rewrite()(
            lambda f: f.create_dataset(
                "images", (10_000, 3, 256, 256), np.uint8, chunks=(10_000, 3, 256, 256)
            )
        ),
    ),
    "0 rows": (
        "0 rows",
        rewrite()(lambda f: f.create_dataset("images", data=pixels(0))),
    ),
    "cut short": ("pictures can't be read", cut("TRAIN_IMAGES.hdf5")),
    "pictures missing": (
        "rows differ from pictures",
        rewrite()(lambda f: f.create_dataset("images", data=pixels(2))),
    ),
    "captions missing": ("file missing", remove("TRAIN_CAPTIONS.json")),
    "captions cut": ("JSON can't be read", cut("TRAIN_CAPTIONS.json")),
    "captions no list": (
        "JSON can't be read",
        replace("TRAIN_CAPTIONS.json", {"0": ids("bag")}),
    ),
    "a caption of text": (
        "no list of word ids",
        replace("TRAIN_CAPTIONS.json", [ids("bag"), "a bag", ids("bag")]),
    ),
    "a wrong id": (
        "word id not in the word map",
        replace("TRAIN_CAPTIONS.json", [ids("bag"), [99], ids("bag")]),
    ),
    "nested": (
        "JSON can't be read",
        lambda root: (root / "TRAIN_CAPTIONS.json").write_text("[" * 99_999),
    ),
    "too few categories": (
        "rows differ from pictures",
        replace("TRAIN_CATES.json", [7, 7]),
    ),
    "a category of text": (
        "no category number",
        replace("TRAIN_CATES.json", [7, "../../x", 9]),
    ),
    "word map missing": ("file missing", remove("WORDMAP.json")),
    "word map no map": ("JSON can't be read", replace("WORDMAP.json", WORDS)),
    "word map broken": ("JSON can't be read", cut("WORDMAP.json")),
    "item without id": (
        "metadata item without id",
        replace("meta_all_129927.json", [{**META[0], "id": None}]),
    ),
    "id twice": (
        "metadata id twice",
        replace("meta_all_129927.json", [META[0], META[0]]),
    ),
    "attr of text": (
        "metadata item whose attr is no list of words",
        replace("meta_all_129927.json", [{**META[0], "attr": "red"}]),
    ),
    "metadata cut": ("JSON can't be read", cut("meta_all_129927.json")),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_hostile_folder_is_refused_and_its_fault_is_listed(
    root: Path, name: str
) -> None:
    kind, spoil = FAULTS[name]
    spoil(root)
    with pytest.raises((ValueError, FileNotFoundError), match=kind) as raised:
        facad.items(root)
    assert kind in kinds(root)
    assert isinstance(raised.value, FileNotFoundError) == (kind == "file missing")


def test_a_link_to_another_file_is_not_followed_when_a_picture_is_opened(
    root: Path,
) -> None:
    FAULTS["a link out"][1](root)
    with pytest.raises(ValueError, match="no dataset 'images' of its own"):
        images.load(f"{root / 'TRAIN_IMAGES.hdf5'}#0")


def test_check_never_stops_at_the_first_fault(root: Path) -> None:
    for name in ("floats", "a wrong id", "a category of text", "id twice"):
        FAULTS[name][1](root)
    (root / "TEST_CAPTIONS.json").unlink()
    expected = {
        FAULTS[name][0]
        for name in ("floats", "a wrong id", "a category of text", "id twice")
    }
    assert expected | {"file missing"} <= set(kinds(root))


def test_a_faultless_folder_has_no_faults_and_its_counts(root: Path) -> None:
    report = facad.check(root)
    assert not report.broken
    assert report.counts == {
        "rows": 7,
        "distinct captions": 5,
        "metadata items": 4,
        "rows of a caption in train and test": 2,
    }
    kind = "attributes none of which is in the caption"
    (wrong,) = [fault for fault in report.faults if fault.kind == kind]
    assert (wrong.count, wrong.examples) == (
        4,
        ("TRAIN_IMAGES-1", "VAL_IMAGES-0", "TEST_IMAGES-0"),
    )


def test_notes_of_what_is_normal(root: Path) -> None:
    put(root / "VAL_CAPTIONS.json", [[15805, 15806, 0]])
    put(
        root / "meta_all_129927.json",
        [*META, {"id": "x", "attr": [], "description": None}],
    )
    (root / "TRAIN_IMAGES.hdf5").unlink()
    report = facad.check(root)
    assert not report.broken
    assert {
        "split missing",
        "caption without words",
        "metadata item without description",
    } <= set(kinds(root, "note"))
    assert facad.items(root)["caption"].isna().tolist() == [True, False, False, False]


def test_words_that_no_table_can_hold_are_replaced(root: Path) -> None:
    (root / "WORDMAP.json").write_text(json.dumps(MAP).replace('"bag"', '"b\\ud800g"'))
    assert facad.items(root)["caption"][2] == "blue b?g"


def test_an_empty_folder_is_named(tmp_path: Path) -> None:
    assert layouts.candidates(tmp_path) == []
    with pytest.raises(FileNotFoundError, match=r"TRAIN\|VAL\|TEST_IMAGES.*hdf5"):
        facad.items(tmp_path)
    assert kinds(tmp_path) == ["file missing"]
    with pytest.raises(FileNotFoundError, match="no folder"):
        facad.check(tmp_path / "nowhere")


def test_the_layout_is_recognised(root: Path) -> None:
    assert layouts.candidates(root) == ["facad"]


WHOLE = st.integers(-(2**53), 2**53)
VALUES = st.lists(
    st.one_of(WHOLE, st.text(), st.lists(WHOLE, max_size=3)),
    max_size=20,
)


@settings(max_examples=100, deadline=None)
@given(values=VALUES, indent=st.sampled_from([None, 1]))
def test_elements_of_a_list_are_read_piece_by_piece(
    tmp_path_factory, values: list, indent: int | None
) -> None:
    path = tmp_path_factory.mktemp("json") / "list.json"
    path.write_text(json.dumps(values, indent=indent))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jsonfile, "CHUNK", 5)
        assert list(jsonfile.elements(path)) == values
        if values:
            path.write_text(json.dumps(values, indent=indent).rstrip("] \n"))
            with pytest.raises(ValueError, match="broken, or the file is cut short"):
                list(jsonfile.elements(path))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Grey pictures instead of drawn ones, each of its own shade."""

    def grey(
        garment: Garment, colour: str, rng: np.random.Generator, size: tuple[int, int]
    ) -> Image.Image:
        return Image.new("RGB", size, (int(rng.integers(256)),) * 3)

    def worn(*given: object) -> tuple[Image.Image, tuple[int, int, int, int]]:
        return grey(*given), (0, 0, 1, 1)

    monkeypatch.setattr(
        layout, "views", SimpleNamespace(flat=grey, detail=grey, consumer=worn)
    )


@pytest.mark.parametrize(("count", "seed"), [(1, 0), (2, 3), (30, 1), (300, 2)])
def test_the_wardrobe_comes_back(
    tmp_path: Path, quick: None, count: int, seed: int
) -> None:
    truth = wardrobe.articles(count, seed)
    layout.write(tmp_path, truth, seed, size=(24, 24))
    items, meta = (
        facad.items(tmp_path),
        json.loads((tmp_path / facad_files.METADATA).read_text()),
    )
    texts = [entry["description"] for entry in meta]
    pictures = (2 * truth.groupby("product_id").size() + 1).to_dict()
    told = {int(product): pictures[product] for product in pictures}
    assert len(items) == sum(told.values())
    assert [entry["id"] for entry in meta] == list(told)
    expected = [meta[naive(text, texts)[0]]["id"] for text in items["caption"]]
    assert items["product_id"].astype(int).tolist() == expected
    if len(set(texts)) == len(texts):
        assert items["product_id"].astype(int).value_counts().to_dict() == told
    category = (
        truth.assign(product=truth["product_id"].astype(int))
        .drop_duplicates("product")
        .set_index("product")
    )
    assert items["category"].tolist() == category["subcategory"].loc[expected].tolist()
    assert not facad.check(tmp_path).broken
    assert images.load(items["image"].iloc[-1]).size == (24, 24)


def test_the_wardrobes_shipped_attributes_are_wrong_and_the_repair_finds_the_true(
    tmp_path: Path, quick: None
) -> None:
    truth = wardrobe.articles(80, 5)
    layout.write(tmp_path, truth, 5, size=(8, 8))
    table = facad.attributes(tmp_path)
    meta = {
        str(e["id"]): e["attr"]
        for e in json.loads((tmp_path / facad_files.METADATA).read_text())
    }
    true = [
        tuple(dict.fromkeys(w for w in meta[p] if w != "nah"))
        for p in table["product_id"]
    ]
    assert table["attributes"].tolist() == true
    assert table["overlap"].eq(1).all()
    assert (table["shipped"] != table["attributes"]).mean() > 0.8
    said = [
        set(words) <= set(text.split())
        for words, text in zip(true, table["caption"], strict=True)
    ]
    assert all(said) and any(true)


def test_the_wardrobe_has_the_same_bytes_for_the_same_seed(tmp_path: Path) -> None:
    """With drawn pictures."""
    truth = wardrobe.articles(4, 0)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        layout.write(tmp_path / name, truth, 0, size=(32, 32))
    assert images.square(facad.items(tmp_path / "one")["image"][0], 32).std() > 1
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()

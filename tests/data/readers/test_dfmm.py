"""DeepFashion-MultiModal: a fixture written here with known answers, hostile versions
of it, and the wardrobe's.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from edits import edit, fault_counts
from PIL import Image

import wardrobe
from fashionlib.data import images
from fashionlib.data.items import ITEM_COLUMNS
from fashionlib.data.readers import dfmm
from wardrobe.layouts import dfmm as writer
from wardrobe.words import STYLES

JEANS = "MEN-Denim-id_00000080-01_7_additional.jpg"
DRESS = "WOMEN-Dresses-id_00000081-02_1_front.jpg"
COAT = "WOMEN-Jackets_Coats-id_00000082-01_4_full.jpg"
CAPTIONS = {
    JEANS: "The pants are long.",
    DRESS: "A dress, striped – short.",
    COAT: "  ",
}
SHAPES = f"{JEANS} 5 3 0 0 0 0 1 0 1 2 2 1\n{DRESS} 0 4 3 2 4 2 2 2 4 3 2 2\n"
FABRICS = f"{JEANS} 1 0 7\n{DRESS} 5 7 7\n{COAT} 1 7 2\n"
PATTERNS = f"{JEANS} 1 3 7\n{DRESS} 2 7 7\n{COAT} 3 7 4\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three captions, one of blanks; two shapes; two pictures, and a third without a
    caption.
    """
    (tmp_path / "images").mkdir()
    for file in (JEANS, COAT, JEANS.replace("_7_", "_1_")):
        Image.fromarray(
            np.random.default_rng(0).integers(0, 255, (30, 20, 3), dtype=np.uint8)
        ).save(tmp_path / "images" / file)
    for name, text in (
        (dfmm.SHAPES, SHAPES),
        (dfmm.FABRICS, FABRICS),
        (dfmm.PATTERN_FILE, PATTERNS),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "captions.json").write_text(json.dumps(CAPTIONS))
    return tmp_path


def test_items_are_the_captions_in_file_order(root: Path) -> None:
    items = dfmm.items(root)
    assert items.columns.tolist() == ITEM_COLUMNS
    assert items["item_id"].tolist() == [file.removesuffix(".jpg") for file in CAPTIONS]
    assert items["product_id"].tolist() == ["id_00000080", "id_00000081", "id_00000082"]
    assert items["group"].tolist() == ["MEN", "WOMEN", "WOMEN"]
    assert items["category"].tolist() == ["Denim", "Dresses", "Jackets_Coats"]
    assert items["caption"].tolist()[:2] == list(CAPTIONS.values())[:2] and pd.isna(
        items["caption"][2]
    )
    assert items["pattern"].tolist() == [
        "pure color",
        "striped",
        "lattice",
    ]  # lower, upper, outer clothing
    assert (
        items["source"].eq("shop").all()
        and items["box"].isna().all()
        and items["colour"].isna().all()
    )
    assert items["image"].isna().tolist() == [False, True, False]
    assert images.load(items["image"][0]).size == (20, 30)


def test_items_need_no_annotations(root: Path) -> None:
    (root / dfmm.PATTERN_FILE).unlink()
    assert dfmm.items(root)["pattern"].isna().all()


def test_annotations_are_the_readmes_words_and_missing_ones_stay_missing(
    root: Path,
) -> None:
    table = dfmm.annotations(root).set_index("item_id")
    assert len(table.columns) == 12 + 3 + 3
    jeans, dress, coat = (
        table.loc[file.removesuffix(".jpg")] for file in (JEANS, DRESS, COAT)
    )
    assert (
        jeans["sleeve length"] == "NA"
        and jeans["lower clothing length"] == "long"
        and jeans["socks"] == "no"
    )
    assert jeans["waist accessories"] == "belt" and jeans["neckline"] == "round"
    assert dress["sleeve length"] == "sleeveless" and dress["neckline"] == "standing"
    assert jeans[["upper fabric", "lower fabric", "outer fabric"]].tolist() == [
        "cotton",
        "denim",
        "NA",
    ]
    assert coat["outer fabric"] == "leather" and coat["outer pattern"] == "lattice"
    assert coat[list(dfmm.SHAPE)].isna().all()


def test_check_reports_what_lacks_and_what_is_too_many(root: Path) -> None:
    assert fault_counts(dfmm.check(root)) == {"empty caption": 1, "image missing": 1}
    assert fault_counts(dfmm.check(root), "note") == {
        "caption without annotation": 1,
        "image without a row": 1,
    }
    assert dfmm.check(root).counts["annotated in shape_anno_all.txt"] == 2


def test_a_number_without_a_name_is_missing_and_noted(root: Path) -> None:
    edit(root / dfmm.SHAPES, "1 0 1 2 2 1", "1 0 1 7 2 1")
    assert pd.isna(dfmm.annotations(root)["neckline"][0])
    report = dfmm.check(root)
    assert any(
        "shape_anno_all.txt line 1: neckline 7" in f.examples[0] for f in report.faults
    )


HOSTILE: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "climbing": (
        lambda r: edit(r / "captions.json", JEANS, "../../x.jpg"),
        "path climbs out",
        "x.jpg",
    ),
    "absolute": (
        lambda r: edit(r / "captions.json", JEANS, "/etc/x.jpg"),
        "path climbs out",
        "x.jpg",
    ),
    "backslash": (
        lambda r: edit(r / "captions.json", JEANS, r"..\\x.jpg"),
        "path climbs out",
        "x.jpg",
    ),
    "climbing annotation": (
        lambda r: edit(r / dfmm.PATTERN_FILE, JEANS, "../x.jpg"),
        "path climbs out",
        "line 1",
    ),
    "other name": (
        lambda r: edit(r / "captions.json", JEANS, "jeans.jpg"),
        "name is not GENDER",
        "jeans.jpg",
    ),
    "key twice": (
        lambda r: edit(r / "captions.json", DRESS, JEANS),
        "JSON can't be read",
        JEANS,
    ),
    "no text": (
        lambda r: edit(r / "captions.json", '"The pants are long."', "7"),
        "caption is no text",
        JEANS,
    ),
    "broken JSON": (
        lambda r: edit(r / "captions.json", "}", ""),
        "JSON can't be read",
        "captions.json",
    ),
    "a list": (
        lambda r: (r / "captions.json").write_text("[]"),
        "JSON can't be read",
        "list",
    ),
    "deep": (
        lambda r: (r / "captions.json").write_text("[" * 100_000),
        "JSON can't be read",
        "recursion",
    ),
    "missing field": (
        lambda r: edit(r / dfmm.PATTERN_FILE, " 2 7 7", " 2 7"),
        "wrong number of fields",
        "line 2: 3",
    ),
    "no number": (
        lambda r: edit(r / dfmm.PATTERN_FILE, " 2 7 7", " 2 7 x"),
        "not whole numbers",
        "line 2",
    ),
    "line twice": (
        lambda r: edit(r / dfmm.PATTERN_FILE, DRESS, JEANS),
        "image annotated twice",
        "line 2",
    ),
    "not UTF-8": (
        lambda r: (r / dfmm.PATTERN_FILE).write_bytes(b"\xff\xfe 1 2 3"),
        "file can't be read",
        "utf-8",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_folder_is_refused_and_listed(root: Path, name: str) -> None:
    harm, kind, example = HOSTILE[name]
    harm(root)
    with pytest.raises(ValueError, match=kind) as error:
        dfmm.items(root)
    assert example in str(error.value) and "fashionlib check" in str(error.value)
    listed = [f for f in dfmm.check(root).faults if f.kind.startswith(kind)]
    assert len(listed) == 1 and example in listed[0].examples[0]


def test_nothing_is_an_error(root: Path) -> None:
    (root / "captions.json").write_text("{}")
    with pytest.raises(ValueError, match="0 rows"):
        dfmm.items(root)
    (root / "captions.json").unlink()
    with pytest.raises(FileNotFoundError, match="captions.json"):
        dfmm.items(root)
    assert fault_counts(dfmm.check(root))["file missing"] == 1
    with pytest.raises(FileNotFoundError, match="is no folder"):
        dfmm.check(root / "none")


def test_check_never_stops_at_the_first(root: Path) -> None:
    edit(root / "captions.json", DRESS, "../x.jpg")
    edit(root / dfmm.PATTERN_FILE, " 2 7 7", " 2 7")
    (root / dfmm.FABRICS).unlink()
    (root / "images" / JEANS).write_bytes((root / "images" / JEANS).read_bytes()[:-9])
    assert fault_counts(dfmm.check(root)) == {
        "path climbs out of the folder": 1,
        "wrong number of fields": 1,
        "file missing": 1,
        "empty caption": 1,
        "broken image": 1,
    }


def test_the_wardrobe_is_read_back(
    photographed: list, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(
        STYLES, "manual", lambda garment, colour, rng: f"{garment.subcategory} {colour}"
    )
    for count, seed in ((1, 0), (30, 1), (90, 2)):
        root = tmp_path / str(count)
        root.mkdir()
        truth = wardrobe.articles(count, seed)
        worn = truth[truth["category"] != "accessory"]
        writer.write(root, truth, seed, (16, 24))
        items, annotations = dfmm.items(root), dfmm.annotations(root)
        assert len(items) == 3 * len(worn) and items["item_id"].is_unique
        assert items["product_id"].tolist() == [
            f"id_0{p}" for p in worn["product_id"] for _ in range(3)
        ]
        assert items["caption"].tolist() == [
            f"{r.subcategory} {r.colour}" for r in worn.itertuples() for _ in range(3)
        ]
        assert all(images.size(image) == (16, 24) for image in items["image"])
        said = annotations.set_index("item_id").loc[items["item_id"]].iloc[::3]
        for row, (_, words) in zip(
            worn.to_dict("records"), said.iterrows(), strict=True
        ):
            assert words.to_dict() == writer.annotation(row)
        assert annotations["sleeve length"].isna().sum() == len(
            worn
        )  # details have no shape
        assert not dfmm.check(root).broken


def test_what_the_schema_says_in_the_datasets_words() -> None:
    truth = wardrobe.articles(300, 3)
    first = truth.groupby("subcategory").first()
    shirt, jeans, coat = (
        {"subcategory": k, **first.loc[k].to_dict()}
        for k in ("shirt", "baggy pants", "coat")
    )
    shirt |= {
        "index": "F",
        "fabric": "linen",
        "pattern": "check",
        "sleeve_length": "short",
        "total_length": "waist",
    }
    words = writer.annotation(shirt)
    assert writer.group_and_category(shirt) == ("MEN", "Shirts_Polos")
    assert {a: w for a, w in words.items() if w != "NA"} == {
        "sleeve length": "short-sleeve",
        "neckline": "lapel",
        "upper clothing covering navel": "yes",
        "upper fabric": "other",
        "upper pattern": "lattice",
    }
    jeans |= {"index": "A", "fabric": "denim", "total_length": "floor"}
    assert writer.group_and_category(jeans) == ("WOMEN", "Denim")
    assert writer.annotation(jeans)["lower clothing length"] == "long"
    assert writer.annotation(jeans)["lower fabric"] == "denim"
    assert writer.annotation(coat | {"fabric": "fur"})["outer fabric"] == "furry"
    assert writer.annotation(coat)["outer clothing a cardigan?"] == "no"


def test_all_categories_are_the_datasets() -> None:
    known = {
        "MEN": {
            "Denim",
            "Jackets_Vests",
            "Pants",
            "Shirts_Polos",
            "Shorts",
            "Suiting",
            "Sweaters",
            "Sweatshirts_Hoodies",
            "Tees_Tanks",
        },
        "WOMEN": {
            "Blouses_Shirts",
            "Cardigans",
            "Denim",
            "Dresses",
            "Graphic_Tees",
            "Jackets_Coats",
            "Leggings",
            "Pants",
            "Rompers_Jumpsuits",
            "Shorts",
            "Skirts",
            "Sweaters",
            "Sweatshirts_Hoodies",
            "Tees_Tanks",
        },
    }
    truth = wardrobe.articles(1500, 4)
    for row in truth[truth["category"] != "accessory"].to_dict("records"):
        for index in "AF":
            group, category = writer.group_and_category(row | {"index": index})
            assert category in known[group]

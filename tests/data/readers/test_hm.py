"""The H&M reader, Paper A's filter and split recipe, and the check of a folder, on
tables written here.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.model_selection import train_test_split

from fashionlib.data import images
from fashionlib.data.items import ITEM_COLUMNS, TRANSACTION_COLUMNS, split_items
from fashionlib.data.readers import hm

ROWS = [
    ("0108775015", "Jersey top."),
    ("0108775044", "Jersey top."),
    ("0110065001", None),
    ("0111565001", "Tights."),
]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A faultless folder: four articles, three pictures, three purchases."""
    names = {
        "product_type_name": "Top",
        "product_group_name": "Upper",
        "colour_group_name": "Black",
        "graphical_appearance_name": "Solid",
    }
    articles = pd.DataFrame(
        [{"article_id": i, "detail_desc": text, **names} for i, text in ROWS]
    )
    articles.to_csv(tmp_path / "articles.csv", index=False)
    bought = [
        ("2020-09-16", "a" * 64, "0108775015"),
        ("2020-09-16", "b" * 64, "0111565001"),
        ("2020-09-17", "a" * 64, "0108775015"),
    ]
    table = pd.DataFrame(bought, columns=["t_dat", "customer_id", "article_id"])
    table.to_csv(tmp_path / "transactions_train.csv", index=False)
    (tmp_path / "customers.csv").write_text("customer_id\n")
    for item in ("0108775015", "0108775044", "0111565001"):
        path = tmp_path / "images" / item[:3] / f"{item}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(
            np.random.default_rng(0).integers(0, 255, (30, 20, 3), dtype=np.uint8)
        ).save(path)
    return tmp_path


def items_of(products: list[int], **columns: object) -> pd.DataFrame:
    ids = [f"{p:07d}{n:03d}" for n, p in enumerate(products)]
    return pd.DataFrame({"item_id": ids, "product_id": [i[:7] for i in ids], **columns})


def test_items_are_read_in_file_order_with_ids_as_text(root: Path) -> None:
    items = hm.items(root)
    assert items.columns.tolist() == ITEM_COLUMNS
    assert items["item_id"].tolist() == [i for i, _ in ROWS]
    assert items["product_id"].tolist() == ["0108775", "0108775", "0110065", "0111565"]
    assert items["caption"].isna().tolist() == [False, False, True, False]
    assert items["image"].isna().tolist() == [False, False, True, False]
    assert all(
        Path(p).is_absolute() and Path(p).is_file() for p in items["image"].dropna()
    )
    assert hm.items(root, images=False)["image"].isna().all()


def test_captions_that_look_like_missing_values_stay_text(root: Path) -> None:
    path = root / "articles.csv"
    path.write_text(path.read_text().replace("Tights.", "NA"))
    assert hm.items(root)["caption"][3] == "NA"


def test_transactions_are_read_in_file_order(root: Path) -> None:
    bought = hm.transactions(root)
    assert bought.columns.tolist() == TRANSACTION_COLUMNS
    assert bought["item_id"].tolist() == ["0108775015", "0111565001", "0108775015"]
    assert bought["date"].dt.strftime("%d").tolist() == ["16", "16", "17"]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("0111565001", "111565001", "1 x article id not of 10 digits"),
        ("0108775044", "0108775015", "1 x article id twice: '0108775015'"),
        ("detail_desc", "text", "column missing: 'articles.csv: detail_desc'"),
    ],
)
def test_items_refuses_what_would_fail_silently(
    root: Path, old: str, new: str, says: str
) -> None:
    path = root / "articles.csv"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(ValueError, match=says):
        hm.items(root)


def test_transactions_refuses_a_wrong_date_by_its_line(root: Path) -> None:
    path = root / "transactions_train.csv"
    path.write_text(path.read_text().replace("2020-09-17", "17.09.2020"))
    with pytest.raises(ValueError, match="1 x date .* line 4: 17.09.2020"):
        hm.transactions(root)


def test_a_line_of_another_length_is_a_fault_with_line_and_content(root: Path) -> None:
    path = root / "articles.csv"
    lines = path.read_text().splitlines()
    lines[3] = "0110065001,Red dress, long,264,Upper,Black,Solid"
    path.write_text("\n".join([*lines[:3], "", *lines[3:]]))
    kind = "line with another number of fields than the header"
    (fault,) = [f for f in hm.check(root).faults if f.kind == kind]
    assert fault.count == 1 and "line 5: 7 fields for 6: 0110065" in fault.examples[0]
    with pytest.raises(ValueError, match="another number of fields.*Red dress, long"):
        hm.items(root)


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("2020-09-17", "2020-9-17", "date not YYYY-MM-DD"),
        ("a" * 64, "a\tb", "customer_id is empty or has a tab or line break"),
        (
            "0111565001",
            "011156\t5001",
            "article_id is empty or has a tab or line break",
        ),
        ("b" * 64, "", "customer_id is empty or has a tab or line break"),
    ],
)
def test_check_refuses_what_split_purchases_refuses(
    root: Path, old: str, new: str, kind: str
) -> None:
    path = root / "transactions_train.csv"
    path.write_text(path.read_text().replace(old, new))
    (fault,) = [f for f in hm.check(root).faults if f.kind == kind]
    line = fault.examples[0].removeprefix("transactions_train.csv ").split(":")[0]
    with pytest.raises(ValueError, match=f"{line}: {kind}"):
        hm.read_transactions(path)
    with pytest.raises(ValueError, match=kind):
        hm.transactions(root)


def test_zeros_that_a_spreadsheet_took_are_given_back_and_said(
    root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    items, bought = hm.items(root), hm.transactions(root)
    for name, end in (("articles.csv", ".0"), ("transactions_train.csv", "")):
        text = (root / name).read_text()
        (root / name).write_text(re.sub("0(1[0-9]{8})", rf"\g<1>{end}", text))
    pd.testing.assert_frame_equal(hm.items(root), items)
    pd.testing.assert_frame_equal(hm.transactions(root), bought)
    assert caplog.text.count("given the zeros back") == 2
    report = hm.check(root)
    assert not report.broken and "given the zeros back" in str(report)
    table = pd.read_csv(root / "transactions_train.csv")
    table.to_parquet(root / "bought.parquet")  # article_id is int64
    read = hm.read_transactions(root / "bought.parquet")
    assert read["item_id"].tolist() == bought["item_id"].tolist()


def test_pictures_of_any_suffix_and_folder_are_found(root: Path) -> None:
    images, expected = root / "images", hm.items(root)["image"]
    old = images / "010" / "0108775015.jpg"
    (images / "new" / "deep").mkdir(parents=True)
    old.rename(images / "new" / "deep" / "0108775015.JPG")
    found = hm.items(root)["image"]
    assert found[0].endswith("images/new/deep/0108775015.JPG")
    assert found[1:].tolist()[0] == expected[1]
    (images / "010" / "0108775044.jpeg").write_bytes(b"")  # Kaggle's place wins
    assert hm.items(root)["image"][1] == expected[1]


def test_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="articles.csv"):
        hm.items(tmp_path)


def test_filter_counts_what_each_step_removed() -> None:
    category = ["Top"] * 8 + ["Dog Wear"] * 7 + ["Tie"] * 7
    items = items_of(list(range(22)), category=category, caption="text", image="x.jpg")
    items.loc[[0], "caption"] = None
    items.loc[[15], "image"] = None  # leaves six ties, below the minimum of seven
    kept, steps = hm.filter_captioned(items)
    assert kept["category"].tolist() == ["Top"] * 7
    assert kept.index.tolist() == list(range(7))
    assert steps["rows"].tolist() == [22, 21, 20, 14, 7]
    assert steps["removed"].tolist() == [0, 1, 1, 6, 7]
    unseen, steps = hm.filter_captioned(items, images=False)
    assert unseen["category"].value_counts().to_dict() == {"Top": 7, "Tie": 7}
    assert len(steps) == 4


@pytest.mark.parametrize("seed", [42, 7])
def test_article_split_is_the_published_recipe_to_the_row(seed: int) -> None:
    items = items_of(list(range(1, 208)))
    shuffled = items.sample(frac=1, random_state=seed)  # Paper A's recipe, transcribed
    train, rest = train_test_split(shuffled, test_size=0.2, random_state=seed)
    validation, test = train_test_split(rest, test_size=0.5, random_state=seed)
    split = split_items(items, by="article", seed=seed)
    assert split["item_id"].tolist() == items["item_id"].tolist()
    for name, part in {"train": train, "validation": validation, "test": test}.items():
        assert set(split.loc[split["split"] == name, "item_id"]) == set(part["item_id"])


def test_product_split_never_divides_a_product() -> None:
    items = items_of(np.random.default_rng(0).integers(1, 120, 400).tolist())
    split = split_items(items, by="product")
    assert split.groupby("product_id")["split"].nunique().max() == 1
    assert set(split["split"]) == {"train", "validation", "test"}
    products = split.drop_duplicates("product_id")["split"].value_counts()
    assert products["test"] + products["validation"] == -(
        -len(set(items["product_id"])) // 5
    )  # a fifth, rounded up
    assert (
        split_items(items, by="article").groupby("product_id")["split"].nunique().max()
        > 1
    )


def test_caption_split_never_divides_a_caption_and_keeps_the_silent() -> None:
    captions = [f"text {n % 40}" for n in range(200)] + [None] * 30
    items = items_of(list(range(230)), caption=captions)
    split = split_items(items, by="caption")
    assert (
        split.dropna(subset=["caption"]).groupby("caption")["split"].nunique().max()
        == 1
    )
    assert (
        len(split) == 230 and split.loc[200:, "split"].nunique() > 1
    )  # no caption: each on its own


def test_split_refuses_what_it_cannot_do() -> None:
    with pytest.raises(ValueError, match="9 articles"):
        split_items(items_of(list(range(9))))
    with pytest.raises(ValueError, match="unknown split 'colour'"):
        split_items(items_of(list(range(20))), by="colour")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="3 products"):
        split_items(items_of([1, 2, 3] * 5), by="product")


def test_check_of_a_good_folder_has_only_notes(root: Path) -> None:
    report = hm.check(root)
    assert not report.broken
    assert {f.kind: f.count for f in report.faults} == {
        "article without caption": 1,
        "article without image": 1,
    }
    assert report.counts["articles"] == 4 and report.counts["captions"] == 3
    assert (
        report.counts["purchases"] == 3 and report.counts["customers who bought"] == 2
    )
    assert report.counts["last day"] == "2020-09-17"


def test_check_finds_every_planted_fault_in_one_go(root: Path) -> None:
    articles, bought, images = (
        root / "articles.csv",
        root / "transactions_train.csv",
        root / "images",
    )
    text = (
        articles.read_text()
        .replace("0111565001", "111565001")
        .replace("0108775044", "0108775015")
    )
    articles.write_text(
        text.replace("Jersey top.", "  ", 1).replace("colour_group_name", "color")
    )
    bought.write_text(
        bought.read_text()
        .replace("2020-09-17", "2020-13-17")
        .replace("0111565001", "0999999999")
    )
    whole = (images / "010" / "0108775015.jpg").read_bytes()
    (images / "010" / "0108775015.jpg").write_bytes(whole[:-20])
    (images / "010" / "0108775044.jpg").write_bytes(b"<html>not found</html>")
    (images / "011" / "photo.png").write_bytes(b"")
    report = hm.check(root)
    found = {f.kind: (f.count, f.severity) for f in report.faults}
    assert found == {
        "column missing": (1, "fault"),
        "article id not of 10 digits (a leading zero lost?)": (1, "fault"),
        "article id twice": (1, "fault"),
        "article without caption": (1, "note"),
        "caption of blanks": (1, "fault"),
        "article without image": (1, "note"),
        "image without article": (2, "note"),
        "file under images/ that is no article's picture <10 digits>.jpg, or a link": (
            1,
            "note",
        ),
        "broken image": (2, "fault"),
        "purchase of an unknown article": (1, "fault"),
        "date not YYYY-MM-DD": (1, "fault"),
    }
    assert report.broken and "0108775015: cut short" in str(report)


def test_check_refuses_an_image_of_more_than_fifty_megapixels(root: Path) -> None:
    path = root / "images" / "010" / "0108775015.jpg"
    data = bytearray(path.read_bytes())
    start = data.index(
        b"\xff\xc0"
    )  # the frame header: marker, length (2), precision, height (2), width (2)
    data[start + 5 : start + 9] = (9000).to_bytes(2, "big") * 2
    path.write_bytes(data)
    (fault,) = [f for f in hm.check(root).faults if f.kind == "broken image"]
    assert fault.examples == (
        "0108775015: 9000 x 9000 pixels, more than 50 megapixels",
    )


def test_check_of_an_empty_folder_names_what_is_missing(tmp_path: Path) -> None:
    report = hm.check(tmp_path)
    missing = {(e, f.severity) for f in report.faults for e in f.examples}
    assert missing >= {
        ("articles.csv", "fault"),
        ("transactions_train.csv", "fault"),
        ("images/", "fault"),
        ("customers.csv", "note"),
    }
    with pytest.raises(FileNotFoundError, match="no folder"):
        hm.check(tmp_path / "nowhere")


def test_check_survives_a_table_that_is_no_text(root: Path) -> None:
    (root / "transactions_train.csv").write_bytes(b"\xff\xfe\x00\x81" * 100)
    (root / "articles.csv").write_text("")
    (fault,) = [f for f in hm.check(root).faults if f.kind == "table can't be read"]
    assert fault.count == 2
    assert "the file is empty" in fault.examples[0]
    assert "UTF-16" in fault.examples[1]


def test_reader_and_wardrobe_are_light() -> None:
    code = (
        "import sys, fashionlib.data.readers.hm, wardrobe; assert not {'torch',"
        " 'sklearn'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_tables_without_rows_in_another_encoding_or_with_a_mark(root: Path) -> None:
    path = root / "articles.csv"
    text = path.read_text()
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())  # as a spreadsheet saves it
    assert (
        hm.items(root)["item_id"].tolist() == [i for i, _ in ROWS]
        and not hm.check(root).broken
    )
    path.write_bytes(text.replace("Jersey", "Piqué").encode("latin-1"))
    with pytest.raises(ValueError, match="can't be read.*articles.csv.*utf-8"):
        hm.items(root)
    assert hm.check(root).broken
    path.write_text(text.splitlines()[0] + "\n")
    with pytest.raises(ValueError, match="0 rows: 'articles.csv'"):
        hm.items(root)
    assert "0 rows" in {f.kind for f in hm.check(root).faults if f.severity == "fault"}


def test_a_pipe_or_a_device_is_no_picture(root: Path) -> None:
    path = root / "images" / "010" / "0108775015.jpg"
    path.unlink()
    os.mkfifo(path)
    (fault,) = [f for f in hm.check(root).faults if f.kind == "broken image"]
    assert fault.examples == ("0108775015: no regular file",)
    with pytest.raises(ValueError, match=r"0108775015\.jpg: no regular file"):
        images.load(path)


def test_a_link_is_no_picture_but_the_folder_may_be_one(
    root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    path = root / "images" / "010" / "0108775015.jpg"
    path.rename(outside / "mine.jpg")
    path.symlink_to(outside / "mine.jpg")
    assert hm.items(root)["image"].isna().tolist() == [True, False, True, False]
    assert any("or a link" in f.kind and f.count == 1 for f in hm.check(root).faults)
    (root / "images").rename(outside / "images")
    (root / "images").symlink_to(outside / "images")
    assert hm.items(root)["image"].isna().tolist() == [True, False, True, False]

"""Tables as people bring them: what is missing, which line is wrong, ids as text."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from fashionlib.data import tables
from fashionlib.data.tables import read_table

HEADER = "item_id,image,caption,category"


def write(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_only_an_empty_field_is_missing(tmp_path: Path) -> None:
    words = ["NA", "None", "N/A", "null", "nan", "", "-"]
    rows = [f"{word or 'x'},a.jpg,{word},{word}" for word in words]
    path = write(tmp_path / "t.csv", "\n".join([HEADER, *rows]))
    table = read_table(path)
    assert table["item_id"].tolist() == ["NA", "None", "N/A", "null", "nan", "x", "-"]
    for column in ("caption", "category"):
        assert table[column].isna().tolist() == [word == "" for word in words]
        assert table[column].dropna().tolist() == [word for word in words if word]
    parquet = tmp_path / "t.parquet"
    table.assign(caption=words).to_parquet(parquet)
    pd.testing.assert_frame_equal(read_table(parquet), table)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"{HEADER}\n1,a,Red dress, long,264\n", "line 2: 5 fields for 4 comma"),
        (f"{HEADER}\n1,a,x,y\n\n2,b\n", "line 4: 2 fields for 4 .*'2,b'; 1 such line"),
        (f'{HEADER}\n1,a,"one\ntwo",y\n2\n', "line 4: 1 fields for 4"),
        (f'{HEADER}\n1,a,"one\ntwo",y\n\n,b,x,y\n', "line 5: no item_id in 1 rows"),
        (f"{HEADER}\n1,a\n,b,x,y\n", "line 2: 2 fields for 4"),
        (f'{HEADER}\n1,a,"one,y\n2,b,x,y\n', "line 2: a quote that opens a field"),
        (f"{HEADER}\n1,a,x,y\n2,b,caf\xe9,y\n".encode("latin-1"), "line 3: byte 0xe9"),
        (f"{HEADER}\n1,a,x,y\n".encode("utf-16"), "UTF-16; save it as UTF-8"),
        (b"caf\xe9,b\n", "line 1: byte 0xe9 is no utf-8"),
        (b"PK\x03\x04 a sheet", "spreadsheet .*save the sheet as CSV"),
        (b"\x1f\x8b gz", "compressed; unpack it first"),
        ("\n\n", "the file is empty"),
        ("item_id|image\n1|a\n", r"no column item_id, image; found item_id\|image"),
        (f"{HEADER},image\n1,a,x,y,b\n", "several columns image"),
        (b"PAR1 cut short", "no whole parquet"),
    ],
)
def test_what_is_wrong_is_named_by_the_files_own_line(
    tmp_path: Path, text: str | bytes, says: str
) -> None:
    path = write(tmp_path / "t.csv", text)
    with pytest.raises(ValueError, match=says) as error:
        read_table(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_commas_semicolons_and_tabs_are_told_by_the_header(
    tmp_path: Path, mark: str, end: str
) -> None:
    lines = [["item_id", "image", "caption"], ["01", "a.jpg", '"a, b; c\td ""e"""']]
    text = end.join(mark.join(line) for line in lines)
    path = write(tmp_path / "t.csv", b"\xef\xbb\xbf" + text.encode())
    row = read_table(path).loc[0]
    assert row["item_id"] == "01" and row["caption"] == 'a, b; c\td "e"'


@pytest.mark.parametrize(("values", "kind"), [([1, 2], "int64"), ([1.0, 2], "double")])
def test_ids_that_parquet_holds_as_numbers_are_refused(
    tmp_path: Path, values: list[float], kind: str
) -> None:
    path = tmp_path / "t.parquet"
    pd.DataFrame({"item_id": values, "image": "a.jpg"}).to_parquet(path)
    with pytest.raises(ValueError, match=f"item_id is {kind}, .*to_parquet"):
        read_table(path)
    own = {"item_id": ["1", "2"], "image": "a.jpg", "n": values, "box": [[1], [2]]}
    pd.DataFrame(own).to_parquet(path)
    table = read_table(path)  # other numbers are read as text, lists are left out
    assert list(table) == ["item_id", "image", "n"]
    assert table["item_id"].tolist() == ["1", "2"] and table["n"].map(float)[1] == 2
    table.astype("category").to_parquet(path)
    assert read_table(path)["item_id"].tolist() == ["1", "2"]


def test_a_shops_own_columns_and_paths_beside_the_table(tmp_path: Path) -> None:
    path = write(
        tmp_path / "shop.csv",
        "sku,picture,item_id,caption\nAB-1,x/1.JPG,7,red\nAB-2,/far/2.jpeg,8,blue\nC,,9,",
    )
    table = read_table(path, renamed={"item_id": "sku", "image": "picture"})
    assert table["item_id"].tolist() == ["AB-1", "AB-2", "C"]
    assert table["image"].tolist()[:2] == [str(tmp_path / "x/1.JPG"), "/far/2.jpeg"]
    assert pd.isna(table["image"][2]) and table["caption"].tolist()[:2] == [
        "red",
        "blue",
    ]
    with pytest.raises(ValueError, match="no column nr; found sku, picture"):
        read_table(path, renamed={"item_id": "nr"})
    with pytest.raises(ValueError, match="no column image; .*--photo"):
        read_table(path, renamed={"item_id": "sku"})


def test_lines_are_right_across_blocks_and_rows_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "BLOCK", 64)
    rows = [f'{n},"a\n{n}"' for n in range(60)]  # row n begins at line 2n + 2
    rows[7], rows[40] = "7", "40,x,y"
    table = tables.open_table(write(tmp_path / "t.csv", "\n".join(["a,b", *rows])))
    read = table.read(["a"])
    assert read["a"].tolist() == [str(n) for n in range(60) if n not in (7, 40)]
    assert table.misfit_places() == [
        "line 16: 1 fields for 2: 7",
        "line 81: 3 fields for 2: 40,x,y",
    ]
    place = table.places([6, 7, 50])  # of row 50 + 2 in the file
    assert place == ['line 14: 6,"a\n6"', 'line 17: 8,"a\n8"', 'line 104: 52,"a\n52"']


def test_zeros_that_all_ids_lost_are_given_back() -> None:
    lost = pd.Series(["108775015", "108775044.0", "111565001"])
    assert tables.ten_digits(lost).tolist() == [
        "0108775015",
        "0108775044",
        "0111565001",
    ]
    for wrong in ("0108775015", "1087750", "AB-1", "1087750151234"):
        assert tables.ten_digits(pd.Series([*lost, wrong])) is None

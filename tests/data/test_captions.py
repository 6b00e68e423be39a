"""One reader of captions: every form that people bring, and what is refused."""

import json
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import ipc

from fashionlib.data import captions

NUMBERS = "ids that are numbers, read as text"
WANT = {"1": ["a red dress", "NA"], "2": ["jeans, blue"]}
ROWS = [(1, "a red dress"), (2, "jeans, blue"), (1, "NA")]
RESULTS = [{"image_id": item, "caption": text} for item, text in ROWS]


def write(path: Path, content: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def lines(rows: list[dict[str, object]]) -> str:
    return "\n".join(map(json.dumps, rows)) + "\n"


def write_arrow(path: Path, rows: dict[str, object]) -> Path:
    """Write a stream as `datasets` 5.2 does in `save_to_disk`, checked against it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.table(rows)
    with ipc.new_stream(str(path), table.schema) as stream:
        stream.write_table(table)
    return path


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (
            "ours.json",
            {i: [{"caption": t} for t in texts] for i, texts in WANT.items()},
        ),
        ("texts.json", {"1": WANT["1"], "2": "jeans, blue"}),
        ("entry.json", {"1": WANT["1"], "2": {"text": "jeans, blue"}}),
        ("gts.json", {"1": RESULTS[::2], "2": RESULTS[1:2]}),  # COCO.imgToAnns
        ("results.json", RESULTS),
        ("wrapped.json", {"results": RESULTS}),
        ("lists.json", [{"id": i, "captions": texts} for i, texts in WANT.items()]),
        ("lines.jsonl", lines(RESULTS)),
        ("lines.json", "\ufeff" + lines(RESULTS)),
        ("t.csv", 'item_id,caption\n1,a red dress\n\n2,"jeans, blue"\n1,NA\n'),
        ("t.CSV", "article_id;detail_desc\n1;a red dress\n2;jeans, blue\n1;NA\n"),
        ("t.tsv", "\ufeffImage_ID\t text\n1\ta red dress\n2\tjeans, blue\n1\tNA\n"),
    ],
)
def test_a_file_gives_the_captions_of_each_id(tmp_path, name, content):
    assert captions.read(write(tmp_path / name, content)).texts == WANT


def test_the_annotations_of_coco_are_rows_and_images_without_one_are_counted(tmp_path):
    content = {
        "info": {"year": 2026},
        "licenses": [{"id": 1, "name": "CC0"}],
        "images": [{"id": item, "file_name": f"{item}.jpg"} for item in (1, 2, 3, 4)],
        "annotations": [row | {"id": n} for n, row in enumerate(RESULTS, start=70)],
    }
    read = captions.read(write(tmp_path / "captions_val2014.json", content))
    assert read.texts == WANT
    assert read.notes == {
        "images without annotations": 2,
        "columns": "image_id, caption",
        NUMBERS: 2,
    }


def test_parquet_reads_numbers_as_text_and_an_empty_field_as_an_empty_caption(tmp_path):
    table = pd.DataFrame({"article_id": [108775015.0, 2.0], "text": [None, "a"]})
    table.assign(image=[{"bytes": b"x", "path": "x.jpg"}] * 2).to_parquet(
        tmp_path / "c.parquet"
    )
    read = captions.read(tmp_path / "c.parquet")
    assert read.texts == {"108775015.0": [""], "2.0": ["a"]}
    assert read.notes == {"columns": "article_id, text", NUMBERS: 2}
    (tmp_path / "c.csv").write_text("item_id,caption\n01,\n02,None\n03,null\n")
    read = captions.read(tmp_path / "c.csv")
    assert read.texts == {"01": [""], "02": ["None"], "03": ["null"]} and not read.notes


def test_the_folders_of_datasets(tmp_path):
    saved = tmp_path / "saved"
    rows = {"image_id": [1, 2], "caption": ["a", "b"]}
    write_arrow(saved / "data-00000-of-00002.arrow", rows)
    write(saved / "state.json", {}), write(saved / "dataset_info.json", {})
    with pytest.raises(ValueError, match="saved: 1 of 2 shards are there"):
        captions.read(saved)
    write_arrow(
        saved / "data-00001-of-00002.arrow", {"image_id": [1], "caption": ["c"]}
    )
    write_arrow(saved / "cache-1f.arrow", rows)  # what `map` leaves there
    want = {"1": ["a", "c"], "2": ["b"]}
    assert captions.read(saved).texts == want
    write(tmp_path / "dict" / "dataset_dict.json", {"splits": ["train", "test"]})
    saved.rename(tmp_path / "dict" / "test")
    assert captions.read(tmp_path / "dict").texts == want  # of its one split
    write_arrow(tmp_path / "dict" / "train" / "data-00000-of-00001.arrow", rows)
    with pytest.raises(
        ValueError, match="dict: 2 splits or tables: test/data-0.*train"
    ):
        captions.read(tmp_path / "dict")
    assert captions.read(tmp_path / "dict" / "test").texts == want


def test_image_folders_and_shards_take_a_pictures_name_for_its_id(tmp_path):
    names = "file_name,text\nimages/07.jpg,a\nimages/08.jpg,b\n"
    metadata = write(tmp_path / "labels" / "test" / "metadata.csv", names)
    assert captions.read(tmp_path / "labels").texts == {
        "images/07.jpg": ["a"],
        "images/08.jpg": ["b"],
    }
    ids = [{"item_id": "7", "file_name": "images/x.jpg", "caption": "a"}]
    write(metadata.with_suffix(".jsonl"), lines(ids))
    metadata.unlink()
    assert captions.read(tmp_path / "labels").texts == {"7": ["a"]}
    shards = tmp_path / "hub" / "data"
    shards.mkdir(parents=True)
    for n, name in enumerate(["0108775015.jpg", "0108775044.jpg"]):
        table = pd.DataFrame({"image": [{"bytes": b"x", "path": name}], "text": [name]})
        table.to_parquet(shards / f"train-0000{n}-of-00002.parquet")
    read = captions.read(tmp_path / "hub")
    assert list(read.texts) == ["0108775015.jpg", "0108775044.jpg"]
    assert read.notes == {"columns": "image.path, text"}
    table.to_parquet(shards / "test-00000-of-00001.parquet")
    with pytest.raises(
        ValueError, match="2 splits or tables: data/test-0.*data/train-0"
    ):
        captions.read(tmp_path / "hub")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="empty: no captions in it; expected captions"):
        captions.read(tmp_path / "empty")


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("c.json", "{", "Expecting property name.*expected captions as JSON"),
        ("c.json", "[]", "0 captions; expected captions as JSON"),
        ("c.json", '"a dress"', "found a str, expected captions"),
        ("c.json", '["a dress"]', 'row 1: found "a dress", expected an object'),
        ("c.json", '{"1": [{"word": "a"}]}', "key '1': found .*word.*expected"),
        ("c.json", '{"1": [{"caption": 3}]}', "key '1': found .*3.*expected"),
        ("c.json", '{"1": []}', "key '1': found"),
        ("c.json", '{"1": "a", "1": "b"}', "key '1' is there twice"),
        ("c.json", "[" * 100_000, "recursion"),
        ("c.json", "\xff", "can't decode.*save it as UTF-8"),
        ("c.json", r'{"1": "a \ud800 dress"}', "key '1': half a character in"),
        ("c.json", '{"images": [{"id": 1}], "annotations": null}', "NoneType"),
        (
            "c.json",
            '{"annotations": [{"caption": "a"}]}',
            "columns caption, of.*ids: -",
        ),
        (
            "c.json",  # boxes, not captions
            '{"images": [], "annotations": [{"id": 1, "image_id": 2, "bbox": []}]}',
            "found columns id, image_id, bbox, of which ids: image_id, captions: -",
        ),
        (
            "c.json",
            '{"a": [{"image_id": 1}], "b": [{"image_id": 2}]}',
            "2 lists of captions: a, b; leave one",
        ),
        (
            "c.json",
            '[{"image_id": 1, "caption": "a"}, {"image_id": "1", "caption": "b"}]',
            "row 2: id 1 is both a number and text",
        ),
        (
            "c.json",
            '[{"id": true, "caption": "a"}]',
            "row 1: found true, expected an id",
        ),
        ("c.json", '[{"id": NaN, "caption": "a"}]', "row 1: found NaN, expected an id"),
        (
            "c.json",
            '{"id": ["1"], "caption": ["a"]}',
            'row 1: found ."1"., expected an',
        ),
        ("c.jsonl", '{"id": 1, "text": "a"}\n\n{"id"', "line 3: Expecting ':'"),
        ("c.jsonl", '{"id": 1, "text": "a"}\n{"id": 2}', "line 2: no text"),
        ("c.csv", "item_id,caption\n1,Red dress, size 264\n", "line 2: 3 fields for 2"),
        ("c.csv", 'item_id,caption\n1,"a\nb"\n2\n', "line 4: 1 fields for 2 comma"),
        (
            "c.csv",
            'item_id,caption\n1,"a\n2,b\n',
            "line 2: a quote that opens a field is never closed",
        ),
        ("c.csv", "item_id,caption\n,a\n", "line 2: no item_id in 1 rows"),
        ("c.csv", "item_id,image_id,caption\n1,2,a\n", "ids: item_id, image_id, cap"),
        ("c.csv", "item_id,caption,text\n1,a,b\n", "captions: caption, text; expected"),
        (
            "c.csv",
            "item_id,caption,caption\n1,a,b\n",
            "captions: caption, caption; exp",
        ),
        ("c.csv", "1,a dress\n", "found columns 1, a dress, of which ids: -"),
        ("c.csv", "item_id,caption\n", "0 captions"),
        ("c.parquet", "PAR1", "expected captions as JSON"),
        ("c.arrow", "not arrow", "expected captions as JSON"),
    ],
)
def test_wrong_files_are_named_with_place_and_content(tmp_path, name, text, words):
    (tmp_path / name).write_bytes(text.encode("latin-1"))
    with pytest.raises(ValueError, match=f"{name}: .*{words}"):
        captions.read(tmp_path / name)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="none.json: no such file; expected"):
        captions.read(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("given", "items", "want"),
    [
        (["1", "b"], ["b", "1", "c"], {"1": "1", "b": "b"}),
        (["108775015.0"], ["0108775015"], {"108775015.0": "0108775015"}),
        (["0108775015"], ["108775015"], {"0108775015": "108775015"}),
        (["images/007.jpg"], ["7", "8"], {"images/007.jpg": "7"}),
        (["a\\7.JPEG"], ["b/07.png"], {"a\\7.JPEG": "b/07.png"}),
        (["a/7"], ["7"], None),  # a folder alone is no picture's
        (["COCO_val_1.PNG", " x "], ["COCO_val_1", "x"], {}),
        (["1", "01"], ["01", "1"], {"1": "1", "01": "01"}),  # each its own
        (["1"], ["1", "01"], {"1": "1"}),
        (["1.5", "dress"], ["1", "dresses"], None),
        (["000"], ["0"], {"000": "0"}),
    ],
)
def test_ids_that_mean_one_item_are_matched(given, items, want):
    if want == {}:
        want = dict(zip(given, items, strict=True))
    assert captions.match("c.json", given, items) == (want or {})


@pytest.mark.parametrize(
    ("given", "items"),
    [(["1", "01"], ["001"]), (["1"], ["01", "001"]), (["1", "01"], ["1"])],
)
def test_ids_that_could_mean_several_items_are_refused_with_both(given, items):
    with pytest.raises(
        ValueError, match="c.json: .*'1'.* could each mean .*1'"
    ) as told:
        captions.match("c.json", given, items)
    assert all(repr(item) in str(told.value) for item in (*given, *items))

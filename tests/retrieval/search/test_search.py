"""The search index: planted answers, builds that are cut off, and what an untrusted
index or query may try.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import ExifTags, Image

from fashionlib import commands
from fashionlib.data import images
from fashionlib.features import nearest
from fashionlib.retrieval import search
from fashionlib.retrieval.search import building
from fashionlib.retrieval.search.index import open_table, read_metadata

pytest.importorskip("lancedb")
COLOURS = {
    "red": (255, 0, 0),
    "green": (0, 255, 0),
    "blue": (0, 0, 255),
    "yellow": (255, 255, 0),
}


class Colours:
    """An encoder with known answers: a picture is its mean colour, a text the sum of
    the colours that it names.
    """

    name = "colours"

    def __init__(self, fingerprint: str = "a1") -> None:
        self.fingerprint, self.encoded = fingerprint, 0

    def encode_images(self, references):
        self.encoded += len(references)
        return np.array(
            [np.asarray(images.load(one)).mean((0, 1)) for one in references],
            np.float32,
        )

    def encode_texts(self, texts):
        return np.array(
            [
                np.sum(
                    [
                        [0, 0, 0],
                        *(
                            value
                            for name, value in COLOURS.items()
                            if name in text.split()
                        ),
                    ],
                    0,
                )
                for text in texts
            ],
            np.float32,
        )


@pytest.fixture
def items(tmp_path: Path) -> pd.DataFrame:
    """Four pictures of one colour each, in two folders."""
    rows = []
    for n, (name, colour) in enumerate(COLOURS.items()):
        place = tmp_path / "shop" / str(n % 2) / f"{name}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (20, 10), colour).save(place)
        rows.append(
            {
                "item_id": f"0{n}",
                "image": str(place),
                "caption": f"a {name} thing",
                "colour": name,
                "category": ["Dress", "Socks & 'Tights'"][n % 2],
            }
        )
    return pd.DataFrame(rows)


@pytest.fixture
def index(items: pd.DataFrame, tmp_path: Path) -> search.Index:
    search.build(items, Colours(), tmp_path / "index")
    return search.Index.open(tmp_path / "index", Colours())


def test_planted_answers_by_picture_by_words_and_by_both(
    index: search.Index, items: pd.DataFrame
) -> None:
    found = index.search(words="red")
    assert found["item_id"].tolist()[:2] == ["00", "03"] and len(found) == 4
    np.testing.assert_allclose(
        found["score"][:2], [1, 1 / 2**0.5], rtol=1e-6
    )  # yellow is red and green
    assert found.loc[0, ["image", "caption", "category", "colour"]].tolist() == [
        items["image"][0],
        "a red thing",
        "Dress",
        "red",
    ]
    assert index.search(image=items["image"][2])["item_id"][0] == "02"
    both = index.search(image=items["image"][1], words="red", weight=0.5, k=1)
    assert both["item_id"].tolist() == ["03"]  # green and red are yellow
    np.testing.assert_allclose(both["score"], 1, rtol=1e-6)
    # 0.8 of red and 0.2 of green, brought to length one: its cosine with red
    leaning = index.search(image=items["image"][1], words="red", weight=0.8)
    assert leaning["item_id"].tolist()[:2] == ["00", "03"]
    np.testing.assert_allclose(
        leaning.set_index("item_id")["score"]["00"],
        0.8 / (0.8**2 + 0.2**2) ** 0.5,
        rtol=1e-6,
    )
    # words of another length weigh the same: yellow is 1.4 times as long as red
    np.testing.assert_allclose(
        index.vector(items["image"][2], "yellow", 0.5), [0.5, 0.5, 2**-0.5], rtol=1e-6
    )
    assert np.array_equal(
        index.vector(items["image"][2], "red", 0), index.vector(items["image"][2])
    )
    np.testing.assert_allclose(
        index.vector(items["image"][2], "red", 1), index.vector(words="red"), atol=1e-7
    )


def test_a_part_of_a_picture_is_an_item_and_a_query(
    items: pd.DataFrame, tmp_path: Path
) -> None:
    both = Image.new("RGB", (40, 10), COLOURS["red"])
    both.paste(COLOURS["blue"], (20, 0, 40, 10))
    both.save(tmp_path / "shop" / "both.png")
    place = str(tmp_path / "shop" / "both.png")
    boxed = pd.DataFrame(
        {
            "item_id": ["left", "right", "all"],
            "image": place,
            "box": [(0, 0, 20, 10), (20, 0, 40, 10), None],
        }
    )
    assert search.build(boxed, Colours(), tmp_path / "index")["encoded"] == 3
    index = search.Index.open(tmp_path / "index", Colours())
    assert index.search(words="blue")["item_id"].tolist() == ["right", "all", "left"]
    assert images.load(index.search(words="blue")["image"][0]).size == (20, 10)
    assert index.search(image=images.cropped(place, (0, 0, 10, 10)), k=1)[
        "item_id"
    ].tolist() == ["left"]


def test_filters_agree_with_choosing_rows_by_hand(
    tmp_path: Path, items: pd.DataFrame
) -> None:
    rng = np.random.default_rng(0)
    many = pd.DataFrame(
        {
            "item_id": [f"{n:04}" for n in range(300)],
            "image": items["image"][0],
            "category": rng.choice(
                ["Dress", "Top", 'it\'s "so"; DROP TABLE items --'], 300
            ),
            "colour": rng.choice(["red", "Red", "blue", None], 300),
        }
    )
    search.build(many, Colours(), tmp_path / "index")
    index = search.Index.open(tmp_path / "index", Colours())
    for category in many["category"].unique():
        found = index.search(
            words="red", k=300, where={"category": category, "colour": "RED"}
        )
        right = many[
            (many["category"] == category) & many["colour"].isin(["red", "Red"])
        ]
        assert set(found["item_id"]) == set(right["item_id"]) and len(found) == len(
            right
        )
    assert index.values("colour") == ["Red", "blue", "red"]
    assert len(index.search(words="red", k=400)) == 300


def test_exact_and_approximate_agree_with_cosines(
    tmp_path: Path, items: pd.DataFrame
) -> None:
    rng = np.random.default_rng(1)
    vectors = rng.standard_normal((900, 24)).astype(np.float32)

    class Given(Colours):
        def encode_images(self, references):
            return vectors[[int(Path(one).stem) for one in references]]

        def encode_texts(self, texts):
            return np.array([vectors[int(text)] + 0.1 for text in texts])

    place = tmp_path / "many"
    place.mkdir()
    for n in range(900):
        Image.new("RGB", (1, 1), (n // 256, n % 256, 0)).save(place / f"{n}.png")
    many = pd.DataFrame(
        {
            "item_id": [f"{n}" for n in range(900)],
            "image": [f"{place}/{n}.png" for n in range(900)],
            "category": ["rare" if n % 100 == 0 else "common" for n in range(900)],
        }
    )
    true, cosines = nearest(vectors[:20] + 0.1, vectors, 10)
    for compared in (900, 899):
        search.build(many, Given(f"{compared}"), tmp_path / "index", compared=compared)
        index = search.Index.open(tmp_path / "index", Given(f"{compared}"))
        found = [index.search(words=f"{n}") for n in range(20)]
        hits = [
            len({*map(int, rows["item_id"])} & {*row})
            for rows, row in zip(found, true, strict=True)
        ]
        share = np.mean(hits) / 10
        asked = np.stack([index.vector(words=f"{n}") for n in range(20)])
        assert index.recall(asked, 10) == pytest.approx(share)
        assert (
            share == 1 if compared == 900 else 0.8 < share <= 1
        )  # 20 of 30 cells of vectors without clusters
        if compared == 900:
            np.testing.assert_allclose(
                [rows["score"] for rows in found], cosines, atol=1e-6
            )
        rare = index.search(words="7", where={"category": "rare"}, k=9)
        assert set(rare["item_id"]) == {
            f"{100 * n}" for n in range(9)
        }  # however far away
        space = index.features()
        np.testing.assert_allclose(
            space.rows(["5"])[0], vectors[5] / np.linalg.norm(vectors[5]), rtol=1e-6
        )


def test_only_what_is_new_is_encoded(items: pd.DataFrame, tmp_path: Path) -> None:
    encoder, folder = Colours(), tmp_path / "index"
    assert search.build(items, encoder, folder) == {
        "items": 4,
        "new": 4,
        "updated": 0,
        "removed": 0,
        "encoded": 4,
        "without picture": 0,
    }
    version = open_table(folder).version
    assert (
        search.build(items, encoder, folder)["encoded"] == 0
        and open_table(folder).version == version
    )
    changed = items.copy()
    changed.loc[0, "caption"] = "other words"
    Image.new("RGB", (20, 10), (9, 9, 9)).save(items["image"][1])
    more = pd.DataFrame({"item_id": ["09", "10"], "image": [items["image"][2], None]})
    changed = pd.concat([changed.drop(index=3), more], ignore_index=True)
    assert search.build(changed, encoder, folder) == {
        "items": 4,
        "new": 1,
        "updated": 2,
        "removed": 1,
        "encoded": 1,
        "without picture": 1,
    }
    assert encoder.encoded == 5 and not (folder / "encoded").exists()
    found = (
        search.Index.open(folder, encoder).search(words="red", k=9).set_index("item_id")
    )
    assert (
        set(found.index) == {"00", "01", "02", "09"}
        and found["caption"]["00"] == "other words"
    )
    assert found["score"]["02"] == found["score"]["09"]
    assert (
        search.build(changed, Colours("b2"), folder)["encoded"] == 3
    )  # another encoder: all, an equal picture once


def test_another_encoder_is_refused(index: search.Index, tmp_path: Path) -> None:
    with pytest.raises(
        ValueError,
        match=r"made by colours \(weights a1\) and is asked by colours \(b2\)",
    ):
        search.Index.open(tmp_path / "index", Colours("b2"))


SLOW = """
import sys, time, pandas as pd
sys.path.insert(0, {tests!r})
from test_search import Colours
from fashionlib.retrieval import search
from fashionlib.features import chunks
chunks.CHUNK = 2
class Slow(Colours):
    def encode_images(self, references):
        if self.encoded:
            print("the first chunk is kept", flush=True)
            time.sleep(600)
        return super().encode_images(references)
search.build(pd.read_parquet({items!r}), Slow("b2"), {folder!r})
"""


def test_a_killed_build_leaves_the_old_index_and_goes_on(
    index: search.Index,
    items: pd.DataFrame,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("fashionlib.features.chunks.CHUNK", 2)
    items.assign(caption="new").to_parquet(tmp_path / "items.parquet")
    code = SLOW.format(
        tests=str(Path(__file__).parent),
        items=str(tmp_path / "items.parquet"),
        folder=str(tmp_path / "index"),
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as child:
        try:
            child.stdout.readline()
            with pytest.raises(BlockingIOError, match="another build"):
                search.build(items, Colours(), tmp_path / "index")
            assert (
                index.search(words="red")["caption"][0] == "a red thing"
            )  # while the build runs
        finally:
            child.kill()
    old = search.Index.open(tmp_path / "index", Colours())
    assert old.search(words="red")["caption"][0] == "a red thing"
    encoder = Colours("b2")
    assert (
        search.build(items.assign(caption="new"), encoder, tmp_path / "index")[
            "encoded"
        ]
        == 4
    )
    assert encoder.encoded == 2  # the killed run's first chunk was there
    assert (
        search.Index.open(tmp_path / "index", encoder).search(words="red")["caption"][0]
        == "new"
    )
    assert (
        index.search(words="red")["caption"][0] == "a red thing"
    )  # a reader keeps the rows that it opened


def test_a_first_build_that_failed_is_no_index(
    items: pd.DataFrame, tmp_path: Path
) -> None:
    Path(items["image"][3]).write_bytes(b"no picture")
    with pytest.raises(
        ValueError, match=r"1 of 4 pictures .* 1 x no JPEG.*'03: .*yellow\.png"
    ):
        search.build(items, Colours(), tmp_path / "index")
    with pytest.raises(FileNotFoundError, match="no index in .*fashionlib index"):
        search.Index.open(tmp_path / "index", Colours())
    assert (
        search.build(items.drop(index=3), Colours(), tmp_path / "index")["items"] == 3
    )


def test_what_is_wrong_is_named(
    index: search.Index, items: pd.DataFrame, tmp_path: Path
) -> None:
    for wrong, told in [
        (lambda: index.search(), "nothing to look for"),
        (lambda: index.search(words="  "), "nothing to look for"),
        (lambda: index.search(words="red", k=0), "k = 0"),
        (
            lambda: index.search(words="red", image=items["image"][0], weight=1.5),
            "weight 1.5",
        ),
        (lambda: index.search(image=tmp_path / "gone.png"), "gone.png"),
        (
            lambda: index.search(words="red", where={"colour": "gren"}),
            "nearest of 4 known: green, red",
        ),
        (
            lambda: index.search(words="red", where={"category": "' OR 1=1 --"}),
            "nearest of 2 known",
        ),
        (
            lambda: index.search(words="red", where={"caption": "x"}),
            "no filter 'caption'",
        ),
        (
            lambda: search.build(
                items.drop(columns="image"), Colours(), tmp_path / "i"
            ),
            "no column 'image'",
        ),
        (
            lambda: search.build(pd.concat([items, items]), Colours(), tmp_path / "i"),
            "'00' twice",
        ),
        (
            lambda: search.build(
                items.assign(item_id=[1, 2, 3, 4]), Colours(), tmp_path / "i"
            ),
            "the id 1",
        ),
        (
            lambda: search.build(items.assign(image=None), Colours(), tmp_path / "i"),
            "none of 4 items",
        ),
        (
            lambda: search.build(
                items, Colours(), tmp_path / "i", tmp_path / "shop" / "0"
            ),
            "2 of 4 pictures",
        ),
    ]:
        with pytest.raises(ValueError, match=told):
            wrong()


def test_index_and_catalogue_may_be_moved_together_or_toldapart(
    index: search.Index, tmp_path: Path
) -> None:
    there = tmp_path / "elsewhere"
    there.mkdir()
    (tmp_path / "shop").rename(there / "shop")
    with pytest.raises(
        FileNotFoundError, match=r"catalogue of .* is not at .*shop.*--root"
    ):
        search.Index.open(tmp_path / "index", Colours())
    told = search.Index.open(tmp_path / "index", Colours(), root=there / "shop").search(
        words="red", k=1
    )
    assert told["image"][0] == str(there / "shop" / "0" / "red.png")
    (tmp_path / "index").rename(there / "index")
    assert (
        search.Index.open(there / "index", Colours()).search(words="red", k=1)["image"][
            0
        ]
        == told["image"][0]
    )


@pytest.mark.parametrize(
    "image", ["../../secret.png", "/etc/secret.png", "0/../../secret.png"]
)
def test_a_picture_outside_the_catalogue_is_refused(
    index: search.Index, tmp_path: Path, image: str
) -> None:
    open_table(tmp_path / "index").update(
        where="item_id = '00'", values={"image": image}
    )
    with pytest.raises(ValueError, match="outside its catalogue"):
        search.Index.open(tmp_path / "index", Colours()).search(words="red", k=1)


def test_readers_see_the_old_rows_or_the_new_and_nothing_between(
    index: search.Index, items: pd.DataFrame, tmp_path: Path
) -> None:
    seen, folder = set(), tmp_path / "index"
    with ThreadPoolExecutor() as pool:
        writing = pool.submit(
            search.build, items.assign(caption="new"), Colours("b2"), folder
        )
        while not writing.done():
            seen.add(_state(folder))
    assert writing.result()["updated"] == 4 and _state(folder) == ("b2", 4, "new")
    assert seen <= {
        ("a1", 4, *sorted(f"a {name} thing" for name in COLOURS)),
        ("b2", 4, "new"),
    }


def _state(folder: Path) -> tuple[str, int, *tuple[str, ...]]:
    """Whose vectors the newest rows are, how many there are, and what they say."""
    table = open_table(folder)
    rows = table.search().to_arrow()
    return (
        read_metadata(table)["fingerprint"],
        len(rows),
        *sorted(set(rows["caption"].to_pylist())),
    )


@pytest.fixture
def asked(index: search.Index, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """`fashionlib` with the index of `index`, and its encoder by name."""
    monkeypatch.setattr(
        "fashionlib.retrieval.search.index.load_encoder", lambda name: Colours()
    )
    monkeypatch.setattr(
        "fashionlib.retrieval.search.load_encoder", lambda name: Colours()
    )
    monkeypatch.setattr("fashionlib.commands.index.refuse_absent", lambda *_: None)
    monkeypatch.chdir(tmp_path)
    return lambda *words: commands.main([*words])


def test_the_command_lists_json_and_a_page(
    asked, items: pd.DataFrame, tmp_path: Path, capsys
) -> None:
    nasty = '<script>alert(1)</script> \x1b[31m & "quoted"'
    items.assign(caption=nasty, category=nasty).to_parquet(tmp_path / "items.parquet")
    assert asked("index", "items.parquet", "--model", "m", "--out", "index") == 0
    assert "4 items, 0 new, 4 updated, 0 removed, 0 encoded" in capsys.readouterr().out
    assert (
        asked("search", "red", "--index", "index", "-k", "2", "--html", "out.html") == 0
    )
    out = capsys.readouterr().out
    assert [line.split()[:3] for line in out.splitlines()] == [
        ["1", "1.000", "00"],
        ["2", "0.707", "03"],
    ]
    assert "\x1b" not in out
    page = (tmp_path / "out.html").read_text()
    assert (
        "<script" not in page
        and "&lt;script&gt;" in page
        and page.count("data:image/jpeg;base64,") == 2
    )
    assert "http" not in page
    assert (
        asked(
            "search",
            items["image"][2],
            "--index",
            "index",
            "--json",
            "--colour",
            "Blue",
        )
        == 0
    )
    (row,) = json.loads(capsys.readouterr().out)
    assert (
        row["item_id"] == "02"
        and row["score"] == pytest.approx(1)
        and row["product_id"] is None
    )
    assert (
        asked(
            "search",
            "red",
            "--image",
            items["image"][1],
            "--box",
            "0,0,5,5",
            "--index",
            "index",
            "-k",
            "1",
        )
        == 0
    )
    assert capsys.readouterr().out.split()[:3] == ["1", "1.000", "03"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("search", "--index", "index"), "nothing to look for"),
        (("search", "red", "--index", "elsewhere"), "no index in elsewhere"),
        (("search", "gone.jpg", "--index", "index"), "no picture at gone.jpg"),
        (
            ("search", "gone.jpg", "--image", "b.jpg", "--index", "index"),
            "two pictures",
        ),
        (("search", "red", "--box", "0,0,5,5", "--index", "index"), "--box 0,0,5,5"),
        (
            (
                "search",
                "red",
                "--image",
                "shop/0/red.png",
                "--box",
                "0,0,5",
                "--index",
                "index",
            ),
            "four whole numbers",
        ),
        (
            (
                "search",
                "red",
                "--image",
                "shop/0/red.png",
                "--box",
                "0,0,99,5",
                "--index",
                "index",
            ),
            "does not lie in 20",
        ),
        (
            ("search", "red", "--category", "Dres", "--index", "index"),
            "nearest of 2 known: Dress",
        ),
        (("index", "nowhere", "--model", "m", "--out", "index"), "nowhere"),
    ],
)
def test_bad_input_is_one_line(
    asked, capsys, words: tuple[str, ...], told: str
) -> None:
    assert asked(*words) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert told in error and error.startswith("fashionlib ")


def test_without_a_root_the_catalogue_is_the_pictures_common_folder() -> None:
    for pictures, folder in (
        (["/a/b/x.jpg"], "/a/b"),
        (["/a/b/x.jpg", "/a/b/y.jpg"], "/a/b"),
        (["/a/b/x.jpg", "/a/c/y.jpg"], "/a"),
        (["/a/b/x.jpg", "/a/b/c/y.jpg"], "/a/b"),
    ):
        assert building._root(pd.Series(pictures), None) == folder


@pytest.fixture
def shop(items: pd.DataFrame, tmp_path: Path) -> Path:
    """`items` as a table, with four pictures more of which none can be read."""
    place, bad = tmp_path / "shop" / "0", ["cut.png", "text.jpg", "gone.jpg", "out.png"]
    noise = np.random.default_rng(0).integers(0, 255, (20, 20, 3), dtype=np.uint8)
    Image.fromarray(noise).save(place / "cut.png")
    (place / "cut.png").write_bytes((place / "cut.png").read_bytes()[:300])
    (place / "text.jpg").write_text("Dear reader")
    Image.new("RGB", (9, 9)).save(tmp_path / "secret.png")
    (place / "out.png").symlink_to(tmp_path / "secret.png")
    rows = [{"item_id": name, "image": str(place / name)} for name in bad]
    table = pd.concat([items, pd.DataFrame(rows)])
    table.to_csv(tmp_path / "items.csv", index=False)
    return tmp_path / "items.csv"


def test_bad_pictures_are_set_aside_with_their_reasons(
    asked, shop: Path, tmp_path: Path, capsys
) -> None:
    words = ("index", "items.csv", "--model", "m", "--out", "new")
    assert asked(*words, "--strict") == 2
    error = capsys.readouterr().err
    assert "4 of 8 pictures can't be indexed" in error and "no JPEG" in error
    assert not (tmp_path / "new").exists()
    assert asked(*words) == 0
    out = capsys.readouterr().out
    assert "new: 4 items, 4 new" in out
    listed = (tmp_path / "new" / "set_aside.jsonl").read_text().splitlines()
    reasons = {row["item_id"]: row["reason"] for row in map(json.loads, listed)}
    assert list(reasons) == ["cut.png", "text.jpg", "gone.jpg", "out.png"]
    assert reasons["cut.png"] == "cut short" and "no JPEG" in reasons["text.jpg"]
    assert "No such file" in reasons["gone.jpg"] and "link" in reasons["out.png"]
    for item, reason in reasons.items():
        assert f"set aside: 1 x {reason}: '{item}: 0/{item}'\n" in out
    assert len(search.Index.open(tmp_path / "new", Colours())) == 4
    assert asked("index", "items.csv", "--model", "m", "--out", "new") == 0
    assert "4 items, 0 new, 0 updated" in capsys.readouterr().out


def test_an_index_of_no_picture_that_can_be_read_is_refused(
    asked, shop: Path, tmp_path: Path, capsys
) -> None:
    table = pd.read_csv(shop, dtype=str)
    table[table["item_id"].str.contains(".", regex=False)].to_csv(shop, index=False)
    assert asked("index", "items.csv", "--model", "m", "--out", "new") == 2
    assert "4 of 4 pictures can't be indexed" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_a_table_is_checked_and_every_fault_listed(asked, shop: Path, capsys) -> None:
    table = pd.read_csv(shop, dtype=str)
    pd.concat([table, table[-3:], table[-2:]]).to_csv(shop, index=False)
    assert asked("check", "items.csv") == 1
    out = capsys.readouterr().out
    assert "13  items" in out and "8  images" in out
    assert "5  item twice: 'text.jpg', 'gone.jpg', 'out.png'\n" in out
    assert "broken image: 'cut.png: cut short', " in out
    assert asked("check", "items.csv", "--all") == 1
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert lines.count("'gone.jpg'") == 2
    assert lines.count("'out.png: a link that leads out of the folder'") == 3


def test_a_link_planted_in_the_catalogue_later_is_not_shown(
    index: search.Index, items: pd.DataFrame, tmp_path: Path
) -> None:
    Image.new("RGB", (9, 9)).save(tmp_path / "secret.png")
    Path(items["image"][0]).unlink()
    Path(items["image"][0]).symlink_to(tmp_path / "secret.png")
    with pytest.raises(ValueError, match="outside its catalogue"):
        index.search(words="red", k=1)


def test_a_phones_photo_finds_what_it_shows(
    items: pd.DataFrame, tmp_path: Path
) -> None:
    """An encoder that sees what is up; a phone stores a blouse lying on its side."""

    class Upper(Colours):
        def encode_images(self, references):
            halves = [np.asarray(images.load(one))[:8] for one in references]
            return np.array([half.mean((0, 1)) for half in halves], np.float32)

    upright = Image.new("RGB", (16, 24), "blue")
    upright.paste("red", (0, 0, 16, 12))
    for name, turned in (("blouse", upright), ("scarf", upright.rotate(180))):
        turned.save(tmp_path / "shop" / f"{name}.png")
    shown = {
        name: str(tmp_path / "shop" / f"{name}.png") for name in ("blouse", "scarf")
    }
    table = pd.DataFrame({"item_id": list(shown), "image": list(shown.values())})
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 3
    upright.rotate(180).save(tmp_path / "phone.jpg", exif=exif, quality=95)
    search.build(table, Upper(), tmp_path / "index")
    index = search.Index.open(tmp_path / "index", Upper())
    assert index.search(tmp_path / "phone.jpg", k=1)["item_id"].tolist() == ["blouse"]


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("phone.heic", b"\0\0\0\x18ftypheic" + bytes(9), "a HEIC.*convert it to JPEG"),
        ("red", b"notes", "red is a file, and no picture.*no JPEG"),
        ("gone.HEIC", None, "no picture at gone.HEIC"),
        ("gone.avif", None, "no picture at gone.avif"),
    ],
)
def test_a_file_is_a_picture_or_an_error(
    asked, tmp_path: Path, capsys, name: str, content: bytes | None, told: str
) -> None:
    if content:
        (tmp_path / name).write_bytes(content)
    assert asked("search", name, "--index", "index") == 2
    assert re.search(told, capsys.readouterr().err)


def test_words_stay_words_and_a_picture_may_have_any_name(
    asked, items: pd.DataFrame, tmp_path: Path, capsys
) -> None:
    (tmp_path / "red").mkdir()  # a folder is no picture
    for words in ("red", "red " * 2000):
        assert asked("search", words, "--index", "index", "-k", "1") == 0
        assert capsys.readouterr().out.split()[2] == "00"
    (tmp_path / "photo").write_bytes(Path(items["image"][2]).read_bytes())
    assert asked("search", "photo", "--index", "index", "-k", "1") == 0
    assert capsys.readouterr().out.split()[2] == "02"

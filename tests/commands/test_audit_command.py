"""`fashionlib audit` on files with planted faults: each is found, with its number."""

import json
from pathlib import Path

import pandas as pd
import pytest

from fashionlib import commands
from fashionlib.commands.jobs import audit_captions

ROOT = Path(__file__).parents[2]
NOUNS = ("dress", "shirt", "skirt", "jacket", "hat")
LOOKS = ("red", "blue", "green", "striped")


def caption(product: int) -> str:
    """Return a caption that no other of these products has."""
    look, noun = LOOKS[product % 4], NOUNS[product // 4 % 5]
    return f"A {look} {noun} in fabric {product} with a collar."


@pytest.fixture
def sides(tmp_path):
    """Return train and test: of 40 test items 10 have a product of training."""
    train = {f"01{n:05}001": caption(n) for n in range(60)}
    test = {f"01{n:05}002": caption(n) for n in range(50, 90)}
    for name, texts in (("train", train), ("test", test)):
        (tmp_path / f"{name}.json").write_text(json.dumps(texts))
    return tmp_path, test


def audited(capsys, tmp_path, *words: object) -> dict[str, dict]:
    """Run the command; return what was found under its name."""
    out = tmp_path / "out.json"
    given = ["audit", *map(str, words), "--json", str(out), "--resamples", "50"]
    assert commands.main(given) == 0, capsys.readouterr().err
    said = capsys.readouterr().out
    found = {row["what"]: row for row in json.loads(out.read_text())["findings"]}
    for what, row in found.items():
        assert f"{row['mark'].upper()}: {what}" in said
        assert (ROOT / "notebooks" / f"{row['chapter']}.ipynb").is_file()
    return found


def of_captions(capsys, sides, said: dict[str, str], *words: object) -> dict[str, dict]:
    """Audit one captioner's captions, under the name c."""
    root, _ = sides
    (root / "c.json").write_text(json.dumps(said))
    given = ["--train", root / "train.json", "--test", root / "test.json", *words]
    return audited(capsys, root, *given, "--captions", root / "c.json")


def test_what_stands_on_both_sides_is_counted(sides, no_java, capsys):
    test = sides[1]
    found = of_captions(capsys, sides, test)
    for what in ("captions on both sides", "products on both sides"):
        assert found[what]["mark"] == "look at this"
        assert found[what]["numbers"]["value"] == 10 / 40
        assert "25.0 % [" in found[what]["said"]
    assert found["items on both sides"]["mark"] == "fine"
    assert found["pictures on both sides"]["mark"] == "can't be told"
    assert found["copying without a picture"]["mark"] == "look at this"
    assert found["c: training captions"]["mark"] == "fine"  # as the true ones
    assert found["c: distinct captions"]["mark"] == "fine"
    # perfect captions; the METEOR of `no_java` is 0 whatever they are
    said = found["c: scores"]["said"]
    assert "CIDEr 1000.0 [" in said and "by METEOR +0.0" in said


def test_true_captions_are_above_all_that_knows_nothing(
    sides, no_java, capsys, monkeypatch
):
    monkeypatch.setattr(audit_captions, "NAMES", ("BLEU-4", "CIDEr"))
    found = of_captions(capsys, sides, sides[1])
    for what in ("scores", "captions dealt to other items", "test items"):
        assert found[f"c: {what}"]["mark"] == "fine"
    row = found["c: captions dealt to other items"]
    assert "Of a CIDEr of 1000.0 the dealing leaves" in row["said"]
    cider = {one["metric"]: one for one in row["numbers"]["by"]}["CIDEr"]
    assert 5 < cider["low"] <= cider["difference"] <= 10


def test_no_product_is_shared_and_nothing_leaks(sides, no_java, capsys):
    root, test = sides
    clean = {item: text for item, text in test.items() if int(item[2:7]) >= 60}
    (root / "test.json").write_text(json.dumps(clean))
    found = of_captions(capsys, sides, clean)
    for what in ("captions", "items", "products"):
        assert found[f"{what} on both sides"]["mark"] == "fine"
    assert found["copying without a picture"]["mark"] == "can't be told"
    # a column on one side alone: ids say it for both
    rows = [(item, item[:7], text) for item, text in test.items()]
    table = pd.DataFrame(rows, columns=["item_id", "product_id", "caption"])
    table.to_csv(root / "test.csv", index=False)
    given = ["--train", root / "train.json", "--test", root / "test.csv"]
    found = audited(capsys, root, *given)
    assert found["products on both sides"]["numbers"]["value"] == 10 / 40
    other = {f"x{item}": text for item, text in clean.items()}
    (root / "test.json").write_text(json.dumps(other))
    found = of_captions(capsys, sides, other)
    assert found["products on both sides"]["mark"] == "can't be told"


def test_a_collapsed_captioner_is_seen(sides, no_java, capsys):
    test = sides[1]
    dozen = [caption(n) for n in (50, 51, 52)]
    said = {item: dozen[n % 3] for n, item in enumerate(test)}
    found = of_captions(capsys, sides, said)
    row = found["c: distinct captions"]
    assert row["mark"] == "look at this" and row["numbers"]["distinct"] == 3
    assert row["numbers"]["share"] == 14 / 40 and "35.0%" in row["said"]
    assert found["c: captions dealt to other items"]["mark"] == "look at this"
    assert found["c: training captions"]["mark"] == "look at this"


def test_echoes_silence_and_cut_ends_are_counted(sides, no_java, capsys):
    test = sides[1]
    said = dict(test)
    items = list(said)
    said[items[0]] = f"USER: describe this image. ASSISTANT: {said[items[0]]}"
    said[items[1]], said[items[2]] = "", "..."
    for item in items[3:8]:
        said[item] = said[item][:-5]
    del said[items[9]]
    found = of_captions(capsys, sides, said)
    assert found["c: prompt echoes"]["numbers"]["n"] == 1
    assert found["c: without a word"]["numbers"]["n"] == 2
    cut = found["c: captions cut off"]
    assert cut["mark"] == "look at this"
    assert cut["numbers"]["value"] == pytest.approx(1 - 6 / 39)  # "..." ends
    assert "39 of 40" in found["c: test items"]["said"]


def test_ends_say_nothing_where_the_truth_has_none(sides, no_java, capsys):
    root, test = sides
    bare = {item: text.rstrip(".") for item, text in test.items()}
    (root / "test.json").write_text(json.dumps(bare))
    found = of_captions(capsys, sides, bare)
    assert found["c: captions cut off"]["mark"] == "can't be told"


def test_a_table_with_splits_products_and_pictures(tmp_path, no_java, capsys):
    rows = []
    for n in range(30):
        (tmp_path / f"{n}.jpg").write_bytes(b"same" if n in (0, 29) else bytes([n]))
        split = "test" if n >= 20 else "train"
        rows.append((f"i{n}", f"p{n}", f"{n}.jpg", caption(n), split))
    table = pd.DataFrame(rows, columns=["sku", "style", "image", "caption", "split"])
    path = tmp_path / "items.csv"
    table.to_csv(path, index=False)
    given = ["--train", path, "--test", path, "--id", "sku", "--product", "style"]
    found = audited(capsys, tmp_path, *given, "--pictures")
    assert found["pictures on both sides"]["numbers"]["value"] == 1 / 10
    assert found["products on both sides"]["mark"] == "fine"
    assert "10 test items" in found["captions on both sides"]["said"]
    (tmp_path / "3.jpg").unlink()
    found = audited(capsys, tmp_path, *given, "--pictures")
    assert found["pictures on both sides"]["mark"] == "can't be told"


TRAIN = """u a 1 2020-09-01
u b 1 2020-09-02
v a 1 2020-09-01
v c 1 2020-09-03
w d 1 2020-09-01"""
TEST = """u c 1 2020-09-02
u a 1 2020-09-03
v b 1 2020-09-04
w b 1 2020-09-05"""


@pytest.fixture
def purchases(tmp_path):
    """Return a folder with train and test: one cut day and one repeat of four rows."""
    for name, text in (("train", TRAIN), ("test", TEST)):
        (tmp_path / f"{name}.tsv").write_text(text.replace(" ", "\t") + "\n")
    return tmp_path


def of_lists(capsys, folder: Path, text: str) -> dict[str, dict]:
    """Audit lists of two places under the name r."""
    (folder / "r.tsv").write_text(text.replace(" ", "\t"))
    given = ["--interactions", folder / "train.tsv", "--interactions"]
    given += [folder / "test.tsv", "--lists", folder / "r.tsv", "--cutoffs", "1,2"]
    return audited(capsys, folder, *given)


def test_cut_days_and_repeats_are_counted(purchases, capsys):
    found = of_lists(capsys, purchases, "u c 2\nu d 1\nv b 2\nv d 1\nw b 2\nw c 1\n")
    for what in ("a day cut in two", "repeats"):
        assert found[what]["mark"] == "look at this"
        assert found[what]["numbers"]["value"] == 1 / 4
    assert found["r: lists"]["mark"] == found["r: ties"]["mark"] == "fine"


def test_times_of_a_day_are_that_day(purchases, capsys):
    for name in ("train", "test"):
        path = purchases / f"{name}.tsv"
        rows = [line.split("\t") for line in path.read_text().splitlines()]
        for row in rows:  # seconds since 1970, at another hour on each side
            day = pd.Timestamp(row[3]) + pd.Timedelta(hours=3 if name == "test" else 9)
            row[3] = str(int(day.timestamp()))
        path.write_text("\n".join("\t".join(row) for row in rows))
    found = of_lists(capsys, purchases, "u c 2\n")
    assert found["a day cut in two"]["numbers"]["value"] == 1 / 4


def test_the_two_maps_are_told_apart(purchases, capsys):
    found = of_lists(capsys, purchases, "u c 2\nu d 1\nv b 2\nv d 1\nw b 2\nw c 1\n")
    row = found["r: two metrics called MAP"]
    # one hit in the first of two places: (1/1 + 1/2) / 2, by AP 1/2 of two, else 1
    assert "Elliot's MAP, is 0.7500, average precision 0.8333" in row["said"]
    assert row["mark"] == "look at this"


def test_odd_lists_are_counted(purchases, capsys):
    text = "u c 3\nu c 2\nu b 1\nv x 2\nv b 1\nz a 1\n"
    found = of_lists(capsys, purchases, text)
    odd = found["r: lists"]["numbers"]
    assert list(odd.values()) == [1, 1, 1, 1, 1]
    assert found["r: lists"]["mark"] == "look at this"


def test_a_new_item_can_be_a_hit(purchases, capsys):
    with (purchases / "test.tsv").open("a") as file:
        file.write("w\tnew\t1\t2020-09-06\n")
    found = of_lists(capsys, purchases, "u d 2\nu b 1\nv d 2\nv a 1\nw new 2\nw a 1\n")
    assert "hit rate@1 0.3333" in found["r: scores"]["said"]
    odd = found["r: lists"]["numbers"]
    assert odd["places with an item that training lacks"] == 1


def test_ties_are_worth_what_their_order_moves(purchases, capsys):
    found = of_lists(capsys, purchases, "u c 1\nu d 1\nv d 1\nv b 1\nw b 2\nw c 1\n")
    numbers = found["r: ties"]["numbers"]
    assert found["r: ties"]["mark"] == "look at this"
    assert numbers["low"] < numbers["high"]
    assert "2 of 3 lists" in found["r: ties"]["said"]


def test_files_without_dates_or_scores_say_so(purchases, capsys):
    for name in ("train", "test"):
        path = purchases / f"{name}.tsv"
        lines = [line.rpartition("\t")[0] for line in path.read_text().splitlines()]
        path.write_text("\n".join(lines))
    found = of_lists(capsys, purchases, "user_id item_id\nu c\nv b\n")
    assert found["a day cut in two"]["mark"] == "can't be told"
    assert found["r: ties"]["mark"] == "can't be told"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "nothing to audit"),
        (["--train", "train.json"], "both --train FILE and --test FILE"),
        (["--captions", "c.json"], "both --train FILE and --test FILE"),
        (["--lists", "r.tsv"], "0 --interactions: give two"),
        (["--interactions", "r.tsv"], "1 --interactions: give two"),
        (["--train", "no.json", "--test", "test.json"], "no.json: no such file"),
        (["--train", "bad.csv", "--test", "test.json"], "found columns name, price"),
        (["--train", "empty.json", "--test", "test.json"], "0 captions"),
        (["--train", "blank.json", "--test", "test.json"], "0 of 1 train items"),
        (
            [
                "--train",
                "train.json",
                "--test",
                "test.json",
                "--captions",
                "other.json",
            ],
            "0 of the 40 items of test.json have a caption",
        ),
        (
            ["--train", "train.json", "--test", "test.json", "--json", "test.json"],
            "one of the inputs",
        ),
        (
            ["--interactions", "u.tsv", "--interactions", "u.tsv", "--lists", "r.tsv"],
            "none of its users, as 'nobody'",
        ),
        (
            ["--interactions", "u.tsv", "--interactions", "u.tsv", "--lists", "n.csv"],
            "a rank that is no number: 'u,a,first'",
        ),
    ],
)
def test_bad_files_end_with_one_line(words, told, sides, no_java, capsys, monkeypatch):
    root, _ = sides
    monkeypatch.chdir(root)
    Path("bad.csv").write_text("name,price\na,1\n")
    Path("empty.json").write_text("{}")
    Path("blank.json").write_text('{"1": "..."}')
    Path("other.json").write_text('{"zz": "a hat"}')
    Path("u.tsv").write_text("u\ta\t1\n")
    Path("r.tsv").write_text("nobody\ta\t1\n")
    Path("n.csv").write_text("user_id,item_id,rank\nu,a,first\n")
    assert commands.main(["audit", *words]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and told in error, error

"""A notebook alone in an empty folder: what it needs comes from an archive."""

import ast
import http.server
import json
import os
import shutil
import subprocess
import threading
import zipfile
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from sizes import NOTEBOOKS

from fashionlib import commands
from fashionlib.book import bundle, execute, paper, plan, runs, site

ROOT = Path(__file__).parents[2]
RUN = {  # of which one file is lacking elsewhere
    "data.json": {
        "name": "wardrobe",
        "synthetic": True,
        "fingerprint": "ab",
        "place": "",
    },
    "captions/nearest.json": {"1": "a dress"},
    "results/leakage.json": {"values": {"leaks": 0.5}},
}


def write(folder, files):
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(content))


@pytest.fixture
def archive(tmp_path):
    """Pack a small book and its run, with its checksum beside it."""
    place = tmp_path / "made" / "book.zip"
    files = {f"_run/smoke/{name}": content for name, content in RUN.items()}
    files |= {
        "_toc.yml": {},
        "data/published/a.json": {},
        "notebooks/00.ipynb": {"cells": []},
    }
    write(tmp_path / "made", files)
    sums = [f"{site.digest(tmp_path / 'made' / name)}  {name}\n" for name in files]
    with zipfile.ZipFile(place, "w") as packed:
        packed.writestr(site.SUMS, "".join(sums))
        for name in files:
            packed.write(tmp_path / "made" / name, name)
    Path(f"{place}.sha256").write_text(f"{site.digest(place)}  book.zip\n")
    return place


@pytest.fixture
def empty(tmp_path, monkeypatch, archive):
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    monkeypatch.setenv("FASHIONLIB_BUNDLE", str(archive))
    monkeypatch.setenv("FASHIONLIB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "empty"


def test_in_an_empty_folder_a_notebook_finds_what_it_needs(empty, archive, capsys):
    run = runs.start("08_caption_scores", "smoke", 1)
    assert (empty / "data/published/a.json").is_file()
    assert not (empty / "_run/smoke/data.json").exists()
    assert run.read("captions/nearest.json") == {"1": "a dress"} and run.synthetic
    said = capsys.readouterr().out.splitlines()
    assert said == [
        f"data, notebooks, _toc.yml: 3 files from {archive}",
        f"_run/smoke: 3 files from {archive}",
    ]


def test_what_is_there_is_kept(empty):
    mine = {"data.json": RUN["data.json"], "captions/nearest.json": {"1": "mine"}}
    write(empty / "_run/smoke", mine)
    run = runs.start("08_caption_scores", "smoke", 1)
    assert run.result("leakage") == {"leaks": 0.5}
    assert run.read("captions/nearest.json") == {"1": "mine"}


@pytest.mark.parametrize(
    ("note", "said"),
    [
        ({"fingerprint": "cd"}, "its catalogue is ab, this run's is cd"),
        ({"synthetic": False}, "the run is on real data"),
    ],
)
def test_two_catalogues_never_mix(empty, note, said):
    write(empty / "_run/smoke", {"data.json": RUN["data.json"] | note})
    run = runs.start("08_caption_scores", "smoke", 1)
    with pytest.raises(FileNotFoundError, match=said):
        run.need("captions/nearest.json")
    assert not (empty / "_run/smoke/captions/nearest.json").exists()


def test_a_run_that_was_cut_off_is_filled_again(empty, monkeypatch):
    run, copy, done = runs.start("08_caption_scores", "smoke", 1), shutil.copy, []

    def cut(source, place):
        if done:
            raise KeyboardInterrupt
        done.append(copy(source, place))

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(shutil, "copy", cut)
        run.need("data.json")
    assert not (run.root / "data.json").exists() and len(site.files(run.root)) == 1
    assert run.synthetic and len(site.files(run.root)) == len(RUN)


def test_another_archive_than_its_checksum_s_is_refused(empty, archive):
    Path(f"{archive}.sha256").write_text("0123456789abcdef  book.zip\n")
    with pytest.raises(ValueError, match=r"not 0123456789ab as its .sha256 says"):
        runs.start("08_caption_scores", "smoke", 1)
    assert not list(empty.iterdir())


def test_a_profile_that_the_archive_lacks_is_named_with_the_next_step(empty):
    (empty / "_toc.yml").touch()
    (empty / "notebooks").symlink_to(ROOT / "notebooks")
    run = runs.start("08_caption_scores", "tiny", 1)
    wanted = "06_fine_tuning makes; .*make book PROFILE=tiny.*book.zip lacks it"
    with pytest.raises(FileNotFoundError, match=wanted):
        run.need("captions/fine_tuned.json")


@contextmanager
def served(folder):
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/book.zip"
        finally:
            server.shutdown()


def test_a_remote_archive_is_fetched_once_and_kept_where_it_is_whole(
    empty, archive, monkeypatch
):
    with served(archive.parent) as address:
        monkeypatch.setenv("FASHIONLIB_BUNDLE", address)
        whole = archive.read_bytes()
        archive.write_bytes(whole[:-1])
        with pytest.raises(ValueError, match="fetch both again"):
            bundle.archive()
        archive.write_bytes(whole)
        kept = bundle.archive()
    assert bundle.archive() == kept and kept.read_bytes() == whole  # nobody serves
    assert len(site.files(kept.parent)) == 2


@pytest.fixture(scope="module")
def packed(book, tmp_path_factory):
    """Pack the whole book at profile smoke."""
    place = tmp_path_factory.mktemp("packed") / "smoke.zip"
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(ROOT)
        words = ["bundle", "--profile", "smoke", "--out", str(place)]
        assert commands.main(words) == 0
    return place


@pytest.fixture(scope="module")
def filled(packed, tmp_path_factory):
    """Return an empty folder filled from that."""
    folder = tmp_path_factory.mktemp("filled")
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(folder)
        patched.setenv("FASHIONLIB_BUNDLE", str(packed))
        run = runs.start("19_scoreboard", "smoke", 42)
        assert run.items().image.map(lambda place: Path(place).is_file()).all()
    return folder


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_archive_has_all_that_a_notebook_needs(filled, path, monkeypatch):
    monkeypatch.chdir(filled)
    run = runs.start(path.stem, "smoke", 42)
    calls = plan._calls(ast.parse(execute.code(path)))
    for needed in (calls["needs"] | {"data.json"}) - calls["makes"]:
        assert list(run.root.glob(needed)), needed
    for model in run.read("captioners.json"):
        assert run.need(model["base"]).is_relative_to(filled)
    assert run.data.is_dir() and not paper.published("paper_a/table3").empty


QUICK = {"02_what_captions_say", "11_looking_at_captions"}  # the others: make test-all
ALONE = [
    pytest.param(
        path, id=path.stem, marks=[] if path.stem in QUICK else pytest.mark.all
    )
    for path in NOTEBOOKS
]


@pytest.mark.parametrize("path", ALONE)
def test_a_notebook_runs_alone_in_an_empty_folder(packed, tmp_path, path):
    shutil.copy(path, tmp_path)
    environment = os.environ | {"FASHIONLIB_BUNDLE": str(packed)}
    command = ["fashionlib", "execute", path.name, "--profile", "smoke"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    executed = tmp_path / "_run/smoke/notebooks" / path.name
    fetched = "_run/smoke: " in executed.read_text()
    assert fetched == (path != NOTEBOOKS[0])  # which makes all that it needs

"""Runs: profiles, atomic writes, provenance, clear errors."""

import json

import pandas as pd
import pytest

from fashionlib.book import costs, runs
from fashionlib.data.files import atomic, nulls, write_json


@pytest.fixture
def run(tmp_path, monkeypatch):
    (tmp_path / "_toc.yml").touch()
    monkeypatch.chdir(tmp_path)
    return runs.start("08_caption_scores", "smoke", seed=3)


def test_atomic_keeps_the_old_file_when_the_block_raises(tmp_path):
    place = tmp_path / "a.txt"
    place.write_text("old")
    with pytest.raises(RuntimeError), atomic(place) as part:
        part.write_text("half")
        raise RuntimeError
    assert place.read_text() == "old" and list(tmp_path.iterdir()) == [place]


def test_atomic_replaces_a_folder(tmp_path):
    place = tmp_path / "folder"
    for content in ("one", "two"):
        with atomic(place) as part:
            part.mkdir()
            (part / content).touch()
    assert [p.name for p in place.iterdir()] == ["two"] and list(
        tmp_path.iterdir()
    ) == [place]


def test_a_result_carries_where_it_comes_from(run, tmp_path):
    data = tmp_path / "hm"
    data.mkdir()
    (data / "articles.csv").write_text("article_id\n0108775015\n")
    run.use(data, synthetic=True)
    run.save("scores", {"BLEU-4": 0.25})
    content = json.loads(run.path("results/scores.json").read_text())
    origin = content["provenance"]
    assert content["values"] == {"BLEU-4": 0.25} == run.result("scores")
    assert (origin["notebook"], origin["profile"], origin["seed"]) == (
        "08_caption_scores",
        "smoke",
        3,
    )
    assert origin["data"] == {
        "name": "hm",
        "synthetic": True,
        "fingerprint": runs.fingerprint(data),
    }
    assert {
        "commit",
        "versions",
        "hardware",
        "seconds",
        "peak_memory_mib",
    } <= origin.keys()


def test_the_fingerprint_sees_a_changed_table_and_a_new_picture(tmp_path):
    table = tmp_path / "articles.csv"
    table.write_text("a,b\n1,2\n")
    first = runs.fingerprint(tmp_path)
    table.write_text("a,b\n1,3\n")
    second = runs.fingerprint(tmp_path)
    (tmp_path / "0.jpg").touch()
    assert len({first, second, runs.fingerprint(tmp_path)}) == 3


def test_nan_is_no_result(run, tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(run.path("x.json"), {"mean": float("nan")})
    assert not run.path("x.json").exists()
    content = {"mean": float("nan"), "rows": [{"a": 1.5}, (float("nan"),)]}
    kept = write_json(run.path("x.json"), nulls(content))
    assert json.loads(kept.read_text()) == {"mean": None, "rows": [{"a": 1.5}, [None]]}


def test_a_missing_artefact_names_the_next_step(run):
    with pytest.raises(
        FileNotFoundError, match=r"captions/fine_tuned.json.*make book PROFILE=smoke"
    ):
        run.need("captions/fine_tuned.json")


def test_an_artefact_stays_inside_the_run(run):
    with pytest.raises(ValueError, match="outside"):
        run.path("../../elsewhere")


def test_an_unknown_profile_names_the_known():
    with pytest.raises(ValueError, match="'huge'.*colab, paper, sample, smoke, tiny"):
        runs.profile("huge")


def test_every_profile_says_what_it_takes_needs_and_expects():
    for name in runs.profile_names():
        profile = runs.profile(name)
        assert profile["needs"] and profile["expect"], name
        assert bool(costs.budgets(name)["notebooks"]) != ("takes" in profile), name


def test_only_real_results_of_one_state_are_kept(tmp_path, monkeypatch):
    (tmp_path / "_toc.yml").touch()
    monkeypatch.chdir(tmp_path)
    run = runs.start("08_caption_scores", "sample", seed=1)
    with pytest.raises(FileNotFoundError, match="no results of sample"):
        runs.keep("sample")
    data = tmp_path / "hm"
    data.mkdir()
    run.use(data, synthetic=True)
    run.save("scores", {"BLEU-4": 0.2})
    with pytest.raises(
        ValueError, match="1 of 1 results are synthetic, scores.json first"
    ):
        runs.keep("sample")
    run.use(data, synthetic=False)
    run.save("scores", {"BLEU-4": 0.3})
    kept = runs.keep("sample") / "scores.json"
    assert json.loads(kept.read_text())["values"] == {"BLEU-4": 0.3}
    (data / "articles.csv").write_text("article_id\n")
    run.use(data, synthetic=False)
    run.save("more", {})
    with pytest.raises(ValueError, match="2 results of 2 states of code and data"):
        runs.keep("sample")


def test_a_shops_captions_are_not_kept(tmp_path, monkeypatch):
    (tmp_path / "_toc.yml").touch()
    (tmp_path / "hm").mkdir()
    monkeypatch.chdir(tmp_path)
    run = runs.start("08_caption_scores", "sample", seed=1)
    run.use(tmp_path / "hm", synthetic=False)
    monkeypatch.setattr(runs, "commit", lambda root: "a1")
    run.save("leakage", {"table": [{"item_id": "1", "caption": "A red dress."}]})
    with pytest.raises(ValueError, match="leakage.json holds 1 captions or pictures"):
        runs.keep("sample")
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("commits", [["a1", "b2"], ["a1+changes"]])
def test_only_results_of_one_commit_are_kept(tmp_path, monkeypatch, commits):
    (tmp_path / "_toc.yml").touch()
    (tmp_path / "hm").mkdir()
    monkeypatch.chdir(tmp_path)
    run = runs.start("08_caption_scores", "sample", seed=1)
    run.use(tmp_path / "hm", synthetic=False)
    for commit in commits:
        monkeypatch.setattr(runs, "commit", lambda root, commit=commit: commit)
        run.save(f"scores {commit}", {})
    with pytest.raises(
        ValueError, match=f"{len(commits)} states of code and data, commits a1"
    ):
        runs.keep("sample")


def test_artefacts_are_written_whole_and_read_back(run):
    table = pd.DataFrame({"item_id": ["1", "2"], "split": ["train", None]})
    run.write("items.parquet", table)
    run.write("captions/nearest.json", {"1": "a dress"})
    assert run.read("captions/nearest.json") == {"1": "a dress"}
    assert list(run.catalogue().index) == ["1", "2"]
    train, validation, test = run.splits()
    assert list(train.index) == ["1"] and validation.empty and test.empty
    assert not list(run.root.rglob("*.part"))

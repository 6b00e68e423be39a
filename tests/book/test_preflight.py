"""What a run will take here, said before it starts; memory that can't hold it."""

import json

import pytest
import yaml

from fashionlib.book import costs, preflight

#         draw 60 s ─┬─ train 300 s ── ask 120 s
#                    └─ buy 240 s
SOURCES = {
    "00_draw": 'run.use(root, True)\nrun.write("items.parquet", items)',
    "01_train": 'run.items()\nrun.save("model", 1)',
    "02_buy": 'run.items()\nrun.save("bought", 1)',
    "03_ask": 'run.result("model")\nrun.save("asked", 1)',
}
SECONDS = (60, 300, 240, 120)
PEAKS = (500, 3000, 2000, 4000)


@pytest.fixture(autouse=True)
def book(tmp_path, monkeypatch):
    (tmp_path / "_toc.yml").touch()
    (tmp_path / "notebooks").mkdir()
    for name, source in SOURCES.items():
        cell = {"cell_type": "code", "source": source}
        place = tmp_path / "notebooks" / f"{name}.ipynb"
        place.write_text(json.dumps({"cells": [cell]}))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(costs, "BUDGETS", tmp_path)
    rows = zip(SOURCES, SECONDS, PEAKS, strict=True)
    notebooks = {n: {"processor_seconds": s, "peak_mib": p} for n, s, p in rows}
    kept = {"gflops": 50.0, "notebooks": notebooks}
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(kept))


@pytest.mark.parametrize(
    ("cores", "gflops", "said"),
    [
        (1, 50.0, "about 12 min on 1 cores"),  # all of it, one after the other
        (2, 50.0, "about 8 min on 2 cores"),  # draw, train, ask
        (8, 50.0, "about 8 min on 8 cores"),  # more cores don't shorten that chain
        (2, 100.0, "about 4 min on 2 cores"),
    ],
)
def test_the_time_is_the_chain_or_an_even_share(cores, gflops, said):
    text = preflight.takes("tiny", cores, gflops)
    assert text.startswith(said) and "up to 4,000 MiB" in text


def test_only_what_is_left_to_run_counts():
    text = preflight.takes("tiny", 2, 50.0, ["02_buy", "00_draw"])
    assert text.startswith("about 5 min") and "2,000 MiB" in text


def test_a_profile_without_budgets_has_its_own_word():
    assert "an estimate" in preflight.takes("colab", 2, 50.0)


def test_what_memory_cannot_hold_is_refused_with_the_next_step(monkeypatch):
    monkeypatch.setattr(preflight, "available_mib", lambda: 7000)
    preflight.check_memory("tiny", 2)  # 4,000 + 3,000
    monkeypatch.setattr(preflight, "available_mib", lambda: 6999)
    with pytest.raises(MemoryError, match=r"7,000 MiB.*6,999 MiB.*CORES=1 fits"):
        preflight.check_memory("tiny", 2)
    preflight.check_memory("tiny", 1)
    preflight.check_memory("tiny", 2, ["00_draw", "02_buy"])
    monkeypatch.setattr(preflight, "available_mib", lambda: 3999)
    with pytest.raises(MemoryError, match="end what else takes memory"):
        preflight.check_memory("tiny", 2)


def test_memory_is_what_the_machine_has_left():
    assert 10 < preflight.available_mib() < 2**24

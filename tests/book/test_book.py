"""The whole book at profile smoke: every notebook runs, the strict build passes, and
nothing runs twice.
"""

import json
import re
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import links
import pytest
import yaml

from fashionlib import __version__
from fashionlib.book import costs

ROOT = Path(__file__).parents[2]
RUN = ROOT / "_run" / "smoke"
SITE = RUN / "_build" / "html"
LAUNCHERS = {  # what stands before the notebook's path in their links
    "colab.research.google.com": "/blob/main/",
    "mybinder.org": "?urlpath=lab/tree/",
    "kaggle.com": "/fashion-captioned/fashion-captioned/blob/main/",
}
NAMES = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))


def planned(snakemake, folder: Path) -> set[str]:
    """Notebooks that Snakemake would execute in `folder`."""
    done = snakemake("--dry-run", folder=folder)
    assert done.returncode == 0, done.stderr
    lines = done.stdout + done.stderr
    return set(re.findall(r"^(?:local)?rule notebook_(\w+):", lines, flags=re.M))


def test_every_page_of_the_table_of_contents_is_there(book):
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    for chapter in [
        toc["root"],
        *(c["file"] for part in toc["parts"] for c in part["chapters"]),
    ]:
        assert (book / f"{chapter}.html").is_file(), chapter
    assert "book/intro.html" in (book / "index.html").read_text()


@pytest.mark.parametrize("name", NAMES)
def test_a_page_loads_nothing_from_elsewhere_and_every_picture_has_words(book, name):
    tags = links.Tags(book / "notebooks" / f"{name}.html").found
    loaded = [given.get("src") for _, given in tags]
    loaded += [g["href"] for _, g in tags if g.get("rel") == "stylesheet"]
    assert not [
        address for address in loaded if re.match(r"(https?:)?//", address or "")
    ]
    assert not [given for tag, given in tags if tag == "img" and not given.get("alt")]


def test_every_link_leads_somewhere(book):
    nowhere, _ = links.follow(book)
    assert not nowhere


@pytest.mark.parametrize("name", NAMES)
def test_the_launch_buttons_lead_to_the_notebook(book, name):
    tags = links.Tags(book / "notebooks" / f"{name}.html").found
    addresses = [given.get("href") or "" for tag, given in tags if tag == "a"]
    for launcher, before in LAUNCHERS.items():
        link = next(link for link in addresses if launcher in link)
        assert unquote(link).split(before)[1] == f"notebooks/{name}.ipynb"


@pytest.mark.parametrize("name", ["notebooks/08_caption_scores", "book/glossary"])
def test_a_page_says_how_to_cite_it(book, name):
    text = (book / f"{name}.html").read_text(encoding="utf-8")
    title = unescape(re.search(r"<title>(?:\d+\. )?(.*?) &#8212;", text)[1])
    [cited] = re.findall(r'<details class="cite.*?</details>', text, re.DOTALL)
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    [source] = ROOT.glob(f"{name}.[im]*")
    address = f"{config['repository']['url']}/blob/main/{source.relative_to(ROOT)}"
    fields = dict(re.findall(r"^  (\w+) = {(.*)},?$", unescape(cited), re.MULTILINE))
    assert fields == {
        "author": f"{{{config['author']}}}",
        "title": title,
        "booktitle": config["title"],
        "year": config["copyright"],
        "note": f"Version {__version__}",
        "url": address,
    }
    assert f'<a href="{address}">' in cited


@pytest.mark.parametrize("name", NAMES)
def test_a_page_says_that_its_numbers_are_synthetic_and_keeps_machines_out(book, name):
    text = (book / "notebooks" / f"{name}.html").read_text(encoding="utf-8")
    assert "synthetic wardrobe" in text.split("bd-footer")[0]
    for place in (str(ROOT), "/tmp/", "/root/", "/home/"):
        assert place not in text, place
    assert "Traceback" not in text


def test_every_result_says_where_it_comes_from(book):
    results = sorted((RUN / "results").glob("*.json"))
    assert len(results) == len(NAMES)
    for path in results:
        origin = json.loads(path.read_text())["provenance"]
        assert (
            origin["profile"] == "smoke"
            and origin["data"]["synthetic"]
            and origin["commit"]
        ), path
        assert (ROOT / "notebooks" / f"{origin['notebook']}.ipynb").is_file(), path


def test_every_notebook_has_a_record_with_time_and_memory(book):
    records = {
        path.stem: json.loads(path.read_text())
        for path in (RUN / "records").glob("*.json")
    }
    assert set(NAMES) <= records.keys() and all(
        r["seconds"] > 0 for r in records.values()
    )
    status = (book / "book" / "status.html").read_text()
    assert "processor s" in status and "together" in status


def test_smoke_stays_within_its_budget_and_half(book):
    """In processor seconds of all notebooks; a slower machine may take longer."""
    kept = costs.budgets("smoke")
    records = costs.records(RUN)
    spent = sum(costs.comparable_seconds(r, kept["gflops"]) for r in records)
    budget = sum(one["processor_seconds"] for one in kept["notebooks"].values())
    assert spent <= costs.ALLOWED * budget, costs.table(records, kept)


def test_prose_numbers_are_bound_to_results(book):
    page = (book / "book" / "intro.html").read_text()
    bound = re.findall(r'<abbr class="result" title="([^"]+)">([^<]+)</abbr>', page)
    origins = re.compile("table.*; printed$|profile (sample|of its own), commit")
    assert len(bound) > 20 and all(origins.search(title) for title, _ in bound)
    kept = json.loads((ROOT / "data/measured/sample/leakage.json").read_text())
    assert f"{kept['values']['article']['BLEU-4']:.1%}" in dict(bound).values()
    forensics = (book / "book" / "forensics.html").read_text()
    assert "profile smoke, commit" in forensics  # of this run


def test_a_second_run_executes_nothing(snakemake, copy):
    assert planned(snakemake, copy) == set()


def test_touched_outputs_and_metadata_execute_nothing(snakemake, copy):
    path = copy / "notebooks" / "14_recommenders.ipynb"
    before = path.read_text()
    notebook = json.loads(before)
    notebook["metadata"]["touched"] = True
    notebook["cells"][-1]["outputs"] = [
        {"output_type": "stream", "name": "stdout", "text": ["x"]}
    ]
    path.write_text(json.dumps(notebook))
    assert planned(snakemake, copy) == set()
    path.write_text(before)


def test_an_edited_module_executes_only_the_notebooks_that_use_it(snakemake, copy):
    path = copy / "fashionlib" / "recommending" / "ranking.py"
    before = path.read_text()
    path.write_text(before + "\nEDITED = True\n")
    users = {"13_missing_captions", "14_recommenders", "15_why_item_knn_wins"}
    # 19 reads the results of 14 and 15.
    assert planned(snakemake, copy) == {*users, "19_scoreboard"}
    path.write_text(before)

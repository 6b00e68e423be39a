"""The displayed formulas, by hand on tiny examples, equal the functions they name.

The code of these functions stands folded under the formula.
"""

import inspect
import json
import pydoc
import re
import sys
from html import unescape
from math import exp, log, log2, sqrt
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import sparse

from fashionlib import stats
from fashionlib.captioning.captioners import contrast
from fashionlib.captioning.metrics import meteor, overlap
from fashionlib.captioning.metrics.spice import graph
from fashionlib.recommending import neighbours, ranking, vbpr

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "book" / "_ext"))
HITS, SIZES = np.array([[True, False, False, True, False]]), np.array([3])


def test_bleu():
    counts = overlap.measure([["a long red dress"]], ["a red dress"]).bleu_counts[0]
    short = exp(1 - 4 / 3)
    found = overlap.bleu(counts)[:2]
    assert found == pytest.approx([short, short * sqrt(3 / 3 * 1 / 2)])


def test_rouge_l():
    score = overlap.rouge_l([["a long red dress"]], ["a dress red"])
    p, r, b = 2 / 3, 2 / 4, 1.2**2
    assert score == pytest.approx([(1 + b) * p * r / (r + b * p)])


def test_meteor():
    row = dict.fromkeys(meteor.STATISTICS, 0)
    row |= {"caption words": 3, "reference words": 4}
    row |= {"caption function words": 1, "reference function words": 1}
    for side in meteor.SIDES:
        row[f"exact content matches of {side}"] = 1
        row[f"stem content matches of {side}"] = 1
        row[f"matched words of {side}"] = 2
    row["chunks"] = 1
    matched = (1 + 0.6) * 0.75
    p, r = matched / (2 * 0.75 + 0.25), matched / (3 * 0.75 + 0.25)
    wanted = p * r / (0.85 * p + 0.15 * r) * (1 - 0.6 * (1 / 2) ** 0.2)
    assert meteor.from_statistics(np.array(list(row.values()))) == pytest.approx(wanted)


def test_cider():
    score = overlap.measure([["a b"], ["a c"]], ["b b", "c"]).cider
    # "b" twice is clipped to once; no bigram is shared; as many bigrams
    first = 10 / 4 * (log(2) * log(2)) / (2 * log(2) * log(2))
    second = 10 / 4 * exp(-1 / (2 * 6**2))  # "a" weighs log(2 / 2) = 0
    assert score == pytest.approx([first, second])


def test_spice():
    assert graph.f_score(np.array([2, 1, 3])) == pytest.approx(4 / (4 + 1 + 3))


def test_bootstrap_draws_whole_products():
    values = np.column_stack([[1.0, 2.0, 4.0], np.ones(3)])
    sums = stats.resample(values, 0, 50, ["one", "one", "two"])
    whole = {(6.0, 4.0), (7.0, 3.0), (8.0, 2.0)}  # n times (3, 2) and 2 - n (4, 1)
    assert set(map(tuple, sums)) == whole
    means = sums[:, 0] / sums[:, 1]
    found = stats.summary(7 / 3, means)
    assert (found.low, found.high) == tuple(np.quantile(means, [0.025, 0.975]))


def test_contrastive():
    images = torch.tensor([[[1.0, 0], [0, 1]], [[0.6, 0.8], [0, 1]]])
    cosines = contrast.similarity(images, torch.tensor([[1.0, 0], [0.8, 0.6]]))
    assert cosines.flatten().tolist() == pytest.approx([1, 0.8, 0.6, 0.96])
    z, same = np.array([[1.0, 2], [0.5, 3]]), torch.eye(2)
    rows, columns = np.exp(z).sum(1), np.exp(z).sum(0)
    own = np.exp(np.diag(z))
    wanted = -(np.log(own / rows) + np.log(own / columns)).sum() / 4
    loss = contrast.contrastive(torch.tensor(z), same.double())
    assert float(loss) == pytest.approx(wanted)
    equal = contrast.contrastive(torch.tensor(z), torch.ones(2, 2).double())
    both = -(np.log(np.exp(z) / rows[:, None]) + np.log(np.exp(z.T) / columns[:, None]))
    assert float(equal) == pytest.approx(both.sum() / 2 / 4)


@pytest.mark.parametrize(("rslora", "scale"), [(True, 8 / 2), (False, 8 / 4)])
def test_lora(rslora, scale):
    from peft import LoraConfig, get_peft_model

    base = torch.nn.Sequential(torch.nn.Linear(3, 2))
    config = LoraConfig(r=4, lora_alpha=8, use_rslora=rslora, target_modules=["0"])
    layer = get_peft_model(base, config).base_model.model[0]
    a, b = layer.lora_A["default"].weight, layer.lora_B["default"].weight
    x = torch.ones(3)
    assert torch.equal(layer(x), layer.base_layer(x)), "B starts at zero"
    torch.nn.init.ones_(b)
    assert torch.allclose(layer(x), layer.base_layer(x) + scale * (b @ a @ x))


@pytest.mark.parametrize("form", [vbpr.VBPR, vbpr.DuchoVBPR])
def test_vbpr(form):
    features = np.random.default_rng(0).normal(size=(3, 2)).astype(np.float32)
    model = form(features=features, factors=2, penalty=0.1)
    model.device = "cpu"
    model._start(sparse.csr_matrix(np.eye(2, 3)))
    own = [weight.detach().numpy() for weight in model._weights()]
    if form is vbpr.VBPR:
        (g, t), item, f = np.split(own[0], 2, axis=1), own[1], model.inputs.numpy()
        seen, bias = f @ own[2][:, :2], item[:, 2] + f @ own[2][:, 2]
        item, squares = item[:, :2], item[:, 2] ** 2 + (f @ own[2][:, 2]) ** 2
    else:
        g, item, t, projection, offset = own
        seen = features @ projection + offset
        seen /= np.linalg.norm(seen, axis=1, keepdims=True)
        bias = squares = np.zeros(3)
    x = bias + g @ item.T + t @ seen.T
    users, items, biases = model._vectors()
    assert np.allclose((users @ items.T + biases).detach().numpy(), x, atol=1e-6)
    squares = squares + (item**2).sum(1) + (seen**2).sum(1)
    total = squares[0] + squares[2] + (g[0] ** 2).sum() + (t[0] ** 2).sum()
    wanted = log(1 + exp(x[0, 2] - x[0, 0])) + 0.1 / 2 * total
    loss = model._triples(*(torch.tensor([place]) for place in (0, 0, 2)))
    assert float(loss.detach()) == pytest.approx(wanted, rel=1e-5)


def test_cosine_neighbours():
    bought = sparse.csr_matrix([[1, 1, 0], [1, 0, 0], [1, 1, 1]])  # (users, items)
    found = neighbours.cosine_neighbours(bought.T.tocsr(), 1).toarray()
    assert found[1] == pytest.approx([2 / sqrt(3 * 2), 0, 0])
    assert found[2] == pytest.approx([0, 1 / sqrt(2 * 1), 0])


def test_ndcg():
    wanted = (1 / log2(2) + 1 / log2(5)) / (1 / log2(2) + 1 / log2(3) + 1 / log2(4))
    assert ranking.ndcg(HITS, SIZES) == pytest.approx([wanted])


def test_average_precision_and_elliot():
    assert ranking.average_precision(HITS, SIZES) == pytest.approx([(1 + 2 / 4) / 3])
    wanted = (1 + 1 / 2 + 1 / 3 + 2 / 4 + 2 / 5) / 5
    assert ranking.map_elliot(HITS, SIZES) == pytest.approx([wanted])


def named(chapter):
    """Return the dotted names after "In code:" in a chapter."""
    cells = json.loads(chapter.read_text(encoding="utf-8"))["cells"]
    lines = [line for cell in cells for line in "".join(cell["source"]).splitlines()]
    said = [line for line in lines if line.startswith("In code:")]
    return re.findall(r"`(fashionlib[\w.]+)`", " ".join(said))


CHAPTERS = {path: named(path) for path in (ROOT / "notebooks").glob("*.ipynb")}


def test_the_code_of_a_name_is_the_object_s_own():
    from formula_code import source

    names = [name for names in CHAPTERS.values() for name in names]
    assert len(names) > 12
    for name in names:
        assert source(name)[0] == inspect.getsource(pydoc.locate(name)).rstrip()
    for wrong in ("fashionlib.stats.nothing", "fashionlib.no.module", "os.path.join"):
        with pytest.raises(ValueError):
            source(wrong)


def test_each_formula_s_code_stands_folded_under_it(book):
    for chapter, names in CHAPTERS.items():
        page = (book / "notebooks" / f"{chapter.stem}.html").read_text("utf-8")
        folded = r'<details class="formula-code">.*?<code>(\w+)</code>.*?</details>'
        found = list(re.finditer(folded, page, re.DOTALL))
        assert [one[1] for one in found] == [n.rpartition(".")[2] for n in names]
        for one in found:
            text = unescape(re.sub("<[^>]+>", "", one[0]))
            assert re.search(rf"(def|class) {one[1]}\b", text)

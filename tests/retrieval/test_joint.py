"""A captioner that retrieves: its vectors are handed to the benchmarks as they are."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from fashionlib.captioning import captioners
from fashionlib.retrieval import Benchmark, joint

AT = {"a.jpg": (1, 0), "b.jpg": (0, 1), "q.jpg": (0.6, 0.8)}  # q is nearer to b


@pytest.fixture
def task() -> Benchmark:
    gallery = pd.DataFrame({"image": ["a.jpg", "b.jpg"]})
    queries = pd.DataFrame({"image": ["q.jpg"], "caption": ["words"]})
    relevant = sparse.csr_matrix(np.array([[True, False]]))
    return Benchmark(queries, gallery, relevant, "a is right")


def test_pictures_ask_by_their_query_outputs(task, monkeypatch) -> None:
    asked = []

    def embed(captioner, images, space, pooling):
        asked.append((captioner, space, pooling))
        return np.array([AT[image] for image in images], np.float32)

    monkeypatch.setattr(captioners, "embed_images", embed)
    ranks = joint.ranks_by_queries("mini", {"street": task}, "max")
    assert ranks["street"].tolist() == [2]
    assert set(asked) == {("mini", "queries", "max")}


def test_a_text_scores_with_a_pictures_nearest_query(task, monkeypatch) -> None:
    several = np.array([[[0, 1], [0.8, 0.6]], [[0.6, 0.8], [0.6, 0.8]]], np.float32)
    monkeypatch.setattr(captioners, "embed_images", lambda *_, pooling: several)
    text = np.array([[1, 0]], np.float32)
    monkeypatch.setattr(captioners, "embed_texts", lambda *_: text)
    assert joint.ranks_by_text("mini", task).tolist() == [1]  # 0.8 above 0.6

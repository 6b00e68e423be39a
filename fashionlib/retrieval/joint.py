"""Ask a captioner that retrieves: by the pictures' query outputs, and by text."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np

from fashionlib.captioning import captioners
from fashionlib.data.items import CAPTION, IMAGE
from fashionlib.retrieval.benchmarks import Benchmark


def ranks_by_queries(
    captioner: captioners.Captioner,
    tasks: Mapping[str, Benchmark],
    pooling: captioners.Pooling = "mean",
) -> dict[str, np.ndarray]:
    """Return each task's ranks (queries,), pictures as their pooled query outputs.

    The outputs are those of the Q-Former as they are (Thesis B's embedding, which
    doesn't say how it pools): of any BLIP-2. `pooling` as of `embed_images`.
    """
    embed = partial(
        captioners.embed_images, captioner, space="queries", pooling=pooling
    )
    return {name: task.ranks_by(embed) for name, task in tasks.items()}


def ranks_by_text(captioner: captioners.Captioner, reading: Benchmark) -> np.ndarray:
    """Return the ranks (queries,) of `benchmarks.captions`: a text, then pictures.

    A picture scores with the nearest of its queries, as BLIP-2 trains it. ValueError
    for a captioner without a retrieval part.
    """
    texts = captioners.embed_texts(captioner, list(reading.queries[CAPTION]))
    # (items, queries, dim)
    images = captioners.embed_images(captioner, reading.gallery[IMAGE], pooling=None)
    return reading.ranks(texts, images)

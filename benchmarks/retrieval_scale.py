"""Measure `retrieval.first_hits` in a large gallery: processor seconds and memory.

Sorting every gallery row stands beside it for the first `--sorted` queries alone, and
its ranks are compared.

    python -m benchmarks.retrieval_scale [--queries 50000] [--gallery 50000]
                                         [--dim 256] [--sorted 1000]
"""

import numpy as np
from scipy import sparse

from benchmarks.measuring import Figure, options, peak, report, timed
from fashionlib import retrieval


def by_sorting(
    queries: np.ndarray, gallery: np.ndarray, relevant: sparse.csr_matrix
) -> np.ndarray:
    """Ranks of the first true rows, from a whole sorted gallery for each query."""
    queries, gallery = (
        rows / np.linalg.norm(rows, axis=1, keepdims=True)
        for rows in (queries, gallery)
    )
    order = np.argsort(-(queries @ gallery.T), axis=1)
    return np.take_along_axis(relevant.toarray(), order, 1).argmax(1) + 1


def main() -> None:
    given = options(__doc__, queries=50_000, gallery=50_000, dim=256, sorted=1000)
    rng = np.random.default_rng(0)
    queries, gallery = (
        rng.standard_normal((rows, given.dim), np.float32)
        for rows in (given.queries, given.gallery)
    )
    places = (
        np.repeat(np.arange(given.queries), 3),
        rng.integers(0, given.gallery, 3 * given.queries),
    )
    relevant = sparse.csr_matrix(
        (np.ones(3 * given.queries, bool), places), (given.queries, given.gallery)
    )
    before = peak()
    first, seconds = timed(lambda: retrieval.first_hits(queries, gallery, relevant))
    memory, few = peak() - before, slice(given.sorted)
    ranks, sorting = timed(lambda: by_sorting(queries[few], gallery, relevant[few]))
    first = first[few]
    changed = {
        f"top-{k}": int(((ranks <= k) != (first <= k)).sum()) for k in (1, 10, 20, 1000)
    }
    figures = [
        Figure(
            f"a rank in a gallery of {given.gallery:,}",
            1000 * seconds / given.queries,
            "ms",
            "sorting",
            1000 * sorting / given.sorted,
            note=f"hits that differ in the first 1,000: {changed['top-1000']}",
        ),
        Figure(
            f"memory for {given.queries:,} ranks",
            1024 * memory,
            "MiB",
            "all scores",
            4 * given.queries * given.gallery / 2**20,
        ),
    ]
    values = {
        "ranks that differ": int((ranks != first).sum()),
        "most by": int(np.abs(ranks - first).max()),
        "hits that differ": changed,
        "compared": given.sorted,
    }
    report(figures, values)


if __name__ == "__main__":
    main()

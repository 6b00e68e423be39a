"""Measure `retrieval.first_hits` in a large gallery: CPU seconds and memory.

Sorting every gallery row stands beside it for the first `--sorted` queries alone, and
its ranks are compared. Prints JSON.

    python benchmarks/retrieval_scale.py [--queries 50000] [--gallery 50000]
                                         [--dim 256] [--sorted 1000]
"""

import argparse
import json
import resource
import sys
import time

import numpy as np
from scipy import sparse

from fashionlib import retrieval
from fashionlib.data import provenance


def peak() -> int:
    """Return the process's largest resident memory so far, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


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
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, default in (
        ("--queries", 50_000),
        ("--gallery", 50_000),
        ("--dim", 256),
        ("--sorted", 1000),
    ):
        arguments.add_argument(name, type=int, default=default)
    given = arguments.parse_args()
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
    before, started = peak(), time.process_time()
    first = retrieval.first_hits(queries, gallery, relevant)
    seconds, memory = time.process_time() - started, peak() - before
    started = time.process_time()
    few = by_sorting(queries[: given.sorted], gallery, relevant[: given.sorted])
    sorting = time.process_time() - started
    json.dump(
        {
            "cpu_seconds": round(seconds, 1),
            "mib_above_the_inputs": memory,
            "mib_of_all_scores": round(4 * given.queries * given.gallery / 2**20),
            "cpu_ms_a_query": {
                "first_hits": round(1000 * seconds / given.queries, 2),
                "sorting": round(1000 * sorting / given.sorted, 2),
            },
            "ranks_that_differ": int((few != first[: given.sorted]).sum()),
            "compared": given.sorted,
            "most_by": int(np.abs(few - first[: given.sorted]).max()),
            "hits_that_differ": {
                f"top-{k}": int(((few <= k) != (first[: given.sorted] <= k)).sum())
                for k in (1, 10, 20, 1000)
            },
            "queries": given.queries,
            "gallery": given.gallery,
            "dim": given.dim,
            "hardware": provenance.hardware(),
            "versions": provenance.versions(),
        },
        sys.stdout,
        indent=1,
    )


if __name__ == "__main__":
    main()

"""Measure Table 5's work at H&M's size: time and memory of every step, and the peers.

Interactions are made up (`shoppers.made_up`). Each size runs in a process of its own,
which reads the interactions from a file: split, matrices, ItemKNN and UserKNN fitted,
top-12 lists for every evaluated customer (bought items left out), six metrics at two
cutoffs, and one table of a VBPR with 64 + 64 factors scored (random vectors, 100,000
customers, whose time is scaled up to all; `vbpr` trains). Seconds are of all threads
(cpu) and of the wall; peaks are of the whole process, libraries included, in GiB.
Peers, at 1/50 of the size, each beside ours in one run: cornac's ItemKNN, UserKNN and
ranking_eval, implicit's CosineRecommender, and the metrics in a loop over customers as
Elliot has them. Chapter 14 shows what is kept.

    python -m benchmarks.recommend_scale
    # a fiftieth alone and the peers: minutes
    python -m benchmarks.recommend_scale --scales 0.02
"""

from __future__ import annotations

import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numba
import numpy as np
import pandas as pd

from benchmarks import shoppers
from benchmarks.measuring import Figure, alone, options, peak, report, version
from fashionlib import recommending
from fashionlib.data import interactions
from fashionlib.recommending import ranking

MODELS = {
    "ItemKNN": recommending.ItemKNN,
    "UserKNN": recommending.UserKNN,
    "MostPop": recommending.MostPop,
    "Random": recommending.Random,
}
FACTORS = 128  # of the scored table: 64 + 64
SCORED = 100_000  # customers of it, at most: each costs the same
PEER_SCALE = 0.02


def main() -> None:
    given = options(__doc__, scales="0.02,0.1,1")
    peers, sizes = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        place = _written(folder, PEER_SCALE)
        calls = {
            "ItemKNN": f"neighbours({place!r}, 'ItemKNN')",
            "UserKNN": f"neighbours({place!r}, 'UserKNN')",
            "ranking": f"rankings({place!r})",
            "metrics": f"metrics({place!r})",
        }
        for peer, call in calls.items():
            sys.stderr.write(f"{peer}\n")
            peers[peer] = alone(f"recommend_scale.{call}")
        for scale in given.scales.split(","):
            place = _written(folder, float(scale))
            sys.stderr.write(f"{scale} of H&M's size\n")
            sizes[scale] = alone(f"recommend_scale.steps({place!r})")
    whole = sizes[max(sizes, key=float)]
    figures = [*beside_peers(peers), *at_full_size(whole)]
    report(figures, {"sizes": sizes, "peers": peers, "peers at": PEER_SCALE})


def beside_peers(peers: dict) -> list[Figure]:
    """Show ItemKNN, UserKNN, ranking and metrics beside their peers, at a fiftieth."""
    figures, rivals = [], {"cornac": version("cornac"), "implicit": version("implicit")}
    for name, goal in (("ItemKNN", 30), ("UserKNN", None)):
        ours, what = peers[name]["ours"], f"{name} fitted at 1/50 of H&M's size"
        for rival, peer in rivals.items():
            theirs, wanted = peers[name][rival], goal if rival == "cornac" else None
            figures.append(Figure(what, ours["cpu"], "s", peer, theirs["cpu"], wanted))
            if rival == "cornac":
                memory = 1024 * ours["memory"], "MiB", peer, 1024 * theirs["memory"]
                figures.append(Figure(f"{name}'s memory for it", *memory))
    lists, ranked, judged = peers["ItemKNN"], peers["ranking"], peers["metrics"]
    mine, theirs = (lists[f"lists, {who}"]["cpu"] for who in ("ours", "implicit"))
    loop, difference = "a loop over customers", judged["largest difference"]
    note = f"six metrics for the loop's two, largest difference {difference:.0e}"
    return [
        *figures,
        Figure("ItemKNN's lists", mine, "s", rivals["implicit"], theirs),
        Figure(
            "a customer's list of a table of factors, judged",
            ranked["ours, ms a user"],
            "ms",
            f"{rivals['cornac']}'s ranking_eval",
            ranked["cornac, ms a user"],
            50,
        ),
        Figure(
            "a customer's metrics",
            judged["ours, us a user"],
            "µs",
            loop,
            judged["loop, us a user"],
            note=note,
        ),
    ]


def at_full_size(size: dict) -> list[Figure]:
    """Show the largest size's cost; goals are 6 and 5 minutes of two cores, 4 GiB."""
    steps, rest = size["steps"], size["all but VBPR"]
    what = f"Table 5 but VBPR, {size['rows']:,} interactions"
    scored = steps["a VBPR table scored"]["cpu"]
    figures = [
        Figure(f"{what}: {step}", steps[step]["cpu"])
        for step in steps
        if step.split(", ")[0] in ("ItemKNN", "UserKNN") and "metrics" not in step
    ]
    return [
        Figure(what, rest["cpu"], goal=720),
        Figure("its peak memory", rest["peak"], "GiB", goal=4),
        *figures,
        Figure("a VBPR table scored, scaled up", scored, goal=600),
    ]


def _written(folder: str, scale: float) -> str:
    path = Path(folder, f"{scale:g}.parquet")
    if not path.is_file():
        shoppers.made_up(scale).to_parquet(path, index=False)
    return str(path)


def steps(path: str) -> dict:
    """{"rows", "users", ..., "steps": {step: {"cpu", "wall", "peak"}}} of one size."""
    warm_up()
    found: dict[str, dict[str, float]] = {}
    tables, sizes = (
        [pd.read_parquet(path)],
        {"peak before": peak()},
    )  # lists, so that nothing keeps what is done with
    sizes["rows"] = len(tables[0])
    tables += timed(found, "split", lambda: interactions.temporal_split(tables.pop()))
    data = timed(
        found,
        "matrices",
        lambda: interactions.to_matrices(tables.pop(-2), tables.pop()),
    )
    users, means = data.evaluated, {}
    relevant = data.test[users]
    for name, model in MODELS.items():
        fitted = timed(found, f"{name}, fit", lambda m=model: m().fit(data.train))
        lists = timed(found, f"{name}, lists", lambda f=fitted: f.recommend(users, 12))
        scores = timed(
            found,
            f"{name}, metrics",
            lambda some=lists: ranking.per_user(some, relevant, (5, 12)),
        )
        means[name] = {
            metric: float(values.mean()) for metric, values in scores.items()
        }
        del fitted, lists, scores
    everything = {
        "cpu": sum(s["cpu"] for s in found.values()),
        "wall": sum(s["wall"] for s in found.values()),
        "peak": peak(),
    }
    scored = {}
    timed(scored, "it", lambda: vbpr_lists(data, users[:SCORED]))
    whole = len(users) / len(users[:SCORED])
    found["a VBPR table scored"] = {
        "cpu": whole * scored["it"]["cpu"],
        "wall": whole * scored["it"]["wall"],
        "peak": peak(),
        "of users": len(users[:SCORED]),
    }
    sizes |= {
        "users": data.train.shape[0],
        "items": len(data.items),
        "pairs": data.train.nnz,
        "evaluated": len(users),
        "multiplications of UserKNN": float(
            (np.bincount(data.train.indices).astype(float) ** 2).sum()
        ),
    }
    return sizes | {
        "steps": found,
        "all but VBPR": everything,
        "means": means,
        "threads": numba.get_num_threads(),
    }


def warm_up() -> None:
    """Compile, or read compiled code, before anything is timed."""
    rows = pd.DataFrame(
        {
            "user_id": [0, 0, 1, 1, 2, 2] * 9,
            "item_id": np.arange(54) % 7,
            "date": np.arange(54),
        }
    )
    data = interactions.to_matrices(*interactions.temporal_split(rows.astype(np.int32)))
    for model in MODELS.values():
        ranking.per_user(
            model().fit(data.train).recommend(data.evaluated, 3),
            data.test[data.evaluated],
            (2, 3),
        )
    vbpr_lists(data, data.evaluated, 3)


def vbpr_lists(
    data: interactions.Interactions, users: np.ndarray, n: int = 12
) -> np.ndarray:
    """Top n of random tables of the shape of a VBPR with 64 + 64 factors."""
    import torch

    from fashionlib.recommending.scoring import top_n

    draw = torch.Generator().manual_seed(0)
    rows = torch.randn(data.train.shape[0], FACTORS, generator=draw) / 8
    columns = torch.randn(data.train.shape[1], FACTORS, generator=draw) / 8
    return top_n(
        rows, columns, torch.randn(len(columns), generator=draw), users, data.train, n
    )


def timed(found: dict, step: str, work: Callable) -> object:
    cpu, wall = time.process_time(), time.perf_counter()
    result = work()
    found[step] = {
        "cpu": time.process_time() - cpu,
        "wall": time.perf_counter() - wall,
        "peak": peak(),
    }
    sys.stderr.write(
        f"  {step}: {found[step]['cpu']:.1f} s of the processor,"
        f" {found[step]['wall']:.1f} of the wall\n"
    )
    return result


def _data(path: str) -> interactions.Interactions:
    return interactions.to_matrices(*interactions.temporal_split(pd.read_parquet(path)))


def grown(work: Callable) -> dict:
    """CPU seconds of `work` and by how much it raised the process's peak, GiB."""
    before, found = peak(), {}
    timed(found, "it", work)
    return {"cpu": found["it"]["cpu"], "memory": peak() - before}


def neighbours(path: str, name: str) -> dict:
    """Fit alone: ours first (its peak is lower), then implicit, then cornac."""
    import cornac
    from implicit.nearest_neighbours import CosineRecommender

    warm_up()
    data = _data(path)
    k, library = (
        (20, cornac.models.ItemKNN)
        if name == "ItemKNN"
        else (10, cornac.models.UserKNN)
    )
    rows = data.train if name == "ItemKNN" else data.train.T.tocsr()
    CosineRecommender(K=2).fit(rows[:50], show_progress=False)
    found = {"ours": grown(lambda: MODELS[name](k).fit(data.train))}
    found["implicit"] = grown(
        lambda: CosineRecommender(K=k + 1).fit(rows, show_progress=False)
    )
    if name == "ItemKNN":
        users, theirs = data.evaluated, CosineRecommender(K=k + 1)
        theirs.fit(rows, show_progress=False)
        model = recommending.ItemKNN(k, "implicit").fit(data.train)
        found["lists, ours"] = grown(lambda: model.recommend(users, 12))
        found["lists, implicit"] = grown(
            lambda: theirs.recommend(users, data.train[users], N=12)
        )
    matrix = data.train.tocoo()
    dataset = cornac.data.Dataset.from_uir(
        list(
            zip(
                matrix.row.tolist(),
                matrix.col.tolist(),
                matrix.data.tolist(),
                strict=True,
            )
        )
    )
    found["cornac"] = grown(
        lambda: library(k=k, similarity="cosine", verbose=False).fit(dataset)
    )
    return found


def rankings(path: str, some: int = 200) -> dict:
    """Compare cornac's ranking_eval with ours on a table of factors, in ms a user."""
    import cornac
    from cornac.eval_methods.base_method import ranking_eval

    warm_up()
    data = _data(path)
    users = data.evaluated
    bought = data.train.tocoo()
    triples = list(
        zip(bought.row.tolist(), bought.col.tolist(), bought.data.tolist(), strict=True)
    )
    train = cornac.data.Dataset.build(
        triples,
        global_uid_map={u: u for u in range(bought.shape[0])},
        global_iid_map={i: i for i in range(bought.shape[1])},
    )
    model = cornac.models.MF(k=FACTORS, max_iter=1, verbose=False).fit(train)
    wanted = [cornac.metrics.NDCG(k=k) for k in (5, 12)] + [
        cornac.metrics.Recall(k=k) for k in (5, 12)
    ]
    chosen = set(users[:some].tolist())
    held = zip(*data.test[:, : len(data.items)].nonzero(), strict=True)
    few = cornac.data.Dataset.build(
        [(u, i, 1.0) for u, i in held if u in chosen],
        global_uid_map=train.uid_map,
        global_iid_map=train.iid_map,
    )
    judged = len(set(few.uir_tuple[0].tolist()))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = grown(lambda: ranking_eval(model, wanted, train, few))["cpu"] / judged
    relevant = data.test[users]
    ours = grown(lambda: ranking.per_user(vbpr_lists(data, users), relevant, (5, 12)))[
        "cpu"
    ] / len(users)
    return {
        "cornac, ms a user": 1000 * theirs,
        "ours, ms a user": 1000 * ours,
        "ratio": theirs / ours,
        "users": {"cornac": judged, "ours": len(users)},
        "candidates": len(data.items),
    }


def metrics(path: str) -> dict:
    """Compare a loop over customers as Elliot's with ours: NDCG and Elliot's MAP.

    Both are at two cutoffs; ours computes six metrics.
    """
    data = _data(path)
    users = data.evaluated
    lists = recommending.MostPop().fit(data.train).recommend(users, 12)
    relevant = data.test[users]
    held = [
        set(relevant.indices[a:b].tolist())
        for a, b in zip(relevant.indptr[:-1], relevant.indptr[1:], strict=True)
    ]
    ours, theirs = {}, {}
    mine = timed(ours, "it", lambda: ranking.per_user(lists, relevant, (5, 12)))
    loop = timed(
        theirs,
        "it",
        lambda: {
            f"{name}@{k}": np.mean(
                [
                    metric(row, true, k)
                    for row, true in zip(lists.tolist(), held, strict=True)
                ]
            )
            for k in (5, 12)
            for name, metric in (("NDCG", _ndcg), ("Elliot MAP", _map))
        },
    )
    gaps = {name: abs(value - mine[name].mean()) for name, value in loop.items()}
    return {
        "loop, us a user": 1e6 * theirs["it"]["cpu"] / len(users),
        "ours, us a user": 1e6 * ours["it"]["cpu"] / len(users),
        "ratio": theirs["it"]["cpu"] / ours["it"]["cpu"],
        "largest difference": max(gaps.values()),
    }


def _ndcg(row: list[int], true: set[int], k: int) -> float:
    gain = sum(
        np.log(2) / np.log(rank + 2)
        for rank, item in enumerate(row[:k])
        if item in true
    )
    return gain / sum(np.log(2) / np.log(rank + 2) for rank in range(min(len(true), k)))


def _map(row: list[int], true: set[int], k: int) -> float:
    return np.mean([sum(item in true for item in row[:n]) / n for n in range(1, k + 1)])


if __name__ == "__main__":
    main()

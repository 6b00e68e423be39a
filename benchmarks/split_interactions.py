"""Measure splitting interactions and building their matrices, up to H&M's size.

The interactions are made up by `shoppers.made_up`, with numbers for ids. The peer is
the published script's way on a fiftieth, with text for ids (rank within each customer,
then a Python call a row); every row must be split alike. Each figure is of a process of
its own; peaks are of the whole process, its tables and the libraries included.
`fashionlib split-purchases` is timed on a made-up transactions_train.csv.

    python -m benchmarks.split_interactions [--scale 1] [--csv 3140000] [--seed 0]
"""

import math
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import csv

from benchmarks import shoppers
from benchmarks.measuring import Figure, alone, options, peak, report, timed
from fashionlib.commands.jobs import split_purchases
from fashionlib.data import interactions


def with_text(table: pd.DataFrame) -> pd.DataFrame:
    """Return the same rows as Kaggle has them: ids and dates are text.

    Ids have 64 and 10 characters, dates are days.
    """
    return pd.DataFrame(
        {
            "user_id": table["user_id"].map("{:064x}".format),
            "item_id": table["item_id"].map("{:010d}".format),
            "date": (
                pd.Timestamp("2018-09-20") + pd.to_timedelta(table["date"], unit="D")
            ),
        }
    )


def published_way(rows: pd.DataFrame, ratio: float = 0.2) -> np.ndarray:
    """Return whether each row is a test row, as the published script decides it.

    That is: rank(method="first") within the customer above floor(rows * (1 - ratio)).
    """
    sizes = rows.groupby("user_id").size()
    threshold = sizes.apply(lambda n: math.floor(n * (1 - ratio)))
    ranks = rows.groupby("user_id")["date"].rank(method="first")
    ranked = rows.assign(rank_first=ranks)
    return ranked.apply(
        lambda row: row["rank_first"] > threshold.loc[row["user_id"]], axis=1
    ).to_numpy()


def parts(scale: float, seed: int) -> dict[str, float]:
    """CPU seconds of each step on whole numbers, and peaks in GiB."""
    table = shoppers.made_up(scale, seed)
    found = {"rows": len(table), "peak before": peak()}
    (train, test), found["temporal_split"] = timed(
        lambda: interactions.temporal_split(table)
    )
    data, found["to_matrices"] = timed(lambda: interactions.to_matrices(train, test))
    found |= {"peak of these": peak(), "distinct train pairs": data.train.nnz}
    _, found["latest"] = timed(lambda: interactions.latest(train, data))
    found["peak"] = peak()
    _, found["temporal_split, day to the test"] = timed(
        lambda: interactions.temporal_split(table, day="test")
    )
    _, found["global_split"] = timed(lambda: interactions.global_split(table))
    return found


def side(name: str, scale: float, seed: int) -> dict[str, float]:
    """Measure one side of the comparison.

    Returns CPU seconds, peak, and a number that tells whether it split the same rows.
    """
    rows = with_text(shoppers.made_up(scale, seed))
    before = peak()
    way = {
        "ours": lambda: interactions.temporal_split(rows)[1].index,
        "published way": lambda: published_way(rows).nonzero()[0],
    }
    cut, seconds = timed(way[name])
    return {
        "rows": len(rows),
        "cpu_seconds": seconds,
        "peak before": before,
        "peak": peak(),
        "test rows": len(cut),
        "sum of their numbers": int(np.sum(cut)),
    }


def whole_command(rows: int, seed: int) -> dict[str, float]:
    """`split_files` on a table of Kaggle's form."""
    table = shoppers.made_up(rows / shoppers.ROWS, seed)
    names = {
        "t_dat": [
            str(np.datetime64("2018-09-20") + day) for day in range(shoppers.DAYS)
        ],
        "customer_id": [f"{n:064x}" for n in range(shoppers.CUSTOMERS)],
        "article_id": [f"{n:010d}" for n in range(shoppers.ARTICLES)],
    }
    names = {column: pa.array(values) for column, values in names.items()}
    own = {"t_dat": "date", "customer_id": "user_id", "article_id": "item_id"}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "transactions_train.csv"
        rest = [("price", pa.float64()), ("sales_channel_id", pa.int8())]
        schema = pa.schema([(name, pa.string()) for name in own] + rest)
        with csv.CSVWriter(place, schema) as file:
            for start in range(0, len(table), 2**20):
                some = table[start : start + 2**20]
                columns = [
                    names[name].take(pa.array(some[mine])) for name, mine in own.items()
                ]
                rest = [
                    pa.array(np.full(len(some), 0.0254)),
                    pa.array(np.full(len(some), 2, np.int8)),
                ]
                file.write_table(pa.table([*columns, *rest], schema=schema))
        del table, some
        found = alone(f"split_interactions.command({str(place)!r})")
        return {"rows": rows, "mb": round(place.stat().st_size / 1e6)} | found


def command(place: str) -> dict[str, float]:
    """Measure `fashionlib split-purchases`: CPU seconds without imports, and peak."""
    _, seconds = timed(
        lambda: split_purchases.split_files(Path(place), Path(place).parent / "split")
    )
    return {"cpu_seconds": seconds, "peak": peak()}


def main() -> None:
    given = options(__doc__, scale=1.0, csv=3_140_000, seed=0)
    sides = {
        name: alone(f"split_interactions.side({name!r}, 0.02, {given.seed})")
        for name in ("published way", "ours")
    }
    theirs, ours = sides["published way"], sides["ours"]
    checks = ("test rows", "sum of their numbers")
    same = all(theirs[check] == ours[check] for check in checks)
    whole = alone(f"split_interactions.parts({given.scale}, {given.seed})")
    purchases = alone(f"split_interactions.whole_command({given.csv}, {given.seed})")
    rows, csv_rows = f"{whole['rows']:,} interactions", f"{given.csv:,} rows"
    figures = [
        Figure(
            f"{ours['rows']:,} interactions split per user, text ids",
            ours["cpu_seconds"],
            peer="the published script's way",
            theirs=theirs["cpu_seconds"],
            note="the same test rows" if same else "OTHER test rows",
        ),
        Figure(f"{rows} split per user", whole["temporal_split"]),
        Figure("their matrices", whole["to_matrices"]),
        Figure("peak memory of both", whole["peak of these"], "GiB"),
        Figure(f"split-purchases on {csv_rows}", purchases["cpu_seconds"]),
        Figure("its peak memory", purchases["peak"], "GiB"),
    ]
    report(figures, {"sides": sides, "parts": whole, "split-purchases": purchases})


if __name__ == "__main__":
    main()

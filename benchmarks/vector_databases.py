"""Compare three embedded vector databases on 50,000 x 256 vectors with exact search.

Exact search is one matrix product. On a disk Qdrant, which commits each point, takes
far longer: give TMPDIR a folder in memory. Vectors are made up: ten categories and
ten colours, each with a centre, and noise; a filter by both leaves 1 %. Every candidate
runs in a process of its own. Latency is a single query after fifty others; seconds are
of the wall, cpu of all threads of the process; peaks are MiB above the process with its
libraries and the data loaded. Further facts: what a filter leaves of 20 wanted rows and
of recall, 500 changed and 500 new rows, what a killed build leaves (SIGKILL after 20 of
50 batches), and whether a second process can search while a first has the folder open.

    # only the first is an extra of the library's
    pip install lancedb==0.40.0 pymilvus==3.0.2 milvus-lite==3.2.2
    pip install qdrant-client==1.20.0
    # 15 minutes
    TMPDIR=/dev/shm python -m benchmarks vector_databases

Chapter 18 shows what is kept.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from benchmarks.measuring import ROOT, Figure, alone, peak, report
from fashionlib.data.files import atomic
from fashionlib.features import nearest, unit

ROWS, DIM, QUERIES, K, BATCH = 50_000, 256, 200, 20, 1_000
KINDS = 10  # categories, and colours: a filter by both leaves a hundredth
NEEDS = {
    "numpy": [],
    "LanceDB": [
        "lancedb",
        "lance-namespace",
        "lance-namespace-urllib3-client",
        "deprecation",
        "overrides",
    ],
    "Milvus Lite": [
        "pymilvus",
        "milvus-lite",
        "faiss-cpu",
        "grpcio",
        "cachetools",
        "python-dotenv",
    ],
    "Qdrant local": [
        "qdrant-client",
        "grpcio",
        "portalocker",
        "h2",
        "hpack",
        "hyperframe",
    ],
}


def made_up(seed: int = 0) -> dict[str, np.ndarray]:
    """Return `vectors` (rows, dim) and `queries` (queries, dim), float32 of length one.

    Each has a category and a colour.
    """
    rng = np.random.default_rng(seed)
    category, colour = (rng.integers(0, KINDS, ROWS + QUERIES) for _ in range(2))
    kinds, colours = (rng.standard_normal((KINDS, DIM)) for _ in range(2))
    mixed = unit(
        kinds[category]
        + 0.7 * colours[colour]
        + 2.5 * rng.standard_normal((ROWS + QUERIES, DIM))
    )
    made = mixed.astype(np.float32)
    return {
        "vectors": made[:ROWS],
        "queries": made[ROWS:],
        "category": category[:ROWS],
        "colour": colour[:ROWS],
        "asked category": category[ROWS:],
        "asked colour": colour[ROWS:],
    }


class Database(Protocol):
    """What is asked of each candidate.

    Rows are numbered, and carry the category and the colour as texts.
    """

    def add(self, rows: np.ndarray, data: dict[str, np.ndarray]) -> None:
        """Add new rows of `data`, as they are numbered there."""

    def index(self) -> None:
        """Build the index, once all rows are there."""

    def upsert(self, rows: np.ndarray, vectors: np.ndarray) -> None:
        """Replace the rows that are there and add the others."""

    def ask(
        self, vector: np.ndarray, category: int | None = None, colour: int | None = None
    ) -> list[int]:
        """Return the rows of the K nearest, of that category and colour."""

    def count(self) -> int:
        """Return how many rows there are."""


class Numpy:
    """The exact answer: a product, a partition, a sort. Filters choose rows first."""

    def __init__(self, folder: str) -> None:
        self.path = Path(folder, "vectors.npz")
        self.vectors = np.empty((0, DIM), np.float32)
        self.category = np.zeros(0, int)
        self.colour = np.zeros(0, int)
        if self.path.is_file():
            with np.load(self.path) as file:
                self.vectors, self.category, self.colour = (
                    file[name] for name in ("vectors", "category", "colour")
                )

    def add(self, rows: np.ndarray, data: dict[str, np.ndarray]) -> None:
        """Append the rows and write the file anew."""
        self.vectors = np.concatenate([self.vectors, data["vectors"][rows]])
        self.category = np.concatenate([self.category, data["category"][rows]])
        self.colour = np.concatenate([self.colour, data["colour"][rows]])
        with atomic(self.path) as part, part.open("wb") as file:
            np.savez(
                file, vectors=self.vectors, category=self.category, colour=self.colour
            )

    def index(self) -> None:
        """Do nothing: there is no index."""

    def upsert(self, rows: np.ndarray, vectors: np.ndarray) -> None:
        """Replace known rows, append the others."""
        new = rows >= len(self.vectors)
        self.vectors[rows[~new]] = vectors[~new]
        zeros = np.zeros(ROWS + len(rows), int)
        self.add(
            np.arange(new.sum()),
            {"vectors": vectors[new], "category": zeros, "colour": zeros},
        )

    def ask(
        self, vector: np.ndarray, category: int | None = None, colour: int | None = None
    ) -> list[int]:
        """Return the K nearest of the rows that the filter leaves."""
        rows = None
        if category is not None:
            rows = np.flatnonzero((self.category == category) & (self.colour == colour))
        scores = (self.vectors if rows is None else self.vectors[rows]) @ vector
        few = np.argpartition(-scores, K)[:K]
        few = few[np.argsort(-scores[few])]
        return (few if rows is None else rows[few]).tolist()

    def count(self) -> int:
        """Return the number of vectors."""
        return len(self.vectors)


class Lance:
    """LanceDB; `kind` None searches all rows, else the name of its vector index."""

    def __init__(self, folder: str, kind: str | None = None) -> None:
        import lancedb

        self.kind = kind
        self.database = lancedb.connect(folder)
        schema = pa.schema(
            {
                "row": pa.int64(),
                "vector": pa.list_(pa.float32(), DIM),
                "category": pa.string(),
                "colour": pa.string(),
            }
        )
        self.table = self.database.create_table("items", schema=schema, exist_ok=True)

    def _rows(
        self,
        rows: np.ndarray,
        vectors: np.ndarray,
        category: np.ndarray,
        colour: np.ndarray,
    ) -> pa.Table:
        lists = pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), DIM)
        return pa.table(
            {
                "row": rows,
                "vector": lists,
                "category": category.astype(str),
                "colour": colour.astype(str),
            }
        )

    def add(self, rows: np.ndarray, data: dict[str, np.ndarray]) -> None:
        """Append the rows as one fragment."""
        self.table.add(
            self._rows(
                rows,
                data["vectors"][rows],
                data["category"][rows],
                data["colour"][rows],
            )
        )

    def index(self) -> None:
        """Compact the fragments and build the indexes."""
        from lancedb import index

        self.table.optimize()
        if self.kind:
            parts = {"num_partitions": 256} if self.kind == "IvfFlat" else {}
            self.table.create_index(
                "vector", config=getattr(index, self.kind)(distance_type="dot", **parts)
            )
            for column in ("category", "colour"):
                self.table.create_index(column, config=index.Bitmap())

    def upsert(self, rows: np.ndarray, vectors: np.ndarray) -> None:
        """Merge the rows by their number."""
        zeros = np.zeros(len(rows), int)
        self.table.merge_insert(
            "row"
        ).when_matched_update_all().when_not_matched_insert_all().execute(
            self._rows(rows, vectors, zeros, zeros)
        )

    def ask(
        self, vector: np.ndarray, category: int | None = None, colour: int | None = None
    ) -> list[int]:
        """Search, with 20 probes or a refined quantised index."""
        query = (
            self.table.search(vector, vector_column_name="vector")
            .distance_type("dot")
            .select(["row", "_distance"])
        )
        if self.kind:
            query = (
                query.refine_factor(5) if "Flat" not in self.kind else query.nprobes(20)
            )
        if category is not None:
            query = query.where(f"category = '{category}' AND colour = '{colour}'")
        return query.limit(K).to_arrow()["row"].to_pylist()

    def count(self) -> int:
        """Return the number of rows."""
        return self.table.count_rows()


class Milvus:
    """Milvus Lite through pymilvus; `kind` is the name of its vector index."""

    def __init__(self, folder: str, kind: str = "FLAT") -> None:
        from pymilvus import DataType, MilvusClient

        Path(folder).mkdir(exist_ok=True)
        self.client, self.kind = MilvusClient(str(Path(folder, "items.db"))), kind
        if not self.client.has_collection("items"):
            schema = self.client.create_schema()
            schema.add_field("row", DataType.INT64, is_primary=True)
            schema.add_field("vector", DataType.FLOAT_VECTOR, dim=DIM)
            for column in ("category", "colour"):
                schema.add_field(column, DataType.VARCHAR, max_length=64)
            indexes = self.client.prepare_index_params()
            indexes.add_index(
                "vector",
                index_type=kind,
                metric_type="IP",
                params={"M": 16, "efConstruction": 200} if kind == "HNSW" else {},
            )
            self.client.create_collection("items", schema=schema, index_params=indexes)
        self.client.load_collection("items")

    def _rows(
        self,
        rows: np.ndarray,
        vectors: np.ndarray,
        category: np.ndarray,
        colour: np.ndarray,
    ) -> list[dict]:
        return [
            {"row": int(row), "vector": vector, "category": str(a), "colour": str(b)}
            for row, vector, a, b in zip(rows, vectors, category, colour, strict=True)
        ]

    def add(self, rows: np.ndarray, data: dict[str, np.ndarray]) -> None:
        """Insert the rows."""
        self.client.insert(
            "items",
            self._rows(
                rows,
                data["vectors"][rows],
                data["category"][rows],
                data["colour"][rows],
            ),
        )

    def index(self) -> None:
        """Flush: the index was declared with the collection."""
        self.client.flush("items")

    def upsert(self, rows: np.ndarray, vectors: np.ndarray) -> None:
        """Upsert the rows by their primary key."""
        zeros = np.zeros(len(rows), int)
        self.client.upsert("items", self._rows(rows, vectors, zeros, zeros))

    def ask(
        self, vector: np.ndarray, category: int | None = None, colour: int | None = None
    ) -> list[int]:
        """Search, with ef = 64 in a graph."""
        options = {}
        if category is not None:
            options["filter"] = f'category == "{category}" and colour == "{colour}"'
        if self.kind == "HNSW":
            options["search_params"] = {"params": {"ef": 64}}
        hits = self.client.search("items", data=[vector], limit=K, **options)
        return [hit["row"] for hit in hits[0]]

    def count(self) -> int:
        """Query the count."""
        rows = self.client.query("items", filter="", output_fields=["count(*)"])
        return rows[0]["count(*)"]


class Qdrant:
    """qdrant-client's local mode, which searches all rows."""

    def __init__(self, folder: str) -> None:
        from qdrant_client import QdrantClient, models

        self.models, self.client = models, QdrantClient(path=folder)
        if not self.client.collection_exists("items"):
            space = models.VectorParams(size=DIM, distance=models.Distance.DOT)
            self.client.create_collection("items", vectors_config=space)

    def _put(
        self,
        rows: np.ndarray,
        vectors: np.ndarray,
        category: np.ndarray,
        colour: np.ndarray,
    ) -> None:
        payload = [
            {"category": str(a), "colour": str(b)}
            for a, b in zip(category, colour, strict=True)
        ]
        batch = self.models.Batch(
            ids=rows.tolist(), vectors=vectors.tolist(), payloads=payload
        )
        self.client.upsert("items", batch)

    def add(self, rows: np.ndarray, data: dict[str, np.ndarray]) -> None:
        """Upsert the rows, which are new."""
        self._put(
            rows, data["vectors"][rows], data["category"][rows], data["colour"][rows]
        )

    def index(self) -> None:
        """Do nothing: the local mode has no index."""

    def upsert(self, rows: np.ndarray, vectors: np.ndarray) -> None:
        """Upsert the rows by their id."""
        zeros = np.zeros(len(rows), int)
        self._put(rows, vectors, zeros, zeros)

    def ask(
        self, vector: np.ndarray, category: int | None = None, colour: int | None = None
    ) -> list[int]:
        """Query the points under a filter."""
        must = [
            self.models.FieldCondition(
                key=key, match=self.models.MatchValue(value=str(value))
            )
            for key, value in (("category", category), ("colour", colour))
            if value is not None
        ]
        found = self.client.query_points(
            "items", query=vector, limit=K, query_filter=self.models.Filter(must=must)
        )
        return [point.id for point in found.points]

    def count(self) -> int:
        """Return the number of points."""
        return self.client.count("items").count


CANDIDATES: dict[str, Callable[[str], Database]] = {
    "numpy": Numpy,
    "LanceDB, all rows": Lance,
    "LanceDB, IVF_FLAT": lambda folder: Lance(folder, "IvfFlat"),
    "LanceDB, IVF_HNSW_SQ": lambda folder: Lance(folder, "HnswSq"),
    "Milvus Lite, all rows": Milvus,
    "Milvus Lite, HNSW": lambda folder: Milvus(folder, "HNSW"),
    "Qdrant local": Qdrant,
}


def main() -> None:
    databases, figures = {}, []
    for name in CANDIDATES:
        sys.stderr.write(f"{name}\n")
        with (
            tempfile.TemporaryDirectory() as folder,
            tempfile.TemporaryDirectory() as killed,
        ):
            found = alone(f"vector_databases.measure({name!r}, {folder!r})")
            found["a second process"] = _shared(name, folder)
            found["killed after 20 batches"] = _killed(name, killed)
        databases[name] = found
        exact, asked = databases["numpy"]["query"], found["query"]
        note = f"recall@{K} {asked['recall']:.3f}"
        peer = {} if name == "numpy" else {"peer": "numpy", "theirs": exact["cpu ms"]}
        what = f"{name}: a question to {ROWS:,} vectors of {DIM}"
        figures.append(Figure(what, asked["cpu ms"], "ms", **peer, note=note))
    sizes = {"rows": ROWS, "dim": DIM, "queries": QUERIES, "k": K}
    report(figures, {"databases": databases, "installed MiB": installed(), **sizes})


def measure(name: str, folder: str) -> dict[str, Any]:
    data, make = made_up(), CANDIDATES[name]
    truth, _ = nearest(data["queries"], data["vectors"], K)
    make(tempfile.mkdtemp(dir=folder)).count()  # libraries loaded
    place = str(Path(folder, "items"))
    before = peak()
    built = _timed(lambda: _build(database := make(place), data) or database)
    database, grown = built.pop("made"), 1024 * (peak() - before)
    plain = _asked(database, data, filtered=False)
    narrow = _asked(database, data, filtered=True)
    recall = [
        len({*found} & {*true}) / K
        for found, true in zip(plain.pop("found"), truth.tolist(), strict=True)
    ]
    exact = [_exact(data, n) for n in range(QUERIES)]
    found = narrow.pop("found")
    kept = [len({*a} & {*b}) / K for a, b in zip(found, exact, strict=True)]
    size = (
        sum(path.stat().st_size for path in Path(place).rglob("*") if path.is_file())
        / 2**20
    )
    changed = np.concatenate([np.arange(500), np.arange(ROWS, ROWS + 500)])
    upserted = _timed(
        lambda: database.upsert(changed, data["vectors"][:1000][::-1].copy())
    )
    upserted.pop("made")
    plain["recall"], narrow["recall"] = float(np.mean(recall)), float(np.mean(kept))
    narrow["rows of 20"] = float(np.mean([len(rows) for rows in found]))
    return {
        "build": built,
        "peak MiB": grown,
        "disk MiB": size,
        "query": plain,
        "filter of 1 %": narrow,
        "upsert of 1,000": upserted | {"rows then": database.count()},
    }


def _build(database: Database, data: dict[str, np.ndarray]) -> None:
    for start in range(0, ROWS, 10 * BATCH):
        database.add(np.arange(start, start + 10 * BATCH), data)
    database.index()


def _exact(data: dict[str, np.ndarray], n: int) -> list[int]:
    rows = np.flatnonzero(
        (data["category"] == data["asked category"][n])
        & (data["colour"] == data["asked colour"][n])
    )
    return rows[
        np.argsort(-(data["vectors"][rows] @ data["queries"][n]), kind="stable")[:K]
    ].tolist()


def _asked(
    database: Database, data: dict[str, np.ndarray], filtered: bool
) -> dict[str, Any]:
    """Return the rows that came back for each query, and its time in ms.

    Times are the wall's median and 95th percentile, and the cpu's mean.
    """
    found, times = [], []
    for n in (*range(50), *range(QUERIES)):
        asked = (
            (int(data["asked category"][n]), int(data["asked colour"][n]))
            if filtered
            else ()
        )
        cpu, wall = time.process_time(), time.perf_counter()
        found.append(database.ask(data["queries"][n], *asked))
        times.append((time.perf_counter() - wall, time.process_time() - cpu))
    walls, cpus = 1000 * np.array(times[50:]).T
    return {
        "found": found[50:],
        "p50 ms": float(np.median(walls)),
        "p95 ms": float(np.quantile(walls, 0.95)),
        "cpu ms": float(cpus.mean()),
    }


def _timed(work: Callable[[], Any]) -> dict[str, Any]:
    cpu, wall = time.process_time(), time.perf_counter()
    made = work()
    return {
        "made": made,
        "seconds": time.perf_counter() - wall,
        "cpu": time.process_time() - cpu,
    }


def fill(name: str, folder: str) -> None:
    """Batch after batch, each told when it is in."""
    data, database = made_up(), CANDIDATES[name](folder)
    for start in range(0, ROWS, BATCH):
        database.add(np.arange(start, start + BATCH), data)
        sys.stdout.write(f"{start + BATCH}\n")
        sys.stdout.flush()


def look(name: str, folder: str) -> None:
    """How many rows there are, and how many answers."""
    database = CANDIDATES[name](folder)
    sys.stdout.write(
        f"{database.count()} rows, {len(database.ask(made_up()['queries'][0]))} answers"
    )


def hold(name: str, folder: str) -> None:
    """Keep it open until the other end hangs up."""
    database = CANDIDATES[name](folder)
    sys.stdout.write(f"{database.count()}\n")
    sys.stdout.flush()
    sys.stdin.read()


def _command(part: str, name: str, folder: str) -> list[str]:
    call = f"vector_databases.{part}({name!r}, {folder!r})"
    return [sys.executable, "-c", f"from benchmarks import vector_databases; {call}"]


def _killed(name: str, folder: str) -> str:
    with subprocess.Popen(
        _command("fill", name, folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=ROOT,
    ) as child:
        told = next(line for line in child.stdout if int(line) >= 20 * BATCH)
        os.kill(child.pid, signal.SIGKILL)
    return f"{int(told)} rows told in; then {_looked(name, folder)}"


def _shared(name: str, folder: str) -> str:
    place = str(Path(folder, "items"))
    with subprocess.Popen(
        _command("hold", name, place),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=ROOT,
    ) as child:
        child.stdout.readline()
        return _looked(name, place)


def _looked(name: str, folder: str) -> str:
    command = _command("look", name, folder)
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    if done.returncode == 0:
        return done.stdout
    last = done.stderr.strip().splitlines()[-1][:160]
    return "refused: " + last.replace(folder, "FOLDER")


def installed() -> dict[str, float]:
    """MiB that each adds to an environment that has fashionlib's other extras."""
    return {
        name: (
            sum(
                sum(file.size or 0 for file in metadata.files(package) or ())
                for package in packages
            )
            / 2**20
        )
        for name, packages in NEEDS.items()
    }


if __name__ == "__main__":
    main()

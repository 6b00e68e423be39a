"""A run: one profile's folder of artefacts, and the provenance that every computed
number carries.

Layout, below the repository's root: `_run/<profile>/` holds `data.json` (which
catalogue), artefacts by kind (`captions/`, `features/`, `captioner/`), `results/*.json`
(numbers with provenance), `notebooks/` (executed copies), `records/` (one per executed
notebook) and `failed/` (executed copies of notebooks that raised).
"""

from __future__ import annotations

import hashlib
import json
import resource
import shutil
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from fashionlib.data.files import atomic, write_json
from fashionlib.data.provenance import commit, hardware, versions

PROFILES = Path(__file__).parent / "profiles"
NOT_KEPT = (
    "scoreboard",
    "wardrobe",
    "metric_check",
    "labels",
)  # compares with what was kept; drawn, whatever the data


def profile_names() -> list[str]:
    return sorted(path.stem for path in PROFILES.glob("*.yaml"))


def profile(name: str) -> dict[str, Any]:
    """A profile: `takes`, `needs`, `expect` in words, and per notebook the parameters
    that differ from its own cell.
    """
    if name not in profile_names():
        raise ValueError(
            f"unknown profile {name!r}; known: {', '.join(profile_names())}"
        )
    return yaml.safe_load((PROFILES / f"{name}.yaml").read_text(encoding="utf-8"))


def repository() -> Path:
    """The nearest folder, from here upwards, that holds the book's `_toc.yml`; else the
    current folder.
    """
    here = Path.cwd()
    return next(
        (folder for folder in (here, *here.parents) if (folder / "_toc.yml").is_file()),
        here,
    )


def fingerprint(root: Path) -> str:
    """sha256 over a data folder: each file's relative path and size, and the content of
    its tables (CSV).
    """
    digest = hashlib.sha256()
    for path in sorted(p for p in Path(root).rglob("*") if p.is_file()):
        digest.update(
            f"{path.relative_to(root).as_posix()}\0{path.stat().st_size}\n".encode()
        )
        if path.suffix == ".csv":
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:16]


@dataclass
class Run:
    """What a notebook holds on to: where its artefacts go, which data it reads, since
    when it runs.
    """

    notebook: str
    profile: str
    root: Path
    seed: int
    started: float = field(default_factory=time.monotonic)

    def path(self, relative: str) -> Path:
        """The place of an artefact below the run's folder; its parent exists."""
        place = self.root / relative
        if not place.resolve().is_relative_to(self.root.resolve()):
            raise ValueError(
                f"{relative!r} lies outside the run's folder; name a path below it"
            )
        place.parent.mkdir(parents=True, exist_ok=True)
        return place

    def need(self, relative: str) -> Path:
        """The place of an upstream artefact; FileNotFoundError names it and the next
        step when it isn't there.
        """
        place = self.path(relative)
        if not place.exists():
            raise FileNotFoundError(
                f"{self.notebook} needs {relative} of profile {self.profile}, which no"
                " notebook has made yet; run the earlier ones, or: make book"
                f" PROFILE={self.profile}"
            )
        return place

    def use(self, data: Path, synthetic: bool) -> None:
        """Remember `data` as this run's catalogue, with its fingerprint."""
        data = Path(data).resolve()
        if not data.is_dir():
            raise FileNotFoundError(
                f"no data folder at {data}; lay the catalogue out there or leave `data`"
                " empty"
            )
        inside = data.is_relative_to(self.root.resolve())
        place = (
            data.relative_to(self.root.resolve()).as_posix()
            if inside
            else data.as_posix()
        )
        note = {
            "name": data.name,
            "place": place,
            "synthetic": synthetic,
            "fingerprint": fingerprint(data),
        }
        write_json(self.path("data.json"), note)

    @property
    def data(self) -> Path:
        """The catalogue's folder."""
        return self.root / json.loads(self.need("data.json").read_text())["place"]

    @property
    def synthetic(self) -> bool:
        """Whether the catalogue is the drawn wardrobe."""
        return json.loads(self.need("data.json").read_text())["synthetic"]

    def save(self, name: str, values: Any) -> Path:
        """Write `results/<name>.json`: the values and where they come from."""
        note = json.loads(self.need("data.json").read_text())
        provenance = {
            "commit": commit(repository()),
            "notebook": self.notebook,
            "profile": self.profile,
            "data": {key: note[key] for key in ("name", "synthetic", "fingerprint")},
            "seed": self.seed,
            "versions": versions(),
            "hardware": hardware(),
            "seconds": round(time.monotonic() - self.started, 1),
            "peak_memory_mib": (
                resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            ),
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        return write_json(
            self.path(f"results/{name}.json"),
            {"provenance": provenance, "values": values},
        )

    def result(self, name: str) -> Any:
        """The values of an upstream `results/<name>.json`."""
        return json.loads(
            self.need(f"results/{name}.json").read_text(encoding="utf-8")
        )["values"]


def start(notebook: str, profile_name: str, seed: int) -> Run:
    """Open the run of `profile_name` for one notebook; its folder is made if it isn't
    there.
    """
    profile(profile_name)
    root = repository() / "_run" / profile_name
    root.mkdir(parents=True, exist_ok=True)
    return Run(notebook, profile_name, root, seed)


def keep(profile_name: str) -> Path:
    """Copy a finished run's results to `data/measured/<profile>`, where the book shows
    them as the real sample's.

    ValueError where one of them is synthetic, or where they come from more than one
    state of the data.
    """
    profile(profile_name)
    results = sorted((repository() / "_run" / profile_name / "results").glob("*.json"))
    results = [path for path in results if path.stem not in NOT_KEPT]
    if not results:
        raise FileNotFoundError(
            f"no results of {profile_name}; run: make book PROFILE={profile_name}"
            " DATA=path/to/hm"
        )
    origins = {
        path.name: json.loads(path.read_text(encoding="utf-8"))["provenance"]["data"]
        for path in results
    }
    drawn = [name for name, data in origins.items() if data["synthetic"]]
    if drawn:
        raise ValueError(
            f"{len(drawn)} of {len(results)} results are synthetic, {drawn[0]} first;"
            " run with DATA"
        )
    states = {data["fingerprint"] for data in origins.values()}
    if len(states) > 1:
        raise ValueError(
            f"{len(results)} results of {len(states)} states of the data; run make book"
            " again, then keep"
        )
    place = repository() / "data" / "measured" / profile_name
    with atomic(place) as part:
        part.mkdir()
        for path in results:
            shutil.copy(path, part / path.name)
    return place

"""Open a run: one profile's folder of artefacts, and the provenance of its numbers.

Layout, below the repository's root: `_run/<profile>/` holds `data.json` (which
catalogue), artefacts by kind (`captions/`, `features/`, `captioner/`), `results/*.json`
(numbers with provenance), `notebooks/` (executed copies), `records/` (one per executed
notebook) and `failed/` (executed copies of notebooks that raised).
"""

from __future__ import annotations

import hashlib
import os
import re
import resource
import shutil
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from fashionlib.data.files import atomic, read_json, write_json
from fashionlib.data.provenance import CHANGED, commit, hardware, versions

if TYPE_CHECKING:  # Snakemake and the command line start without pandas
    import pandas as pd

    from fashionlib.features.spaces import Features

PROFILES = Path(__file__).parent / "profiles"
# They compare with what was kept, or are drawn whatever the data.
NOT_KEPT = ("scoreboard", "wardrobe", "metric_check", "labels")


def profile_names() -> list[str]:
    """Return the names of the profiles, sorted."""
    return sorted(path.stem for path in PROFILES.glob("*.yaml"))


def profile(name: str) -> dict[str, Any]:
    """Read a profile: `needs`, `expect` in words, and parameters per notebook.

    Only parameters that differ from the notebook's own cell stand there. `takes` does
    where no run gave budgets (`book.costs`). ValueError for an unknown name.
    """
    if name not in profile_names():
        known = ", ".join(profile_names())
        raise ValueError(f"unknown profile {name!r}; known: {known}")
    return yaml.safe_load((PROFILES / f"{name}.yaml").read_text(encoding="utf-8"))


def describe(name: str) -> str:
    """Say in words what a profile needs and lets expect."""
    known = profile(name)
    return (
        f"Profile {name} needs {known['needs']}. What each notebook took stands on the"
        f" page *Status of this run*. Expected: {known['expect']}."
    )


def repository() -> Path:
    """Find the nearest folder, upwards, that holds `_toc.yml`; else the current one."""
    here = Path.cwd()
    folders = (here, *here.parents)
    return next((f for f in folders if (f / "_toc.yml").is_file()), here)


def fingerprint(root: Path) -> str:
    """Hash a data folder: each file's relative path and size, and its CSVs' content."""
    digest = hashlib.sha256()
    for path in sorted(p for p in root.rglob("*") if p.is_file()):
        name = path.relative_to(root).as_posix()
        digest.update(f"{name}\0{path.stat().st_size}\n".encode())
        if path.suffix == ".csv":
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:16]


@dataclass
class Run:
    """Hold what a notebook works with: its run's folder, data, seed and start.

    `book.plan` reads from a notebook's calls of `need`, `read`, `items`, `splits`,
    `features`, `result` what it needs, and from those of `make`, `write`, `save` what
    it makes; so their paths are written out in the call. `path` is for the rest.
    """

    notebook: str
    profile: str
    root: Path
    seed: int
    started: float = field(default_factory=time.monotonic)

    def path(self, relative: str) -> Path:
        """Return a place below the run's folder; its parent exists."""
        place = self.root / relative
        if not place.resolve().is_relative_to(self.root.resolve()):
            raise ValueError(
                f"{relative!r} lies outside the run's folder; name a path below it"
            )
        place.parent.mkdir(parents=True, exist_ok=True)
        return place

    def need(self, relative: str) -> Path:
        """Return the place of an earlier notebook's artefact.

        What isn't there is taken from the release's archive (`book.bundle`), unless
        the run is on real data. FileNotFoundError names it, who makes it and the next
        step where that doesn't help.
        """
        place = self.path(relative)
        if place.exists():
            return place
        from fashionlib.book import bundle, plan

        root, note = self.root.parents[1], self.root / bundle.DATA
        why = "the run is on real data"
        if not note.exists() or read_json(note)["synthetic"]:
            why = f"{bundle.address()} lacks it"
            try:
                bundle.fill(root, f"_run/{self.profile}")
            except (OSError, ValueError) as error:
                why = f"{bundle.address()}: {error}"
        if not place.exists():
            raise FileNotFoundError(
                f"{self.notebook} needs {relative} of profile {self.profile}, which"
                f" {plan.maker(root / 'notebooks', relative)} makes; run it before, or:"
                f" make book PROFILE={self.profile} (not taken from an archive: {why})"
            )
        return place

    def folder(self, relative: str) -> Path:
        """Return the place of a folder of files that this notebook makes."""
        return self.path(relative)

    def make(self, relative: str) -> Path:
        """Return the place of an artefact that this notebook makes for others."""
        return self.path(relative)

    def read(self, relative: str) -> Any:
        """Read an earlier notebook's artefact: a .parquet table, or JSON.

        A table's pictures below the run's folder are found where that is now.
        """
        place = self.need(relative)
        if place.suffix != ".parquet":
            return read_json(place)
        import pandas as pd

        table = pd.read_parquet(place)
        if "image" in table:
            table["image"] = table.image.dropna().map(lambda p: str(self.root / p))
        return table

    def write(self, relative: str, content: Any) -> Path:
        """Write an artefact for others, whole or not at all: a .parquet table, or JSON.

        A table's index is not written, nor where the run's folder is.
        """
        place = self.make(relative)
        if place.suffix != ".parquet":
            return write_json(place, content)
        if "image" in content:
            image = content.image.str.removeprefix(f"{self.root}/")
            content = content.assign(image=image)
        with atomic(place) as part:
            content.to_parquet(part, index=False)
        return place

    def catalogue(self) -> pd.DataFrame:
        """Read the whole items table (`data.items`), indexed by item_id."""
        from fashionlib.data.items import ITEM

        return self.read("items.parquet").set_index(ITEM)

    def items(self) -> pd.DataFrame:
        """Read the items that are in a split (they have caption and picture)."""
        from fashionlib.data.items import SPLIT

        return self.catalogue().dropna(subset=[SPLIT])

    def splits(self) -> list[pd.DataFrame]:
        """Read the items of train, validation and test, three tables."""
        from fashionlib.data.items import SPLIT, SPLITS

        items = self.items()
        return [items[items[SPLIT] == name] for name in SPLITS]

    def features(self, name: str) -> Features:
        """Read the feature space `features/<name>.parquet`."""
        from fashionlib.features.spaces import load

        return load(self.need(f"features/{name}.parquet"))

    def use(self, data: Path, synthetic: bool) -> None:
        """Write down `data` as this run's catalogue, with its fingerprint."""
        data, root = data.resolve(), self.root.resolve()
        if not data.is_dir():
            raise FileNotFoundError(
                f"no data folder at {data}; lay the catalogue out there or leave `data`"
                " empty"
            )
        place = data.relative_to(root) if data.is_relative_to(root) else data
        note = {
            "name": data.name,
            "place": place.as_posix(),
            "synthetic": synthetic,
            "fingerprint": fingerprint(data),
        }
        self.write("data.json", note)

    @property
    def data(self) -> Path:
        """Return the catalogue's folder."""
        return self.root / self.read("data.json")["place"]

    @property
    def synthetic(self) -> bool:
        """Say whether the catalogue is the drawn wardrobe."""
        return self.read("data.json")["synthetic"]

    def save(self, name: str, values: Any) -> None:
        """Write `results/<name>.json`: the values and where they come from.

        Values may hold tables, written as {row: {column: value}}: see `write_json`.
        """
        note = self.read("data.json")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        provenance = {
            "commit": commit(repository()),
            "notebook": self.notebook,
            "profile": self.profile,
            "data": {key: note[key] for key in ("name", "synthetic", "fingerprint")},
            "seed": self.seed,
            "versions": versions(),
            "hardware": hardware(),
            "seconds": round(time.monotonic() - self.started, 1),
            "processor_seconds": round(sum(os.times()[:4]), 1),  # with its children's
            "peak_memory_mib": peak // 1024,
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        result = {"provenance": provenance, "values": values}
        write_json(self.path(f"results/{name}.json"), result)

    def result(self, name: str) -> Any:
        """Read the values of an earlier notebook's `results/<name>.json`."""
        return self.read(f"results/{name}.json")["values"]


def start(notebook: str, profile_name: str, seed: int) -> Run:
    """Open the run of a profile for one notebook; make its folder if there is none.

    Outside a repository, what notebooks read of one comes from the release's archive.
    """
    profile(profile_name)
    if not (repository() / "_toc.yml").is_file():
        from fashionlib.book import bundle

        bundle.fill(Path.cwd(), "data", "notebooks", bundle.MARK)
    root = repository() / "_run" / profile_name
    root.mkdir(parents=True, exist_ok=True)
    return Run(notebook, profile_name, root, seed)


def keep(profile_name: str) -> Path:
    """Copy a finished run's results to `data/measured/<profile>`, for the book to show.

    ValueError where one of them is synthetic, or where they come from more than one
    state of the data, from more than one commit, or from changes to it, and where one
    holds the shop's own captions or pictures' places: numbers alone are kept.
    """
    profile(profile_name)
    folder = repository() / "_run" / profile_name / "results"
    results = [p for p in sorted(folder.glob("*.json")) if p.stem not in NOT_KEPT]
    if not results:
        raise FileNotFoundError(
            f"no results of {profile_name}; run: make book PROFILE={profile_name}"
            " DATA=path/to/hm"
        )
    origins = {path.name: read_json(path)["provenance"] for path in results}
    drawn = [name for name in origins if origins[name]["data"]["synthetic"]]
    if drawn:
        raise ValueError(
            f"{len(drawn)} of {len(results)} results are synthetic, {drawn[0]} first;"
            " run with DATA"
        )
    states = {(o["commit"], o["data"]["fingerprint"]) for o in origins.values()}
    commits = ", ".join(sorted({commit for commit, _ in states}))
    if len(states) > 1 or CHANGED in commits:
        raise ValueError(
            f"{len(results)} results of {len(states)} states of code and data, commits"
            f" {commits}; commit, then make book again in a fresh clone"
        )
    for path in results:
        if found := len(
            re.findall(r'"caption": "|"image": "/', path.read_text("utf-8"))
        ):
            raise ValueError(
                f"{path.name} holds {found} captions or pictures' places of the shop;"
                " save numbers alone in its notebook: 0 of these are kept"
            )
    place = repository() / "data" / "measured" / profile_name
    with atomic(place) as part:
        part.mkdir()
        for path in results:
            shutil.copy(path, part / path.name)
    return place

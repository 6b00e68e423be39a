"""A run: one profile's folder of artefacts, and the provenance that every computed number carries.

Layout, below the repository's root: `_run/<profile>/` holds `data.json` (which catalogue), artefacts by kind
(`captions/`, `features/`, `captioner/`), `results/*.json` (numbers with provenance), `notebooks/` (executed copies),
`records/` (one per executed notebook) and `failed/` (executed copies of notebooks that raised).
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import resource
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import yaml

PROFILES = Path(__file__).parent / "profiles"
NOT_KEPT = ("scoreboard", "wardrobe", "metric_check", "labels")  # compares with what was kept; drawn, whatever the data
PROVENANCE_PACKAGES = ("numpy", "pandas", "torch", "transformers", "peft", "pycocoevalcap", "spacy", "scikit-learn")


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` when the block ends well, remove it when it raises.

    The block may create a file or a folder there. A file that exists is replaced; a folder that exists is replaced too.
    """
    path = Path(os.path.abspath(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        if part.is_dir() and path.is_dir():
            shutil.rmtree(path)
        os.replace(part, path)
    finally:
        if part.is_dir():
            shutil.rmtree(part)
        else:
            part.unlink(missing_ok=True)


def write_json(path: Path, content: Any) -> Path:
    """Write `content` as indented JSON, atomically. NaN is refused: JSON has none (see `nulls`)."""
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    with atomic(path) as part:
        part.write_text(text + "\n", encoding="utf-8")
    return Path(path)


def nulls(content: Any) -> Any:
    """The content with None in place of each NaN, for results in which a value may rightly be missing."""
    if isinstance(content, dict):
        return {key: nulls(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [nulls(value) for value in content]
    return None if isinstance(content, float) and content != content else content


def cache_folder() -> Path:
    """Folder of this user for what any run can make again: FASHIONLIB_CACHE, else ~/.cache/fashionlib."""
    return Path(os.environ.get("FASHIONLIB_CACHE") or Path.home() / ".cache" / "fashionlib")


def profile_names() -> list[str]:
    return sorted(path.stem for path in PROFILES.glob("*.yaml"))


def profile(name: str) -> dict[str, Any]:
    """A profile: `takes`, `needs`, `expect` in words, and per notebook the parameters that differ from its own cell."""
    if name not in profile_names():
        raise ValueError(f"unknown profile {name!r}; known: {', '.join(profile_names())}")
    return yaml.safe_load((PROFILES / f"{name}.yaml").read_text(encoding="utf-8"))


def repository() -> Path:
    """The nearest folder, from here upwards, that holds the book's `_toc.yml`; else the current folder."""
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if (folder / "_toc.yml").is_file()), here)


def fingerprint(root: Path) -> str:
    """sha256 over a data folder: each file's relative path and size, and the content of its tables (CSV)."""
    digest = hashlib.sha256()
    for path in sorted(p for p in Path(root).rglob("*") if p.is_file()):
        digest.update(f"{path.relative_to(root).as_posix()}\0{path.stat().st_size}\n".encode())
        if path.suffix == ".csv":
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:16]


def commit(root: Path) -> str:
    """The repository's commit, with `+changes` behind it when tracked files differ; "unknown" outside git."""
    git = ["git", "-C", str(root)]
    try:
        head = subprocess.run([*git, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    dirty = subprocess.run([*git, "status", "--porcelain", "-uno"], capture_output=True, text=True).stdout
    return head.stdout.strip() + ("+changes" if dirty.strip() else "")


@cache
def hardware() -> dict[str, Any]:
    """Processor, cores, memory (GiB) and the accelerator's name or None. torch is asked only where it is installed."""
    import psutil

    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        name = next((row.split(":", 1)[1].strip() for row in info.read_text().splitlines()
                     if row.startswith("model name")), name)
    try:
        import torch

        gpu = torch.cuda.get_device_name(0) if torch.cuda.is_available() else None
    except ImportError:
        gpu = None
    memory = round(psutil.virtual_memory().total / 2**30, 1)
    return {"processor": name, "cores": os.cpu_count(), "memory_gib": memory, "accelerator": gpu}


@cache
def versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in PROVENANCE_PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "absent"
    return found


@dataclass
class Run:
    """What a notebook holds on to: where its artefacts go, which data it reads, since when it runs."""

    notebook: str
    profile: str
    root: Path
    seed: int
    started: float = field(default_factory=time.monotonic)

    def path(self, relative: str) -> Path:
        """The place of an artefact below the run's folder; its parent exists."""
        place = self.root / relative
        if not place.resolve().is_relative_to(self.root.resolve()):
            raise ValueError(f"{relative!r} lies outside the run's folder; name a path below it")
        place.parent.mkdir(parents=True, exist_ok=True)
        return place

    def need(self, relative: str) -> Path:
        """The place of an upstream artefact; FileNotFoundError names it and the next step when it isn't there."""
        place = self.path(relative)
        if not place.exists():
            raise FileNotFoundError(f"{self.notebook} needs {relative} of profile {self.profile}, which no notebook "
                                    f"has made yet; run the earlier ones, or: make book PROFILE={self.profile}")
        return place

    def use(self, data: Path, synthetic: bool) -> None:
        """Remember `data` as this run's catalogue, with its fingerprint."""
        data = Path(data).resolve()
        if not data.is_dir():
            raise FileNotFoundError(f"no data folder at {data}; lay the catalogue out there or leave `data` empty")
        inside = data.is_relative_to(self.root.resolve())
        place = data.relative_to(self.root.resolve()).as_posix() if inside else data.as_posix()
        note = {"name": data.name, "place": place, "synthetic": synthetic, "fingerprint": fingerprint(data)}
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
            "peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        return write_json(self.path(f"results/{name}.json"), {"provenance": provenance, "values": values})

    def result(self, name: str) -> Any:
        """The values of an upstream `results/<name>.json`."""
        return json.loads(self.need(f"results/{name}.json").read_text(encoding="utf-8"))["values"]


def start(notebook: str, profile_name: str, seed: int) -> Run:
    """Open the run of `profile_name` for one notebook; its folder is made if it isn't there."""
    profile(profile_name)
    root = repository() / "_run" / profile_name
    root.mkdir(parents=True, exist_ok=True)
    return Run(notebook, profile_name, root, seed)


def keep(profile_name: str) -> Path:
    """Copy a finished run's results to `data/measured/<profile>`, where the book shows them as the real sample's.

    ValueError where one of them is synthetic, or where they come from more than one state of the data.
    """
    profile(profile_name)
    results = sorted((repository() / "_run" / profile_name / "results").glob("*.json"))
    results = [path for path in results if path.stem not in NOT_KEPT]
    if not results:
        raise FileNotFoundError(f"no results of {profile_name}; run: make book PROFILE={profile_name} DATA=path/to/hm")
    origins = {path.name: json.loads(path.read_text(encoding="utf-8"))["provenance"]["data"] for path in results}
    drawn = [name for name, data in origins.items() if data["synthetic"]]
    if drawn:
        raise ValueError(f"{len(drawn)} of {len(results)} results are synthetic, {drawn[0]} first; run with DATA")
    states = {data["fingerprint"] for data in origins.values()}
    if len(states) > 1:
        raise ValueError(f"{len(results)} results of {len(states)} states of the data; run make book again, then keep")
    place = repository() / "data" / "measured" / profile_name
    with atomic(place) as part:
        part.mkdir()
        for path in results:
            shutil.copy(path, part / path.name)
    return place

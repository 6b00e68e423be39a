"""Fetch files with the hosts' own clients; check each file, say what a refusal needs.

Both clients try busy hosts again and look for the user's token where they always do.
The hub's address can be set in HF_ENDPOINT.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from fashionlib.data.files import digest

PARQUET = re.compile(r"data/[\w.-]+\.parquet")  # no name that climbs out
STAGING = ".kagglehub"  # holds the archive until all of it is unpacked


def from_hub(
    repository: str, revision: str, dest: Path, needs: str
) -> tuple[str, dict[str, str]]:
    """Fetch a dataset's parquet files into `dest`; return its commit and checksums.

    `revision` is how the commit begins; the checksums are {file: digest}. A file that
    is there as the hub has it isn't fetched again. ValueError for a file that isn't
    what the hub promised, which is removed; FileExistsError for another file in its
    place; errors as `_explained`.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.hf_api import RepoFile

    api, files = HfApi(endpoint=os.environ.get("HF_ENDPOINT")), {}
    with _explained(repository, needs):
        commit = _commit(api, repository, revision)
        at = {"repo_id": repository, "repo_type": "dataset", "revision": commit}
        for entry in api.list_repo_tree(recursive=True, **at):
            if isinstance(entry, RepoFile) and PARQUET.fullmatch(entry.path):
                files[entry.path] = f"sha256:{entry.lfs.sha256}"
        for path, digest in files.items():
            place = dest / path
            fresh = not place.exists()
            if fresh:
                api.hf_hub_download(filename=path, local_dir=dest, **at)
            given = _checksum(place)
            if fresh and given != digest:
                place.unlink()
                raise ValueError(
                    f"{place} had {given}, its host says {digest}; it was removed: run"
                    " again"
                )
            if given != digest:
                raise FileExistsError(
                    f"{place} has {given}, its host says {digest}; move it away or name"
                    " another folder"
                )
    if not files:
        raise ValueError(
            f"{repository} lists no data/*.parquet: it has changed; please report"
        )
    notes = dest / ".cache" / "huggingface"  # the client's own
    if notes.is_dir():
        shutil.rmtree(notes)
        with suppress(OSError):  # the folder is the user's where it holds more
            notes.parent.rmdir()
    return commit, files


def from_kaggle(competition: str, dest: Path, needs: str) -> None:
    """Fetch a competition's archive, check its md5 and unpack it into `dest`.

    A killed run goes on with the archive; files appear in `dest` when all is unpacked.
    ValueError for a damaged archive, which is removed; FileExistsError for another file
    in the way; errors as `_explained`.
    """
    import kagglehub
    from kagglehub.exceptions import DataCorruptionError

    staging = (dest / STAGING).absolute()
    # kagglehub takes its settings from the environment; no mounted copy, please
    os.environ["KAGGLEHUB_CACHE"] = str(staging)
    os.environ |= {"DISABLE_KAGGLE_CACHE": "true", "DISABLE_COLAB_CACHE": "true"}
    with _explained(competition, needs):
        try:
            unpacked = Path(kagglehub.competition_download(competition))
        except DataCorruptionError as error:
            raise ValueError(
                f"{competition}: {error}; the archive was removed: run again"
            ) from error
        except ValueError as error:  # a page where an archive is expected
            shutil.rmtree(staging)
            raise PermissionError(f"{competition}: {error} needed: {needs}") from error
    for path in unpacked.iterdir():
        if (dest / path.name).exists():
            raise FileExistsError(
                f"{dest / path.name} is there, and another one in {unpacked}; move it"
                " away or name another folder"
            )
        path.rename(dest / path.name)
    shutil.rmtree(staging)


@contextmanager
def _explained(repository: str, needs: str) -> Iterator[None]:
    """Turn the clients' errors into ones that say what is needed.

    PermissionError for HTTP 401 and 403 or without a token, FileNotFoundError for 404,
    OSError for another refusal or a line that drops. No address is named: a signed one
    is a secret.
    """
    import requests
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
    from kagglehub.exceptions import UnauthenticatedError

    try:
        yield
    except UnauthenticatedError as error:
        raise PermissionError(f"no Kaggle token found; needed: {needs}") from error
    except (
        LocalEntryNotFoundError,
        HfHubHTTPError.__bases__[0],  # all of its client's: httpx, since 2.0 httpx2
        requests.RequestException,
    ) as error:
        # the hub's client says "not found locally" of a refusal too
        cause = error.__cause__ if isinstance(error, LocalEntryNotFoundError) else error
        response = getattr(cause, "response", None)
        status = None if response is None else response.status_code
        where = f"{repository}: HTTP {status}"
        if status in (401, 403):
            raise PermissionError(f"{where}, not let in; needed: {needs}") from error
        if status == 404:
            raise FileNotFoundError(
                f"{where}, not there (any more); needed: {needs}"
            ) from error
        if status is None:
            where = f"{repository}: {type(cause).__name__}"
        raise OSError(f"{where}; run again later: it continues") from error


def _commit(api: Any, repository: str, revision: str) -> str:
    commits = api.list_repo_commits(repository, repo_type="dataset")
    pinned = [one.commit_id for one in commits if one.commit_id.startswith(revision)]
    if len(pinned) != 1:
        raise ValueError(
            f"{len(pinned)} of {len(commits)} commits of {repository} begin with"
            f" {revision}: its history has changed; see"
            f" {api.endpoint}/datasets/{repository}"
        )
    return pinned[0]


def _checksum(path: Path) -> str:
    return f"sha256:{digest(path)}"

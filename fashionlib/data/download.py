"""Fetch a dataset for those who have the account: its terms in clear words, then a
checked, resumable download.

`DATASETS` says for each what it is, under which terms, what one needs and how it lies
afterwards. Kaggle, the Hugging Face hub and GitHub are served by one `fetch`. Their own
clients don't do what a 30 GB download needs: huggingface_hub 2.4 starts a killed file
from its beginning and takes its own note for a finished file's checksum; kagglehub 1.0
tries once, wants an empty folder and unpacks without bounds.

Endpoints can be set: KAGGLE_API_ENDPOINT, HF_ENDPOINT, GITHUB_API_URL, GITHUB_RAW_URL.
"""

from __future__ import annotations

import base64
import json
import os
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from fashionlib.data import fetch
from fashionlib.data.fetch import TIMEOUT, Remote
from fashionlib.data.files import write_json

if TYPE_CHECKING:
    import requests

RECORD = "DOWNLOAD.json"  # what was fetched, from which revision, with which checksums


@dataclass(frozen=True)
class Dataset:
    """What a dataset is; `source` None means that it can only be asked for."""

    what: str
    terms: str
    needs: str
    layout: str
    source: Literal["kaggle", "hub", "github"] | None = None
    repository: str = ""
    revision: str = ""  # a branch, or how the hub's commit begins
    pattern: str = ""  # of the files wanted
    files: int = 0  # how many of them there are
    most: int = 0  # bytes that its archive may unpack to


HM_TERMS = (
    "H&M's photos and texts, by the competition's rules for non-commercial and academic"
    " research only; no redistribution, and no picture of them in a publication"
)
DEEPFASHION_TERMS = (
    "non-commercial research and education only; the pictures belong to their shops; no"
    " redistribution"
)
NO_ACCOUNT = "no account (the hub's token in HF_TOKEN is used where it is set)"
HM_PAGE = (
    "https://www.kaggle.com/competitions/h-and-m-personalized-fashion-recommendations"
)

DATASETS = {
    "hm": Dataset(
        "H&M Personalized Fashion Recommendations: 105,542 articles, two years of"
        " purchases, photos; about 30 GB to fetch and as much again to unpack",
        HM_TERMS,
        f"a Kaggle account that has accepted {HM_PAGE}/rules, and its token"
        " (kaggle.com/settings) in KAGGLE_API_TOKEN, in KAGGLE_USERNAME and"
        " KAGGLE_KEY, or in ~/.kaggle/kaggle.json",
        "articles.csv, customers.csv, transactions_train.csv, images/<first 3"
        " digits>/<article id>.jpg",
        source="kaggle",
        repository="h-and-m-personalized-fashion-recommendations",
        pattern="*.zip",
        files=1,
        most=40 * 10**9,
    ),
    "hm_hub": Dataset(
        "20.5 thousand H&M photos with captions, from the hub; 6.3 GB",
        f"the card names no licence; {HM_TERMS}",
        NO_ACCOUNT,
        "data/train-*.parquet with image and text",
        source="hub",
        repository="tomytjandra/h-and-m-fashion-caption",
        revision="2083a7e",
        pattern="data/*.parquet",
        files=16,
    ),
    "hm_hub_12k": Dataset(
        "12.4 thousand of those pairs; 3.9 GB",
        f"the card names no licence; {HM_TERMS}",
        NO_ACCOUNT,
        "data/train-*.parquet with image and text",
        source="hub",
        repository="tomytjandra/h-and-m-fashion-caption-12k",
        revision="d04b93f",
        pattern="data/*.parquet",
        files=11,
    ),
    "dfmm_hub": Dataset(
        "DeepFashion-MultiModal in Marqo's small form on the hub, photos with texts;"
        " 153 MB (the original: dfmm)",
        f"the card names no licence; {DEEPFASHION_TERMS}",
        NO_ACCOUNT,
        "data/data-00000-of-00001.parquet",
        source="hub",
        repository="Marqo/deepfashion-multimodal",
        revision="aa2162b21db2e2f8e1f6974a1488169d1afa8fb9",
        pattern="data/*.parquet",
        files=1,
    ),
    "clothing": Dataset(
        "3,781 photos of clothes by volunteers, 10 classes, no captions",
        "free for any purpose (CC0): these may appear anywhere",
        "no account",
        "train|validation|test/<class>/<id>.jpg",
        source="github",
        repository="alexeygrigorev/clothing-dataset-small",
        revision="master",
        pattern="*/*/*.jpg",
        files=3781,
    ),
    "facad": Dataset(
        "FACAD: 993 thousand photos, 130 thousand captions",
        "no commercial use (the repository's LICENSE)",
        "a mail to xuewen.yang@stonybrook.edu (github.com/xuewyang/Fashion_Captioning)"
        " for the preprocessed files",
        "{TRAIN,VAL,TEST}_{IMAGES.hdf5,CAPTIONS.json,CATES.json,ATTRS.json},"
        " WORDMAP.json, meta_all_129927.json",
    ),
    "dfmm": Dataset(
        "DeepFashion-MultiModal: 44,096 photos, captions, shapes, fabrics and patterns",
        DEEPFASHION_TERMS,
        "the links at github.com/yumingj/DeepFashion-MultiModal, by hand",
        "captions.json, images/<file>.jpg, labels/shape/shape_anno_all.txt,"
        " labels/texture/{fabric,pattern}_ann.txt",
    ),
    "consumer2shop": Dataset(
        "DeepFashion consumer-to-shop: street photos and the shop's own",
        DEEPFASHION_TERMS,
        "the signed agreement at"
        " https://mmlab.ie.cuhk.edu.hk/projects/DeepFashion.html, which brings the"
        " password",
        "Eval/list_eval_partition.txt, Anno/list_{bbox,item}_consumer2shop.txt,"
        " img/<category>/…/<photo>.jpg",
    ),
    "deepfashion2": Dataset(
        "DeepFashion2: 491 thousand photos with boxes and pairs",
        DEEPFASHION_TERMS,
        "the form at github.com/switchablenorms/DeepFashion2, which brings the password"
        " of the archives",
        "train|validation/annos/<six digits>.json and train|validation/image/<six"
        " digits>.jpg",
    ),
}


def statement(name: str) -> str:
    """What the dataset is, its terms, what one needs and how it lies afterwards;
    ValueError for an unknown name.
    """
    if name not in DATASETS:
        raise ValueError(f"unknown dataset {name!r}; known: {', '.join(DATASETS)}")
    about = DATASETS[name]
    return (
        f"{name}: {about.what}\nterms: {about.terms}\nneeds: {about.needs}\nlayout:"
        f" {about.layout}"
    )


def download(name: str, dest: Path, accept_terms: bool = False) -> Path:
    """Fetch a dataset into the folder `dest` and return it, every file checked; what is
    there already isn't fetched.

    A killed run continues where it stopped. `dest/DOWNLOAD.json` keeps the source, its
    revision and the checksums. ValueError, with the terms, unless they are accepted or
    where a dataset can only be asked for; ValueError for a file that isn't what its
    host promised; PermissionError and FileNotFoundError for 401, 403 and 404;
    FileExistsError for another file in the way; OSError for a full disk or a host that
    stays away. Nothing of the user's is deleted.
    """
    import requests

    words, about, dest = statement(name), DATASETS.get(name), Path(dest)
    if about.source is None:
        raise ValueError(
            f"{words}\nask there, lay it out like that in {dest}, then: fashionlib"
            f" check {dest}"
        )
    if not accept_terms:
        raise ValueError(
            f"{words}\nif you accept these terms, say so: accept_terms=True or"
            " --accept-terms"
        )
    record = dest / RECORD
    before = (
        json.loads(record.read_text(encoding="utf-8"))["files"]
        if record.is_file()
        else None
    )
    try:
        with fetch.open_session(_authorization(about), about.needs) as session:
            revision, remotes = _listing(session, about)
            files = {remote.path: remote.digest for remote in remotes}
            if about.most and files == before:
                return dest  # its archive was unpacked and removed
            dest.mkdir(parents=True, exist_ok=True)
            fetch.fetch_all(session, remotes, dest, about.most)
    except requests.RequestException as error:
        raise OSError(
            f"{name}: {type(error).__name__} ({about.source}); run again later: it"
            " continues"
        ) from error
    for archive in [dest / path for path in files if about.most]:
        fetch.unpack(archive, dest, about.most)
        archive.unlink()
    write_json(
        record,
        {
            "name": name,
            "repository": about.repository,
            "revision": revision,
            "terms": about.terms,
            "files": files,
        },
    )
    return dest


def _authorization(about: Dataset) -> str | None:
    """The user's own token, from where the hosts' clients look; PermissionError where
    Kaggle's is missing.
    """
    if about.source != "kaggle":
        token = os.environ.get("HF_TOKEN") if about.source == "hub" else None
        return f"Bearer {token}" if token else None
    home = Path(os.environ.get("KAGGLE_CONFIG_DIR") or Path.home() / ".kaggle")
    token, user, key = (
        os.environ.get(f"KAGGLE_{part}") for part in ("API_TOKEN", "USERNAME", "KEY")
    )
    if not (token or (user and key)) and (home / "access_token").is_file():
        token = (home / "access_token").read_text(encoding="utf-8").strip()
    elif not (token or (user and key)) and (home / "kaggle.json").is_file():
        stored = json.loads((home / "kaggle.json").read_text(encoding="utf-8"))
        user, key = stored.get("username"), stored.get("key")
    if not (token or (user and key)):
        raise PermissionError(f"no Kaggle token found; needed: {about.needs}")
    return (
        f"Bearer {token}"
        if token
        else "Basic " + base64.b64encode(f"{user}:{key}".encode()).decode()
    )


def _listing(session: requests.Session, about: Dataset) -> tuple[str, list[Remote]]:
    """The revision, and the files wanted of it; ValueError unless they are as many as
    expected.
    """
    try:
        revision, listed = LISTINGS[about.source](session, about)
    except (KeyError, TypeError) as error:
        raise ValueError(
            f"{about.repository} is listed in an unknown form ({error!r}); please"
            " report"
        ) from error
    wanted = [remote for remote in listed if fnmatchcase(remote.path, about.pattern)]
    if len(wanted) != about.files:
        raise ValueError(
            f"{about.repository} lists {len(wanted)} files {about.pattern},"
            f" {about.files} are expected: it has changed; please report"
        )
    return revision, wanted


def _endpoint(variable: str, default: str) -> str:
    return os.environ.get(variable, default).rstrip("/")


def _kaggle(session: requests.Session, about: Dataset) -> tuple[str, list[Remote]]:
    """The competition's archive; its size and md5 are in the headers of the answer
    (`x-goog-hash`).
    """
    host = _endpoint("KAGGLE_API_ENDPOINT", "https://www.kaggle.com")
    url = f"{host}/api/v1/competitions/data/download-all/{about.repository}"
    with session.get(url, stream=True, timeout=TIMEOUT) as answer:
        headers = answer.headers
    if not headers.get("Content-Length", "").isdigit():
        raise PermissionError(
            f"{url} answers with a page, not with an archive; needed: {about.needs}"
        )
    size = int(headers["Content-Length"])
    sums = dict(
        part.strip().split("=", 1)
        for part in headers.get("x-goog-hash", "").split(",")
        if "=" in part
    )
    digest = (
        f"md5:{base64.b64decode(sums['md5']).hex()}"
        if "md5" in sums
        else f"size:{size}"
    )
    return headers.get("Last-Modified", ""), [
        Remote(f"{about.repository}.zip", url, size, digest)
    ]


def _hub(session: requests.Session, about: Dataset) -> tuple[str, list[Remote]]:
    """The files at the pinned commit: sha256 for those in LFS, the git blob's id for
    the others.
    """
    host = _endpoint("HF_ENDPOINT", "https://huggingface.co")
    place = f"{host}/api/datasets/{about.repository}"
    commits = [
        commit["id"]
        for commit in session.get(f"{place}/commits/main", timeout=TIMEOUT).json()
    ]
    pinned = [commit for commit in commits if commit.startswith(about.revision)]
    if len(pinned) != 1:
        raise ValueError(
            f"{len(pinned)} of {len(commits)} commits of {about.repository} begin with"
            f" {about.revision}: its history has changed; see"
            f" {host}/datasets/{about.repository}"
        )
    tree = session.get(
        f"{place}/tree/{pinned[0]}?recursive=true", timeout=TIMEOUT
    ).json()
    files = f"{host}/datasets/{about.repository}/resolve/{pinned[0]}/"
    return pinned[0], [
        Remote(
            entry["path"],
            files + quote(entry["path"]),
            entry["size"],
            (
                f"sha256:{entry['lfs']['oid']}"
                if entry.get("lfs")
                else f"git:{entry['oid']}"
            ),
        )
        for entry in tree
        if entry["type"] == "file"
    ]


def _github(session: requests.Session, about: Dataset) -> tuple[str, list[Remote]]:
    """The files at the branch's newest commit, by their git blobs' ids."""
    place = f"{_endpoint('GITHUB_API_URL', 'https://api.github.com')}/repos/{about.repository}"
    commit = session.get(f"{place}/commits/{about.revision}", timeout=TIMEOUT).json()[
        "sha"
    ]
    tree = session.get(
        f"{place}/git/trees/{commit}?recursive=1", timeout=TIMEOUT
    ).json()["tree"]
    files = f"{_endpoint('GITHUB_RAW_URL', 'https://raw.githubusercontent.com')}/{about.repository}/{commit}/"
    return commit, [
        Remote(
            entry["path"],
            files + quote(entry["path"]),
            entry["size"],
            f"git:{entry['sha']}",
        )
        for entry in tree
        if entry["type"] == "blob"
    ]


LISTINGS = {"kaggle": _kaggle, "hub": _hub, "github": _github}

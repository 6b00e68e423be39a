"""Downloads over real HTTP from a loopback server that misbehaves on demand."""

import base64
import hashlib
import io
import json
import re
import threading
import zipfile
from contextlib import suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from huggingface_hub import constants
from kagglesdk import kaggle_env

from fashionlib.data import download as dl
from fashionlib.data import fetch

COMMIT = "2083a7e" + "0" * 33
PLACE = "/datasets/tomytjandra/h-and-m-fashion-caption"
ARCHIVE = "/api/v1/competitions.CompetitionApiService/DownloadDataFiles"


class Host(ThreadingHTTPServer):
    """`pages`: what lies at each path; `mishaps`: what goes wrong at a path, one per
    request; `log`: what was sent.
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.pages, self.headers, self.mishaps, self.log = {}, {}, {}, []

    def handle_error(self, *_):
        """Clients hang up here on purpose."""

    def sent(self, path: str) -> list[tuple[int, int]]:
        """Status and body bytes of every answer for `path`."""
        return [
            (status, count) for asked, status, count, _ in self.log if asked == path
        ]


class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.answer(body=False)

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.answer()

    def do_GET(self):
        self.answer()

    def answer(self, body=True):
        host, path = self.server, self.path.partition("?")[0]
        queue = host.mishaps.get(path, []) if body else []
        mishap = queue.pop(0) if queue else None
        content = host.pages.get(path)
        headers = dict(host.headers.get(path, {}))
        status = 200 if content is not None else 404
        start = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if status == 200 and start:
            status, first = 206, int(start[1])
            headers["Content-Range"] = (
                f"bytes {first}-{len(content) - 1}/{len(content)}"
            )
            content = content[first:]
        if isinstance(mishap, int):
            status, content = mishap, b""
        content = content or b""
        sent = content[: len(content) // 2] if mishap == "drop" else content
        if body:
            host.log.append((path, status, len(sent), self.headers))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if body:
            with suppress(ConnectionError):
                self.wfile.write(sent)
        self.close_connection = mishap == "drop"


@pytest.fixture
def host(monkeypatch, tmp_path):
    host = Host()
    threading.Thread(target=host.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.setenv("HF_ENDPOINT", host.url)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("KAGGLE_API_ENVIRONMENT", "LOCALHOST")
    endpoints = kaggle_env._env_to_endpoint
    monkeypatch.setitem(endpoints, kaggle_env.KaggleEnv.LOCAL, host.url)
    for variable in ("HF_TOKEN", "KAGGLE_API_TOKEN", "KAGGLE_USERNAME", "KAGGLE_KEY"):
        monkeypatch.delenv(variable, raising=False)
    for variable in ("KAGGLEHUB_CACHE", "DISABLE_KAGGLE_CACHE", "DISABLE_COLAB_CACHE"):
        monkeypatch.setenv(variable, "")  # what `from_kaggle` sets is undone
    monkeypatch.setenv("KAGGLE_CONFIG_DIR", str(tmp_path / "no-kaggle"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    yield host
    host.shutdown()
    host.server_close()


def content(count: int, seed: int = 0) -> bytes:
    return np.random.default_rng(seed).bytes(count)


def hub(host, files: dict[str, bytes], **lies) -> dict[str, str]:
    """Serve `files` as the hub does (parquet in LFS); where each is fetched. `lies`
    replaces fields of every entry.
    """
    urls = {name: f"{PLACE}/resolve/{COMMIT}/{name}" for name in files}
    tree = [
        {"type": "directory", "path": "data", "oid": "0", "size": 0},
        {"type": "file", "path": ".gitattributes", "oid": "0", "size": 7},
    ]
    for name, body in files.items():
        digest = hashlib.sha256(body).hexdigest()
        host.pages[urls[name]] = body
        host.headers[urls[name]] = {"ETag": f'"{digest}"', "X-Repo-Commit": COMMIT}
        lfs = {"oid": digest, "size": len(body), "pointerSize": 1}
        entry = {"type": "file", "path": name, "oid": "0", "size": len(body)}
        tree.append(entry | {"lfs": lfs} | lies)
    about = {
        "authors": [],
        "date": "2024-01-01T00:00:00.000Z",
        "title": "",
        "message": "",
    }
    commits = [about | {"id": "f" * 40}, about | {"id": COMMIT}]
    host.pages[f"/api{PLACE}/commits/main"] = json.dumps(commits).encode()
    host.pages[f"/api{PLACE}/tree/{COMMIT}"] = json.dumps(tree).encode()
    return urls


def archive(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, body in files.items():
            bundle.writestr(name, body)
    return out.getvalue()


def kaggle(host, monkeypatch, body: bytes) -> None:
    monkeypatch.setenv("KAGGLE_API_TOKEN", "secret")
    host.pages[ARCHIVE] = body
    md5 = base64.b64encode(hashlib.md5(body).digest()).decode()
    host.headers[ARCHIVE] = {
        "x-goog-hash": f"crc32c=AAAAAA==,md5={md5}",
        "Accept-Ranges": "bytes",
        "Last-Modified": "Mon, 07 Feb 2022 16:00:00 GMT",
    }


# terms


def test_nothing_is_asked_of_the_host_before_the_terms_are_accepted(host, tmp_path):
    with pytest.raises(
        ValueError,
        match=r"(?s)terms: .*non-commercial.*needs: .*/rules.*--accept-terms",
    ):
        dl.fetch_dataset("hm", tmp_path / "hm")
    assert host.log == [] and not (tmp_path / "hm").exists()


@pytest.mark.parametrize(
    "name,where",
    [
        ("facad", "xuewen.yang"),
        ("dfmm", "yumingj"),
        ("consumer2shop", "mmlab"),
        ("deepfashion2", "form"),
    ],
)
def test_what_can_only_be_asked_for_says_where_and_in_which_layout(
    host, tmp_path, name, where
):
    with pytest.raises(
        ValueError, match=f"(?s)terms: .*needs: .*{where}.*layout: .*fashionlib check"
    ):
        dl.fetch_dataset(name, tmp_path, accept_terms=True)
    assert host.log == []


def test_every_dataset_states_all_four():
    for name, about in dl.DATASETS.items():
        assert all((about.what, about.terms, about.needs, about.layout)), name
        assert (about.source is None) or about.repository


def test_an_unknown_name_lists_the_known(tmp_path):
    with pytest.raises(ValueError, match="unknown dataset 'hnm'; known: hm, "):
        dl.fetch_dataset("hnm", tmp_path, accept_terms=True)


# the hub


def test_hub_files_arrive_checked_and_a_second_run_fetches_none(host, tmp_path):
    files = {
        "data/train-0.parquet": content(300_000),
        "data/train-1.parquet": content(5, 1),
    }
    urls = hub(host, files)
    for _ in range(2):
        dl.fetch_dataset("hm_hub", tmp_path, accept_terms=True)
    assert {name: (tmp_path / name).read_bytes() for name in files} == files
    assert host.sent(urls["data/train-0.parquet"]) == [(200, 300_000)]
    assert host.sent(urls["data/train-1.parquet"]) == [(200, 5)]
    record = json.loads((tmp_path / "DOWNLOAD.json").read_text())
    assert record["revision"] == COMMIT
    digest = hashlib.sha256(content(5, 1)).hexdigest()
    assert record["files"]["data/train-1.parquet"] == f"sha256:{digest}"
    left = sorted(path.name for path in tmp_path.rglob("*") if path.is_file())
    assert left == ["DOWNLOAD.json", "train-0.parquet", "train-1.parquet"]


def test_a_run_that_is_cut_off_goes_on_with_the_next_file(host, tmp_path):
    files = {"data/a.parquet": content(1000), "data/b.parquet": content(1000, 1)}
    urls = hub(host, files)
    host.mishaps[urls["data/b.parquet"]] = [404]
    with pytest.raises(FileNotFoundError, match="HTTP 404, not there"):
        dl.fetch_dataset("hm_hub", tmp_path, accept_terms=True)
    assert not (tmp_path / "data/b.parquet").exists()
    assert not (tmp_path / "DOWNLOAD.json").exists()
    dl.fetch_dataset("hm_hub", tmp_path, accept_terms=True)
    assert {name: (tmp_path / name).read_bytes() for name in files} == files
    assert host.sent(urls["data/a.parquet"]) == [(200, 1000)]


def test_a_wrong_checksum_names_the_file_and_both_sums(host, tmp_path):
    lie = {"lfs": {"oid": "ab" * 32, "size": 10, "pointerSize": 1}}
    hub(host, {"data/a.parquet": content(10)}, **lie)
    given = hashlib.sha256(content(10)).hexdigest()
    with pytest.raises(
        ValueError, match=f"a.parquet had sha256:{given}, its host says sha256:abab"
    ):
        dl.fetch_dataset("hm_hub", tmp_path, accept_terms=True)
    assert not (tmp_path / "data/a.parquet").exists()
    assert not (tmp_path / "DOWNLOAD.json").exists()


def test_another_file_in_the_way_is_left_alone(host, tmp_path):
    urls = hub(host, {"data/a.parquet": content(10)})
    (tmp_path / "data").mkdir()
    (tmp_path / "data/a.parquet").write_text("mine")
    with pytest.raises(FileExistsError, match="a.parquet has sha256:.*move it away"):
        dl.fetch_dataset("hm_hub", tmp_path, accept_terms=True)
    assert (tmp_path / "data/a.parquet").read_text() == "mine"
    assert host.sent(urls["data/a.parquet"]) == []


@pytest.mark.parametrize(
    "status,error",
    [(401, PermissionError), (403, PermissionError), (404, FileNotFoundError)],
)
def test_a_refusal_says_what_is_needed(host, tmp_path, status, error):
    urls = hub(host, {"data/a.parquet": content(10)})
    host.mishaps[urls["data/a.parquet"]] = [status]
    with pytest.raises(error, match=f"HTTP {status}, .*; needed: no account"):
        dl.fetch_dataset("hm_hub", tmp_path, accept_terms=True)


def test_a_host_that_is_not_there_is_named(host, monkeypatch, tmp_path):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    with pytest.raises(OSError, match="fashion-caption: .*run again later"):
        dl.fetch_dataset("hm_hub", tmp_path, accept_terms=True)


def test_only_parquet_inside_the_folder_is_fetched(host, tmp_path):
    files = {"data/a.parquet": content(10), "data/../../x.parquet": content(10)}
    hub(host, files)
    dl.fetch_dataset("hm_hub", tmp_path / "deep" / "dest", accept_terms=True)
    assert [path.name for path in tmp_path.rglob("*.parquet")] == ["a.parquet"]


def test_a_changed_history_or_listing_is_reported(host, monkeypatch, tmp_path):
    hub(host, {})
    with pytest.raises(ValueError, match="lists no data/.*parquet: it has changed"):
        dl.fetch_dataset("hm_hub", tmp_path, accept_terms=True)
    changed = replace(dl.DATASETS["hm_hub"], revision="abc")
    monkeypatch.setitem(dl.DATASETS, "hm_hub", changed)
    with pytest.raises(
        ValueError,
        match="0 of 2 commits of tomytjandra/h-and-m-fashion-caption begin with abc",
    ):
        dl.fetch_dataset("hm_hub", tmp_path, accept_terms=True)


# Kaggle

FILES = {
    "articles.csv": b"article_id\n0108775015\n" * 500,
    "images/010/0108775015.jpg": content(2000),
}


def test_the_competition_is_fetched_unpacked_and_then_left_alone(
    host, monkeypatch, tmp_path
):
    kaggle(host, monkeypatch, archive(FILES))
    for _ in range(2):
        dl.fetch_dataset("hm", tmp_path / "hm", accept_terms=True)
    places = {path for path in (tmp_path / "hm").rglob("*") if path.is_file()}
    expected = {tmp_path / "hm" / name for name in [*FILES, "DOWNLOAD.json"]}
    assert places == expected
    for name, body in FILES.items():
        assert (tmp_path / "hm" / name).read_bytes() == body
    assert len(host.sent(ARCHIVE)) == 1
    assert host.log[0][-1]["Authorization"] == "Bearer secret"


def test_an_archive_that_was_cut_off_is_continued(host, monkeypatch, tmp_path):
    body = archive(FILES | {"customers.csv": content(4_000_000)})
    kaggle(host, monkeypatch, body)
    host.mishaps[ARCHIVE] = ["drop"]
    with pytest.raises(OSError, match="run again later: it continues"):
        dl.fetch_dataset("hm", tmp_path / "hm", accept_terms=True)
    assert [path.name for path in (tmp_path / "hm").iterdir()] == [fetch.STAGING]
    dl.fetch_dataset("hm", tmp_path / "hm", accept_terms=True)
    status, count = host.sent(ARCHIVE)[-1]
    assert status == 206 and count < len(body)
    assert (tmp_path / "hm" / "articles.csv").read_bytes() == FILES["articles.csv"]


def test_a_damaged_archive_isnt_unpacked(host, monkeypatch, tmp_path):
    kaggle(host, monkeypatch, archive(FILES))
    host.pages[ARCHIVE] = host.pages[ARCHIVE][:-1] + b"?"
    with pytest.raises(ValueError, match="(?s)MD5.*archive was removed: run again"):
        dl.fetch_dataset("hm", tmp_path / "hm", accept_terms=True)
    assert not [path for path in (tmp_path / "hm").rglob("*") if path.is_file()]


def test_a_page_where_an_archive_is_expected_is_a_refusal(host, monkeypatch, tmp_path):
    kaggle(host, monkeypatch, b"<html>log in</html>")
    with pytest.raises(PermissionError, match="needed: .*/rules"):
        dl.fetch_dataset("hm", tmp_path / "hm", accept_terms=True)
    assert not list((tmp_path / "hm").iterdir())


def test_a_kaggle_account_that_isnt_let_in_is_sent_to_the_rules(
    host, monkeypatch, tmp_path
):
    kaggle(host, monkeypatch, archive(FILES))
    host.mishaps[ARCHIVE] = [403]
    with pytest.raises(PermissionError, match="needed: .*/rules.*kaggle.com/settings"):
        dl.fetch_dataset("hm", tmp_path / "hm", accept_terms=True)


def test_without_a_kaggle_token_nothing_is_asked(host, monkeypatch, tmp_path):
    kaggle(host, monkeypatch, archive(FILES))
    monkeypatch.delenv("KAGGLE_API_TOKEN")
    with pytest.raises(
        PermissionError, match="no Kaggle token found; needed: a Kaggle account"
    ):
        dl.fetch_dataset("hm", tmp_path / "hm", accept_terms=True)
    assert host.log == []


def test_a_file_of_the_users_in_the_way_is_left_alone(host, monkeypatch, tmp_path):
    kaggle(host, monkeypatch, archive(FILES))
    (tmp_path / "hm").mkdir()
    (tmp_path / "hm" / "articles.csv").write_text("mine")
    with pytest.raises(FileExistsError, match="articles.csv is there.*move it away"):
        dl.fetch_dataset("hm", tmp_path / "hm", accept_terms=True)
    assert (tmp_path / "hm" / "articles.csv").read_text() == "mine"
    (tmp_path / "hm" / "articles.csv").unlink()
    dl.fetch_dataset("hm", tmp_path / "hm", accept_terms=True)
    assert (tmp_path / "hm" / "articles.csv").read_bytes() == FILES["articles.csv"]

"""Downloads over real HTTP from a loopback server that misbehaves on demand."""

import base64
import hashlib
import io
import json
import multiprocessing
import re
import threading
import time
import zipfile
from contextlib import suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fashionlib.data import download as dl
from fashionlib.data import fetch

COMMIT = "2083a7e" + "0" * 33
SLUG = "h-and-m-personalized-fashion-recommendations"
ARCHIVE = f"/api/v1/competitions/data/download-all/{SLUG}"


def blob(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


class Host(ThreadingHTTPServer):
    """`pages`: what lies at each path; `mishaps`: what goes wrong at a path, one per
    request; `log`: what was sent.
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.pages, self.headers, self.mishaps, self.log, self.ranges = (
            {},
            {},
            {},
            [],
            True,
        )
        self.resume = threading.Event()

    def handle_error(self, *_):
        """Clients hang up here on purpose."""

    def sent(self, path: str) -> list[tuple[int, int]]:
        """Status and body bytes of every answer for `path`."""
        return [
            (status, count) for asked, status, count, _ in self.log if asked == path
        ]

    def heard(self, header: str) -> list[str | None]:
        """What every request said in one of its headers."""
        return [headers.get(header) for *_, headers in self.log]


class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        host, path = self.server, self.path.partition("?")[0]
        queue = host.mishaps.get(path, [])
        mishap = queue.pop(0) if queue else None
        content = host.pages.get(path)
        headers = dict(host.headers.get(path, {}))
        status = 200 if content is not None else 404
        content = content or b""
        start = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if status == 200 and start and host.ranges:
            status, first = 206, int(start[1])
            headers["Content-Range"] = (
                f"bytes {first}-{len(content) - 1}/{len(content)}"
            )
            content = content[first:]
        if isinstance(mishap, tuple):
            status, extra = mishap
            headers, content = {**headers, **extra}, b""
        body = content[: len(content) // 2] if mishap in ("drop", "stall") else content
        host.log.append((path, status, len(body), self.headers))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if mishap == "page":
            self.send_header("Transfer-Encoding", "chunked")
            body = b"5\r\nhello\r\n0\r\n\r\n"
        else:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        with suppress(
            ConnectionError
        ):  # the probe for an archive's headers hangs up on the body
            self.wfile.write(body)
        if mishap == "stall":
            host.resume.wait(20)
        self.close_connection = mishap in ("drop", "stall")


@pytest.fixture
def serve():
    hosts = []

    def start() -> Host:
        hosts.append(Host())
        threading.Thread(
            target=hosts[-1].serve_forever, args=(0.01,), daemon=True
        ).start()
        return hosts[-1]

    yield start
    for host in hosts:
        host.shutdown()
        host.server_close()


@pytest.fixture
def host(serve, monkeypatch, tmp_path):
    host = serve()
    for variable in (
        "KAGGLE_API_ENDPOINT",
        "HF_ENDPOINT",
        "GITHUB_API_URL",
        "GITHUB_RAW_URL",
    ):
        monkeypatch.setenv(variable, host.url)
    for variable in ("HF_TOKEN", "KAGGLE_API_TOKEN", "KAGGLE_USERNAME", "KAGGLE_KEY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("KAGGLE_CONFIG_DIR", str(tmp_path / "no-kaggle"))
    monkeypatch.setattr(fetch, "BACKOFF", 0)
    return host


def content(count: int, seed: int = 0) -> bytes:
    return np.random.default_rng(seed).bytes(count)


def hub(host, monkeypatch, files: dict[str, bytes], **lies) -> dict[str, str]:
    """Serve `files` as the hub does (parquet in LFS); where each is fetched. `lies`
    replaces fields of every entry.
    """
    monkeypatch.setitem(
        dl.DATASETS, "hm_hub", replace(dl.DATASETS["hm_hub"], files=len(files))
    )
    place = "/datasets/tomytjandra/h-and-m-fashion-caption"
    urls = {name: f"{place}/resolve/{COMMIT}/{name}" for name in files}
    tree = [
        {"type": "directory", "path": "data", "oid": "0", "size": 0},
        {"type": "file", "path": ".gitattributes", "oid": "0", "size": 7},
    ]
    for name, body in files.items():
        host.pages[urls[name]] = body
        lfs = {"oid": hashlib.sha256(body).hexdigest(), "size": len(body)}
        tree.append(
            {
                "type": "file",
                "path": name,
                "oid": "0",
                "size": len(body),
                "lfs": lfs,
                **lies,
            }
        )
    host.pages[f"/api{place}/commits/main"] = json.dumps(
        [{"id": "f" * 40}, {"id": COMMIT}]
    ).encode()
    host.pages[f"/api{place}/tree/{COMMIT}"] = json.dumps(tree).encode()
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
    host.headers[ARCHIVE] = {"x-goog-hash": f"crc32c=AAAAAA==,md5={md5}"}


# terms


def test_nothing_is_asked_of_the_host_before_the_terms_are_accepted(host, tmp_path):
    with pytest.raises(
        ValueError,
        match=r"(?s)terms: .*non-commercial.*needs: .*/rules.*--accept-terms",
    ):
        dl.download("hm", tmp_path / "hm")
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
        dl.download(name, tmp_path, accept_terms=True)
    assert host.log == []


def test_every_dataset_states_all_four():
    for name, about in dl.DATASETS.items():
        assert all((about.what, about.terms, about.needs, about.layout)), name
        assert (about.source is None) or about.repository


def test_an_unknown_name_lists_the_known(tmp_path):
    with pytest.raises(ValueError, match="unknown dataset 'hnm'; known: hm, "):
        dl.download("hnm", tmp_path, accept_terms=True)


# the hub, and what every host shares


def test_hub_files_arrive_checked_and_a_second_run_fetches_none(
    host, monkeypatch, tmp_path
):
    files = {
        "data/train-0.parquet": content(300_000),
        "data/train-1.parquet": content(5, 1),
        "data/empty.parquet": b"",
    }
    urls = hub(host, monkeypatch, files)
    for _ in range(2):
        dl.download("hm_hub", tmp_path, accept_terms=True)
    assert {name: (tmp_path / name).read_bytes() for name in files} == files
    assert host.sent(urls["data/train-0.parquet"]) == [(200, 300_000)]
    assert host.sent(urls["data/train-1.parquet"]) == [(200, 5)]
    record = json.loads((tmp_path / "DOWNLOAD.json").read_text())
    assert record["revision"] == COMMIT
    assert (
        record["files"]["data/train-1.parquet"]
        == "sha256:" + hashlib.sha256(content(5, 1)).hexdigest()
    )
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == [
        "DOWNLOAD.json",
        "empty.parquet",
        "train-0.parquet",
        "train-1.parquet",
    ]


def test_a_dropped_line_is_continued_and_no_byte_is_paid_twice(
    host, monkeypatch, tmp_path
):
    urls = hub(host, monkeypatch, {"data/a.parquet": content(8 * fetch.CHUNK)})
    host.mishaps[urls["data/a.parquet"]] = ["drop", "drop"]
    dl.download("hm_hub", tmp_path, accept_terms=True)
    assert host.sent(urls["data/a.parquet"]) == [
        (200, 4 * fetch.CHUNK),
        (206, 2 * fetch.CHUNK),
        (206, 2 * fetch.CHUNK),
    ]
    assert (tmp_path / "data/a.parquet").read_bytes() == content(8 * fetch.CHUNK)


def test_a_line_that_keeps_dropping_is_given_up_and_continued_by_the_next_run(
    host, monkeypatch, tmp_path
):
    urls = hub(
        host, monkeypatch, {"data/a.parquet": content(2**fetch.TRIES * fetch.CHUNK)}
    )
    host.mishaps[urls["data/a.parquet"]] = ["drop"] * fetch.TRIES
    with pytest.raises(OSError, match="hm_hub: .*run again later: it continues"):
        dl.download("hm_hub", tmp_path, accept_terms=True)
    assert (
        len(host.sent(urls["data/a.parquet"])) == fetch.TRIES
        and not (tmp_path / "data/a.parquet").exists()
    )
    dl.download("hm_hub", tmp_path, accept_terms=True)
    assert host.sent(urls["data/a.parquet"])[-1] == (206, fetch.CHUNK)
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["a.parquet"]


def test_a_killed_run_pays_only_the_rest(host, monkeypatch, tmp_path):
    body = content(8 * fetch.CHUNK)
    urls = hub(host, monkeypatch, {"data/a.parquet": body})
    host.mishaps[urls["data/a.parquet"]] = ["stall"]
    run = multiprocessing.get_context("fork").Process(
        target=dl.download, args=("hm_hub", tmp_path, True)
    )
    run.start()
    part = tmp_path / "data/a.parquet.part"
    while not (part.exists() and part.stat().st_size == len(body) // 2):
        assert run.is_alive()
        time.sleep(0.01)
    run.kill()
    run.join()
    host.resume.set()
    dl.download("hm_hub", tmp_path, accept_terms=True)
    assert host.sent(urls["data/a.parquet"]) == [
        (200, len(body) // 2),
        (206, len(body) // 2),
    ]
    assert (tmp_path / "data/a.parquet").read_bytes() == body and not part.exists()


def test_a_part_that_is_complete_is_only_renamed(host, monkeypatch, tmp_path):
    urls = hub(host, monkeypatch, {"data/a.parquet": content(1000)})
    (tmp_path / "data").mkdir()
    (tmp_path / "data/a.parquet.part").write_bytes(content(1000))
    dl.download("hm_hub", tmp_path, accept_terms=True)
    assert host.sent(urls["data/a.parquet"]) == []


def test_a_host_without_ranges_starts_over(host, monkeypatch, tmp_path):
    host.ranges = False
    body = content(8 * fetch.CHUNK)
    urls = hub(host, monkeypatch, {"data/a.parquet": body})
    host.mishaps[urls["data/a.parquet"]] = ["drop"]
    dl.download("hm_hub", tmp_path, accept_terms=True)
    assert host.sent(urls["data/a.parquet"]) == [
        (200, len(body) // 2),
        (200, len(body)),
    ]
    assert (tmp_path / "data/a.parquet").read_bytes() == body


def test_a_wrong_checksum_names_the_file_and_both_sums_and_deletes_nothing(
    host, monkeypatch, tmp_path
):
    hub(host, monkeypatch, {"data/a.parquet": content(10)}, lfs={"oid": "ab" * 32})
    found = hashlib.sha256(content(10)).hexdigest()
    with pytest.raises(
        ValueError,
        match=f"a.parquet.part has sha256:{found}, its host says sha256:abab.*; delete",
    ):
        dl.download("hm_hub", tmp_path, accept_terms=True)
    assert (
        not (tmp_path / "data/a.parquet").exists()
        and not (tmp_path / "DOWNLOAD.json").exists()
    )


def test_another_file_in_the_way_is_left_alone(host, monkeypatch, tmp_path):
    urls = hub(host, monkeypatch, {"data/a.parquet": content(10)})
    (tmp_path / "data").mkdir()
    (tmp_path / "data/a.parquet").write_text("mine")
    with pytest.raises(FileExistsError, match="a.parquet has sha256:.*move it away"):
        dl.download("hm_hub", tmp_path, accept_terms=True)
    assert (tmp_path / "data/a.parquet").read_text() == "mine" and host.sent(
        urls["data/a.parquet"]
    ) == []


def test_a_host_that_sends_more_than_it_lists_is_stopped(host, monkeypatch, tmp_path):
    hub(host, monkeypatch, {"data/a.parquet": content(5 * fetch.CHUNK)}, size=1000)
    with pytest.raises(
        ValueError,
        match="data/a.parquet: the host sends more than the 1,000 bytes it lists",
    ):
        dl.download("hm_hub", tmp_path, accept_terms=True)
    assert (tmp_path / "data/a.parquet.part").stat().st_size <= 1000


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_busy_host_is_asked_again(host, monkeypatch, tmp_path, status):
    urls = hub(host, monkeypatch, {"data/a.parquet": content(10)})
    host.mishaps[urls["data/a.parquet"]] = [(status, {})] * 2
    dl.download("hm_hub", tmp_path, accept_terms=True)
    assert [answer for answer, _ in host.sent(urls["data/a.parquet"])] == [
        status,
        status,
        200,
    ]


def test_the_pause_that_a_host_asks_for_is_made(host, monkeypatch, tmp_path):
    pauses = []
    monkeypatch.setattr("time.sleep", pauses.append)
    urls = hub(host, monkeypatch, {"data/a.parquet": content(10)})
    host.mishaps[urls["data/a.parquet"]] = [(429, {"Retry-After": "7"})]
    dl.download("hm_hub", tmp_path, accept_terms=True)
    assert [pause for pause in pauses if pause >= 1] == [7]


def test_a_host_that_stays_busy_is_given_up(host, monkeypatch, tmp_path):
    urls = hub(host, monkeypatch, {"data/a.parquet": content(10)})
    host.mishaps[urls["data/a.parquet"]] = [(503, {})] * 100
    with pytest.raises(
        OSError, match=f"a.parquet: HTTP 503 after {fetch.TRIES} tries; run again later"
    ):
        dl.download("hm_hub", tmp_path, accept_terms=True)
    assert len(host.sent(urls["data/a.parquet"])) == fetch.TRIES


@pytest.mark.parametrize(
    "status,error",
    [(401, PermissionError), (403, PermissionError), (404, FileNotFoundError)],
)
def test_a_refusal_says_what_is_needed_and_isnt_repeated(
    host, monkeypatch, tmp_path, status, error
):
    urls = hub(host, monkeypatch, {"data/a.parquet": content(10)})
    host.mishaps[urls["data/a.parquet"]] = [(status, {})]
    with pytest.raises(
        error, match=f"a.parquet: HTTP {status}, .*; needed: no account"
    ):
        dl.download("hm_hub", tmp_path, accept_terms=True)
    assert len(host.sent(urls["data/a.parquet"])) == 1


@pytest.mark.parametrize(
    "name", ["data/../../x.parquet", "data/a\\..\\..\\x.parquet", "data/C:x.parquet"]
)
def test_a_listed_name_that_climbs_out_is_refused_before_the_first_byte(
    host, monkeypatch, tmp_path, name
):
    urls = hub(host, monkeypatch, {"data/a.parquet": content(10), name: content(10)})
    with pytest.raises(
        ValueError, match=re.escape(f"{name!r}, which would lie outside")
    ):
        dl.download("hm_hub", tmp_path / "deep" / "dest", accept_terms=True)
    assert host.sent(urls["data/a.parquet"]) == [] and not list(
        tmp_path.rglob("*.parquet")
    )


def test_a_link_that_leads_out_of_the_folder_is_refused(tmp_path):
    (tmp_path / "dest").mkdir()
    (tmp_path / "dest" / "data").symlink_to(tmp_path)
    with pytest.raises(ValueError, match="outside"):
        fetch.inside(tmp_path / "dest", "data/x.parquet")


@given(
    st.lists(
        st.sampled_from(["a", "..", ".", "", "/", "\\", "c:", "...", "b.jpg"]),
        max_size=6,
    ).map("/".join)
)
def test_every_accepted_name_lies_inside(tmp_path_factory, name):
    dest = tmp_path_factory.getbasetemp() / "dest"
    with suppress(ValueError):
        assert dest.resolve() in fetch.inside(dest, name).resolve().parents


def test_a_changed_history_or_listing_is_reported(host, monkeypatch, tmp_path):
    hub(host, monkeypatch, {"data/a.parquet": content(10)})
    monkeypatch.setitem(dl.DATASETS, "hm_hub", replace(dl.DATASETS["hm_hub"], files=16))
    with pytest.raises(
        ValueError, match="lists 1 files data/.*parquet, 16 are expected"
    ):
        dl.download("hm_hub", tmp_path, accept_terms=True)
    monkeypatch.setitem(
        dl.DATASETS, "hm_hub", replace(dl.DATASETS["hm_hub"], revision="abc")
    )
    with pytest.raises(
        ValueError,
        match="0 of 2 commits of tomytjandra/h-and-m-fashion-caption begin with abc",
    ):
        dl.download("hm_hub", tmp_path, accept_terms=True)
    host.pages["/api/datasets/tomytjandra/h-and-m-fashion-caption/commits/main"] = (
        b'{"error": "?"}'
    )
    with pytest.raises(
        ValueError, match="h-and-m-fashion-caption is listed in an unknown form"
    ):
        dl.download("hm_hub", tmp_path, accept_terms=True)
    host.pages["/api/datasets/tomytjandra/h-and-m-fashion-caption/commits/main"] = (
        b"<html>log in</html>"
    )
    with pytest.raises(OSError, match="hm_hub: JSONDecodeError"):
        dl.download("hm_hub", tmp_path, accept_terms=True)


def test_a_full_disk_is_noticed_before_the_first_byte(host, monkeypatch, tmp_path):
    urls = hub(host, monkeypatch, {"data/a.parquet": content(10)}, size=10**18)
    with pytest.raises(OSError, match="1000000000.0 GB are needed and .* GB are free"):
        dl.download("hm_hub", tmp_path, accept_terms=True)
    assert host.sent(urls["data/a.parquet"]) == []


def test_the_token_stays_with_its_host(host, serve, monkeypatch, tmp_path):
    monkeypatch.setenv("HF_TOKEN", "secret")
    storage = serve()
    urls = hub(host, monkeypatch, {"data/a.parquet": content(10)})
    storage.pages["/blob"] = content(10)
    host.mishaps[urls["data/a.parquet"]] = [
        (302, {"Location": f"{storage.url}/blob?signature=s"})
    ]
    dl.download("hm_hub", tmp_path, accept_terms=True)
    assert set(host.heard("Authorization")) == {"Bearer secret"}
    assert storage.heard("Authorization") == [None]
    assert set(host.heard("Accept-Encoding")) == {
        "identity"
    }  # a packed answer has other bytes and no Range


def test_a_signed_address_stays_out_of_messages(host, serve, monkeypatch, tmp_path):
    storage = serve()
    urls = hub(host, monkeypatch, {"data/a.parquet": content(10)})
    host.mishaps[urls["data/a.parquet"]] = [
        (302, {"Location": f"{storage.url}/blob?signature=secret"})
    ]
    with pytest.raises(FileNotFoundError, match="/blob: HTTP 404") as caught:
        dl.download("hm_hub", tmp_path, accept_terms=True)
    assert "secret" not in str(caught.value)


# GitHub


def test_photos_come_from_one_commit_of_github(host, monkeypatch, tmp_path):
    photos = {"train/dress/a b.jpg": b"one", "test/hat/c.jpg": b"two"}
    monkeypatch.setitem(
        dl.DATASETS, "clothing", replace(dl.DATASETS["clothing"], files=2)
    )
    place = "alexeygrigorev/clothing-dataset-small"
    tree = [
        {"type": "blob", "path": name, "size": 3, "sha": blob(body)}
        for name, body in photos.items()
    ]
    tree += [{"type": "tree", "path": "train", "sha": "0"}]
    tree += [{"type": "blob", "path": "README.md", "size": 9, "sha": "0"}]
    host.pages[f"/repos/{place}/commits/master"] = json.dumps({"sha": COMMIT}).encode()
    host.pages[f"/repos/{place}/git/trees/{COMMIT}"] = json.dumps(
        {"tree": tree, "truncated": False}
    ).encode()
    for name, body in photos.items():
        host.pages[f"/{place}/{COMMIT}/{name.replace(' ', '%20')}"] = body
    dl.download("clothing", tmp_path, accept_terms=True)
    assert {name: (tmp_path / name).read_bytes() for name in photos} == photos
    assert set(host.heard("Authorization")) == {None}


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
        dl.download("hm", tmp_path, accept_terms=True)
    assert {name: (tmp_path / name).read_bytes() for name in FILES} == FILES
    assert not (tmp_path / f"{SLUG}.zip").exists()
    assert len(host.sent(ARCHIVE)) == 3  # two looks at the headers, one download
    assert set(host.heard("Authorization")) == {"Bearer secret"}


def test_unpacking_goes_on_after_a_kill_without_fetching_again(
    host, monkeypatch, tmp_path
):
    body = archive(FILES)
    kaggle(host, monkeypatch, body)
    (tmp_path / f"{SLUG}.zip").write_bytes(body)
    (tmp_path / "articles.csv").write_bytes(FILES["articles.csv"])
    dl.download("hm", tmp_path, accept_terms=True)
    assert {name: (tmp_path / name).read_bytes() for name in FILES} == FILES
    assert len(host.sent(ARCHIVE)) == 1


def test_a_damaged_archive_isnt_unpacked(host, monkeypatch, tmp_path):
    kaggle(host, monkeypatch, archive(FILES))
    host.pages[ARCHIVE] = host.pages[ARCHIVE][:-1] + b"?"
    with pytest.raises(
        ValueError,
        match=(
            "zip.part has md5:[0-9a-f]{32}, its host says md5:[0-9a-f]{32}; delete it"
        ),
    ):
        dl.download("hm", tmp_path, accept_terms=True)
    assert not (tmp_path / "articles.csv").exists()


@pytest.mark.parametrize("mishap", ["page", (403, {})])
def test_a_kaggle_account_that_isnt_let_in_is_sent_to_the_rules(
    host, monkeypatch, tmp_path, mishap
):
    kaggle(host, monkeypatch, archive(FILES))
    host.mishaps[ARCHIVE] = [mishap]
    with pytest.raises(
        PermissionError, match=f"needed: .*{SLUG}/rules.*kaggle.com/settings"
    ):
        dl.download("hm", tmp_path, accept_terms=True)


def test_a_kaggle_token_is_found_where_kaggle_looks(host, monkeypatch, tmp_path):
    body = archive(FILES)
    kaggle(host, monkeypatch, body)
    monkeypatch.delenv("KAGGLE_API_TOKEN")
    with pytest.raises(
        PermissionError, match="no Kaggle token found; needed: a Kaggle account"
    ):
        dl.download("hm", tmp_path / "hm", accept_terms=True)
    assert host.log == []
    monkeypatch.setenv("KAGGLE_CONFIG_DIR", str(tmp_path))
    (tmp_path / "kaggle.json").write_text('{"username": "ann", "key": "k"}')
    dl.download("hm", tmp_path / "one", accept_terms=True)
    (tmp_path / "access_token").write_text("new\n")
    dl.download("hm", tmp_path / "two", accept_terms=True)
    monkeypatch.setenv("KAGGLE_USERNAME", "bob")
    monkeypatch.setenv("KAGGLE_KEY", "k")
    dl.download("hm", tmp_path / "three", accept_terms=True)
    basic = [
        "Basic " + base64.b64encode(pair).decode() for pair in (b"ann:k", b"bob:k")
    ]
    assert (
        host.heard("Authorization")
        == [basic[0]] * 2 + ["Bearer new"] * 2 + [basic[1]] * 2
    )


@pytest.mark.parametrize(
    "name", ["../x.csv", "/x.csv", "images/../../x.csv", "..\\x.csv"]
)
def test_an_archive_that_climbs_out_is_refused_before_the_first_file(tmp_path, name):
    (tmp_path / "a.zip").write_bytes(archive({"articles.csv": b"x", name: b"x"}))
    with pytest.raises(ValueError, match="which would lie outside"):
        fetch.unpack(tmp_path / "a.zip", tmp_path / "dest", most=100)
    assert not list(tmp_path.rglob("*.csv"))


def test_a_bomb_is_refused(tmp_path):
    (tmp_path / "a.zip").write_bytes(archive({"bomb": bytes(10_000_000)}))
    with pytest.raises(
        ValueError,
        match="unpacks to 10,000,000 bytes, more than the 1,000,000 expected",
    ):
        fetch.unpack(tmp_path / "a.zip", tmp_path, most=1_000_000)
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]


def test_a_bomb_that_lies_about_its_size_writes_no_more_than_it_says(tmp_path):
    body = archive({"bomb": bytes(10_000_000)})
    (tmp_path / "a.zip").write_bytes(
        body.replace((10_000_000).to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    )
    with pytest.raises(ValueError, match="broken zip"):
        fetch.unpack(tmp_path / "a.zip", tmp_path, most=1_000_000)
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]


def test_a_file_of_the_users_in_the_way_of_an_archive_is_left_alone(tmp_path):
    (tmp_path / "a.zip").write_bytes(
        archive({"articles.csv": b"theirs", "b.csv": b"x"})
    )
    (tmp_path / "articles.csv").write_text("mine!!!")
    with pytest.raises(
        FileExistsError,
        match="articles.csv has size:7, its host says size:6; move it away",
    ):
        fetch.unpack(tmp_path / "a.zip", tmp_path, most=1000)
    assert (tmp_path / "articles.csv").read_text() == "mine!!!" and not (
        tmp_path / "b.csv"
    ).exists()


def test_git_checksums_agree_with_git(tmp_path):
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "hello").write_bytes(b"hello\n")
    assert (
        fetch.checksum(tmp_path / "empty", "git:")
        == "git:e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
    )
    assert (
        fetch.checksum(tmp_path / "hello", "git:")
        == "git:ce013625030ba8dba906f756967f9e9ca394464a"
    )

"""The endpoint's client, over real HTTP on this machine: a server that misbehaves, a
killed run, a key that leaks.
"""

from __future__ import annotations

import asyncio
import base64
import io
import json
import logging
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fashionlib import labelling
from fashionlib.commands import main
from fashionlib.commands.jobs import label
from fashionlib.labelling import batches, client, records, reply_cache
from fashionlib.labelling.attribute_schema import DETAILS
from fashionlib.labelling.prompts import Request

SECRET = "sk-never-written-anywhere-0123456789"
SKIRT = {
    "subcategory": "mini skirt",
    "colour": ["red"],
    "tone": "vivid",
    "total_length": "thigh",
    "fabric": "denim",
    "pattern": "stripe",
    "zip_up": "none",
    "button": "full",
}
SKIRT |= {detail: detail == "pocket" for detail in DETAILS}
Answer = dict[str, Any] | Callable[[], dict[str, Any]]


def honest(asked: dict[str, Any]) -> list[dict[str, Any]]:
    """The entries that the request asks for: skirts everywhere."""
    count = sum(part["type"] == "image_url" for part in asked["messages"][1]["content"])
    seen = "You sort" in asked["messages"][0]["content"]
    return [
        {"image": n} | ({"categories": ["skirt"]} if seen else SKIRT)
        for n in range(1, count + 1)
    ]


def completion(
    text: str | None, finish: str = "stop", refusal: str | None = None
) -> dict[str, Any]:
    message = {"role": "assistant", "content": text, "refusal": refusal}
    return {
        "id": "c",
        "object": "chat.completion",
        "created": 0,
        "model": "m",
        "choices": [
            {"index": 0, "finish_reason": finish, "message": message, "logprobs": None}
        ],
        "usage": {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110},
    }


class Server(ThreadingHTTPServer):
    """Answers chat completions honestly, but for what `before` does to a request: it
    may answer another, or misbehave.

    `before(handler, asked, n)` of the n-th request (from 0) returns a completion, or
    None for the honest one, or has answered itself and returns False. `answered` counts
    completions by request.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.before: Callable[[Handler, dict[str, Any], int], Any] = (
            lambda handler, asked, n: None
        )
        self.lock = threading.Lock()
        self.seen: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.answered: Counter[str] = Counter()
        self.files: dict[str, bytes] = {}
        self.orders: dict[str, dict[str, Any]] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is expected here."""


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path.endswith("/files"):
            name = f"file-{len(self.server.files)}"
            self.server.files[name] = re.findall(rb'\{"custom_id".*\n', content)
            return self.send(
                200,
                {
                    "id": name,
                    "object": "file",
                    "purpose": "batch",
                    "filename": "x",
                    "bytes": 1,
                    "created_at": 0,
                    "status": "processed",
                },
            )
        asked = json.loads(content)
        with self.server.lock:
            number = len(self.server.seen)
            self.server.seen.append(asked)
            self.server.keys.append(self.headers["Authorization"])
        answer = self.server.before(self, asked, number)
        if answer is False:
            return None
        if self.path.endswith("/batches"):
            return self.send(200, answer or self.order(asked))
        self.send(200, answer or completion(json.dumps(honest(asked))))
        with self.server.lock:
            self.server.answered[content.decode()] += 1
        return None

    def order(self, asked: dict[str, Any]) -> dict[str, Any]:
        """A batch that is done when it is looked at for the second time."""
        name = f"batch-{len(self.server.orders)}"
        about = {
            "id": name,
            "object": "batch",
            "status": "in_progress",
            "created_at": 0,
            "output_file_id": None,
        }
        self.server.orders[name] = asked | about
        return self.server.orders[name]

    def do_GET(self) -> None:
        *_, place, name = self.path.split("?")[0].strip("/").split("/")
        if name == "batches":
            return self.send(
                200,
                {
                    "object": "list",
                    "data": list(self.server.orders.values()),
                    "has_more": False,
                },
            )
        if name == "content":
            return self.send(
                200, b"".join(self.server.files[place]), "application/jsonl"
            )
        order = self.server.orders[name]
        answer = dict(order)
        if order["status"] == "in_progress":
            lines = [
                json.loads(line) for line in self.server.files[order["input_file_id"]]
            ]
            said = [completion(json.dumps(honest(line["body"]))) for line in lines]
            done = [
                {
                    "custom_id": line["custom_id"],
                    "error": None,
                    "response": {"status_code": 200, "body": body},
                }
                for line, body in zip(lines, said, strict=True)
            ]
            done = self.server.before(self, {"batch": done}, -1) or done
            self.server.answered.update(line["custom_id"] for line in done)
            self.server.files[f"out-{name}"] = [
                json.dumps(line).encode() + b"\n" for line in done
            ]
            order |= {"status": "completed", "output_file_id": f"out-{name}"}
        return self.send(200, answer)

    def send(
        self, status: int, content: Any, kind: str = "application/json", **headers: str
    ) -> None:
        content = (
            content if isinstance(content, bytes) else json.dumps(content).encode()
        )
        self.send_response(status)
        for name, value in {
            "Content-Type": kind,
            "Content-Length": str(len(content)),
            **headers,
        }.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: Any) -> None:
        """Nothing on the terminal."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    for name in ("OPENAI_BASE_URL", "OPENAI_LOG"):
        monkeypatch.delenv(name, raising=False)
    with Server() as running:
        threading.Thread(
            target=running.serve_forever, args=(0.02,), daemon=True
        ).start()
        yield running
        running.shutdown()


@pytest.fixture
def photos(tmp_path: Path) -> pd.DataFrame:
    """Six small photos, each of its own colour."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for n in range(6):
        Image.new("RGB", (40, 60), (40 * n, 0, 99)).save(folder / f"{n}.png")
    return pd.DataFrame(
        {
            "item_id": [str(n) for n in range(6)],
            "image": [str(folder / f"{n}.png") for n in range(6)],
        }
    )


def endpoint(server: Server, folder: Path, **given: Any) -> client.Endpoint:
    return client.Endpoint(
        reply_cache.Settings("m"), folder / "replies", server.url, **given
    )


def first(answer: Any) -> Callable[[Handler, dict[str, Any], int], Any]:
    """A `before` that spoils the first request alone."""
    return lambda handler, asked, n: answer(handler, asked) if n == 0 else None


def hang_up(handler: Handler, asked: dict[str, Any]) -> bool:
    handler.connection.close()
    return False


def slow(handler: Handler, asked: dict[str, Any]) -> None:
    time.sleep(0.8)


def status(code: int, **headers: str) -> Callable[[Handler, dict[str, Any]], bool]:
    def answer(handler: Handler, asked: dict[str, Any]) -> bool:
        told = {
            "error": {
                "message": f"no, says {handler.headers['Authorization']}",
                "type": "x",
                "code": "y",
            }
        }
        handler.send(code, told, **headers)
        return False

    return answer


def test_what_is_sent_and_what_comes_back(
    server: Server, photos: pd.DataFrame, tmp_path: Path
) -> None:
    big = tmp_path / "big.png"
    Image.fromarray(np.zeros((900, 300, 3), np.uint8)).save(big)
    items = photos.assign(image=[str(big), *photos["image"][1:]])
    found = labelling.label(items, endpoint(server, tmp_path), batch_size=4)
    assert found.records["item_id"].tolist() == list("012345") and found.set_aside.empty
    assert found.counts == {
        "requests": 4,
        "tokens_in": 400,
        "tokens_out": 40,
    }
    asked = next(s for s in server.seen if len(s["messages"][1]["content"]) == 9)
    assert (asked["model"], asked["temperature"], asked["max_completion_tokens"]) == (
        "m",
        0.0,
        4096,
    )
    parts = asked["messages"][1]["content"]
    assert [p.get("text") for p in parts[:7:2]] == [f"Photo {n}:" for n in range(1, 5)]
    assert parts[8]["text"].startswith("These were 4 photos.")
    sent = parts[1]["image_url"]["url"]
    assert sent.startswith("data:image/jpeg;base64,")
    assert Image.open(io.BytesIO(base64.b64decode(sent.split(",")[1]))).size == (
        171,
        512,
    )
    assert set(server.keys) == {f"Bearer {SECRET}"}


@pytest.mark.parametrize(
    ("spoil", "least"),
    [
        (hang_up, 0),
        (slow, 0),
        (status(500), 0),
        (status(429, Retry_After="1"), 1),
        (status(503, Retry_After="1"), 1),
    ],
    ids=["dropped", "slow", "500", "429", "503"],
)
def test_a_passing_failure_is_waited_out(
    server: Server, photos: pd.DataFrame, tmp_path: Path, spoil: Any, least: float
) -> None:
    server.before = first(spoil)
    began = time.monotonic()
    found = labelling.label(photos, endpoint(server, tmp_path, timeout=0.4))
    assert len(found.records) == 6 and len(server.seen) == 3
    assert time.monotonic() - began >= least


@pytest.mark.parametrize(
    ("spoil", "kind"),
    [
        (lambda h, asked: completion(json.dumps(honest(asked)[:-1])), "wrong length"),
        (lambda h, asked: completion(json.dumps(honest(asked))[:50]), "not JSON"),
        (
            lambda h, asked: completion(
                json.dumps(honest(asked))[:50], finish="length"
            ),
            "cut off",
        ),
        (
            lambda h, asked: completion(
                json.dumps(honest(asked)).replace("skirt", "kilt", 1)
            ),
            "wrong record",
        ),
        (lambda h, asked: completion(None, refusal="I can't."), "refused"),
        (lambda h, asked: completion(None, finish="content_filter"), "refused"),
        (lambda h, asked: completion("[1, \ud800]"), "not JSON"),
        (lambda h, asked: {"object": "chat.completion", "choices": []}, "refused"),
        (
            lambda h, asked: {
                "object": "chat.completion",
                "choices": [{"message": 3}],
                "usage": "x",
            },
            "refused",
        ),
        (status(400), "refused"),
        (lambda h, asked: h.send(200, b'{"choices": [') or False, "not JSON"),
        (lambda h, asked: h.send(200, b"<html>", "text/html") or False, "refused"),
    ],
    ids=[
        "length",
        "truncated",
        "cut off",
        "value",
        "refusal",
        "filter",
        "surrogate",
        "no choice",
        "odd",
        "400",
        "broken body",
        "html",
    ],
)
def test_a_bad_reply_is_named_and_overcome(
    server: Server, photos: pd.DataFrame, tmp_path: Path, spoil: Any, kind: str
) -> None:
    server.before = first(spoil)
    found = labelling.label(photos, endpoint(server, tmp_path, concurrency=1))
    assert found.counts[kind] == 1 and len(found.records) == 6 and found.set_aside.empty
    assert SECRET not in repr(found)


def no_limit(*names: str, status: int = 400) -> Callable[..., Any]:
    """A server that doesn't know these names of a limit, and says so as OpenAI does."""

    def before(handler: Handler, asked: dict[str, Any], n: int) -> bool | None:
        (name,) = asked.keys() & {"max_completion_tokens", "max_tokens"}
        if name not in names:
            return None
        other = {"max_tokens": "max_completion_tokens"}.get(name, "max_tokens")
        told = f"Unsupported parameter: '{name}'. Use '{other}' instead."
        handler.send(status, {"error": {"message": told, "param": name}})
        return False

    return before


@pytest.mark.parametrize("code", [400, 422])
def test_a_server_that_knows_another_name_of_the_limit_costs_one_request(
    server: Server, photos: pd.DataFrame, tmp_path: Path, code: int
) -> None:
    server.before = no_limit("max_completion_tokens", status=code)
    found = labelling.label(photos, endpoint(server, tmp_path), batch_size=1)
    assert len(found.records) == 6 and found.counts["requests"] == 12
    names = [next(k for k in asked if k.startswith("max_")) for asked in server.seen]
    assert names == ["max_completion_tokens"] + ["max_tokens"] * 12


def test_a_server_that_takes_no_limit_ends_the_run(
    server: Server, photos: pd.DataFrame, tmp_path: Path
) -> None:
    server.before = no_limit("max_completion_tokens", "max_tokens")
    told = "takes no limit of 4096 tokens: .*completion_tokens'.*; .*'max_tokens'"
    with pytest.raises(RuntimeError, match=told):
        labelling.label(photos, endpoint(server, tmp_path), batch_size=1)
    assert len(server.seen) == 2


def test_a_model_that_takes_no_temperature_ends_the_run(
    server: Server, photos: pd.DataFrame, tmp_path: Path
) -> None:
    def before(handler: Handler, asked: dict[str, Any], n: int) -> bool:
        told = "Unsupported value: 'temperature' does not support 0 with this model."
        handler.send(400, {"error": {"message": told, "param": "temperature"}})
        return False

    server.before = before
    with pytest.raises(RuntimeError, match="'temperature'.*--temperature none"):
        labelling.label(photos, endpoint(server, tmp_path))
    assert len(server.seen) == 1


def test_a_reply_cut_off_at_fewer_tokens_is_asked_again_and_no_other(
    photos: pd.DataFrame, tmp_path: Path
) -> None:
    few, more = (
        reply_cache.ReplyCache(tmp_path, reply_cache.Settings("m", most_tokens=most))
        for most in (9, 20)
    )
    keys = [few.key(Request("category", (image,))) for image in photos["image"][:2]]
    assert keys[0] == more.key(Request("category", (photos["image"][0],)))
    cut_off = labelling.Reply("", finish="length", tokens_out=9)
    few.put(keys[0], cut_off)
    few.put(keys[1], labelling.Reply("x"))
    assert few.get(keys[0]) == cut_off and more.get(keys[0]) is None
    assert more.get(keys[1]) == labelling.Reply("x")


def test_a_photo_that_is_always_refused_is_set_aside_alone(
    server: Server, photos: pd.DataFrame, tmp_path: Path
) -> None:
    marked = client.data_url(photos["image"][3], 512)
    server.before = lambda h, asked, n: (
        completion("", refusal="No.") if marked in json.dumps(asked) else None
    )
    found = labelling.label(photos, endpoint(server, tmp_path))
    (row,) = found.set_aside.drop(columns="image").values.tolist()
    assert row == ["3", "category", "refused", "No."]
    assert found.records["item_id"].tolist() == ["0", "1", "2", "4", "5"]


def test_a_broken_picture_is_set_aside_and_never_sent(
    server: Server, photos: pd.DataFrame, tmp_path: Path
) -> None:
    Path(photos["image"][2]).write_bytes(b"no picture")
    items = pd.concat(
        [
            photos,
            pd.DataFrame({"item_id": ["gone"], "image": [str(tmp_path / "gone.png")]}),
        ]
    )
    found = labelling.label(items, endpoint(server, tmp_path))
    assert (
        sorted(found.set_aside["item_id"]) == ["2", "gone"] and len(found.records) == 5
    )
    assert found.set_aside["reason"].str.contains("cannot read the picture").all()


def test_what_fails_for_good_ends_the_run_in_a_line_without_the_key(
    server: Server,
    photos: pd.DataFrame,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    server.before = lambda h, asked, n: status(401)(h, asked)
    told = (
        r"AuthenticationError 401: .*no, says Bearer \[OPENAI_API_KEY\].*check"
        r" OPENAI_API_KEY"
    )
    with pytest.raises(RuntimeError, match=told) as caught:
        labelling.label(photos, endpoint(server, tmp_path))
    assert (
        SECRET not in str(caught.value)
        and SECRET not in caplog.text
        and len(server.seen) == 1
    )


def test_a_server_that_stays_down_keeps_what_came(
    server: Server, photos: pd.DataFrame, tmp_path: Path
) -> None:
    server.before = lambda h, asked, n: status(500)(h, asked) if n >= 2 else None
    with pytest.raises(
        RuntimeError, match="InternalServerError 500.*the same command goes on"
    ):
        labelling.label(
            photos, endpoint(server, tmp_path, retries=0, concurrency=1), batch_size=2
        )
    assert len(list((tmp_path / "replies").rglob("*.json"))) == 2
    server.before = lambda h, asked, n: None
    labelling.label(photos, endpoint(server, tmp_path), batch_size=2)
    assert max(server.answered.values()) == 1 and len(server.answered) == 6


def test_other_settings_pictures_and_attempts_are_other_requests(
    photos: pd.DataFrame, tmp_path: Path
) -> None:
    store = reply_cache.ReplyCache(tmp_path, reply_cache.Settings("m"))
    request = Request("category", tuple(photos["image"][:2]))
    others = [
        replace(request, stage="skirt"),
        replace(request, attempt=2),
        replace(request, faults=("wrong",)),
        replace(request, images=request.images[::-1]),
    ]
    keys = [
        *map(store.key, [request, *others]),
        reply_cache.ReplyCache(tmp_path, reply_cache.Settings("n")).key(request),
        reply_cache.ReplyCache(tmp_path, reply_cache.Settings("m", side=64)).key(
            request
        ),
    ]
    moved = photos["image"][0].replace("0.png", "moved.png")
    Path(photos["image"][0]).rename(moved)
    assert len(set(keys)) == len(keys)
    assert store.key(Request("category", (moved, photos["image"][1]))) == keys[0]
    store.put(keys[0], labelling.Reply("x"))
    assert store.get(keys[0]) == labelling.Reply("x") and store.get(keys[1]) is None
    next(tmp_path.rglob(f"{keys[0]}.json")).write_text("{")
    with pytest.raises(ValueError, match="no kept reply"):
        store.get(keys[0])


def test_a_run_works_below_a_running_loop(
    server: Server, photos: pd.DataFrame, tmp_path: Path
) -> None:
    async def notebook() -> int:
        return len(labelling.label(photos, endpoint(server, tmp_path)).records)

    assert asyncio.run(notebook()) == 6


def test_no_key_and_no_address_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(
        ValueError, match="no OPENAI_API_KEY in the environment and no base URL"
    ):
        client.Endpoint(reply_cache.Settings("m"), tmp_path)
    with pytest.raises(ValueError, match="concurrency 0"):
        client.Endpoint(
            reply_cache.Settings("m"), tmp_path, "http://127.0.0.1:1/v1", concurrency=0
        )


@pytest.mark.parametrize("key", ["none", f"  {SECRET}\n"])
def test_a_placeholder_is_no_secret_and_blanks_around_a_key_are_no_part_of_it(
    server: Server,
    photos: pd.DataFrame,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    key: str,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", key)
    found = labelling.label(photos, endpoint(server, tmp_path))
    assert (
        set(server.keys) == {f"Bearer {key.strip()}"}
        and found.records["zip_up"].eq("none").all()
    )


def test_a_spoilt_kept_reply_ends_the_run(
    server: Server, photos: pd.DataFrame, tmp_path: Path
) -> None:
    labelling.label(photos, endpoint(server, tmp_path))
    next((tmp_path / "replies").rglob("*.json")).write_text("{}")
    with pytest.raises(ValueError, match="is no kept reply .*delete it"):
        labelling.label(photos, endpoint(server, tmp_path))


# Killed and resumed


def test_a_killed_run_goes_on_and_pays_nothing_twice(
    server: Server, photos: pd.DataFrame, tmp_path: Path
) -> None:
    release = threading.Event()

    def hold(handler: Handler, asked: dict[str, Any], n: int) -> bool | None:
        if n < 4 or release.is_set():
            return None
        release.wait(30)  # under way when the run is killed, never answered
        handler.connection.close()
        return False

    server.before = hold
    out = tmp_path / "out"
    command = [
        sys.executable,
        "-m",
        "fashionlib.commands",
        "label",
        str(tmp_path / "photos"),
        "--model",
        "m",
        "--base-url",
        server.url,
        "--out",
        str(out),
        "--yes",
        "--batch-size",
        "1",
        "--concurrency",
        "2",
    ]
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 60
    while len(list(out.rglob("replies/*/*.json"))) < 4 or len(server.seen) < 6:
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    release.set()
    assert sum(server.answered.values()) == 4 and not (out / "report.json").exists()
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ)
    assert done.returncode == 0, done.stderr
    assert len(server.answered) == 12 and set(server.answered.values()) == {
        1
    }  # 6 photos, 2 stages
    assert "6 garments on 6 of 6 photos; labelled 100.0%" in done.stdout
    assert not [
        path
        for path in out.rglob("*")
        if path.is_file() and SECRET.encode() in path.read_bytes()
    ]
    assert SECRET not in done.stdout + done.stderr


# The command


def test_the_command_labels_a_folder(
    server: Server, photos: pd.DataFrame, tmp_path: Path, capsys: Any
) -> None:
    out = tmp_path / "out"

    def leak(handler: Handler, asked: dict[str, Any], n: int) -> Any:
        text = json.dumps(honest(asked)).replace("vivid", SECRET, 1)
        return completion(text) if n == 1 else None

    server.before = leak
    assert (
        main(
            [
                "label",
                str(tmp_path / "photos"),
                "--model",
                "m",
                "--base-url",
                server.url,
                "--out",
                str(out),
                "--yes",
                "--price-in",
                "1",
                "--price-out",
                "2",
            ]
        )
        == 0
    )
    told = capsys.readouterr().out
    assert "6 photos by m: at most about 3 requests" in told and "cost: 0.00" in told
    table = pd.read_parquet(out / "labelled.parquet")
    assert table["item_id"].tolist() == [f"{n}.png" for n in range(6)]
    assert {"caption", *records.COLUMNS} <= set(table.columns) and table[
        "caption"
    ].str.contains("mini skirt").all()
    assert len((out / "labelled" / "metadata.jsonl").read_text().splitlines()) == 6
    report = json.loads((out / "report.json").read_text())
    assert report["counts"]["requests"] == 3 and report["cost"] == pytest.approx(
        (300 + 2 * 30) / 1e6
    )
    assert report["counts"]["wrong record"] == 1 and report["settings"]["model"] == "m"
    assert not [
        path
        for path in out.rglob("*")
        if path.is_file() and SECRET.encode() in path.read_bytes()
    ]


def test_where_nothing_is_labelled_the_command_says_why_and_fails(
    server: Server, photos: pd.DataFrame, tmp_path: Path, capsys: Any
) -> None:
    marked = client.data_url(photos["image"][0], 512)
    server.before = lambda h, asked, n: (
        completion("No.\x1b[31m")
        if marked in json.dumps(asked)
        else completion("", refusal="I see people.")
    )
    out = tmp_path / "out"
    words = ["--model", "m", "--base-url", server.url, "--out", str(out), "--yes"]
    assert main(["label", str(tmp_path / "photos"), *words, "--batch-size", "1"]) == 1
    told = capsys.readouterr().out
    assert "set aside, refused: 5 photos, first '1.png': 'I see people.'" in told
    assert "set aside, not JSON: 1 photos, first '0.png': " in told
    assert "\x1b" not in told and "labelled.parquet" not in told
    assert told.splitlines()[-1] == f"{out}/set_aside.jsonl, {out}/report.json"
    report = json.loads((out / "report.json").read_text())
    assert report["garments"] == 0 and report["cost"] is None
    assert report["coverage"]["set aside: refused"] == pytest.approx(5 / 6)
    assert len((out / "set_aside.jsonl").read_text().splitlines()) == 6
    assert sorted(path.name for path in out.iterdir()) == [
        "replies",
        "report.json",
        "set_aside.jsonl",
    ]


def test_photos_without_garments_are_no_failure(
    server: Server, photos: pd.DataFrame, tmp_path: Path
) -> None:
    server.before = lambda h, asked, n: completion(
        json.dumps([entry | {"categories": []} for entry in honest(asked)])
    )
    words = ["--model", "m", "--base-url", server.url, "--out", str(tmp_path / "out")]
    assert main(["label", str(tmp_path / "photos"), *words, "--yes"]) == 0


def test_thoughts_up_to_the_limit_end_the_command_and_more_tokens_go_on(
    server: Server, photos: pd.DataFrame, tmp_path: Path, capsys: Any
) -> None:
    server.before = lambda h, asked, n: (
        completion("", finish="length") if asked["max_completion_tokens"] < 9 else None
    )
    words = ["label", str(tmp_path / "photos"), "--model", "m", "--yes"]
    words += ["--base-url", server.url, "--out", str(tmp_path / "out")]
    for _ in range(2):  # the second time the reply is read from the cache
        assert main([*words, "--max-tokens", "8"]) == 2
        assert "--max-tokens raises the limit" in capsys.readouterr().err
    assert len(server.seen) == 1
    assert main([*words, "--max-tokens", "9"]) == 0 and len(server.seen) == 3
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["settings"]["most_tokens"] == 9


OUTSIDE = {
    "--batch-size": "0 99999999999999999999",
    "--max-tokens": "0 99999999999999999999",
    "--concurrency": "-1 99999999999999999999",
    "--attempts": "0",
    "--side": "-1",
    "--image-tokens": "-1",
    "--seed": "-1 99999999999999999999",
    "--price-in": "-1 nan",
    "--price-out": "inf -inf",
    "--timeout": "-1 nan inf",
}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["nowhere", "--yes"], "nowhere is neither a folder nor a table"),
        (["photos"], "nobody is there to confirm; --yes goes on"),
        (
            ["photos", "--yes", "--temperature", "warm"],
            "--temperature 'warm' is no number",
        ),
        (["photos", "--yes", "--temperature", "nan"], "--temperature 'nan' is no"),
        (["photos", "--yes", "--temperature", "-1"], "--temperature '-1' is no"),
        *(
            (["photos", "--yes", option, value], f"'{option}': Input should be")
            for option, values in OUTSIDE.items()
            for value in values.split()
        ),
        (["empty", "--yes"], "no picture"),
        ([".", "--yes"], "--out out lies in ."),
        (["items.csv", "--yes"], "items.csv: no column image; found"),
    ],
)
def test_the_command_refuses_in_one_line(
    server: Server,
    photos: pd.DataFrame,
    tmp_path: Path,
    capsys: Any,
    monkeypatch: pytest.MonkeyPatch,
    given: list[str],
    told: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    Path("items.csv").write_text("item_id,picture\n1,a.jpg\n")
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert (
        main(
            ["label", *given, "--model", "m", "--base-url", server.url, "--out", "out"]
        )
        == 2
    )
    error = capsys.readouterr().err
    assert told in error and error.count("\n") == 1 and not server.seen


def test_a_folder_as_people_bring_it_names_what_is_left_out(
    server: Server, photos: pd.DataFrame, tmp_path: Path, capsys: Any
) -> None:
    """Pictures of every kind are sent; nothing else is passed over in silence."""
    folder = tmp_path / "mixed"
    (folder / "deep").mkdir(parents=True)
    for name in ("a.JPG", "b.jpeg", "c.gif", "deep/d.tif", "e.bmp", "f.avif"):
        Image.new("RGB", (40, 40), "navy").save(folder / name)
    for name in ("g.heic", "deep/h.HEIC", "notes.txt", ".hidden", "README"):
        (folder / name).write_text("no picture")
    Image.new("RGB", (9, 9)).save(tmp_path / "secret.png")
    (folder / "z.png").symlink_to(tmp_path / "secret.png")
    (folder / "linked").symlink_to(tmp_path / "photos")
    items, _ = label.read(folder)
    expected = ["a.JPG", "b.jpeg", "c.gif", "deep/d.tif", "e.bmp", "f.avif"]
    assert items["item_id"].tolist() == expected
    words = ["label", str(folder), "--model", "m", "--base-url", server.url, "--yes"]
    assert main([*words, "--out", str(tmp_path / "out")]) == 0
    out = capsys.readouterr().out
    for line in (
        "2 x .heic file, not read: convert it to JPEG: 'deep/h.HEIC', 'g.heic'",
        "1 x .txt file: 'notes.txt'",
        "1 x nameless file: 'README'",
        "1 x linked folder: 'linked'",
        "1 x link that leads out of the folder: 'z.png'",
    ):
        assert f"left out: {line}\n" in out
    assert "hidden" not in out and "6 photos by m" in out


def test_a_folder_of_heic_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "a.heic").write_text("")
    with pytest.raises(ValueError, match=r"no picture .* 1 x \.heic .* JPEG: 'a.heic'"):
        label.read(tmp_path)


def test_a_table_whose_pictures_are_links_out_of_their_folder(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    for name in ("shop/a.png", "secret.png"):
        Image.new("RGB", (9, 9)).save(tmp_path / name)
    (tmp_path / "shop" / "b.png").symlink_to(tmp_path / "secret.png")
    places = [str(tmp_path / "shop" / name) for name in ("a.png", "b.png")]
    table = pd.DataFrame({"item_id": ["a", "b", "c"], "image": [*places, None]})
    table.to_csv(tmp_path / "items.csv", index=False)
    items, report = label.read(tmp_path / "items.csv")
    assert items["item_id"].tolist() == ["a"]
    assert [(f.count, *f.examples) for f in report.faults] == [(1, "c"), (1, "b")]


# The Batch API


def ordering(server: Server, folder: Path) -> batches.Batches:
    return batches.Batches(
        reply_cache.Settings("m"), folder / "replies", server.url, poll=0.01
    )


def test_batches_are_ordered_collected_and_kept(
    server: Server, photos: pd.DataFrame, tmp_path: Path
) -> None:
    found = labelling.label(photos, ordering(server, tmp_path), batch_size=2)
    assert (
        len(found.records) == 6
        and len(server.orders) == 2
        and len(server.answered) == 6
    )
    assert {order["endpoint"] for order in server.orders.values()} == {
        "/v1/chat/completions"
    }
    assert json.loads((tmp_path / "batches.json").read_text()) == {}
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "batches.json",
        "photos",
        "replies",
    ]
    again = labelling.label(
        photos, endpoint(server, tmp_path), batch_size=2
    )  # the same replies serve both ways
    assert (
        again.records.equals(found.records)
        and len(server.orders) == 2
        and set(server.answered.values()) == {1}
    )


def test_large_orders_are_cut(
    server: Server,
    photos: pd.DataFrame,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(batches, "MOST_REQUESTS", 2)
    labelling.label(photos, ordering(server, tmp_path), batch_size=2)
    assert [
        len(server.files[order["input_file_id"]]) for order in server.orders.values()
    ] == [2, 1, 2, 1]
    monkeypatch.setattr(batches, "MOST_BYTES", 10)
    labelling.label(photos, ordering(server, tmp_path / "b"), batch_size=2)
    assert [
        len(server.files[order["input_file_id"]]) for order in server.orders.values()
    ][4:] == [1] * 6


@pytest.mark.parametrize("when", ["before the id is noted", "while it is waited for"])
def test_a_killed_run_orders_no_batch_twice(
    server: Server,
    photos: pd.DataFrame,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    when: str,
) -> None:
    class Killed(BaseException):
        """Stands for SIGKILL: nothing after it runs."""

    def die(*args: Any, **given: Any) -> None:
        raise Killed

    note = batches.Batches._note
    with monkeypatch.context() as patch, pytest.raises(Killed):
        if when == "while it is waited for":
            patch.setattr(batches.Batches, "_wait", die)
        else:

            def die_noting_an_id(self, news, drop=None):
                return die() if any(news.values()) else note(self, news, drop)

            patch.setattr(batches.Batches, "_note", die_noting_an_id)
        labelling.label(photos, ordering(server, tmp_path), batch_size=2)
    assert len(server.orders) == 1
    (known,) = json.loads((tmp_path / "batches.json").read_text()).values()
    assert known == ("batch-0" if when == "while it is waited for" else None)
    found = labelling.label(photos, ordering(server, tmp_path), batch_size=2)
    assert (
        len(found.records) == 6
        and len(server.orders) == 2
        and set(server.answered.values()) == {1}
    )


def test_a_batch_of_a_later_stage_is_collected_first(
    server: Server,
    photos: pd.DataFrame,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Killed(BaseException):
        pass

    wait = batches.Batches._wait

    def die(self: batches.Batches, api: Any, batch_id: str) -> Any:
        if batch_id == "batch-1":
            raise Killed
        return wait(self, api, batch_id)

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(batches.Batches, "_wait", die)
        labelling.label(photos, ordering(server, tmp_path), batch_size=2)
    found = labelling.label(photos, ordering(server, tmp_path), batch_size=2)
    assert (
        len(found.records) == 6
        and len(server.orders) == 2
        and set(server.answered.values()) == {1}
    )


def test_a_batch_may_refuse_fail_and_forget_requests(
    server: Server, photos: pd.DataFrame, tmp_path: Path
) -> None:
    def spoil(handler: Handler, asked: dict[str, Any], n: int) -> Any:
        done = asked.get("batch")
        if not done or len(server.orders) > 1:
            return None
        done[0]["response"] = {
            "status_code": 400,
            "body": {"error": {"message": f"bad, {SECRET}"}},
        }
        done[1]["response"] = {"status_code": 500, "body": {}}
        done[2:] = [done[2] | {"custom_id": "../../escape"}]
        return done

    server.before = spoil
    found = labelling.label(photos, ordering(server, tmp_path), batch_size=2)
    assert found.counts["refused"] == 1 and len(found.records) == 6
    assert SECRET not in repr(found) and not list(tmp_path.rglob("*escape*"))


@pytest.mark.parametrize("whole", [False, True])
def test_a_batch_is_ordered_again_by_the_limits_other_name(
    server: Server, photos: pd.DataFrame, tmp_path: Path, whole: bool
) -> None:
    """Where each of its requests was refused, or the batch as a whole."""
    told = "Unsupported parameter: 'max_completion_tokens'. Use 'max_tokens' instead."
    refused = {"status_code": 400, "body": {"error": {"message": told}}}

    def before(handler: Handler, asked: dict[str, Any], n: int) -> Any:
        lines = [json.loads(line) for file in server.files.values() for line in file]
        if len(server.files) > 1 or "max_tokens" in lines[-1]["body"]:
            return None
        if whole and "input_file_id" in asked:
            order = handler.order(asked)
            errors = {"object": "list", "data": [{"message": told}]}
            order |= {"status": "failed", "errors": errors}
            return order
        return asked.get("batch") and [
            line | {"response": refused} for line in asked["batch"]
        ]

    server.before = before
    found = labelling.label(photos, ordering(server, tmp_path), batch_size=2)
    assert len(found.records) == 6 and found.set_aside.empty
    assert len(server.orders) == 3  # one refused, two stages
    assert json.loads((tmp_path / "batches.json").read_text()) == {}


def test_a_failed_batch_ends_the_run_with_its_reason(
    server: Server, photos: pd.DataFrame, tmp_path: Path
) -> None:
    def failing(handler: Handler, asked: dict[str, Any], n: int) -> Any:
        if "input_file_id" not in asked:
            return None
        order = handler.order(asked)
        order |= {
            "status": "failed",
            "errors": {
                "object": "list",
                "data": [{"message": f"no quota for {SECRET}"}],
            },
        }
        return order

    server.before = failing
    with pytest.raises(
        RuntimeError, match=r"refused batch batch-0: no quota for \[OPENAI_API_KEY\]"
    ):
        labelling.label(photos, ordering(server, tmp_path))
    assert json.loads((tmp_path / "batches.json").read_text()) == {}


def test_requests_that_no_batch_answers_are_told(
    server: Server, photos: pd.DataFrame, tmp_path: Path
) -> None:
    server.before = lambda h, asked, n: (
        [line | {"response": None} for line in asked["batch"]] if n == -1 else None
    )
    with pytest.raises(
        RuntimeError, match="1 of 1 requests had no answer in 3 batches each"
    ):
        labelling.label(photos, ordering(server, tmp_path))
    assert len(server.orders) == 3

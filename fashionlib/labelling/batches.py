"""The endpoint's Batch API, where it has one: cheaper, and answered within a day.

It fills the same cache of replies. Requests go up as files of JSON lines, each within
OpenAI's limits. A batch's place is on disk before it is ordered, and one that was
ordered just before a kill is found again by its metadata: nothing is ordered twice.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import openai
from openai.types.chat import ChatCompletion
from tqdm import tqdm

from fashionlib.data.files import write_json
from fashionlib.labelling import client
from fashionlib.labelling.prompts import Request
from fashionlib.labelling.replies import Reply
from fashionlib.labelling.reply_cache import ReplyCache, Settings

# of one file; OpenAI takes 50,000 requests and 200 MB
MOST_REQUESTS, MOST_BYTES = 50_000, 190_000_000
URL = "/v1/chat/completions"
ENDED = ("completed", "expired", "cancelled", "failed")
MARK = "fashionlib"  # metadata of a batch, {MARK: digest of its requests}
ROUNDS = 3  # times that a request is ordered, should its batch end without an answer


class Batches:
    """Asks requests by batch; `poll`: seconds between two looks at a batch.

    `folder` holds the cache of replies; beside it `batches.json` holds the batches
    under way, {digest: id, or null while it is being ordered}. Otherwise as
    `client.Endpoint`.
    """

    def __init__(
        self,
        settings: Settings,
        folder: Path,
        base_url: str | None = None,
        poll: float = 30,
    ) -> None:
        self.cache, self.poll = ReplyCache(folder, settings), poll
        self.limit = client.LIMITS[0]
        self.refused: dict[str, str] = {}  # names of the limit, with the reasons
        self.state = Path(folder).with_name("batches.json")
        self.options = {
            "api_key": client.api_key(base_url),
            "base_url": base_url,
            "max_retries": 6,
        }

    def __call__(self, requests: Sequence[Request]) -> list[Reply]:
        """Return the replies in order.

        RuntimeError where the endpoint fails, or leaves requests unanswered `ROUNDS`
        times.
        """
        keys: dict[Request, str] = {}
        refused: dict[Request, Reply] = {}
        for request in tqdm(requests, "labels: digests", disable=None, leave=False):
            try:
                keys[request] = self.cache.key(request)
            except ValueError as error:
                refused[request] = Reply(refusal=str(error))
        try:
            with openai.OpenAI(**self.options) as api:
                self._collect(api, keys, refused)
                for _ in range(ROUNDS):
                    most = self.cache.settings.most_tokens
                    self.limit = client.limit_name(self.refused, most)
                    for file in self._files(self._missing(keys, refused), refused):
                        self._order(api, file)
                    self._collect(api, keys, refused)
        except openai.OpenAIError as error:
            raise client.stopped(error, self.cache.folder) from error
        if missing := self._missing(keys, refused):
            raise RuntimeError(
                f"{len(missing)} of {len(requests)} requests had no answer in {ROUNDS}"
                " batches each; the same command asks for them again"
            )
        return [refused.get(r) or self.cache.get(keys[r]) for r in requests]

    def _missing(
        self, keys: Mapping[Request, str], refused: Mapping[Request, Reply]
    ) -> dict[Request, str]:
        """Return the keys of requests that have no reply yet."""
        return {
            request: key
            for request, key in keys.items()
            if request not in refused and not self.cache.get(key)
        }

    def _files(
        self, keys: Mapping[Request, str], refused: dict[Request, Reply]
    ) -> Iterator[bytes]:
        """Yield files of JSON lines, one a batch, with one request a line."""
        lines: list[bytes] = []
        size = 0
        for request, key in tqdm(
            keys.items(), "labels: files", disable=None, leave=False
        ):
            try:
                settings = self.cache.settings
                body = client.body(request, settings)
                body[self.limit] = settings.most_tokens
            except ValueError as error:
                refused[request] = Reply(refusal=str(error))
                continue
            entry = {"custom_id": key, "method": "POST", "url": URL, "body": body}
            line = json.dumps(entry).encode() + b"\n"
            if lines and (len(lines) == MOST_REQUESTS or size + len(line) > MOST_BYTES):
                yield b"".join(lines)
                lines, size = [], 0
            lines.append(line)
            size += len(line)
        if lines:
            yield b"".join(lines)

    def _order(self, api: openai.OpenAI, file: bytes) -> None:
        digest = hashlib.sha256(file).hexdigest()
        self._note({digest: None})
        uploaded = api.files.create(file=("requests.jsonl", file), purpose="batch")
        batch = api.batches.create(
            input_file_id=uploaded.id,
            endpoint=URL,
            completion_window="24h",
            metadata={MARK: digest},
        )
        self._note({digest: batch.id})

    def _collect(
        self,
        api: openai.OpenAI,
        keys: Mapping[Request, str],
        refused: dict[Request, Reply],
    ) -> None:
        """Wait for every batch under way and cache its replies, other stages' too."""
        requests = {key: request for request, key in keys.items()}
        for digest, noted in self._under_way().items():
            batch_id = noted or self._ordered(api, digest)
            if batch_id is None:
                self._note({}, drop=digest)
                continue
            batch = self._wait(api, batch_id)
            for file in filter(None, (batch.output_file_id, batch.error_file_id)):
                for line in api.files.content(file).text.splitlines():
                    self._take(line, requests, refused)
            self._note({}, drop=digest)
            if batch.status == "failed":
                errors = (batch.errors.data if batch.errors else None) or []
                reasons = "; ".join(str(error.message) for error in errors)
                if self._refuses_limit(400, reasons):
                    continue
                raise RuntimeError(
                    f"the endpoint refused batch {batch_id}: {client.clean(reasons)}"
                )

    def _ordered(self, api: openai.OpenAI, digest: str) -> str | None:
        """Return the id of a batch that was ordered just before the run was killed."""
        for batch in api.batches.list(limit=100):
            if (batch.metadata or {}).get(MARK) == digest:
                return batch.id
        return None

    def _wait(self, api: openai.OpenAI, batch_id: str) -> Any:
        with tqdm(
            desc=f"labels: batch {batch_id}", unit="request", disable=None
        ) as bar:
            while True:
                batch = api.batches.retrieve(batch_id)
                if counts := batch.request_counts:
                    bar.total = counts.total
                    bar.update(counts.completed + counts.failed - bar.n)
                if batch.status in ENDED:
                    return batch
                time.sleep(self.poll)

    def _take(
        self, line: str, requests: Mapping[str, Request], refused: dict[Request, Reply]
    ) -> None:
        """Cache the line's reply; leave a request that the endpoint failed on."""
        try:
            answer = json.loads(line)
            key, response = answer["custom_id"], answer["response"] or {}
            status, content = response.get("status_code"), response.get("body")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f"a batch's output has a line that is no answer ({line[:80]!r}); look"
                f" at it, and delete {self.state} to order its requests again"
            ) from error
        is_key = re.fullmatch("[0-9a-f]{64}", str(key))  # it names a file
        if status == 200 and isinstance(content, dict) and is_key:
            self.cache.put(key, client.reply_of(ChatCompletion.construct(**content)))
        elif status in client.REFUSALS and key in requests:
            if isinstance(content, dict):
                content = content.get("error", content)
            if self._refuses_limit(status, content):
                return
            reason = f"{status}: {client.clean(content)[:300]}"
            if client.refuses("temperature", status, content):
                raise RuntimeError(
                    f"the endpoint refuses the temperature ({reason}); --temperature"
                    " none sends none"
                )
            refused[requests[key]] = Reply(refusal=reason)

    def _refuses_limit(self, status: int, reason: object) -> bool:
        """Note where the endpoint refuses the limit's name: the other is ordered by."""
        refuses = client.refuses(self.limit, status, reason)
        if refuses:
            self.refused[self.limit] = client.clean(reason)[:300]
        return refuses

    def _under_way(self) -> dict[str, str | None]:
        if not self.state.is_file():
            return {}
        return json.loads(self.state.read_text(encoding="utf-8"))

    def _note(self, news: Mapping[str, str | None], drop: str = "") -> None:
        noted = self._under_way() | dict(news)
        noted.pop(drop, None)
        write_json(self.state, noted)

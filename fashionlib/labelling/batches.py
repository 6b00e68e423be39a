"""The endpoint's Batch API, where it has one: cheaper, and answered within a day. Uses
the same kept replies.

Requests go up as files of JSON lines, each within OpenAI's limits. A batch's place is
on disk before it is ordered, and one that was ordered just before a kill is found again
by its metadata: nothing is ordered twice.
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

from fashionlib.data.files import atomic, write_json
from fashionlib.labelling import client
from fashionlib.labelling.kept import Kept, Settings
from fashionlib.labelling.prompts import Request
from fashionlib.labelling.replies import Reply

MOST_REQUESTS, MOST_BYTES = (
    50_000,
    190_000_000,
)  # of one file; OpenAI takes 50,000 and 200 MB
URL = "/v1/chat/completions"
ENDED = ("completed", "expired", "cancelled", "failed")
MARK = (  # key of a batch's metadata; the value is the digest of its requests
    "fashionlib"
)
ROUNDS = 3  # times that a request is ordered, should its batch end without an answer


class Batches:
    """Asks requests by batch; `poll`: seconds between two looks at a batch. Otherwise
    as `client.Endpoint`.

    `folder` holds the kept replies; beside it `batches.json` holds the batches under
    way, {digest: id, or null while it is being ordered}.
    """

    def __init__(
        self,
        settings: Settings,
        folder: Path,
        base_url: str | None = None,
        poll: float = 30,
    ) -> None:
        self.kept, self.poll = Kept(folder, settings), poll
        self.state = Path(folder).with_name("batches.json")
        self.options = {
            "api_key": client.api_key(base_url),
            "base_url": base_url,
            "max_retries": 6,
        }

    def __call__(self, requests: Sequence[Request]) -> list[Reply]:
        """The replies in order. RuntimeError where the endpoint fails, or leaves
        requests unanswered `ROUNDS` times.
        """
        keys: dict[Request, str] = {}
        refused: dict[Request, Reply] = {}
        for request in tqdm(
            requests, desc="labels: digests", disable=None, leave=False
        ):
            try:
                keys[request] = self.kept.key(request)
            except ValueError as error:
                refused[request] = Reply(refusal=str(error))
        try:
            with openai.OpenAI(**self.options) as api:
                self._settle(api, keys, refused)
        except openai.OpenAIError as error:
            raise client.stopped(error, self.kept.folder) from error
        kept = {request: self.kept.get(key) for request, key in keys.items()}
        if left := [
            request
            for request in requests
            if not (refused.get(request) or kept[request])
        ]:
            raise RuntimeError(
                f"{len(left)} of {len(requests)} requests had no answer in {ROUNDS}"
                " batches each; the same command asks for them again"
            )
        return [refused.get(request) or kept[request] for request in requests]

    def _settle(
        self,
        api: openai.OpenAI,
        keys: Mapping[Request, str],
        refused: dict[Request, Reply],
    ) -> None:
        """Collect the batches under way, then order what has no reply; what the
        endpoint refuses goes to `refused`.
        """
        self._collect(api, keys, refused)
        for _ in range(ROUNDS):
            missing = [
                r
                for r, key in keys.items()
                if r not in refused and not self.kept.get(key)
            ]
            if not missing:
                return
            for file in self._files(missing, keys, refused):
                self._order(api, file)
            self._collect(api, keys, refused)

    def _files(
        self,
        requests: Sequence[Request],
        keys: Mapping[Request, str],
        refused: dict[Request, Reply],
    ) -> Iterator[Path]:
        """Files of JSON lines, one a batch; each is removed once the caller is done
        with it.
        """
        lines: list[str] = []
        size = 0
        for request in tqdm(requests, desc="labels: files", disable=None, leave=False):
            try:
                asked = client.body(request, self.kept.settings)
            except ValueError as error:
                refused[request] = Reply(refusal=str(error))
                continue
            line = (
                json.dumps(
                    {
                        "custom_id": keys[request],
                        "method": "POST",
                        "url": URL,
                        "body": asked,
                    }
                )
                + "\n"
            )
            if lines and (len(lines) == MOST_REQUESTS or size + len(line) > MOST_BYTES):
                yield from self._written(lines)
                lines, size = [], 0
            lines.append(line)
            size += len(line)
        if lines:
            yield from self._written(lines)

    def _written(self, lines: Sequence[str]) -> Iterator[Path]:
        path = self.state.with_name("requests.jsonl")
        with atomic(path) as part:
            part.write_text("".join(lines), encoding="utf-8")
        yield path
        path.unlink()

    def _order(self, api: openai.OpenAI, file: Path) -> None:
        with file.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
            self._note({digest: None})
            opened.seek(0)
            uploaded = api.files.create(file=opened, purpose="batch")
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
        """Wait for every batch under way and keep its replies, those to requests of
        another stage too.
        """
        by_key = {key: request for request, key in keys.items()}
        for digest, known in self._under_way().items():
            batch_id = known or self._found(api, digest)
            batch = self._wait(api, batch_id) if batch_id else None
            for file in (batch.output_file_id, batch.error_file_id) if batch else ():
                for line in api.files.content(file).text.splitlines() if file else ():
                    self._take(line, by_key, refused)
            self._note({}, drop=digest)
            if batch and batch.status == "failed":
                told = [
                    error.message
                    for error in (batch.errors.data if batch.errors else None) or []
                ]
                raise RuntimeError(
                    f"the endpoint refused batch {batch_id}:"
                    f" {client.clean('; '.join(map(str, told)))}"
                )

    def _found(self, api: openai.OpenAI, digest: str) -> str | None:
        """The id of a batch that was ordered, but not noted before the run was
        killed.
        """
        return next(
            (
                batch.id
                for batch in api.batches.list(limit=100)
                if (batch.metadata or {}).get(MARK) == digest
            ),
            None,
        )

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
        self, line: str, by_key: Mapping[str, Request], refused: dict[Request, Reply]
    ) -> None:
        """Keep the line's reply; a request that the endpoint failed on is left, to be
        ordered again.
        """
        try:
            answer = json.loads(line)
            key, response = answer["custom_id"], answer["response"] or {}
            status, content = response.get("status_code"), response.get("body")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            step = f"look at it, and delete {self.state} to order its requests again"
            raise ValueError(
                f"a batch's output has a line that is no answer ({line[:80]!r}); {step}"
            ) from error
        if (
            status == 200
            and isinstance(content, dict)
            and re.fullmatch("[0-9a-f]{64}", str(key))
        ):
            self.kept.put(key, client.reply_of(ChatCompletion.construct(**content)))
        elif status in client.REFUSALS and key in by_key:
            told = (
                content.get("error", content) if isinstance(content, dict) else content
            )
            refused[by_key[key]] = Reply(
                refusal=f"{status}: {client.clean(told)[:300]}"
            )

    def _under_way(self) -> dict[str, str | None]:
        return (
            json.loads(self.state.read_text(encoding="utf-8"))
            if self.state.is_file()
            else {}
        )

    def _note(self, news: Mapping[str, str | None], drop: str | None = None) -> None:
        noted = {
            digest: known
            for digest, known in (self._under_way() | dict(news)).items()
            if digest != drop
        }
        write_json(self.state, noted)

"""A client of an OpenAI-compatible endpoint, through the official SDK (extra `labels`).

The key is read from OPENAI_API_KEY and nowhere else; whatever the endpoint says is
cleaned of it before it is written or shown. The SDK itself waits and tries again on
408, 409, 429 and 5xx, timeouts and dropped connections: for as long as Retry-After
asks, up to two minutes, else 0.5, 1, 2, ... 8 seconds.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import openai
from tqdm import tqdm

from fashionlib.data import images
from fashionlib.labelling.prompts import Request
from fashionlib.labelling.replies import Reply
from fashionlib.labelling.reply_cache import ReplyCache, Settings

KEY = "OPENAI_API_KEY"
QUALITY = 85  # of the JPEGs that are sent
REFUSALS = (400, 413, 422)  # statuses about this request alone: repeating won't help
LIMITS = ("max_completion_tokens", "max_tokens")  # OpenAI's name, and an older one
NO_CHOICE = "the endpoint's answer holds no choice"
# characters of a key; a shorter one ("none", "EMPTY") is no secret, and may be an
# ordinary word
SHORTEST = 16


class Endpoint:
    """Asks requests, `concurrency` at a time, unless the cache in `folder` has them.

    A killed process loses what was under way, `concurrency` requests at most; every
    reply that came is on disk. `base_url` is the SDK's own where None (or its
    OPENAI_BASE_URL). `timeout`: seconds for one request. `retries`: of one request, by
    the SDK. ValueError where neither a key nor an address is given.
    """

    def __init__(
        self,
        settings: Settings,
        folder: Path,
        base_url: str | None = None,
        concurrency: int = 8,
        timeout: float = 120,
        retries: int = 6,
    ) -> None:
        if concurrency < 1:
            raise ValueError(f"concurrency {concurrency}: at least 1 request at a time")
        self.cache = ReplyCache(folder, settings)
        self.concurrency = concurrency
        self.lock, self.answered = threading.Lock(), False
        self.refused: dict[str, str] = {}  # names of the limit, with the reasons
        self.options = {
            "api_key": api_key(base_url),
            "base_url": base_url,
            "timeout": timeout,
            "max_retries": retries,
        }

    def __call__(self, requests: Sequence[Request]) -> list[Reply]:
        """Return the replies in order; each is cached as it comes.

        RuntimeError where the endpoint fails for good: replies that are under way are
        still waited for and cached.
        """
        stage = requests[0].stage if requests else ""
        with (
            openai.OpenAI(**self.options) as api,
            ThreadPoolExecutor(self.concurrency) as pool,
            tqdm(
                total=len(requests),
                desc=f"labels: {stage}",
                unit="request",
                disable=None,
            ) as bar,
        ):
            futures = [pool.submit(self._reply, api, request) for request in requests]
            try:
                for future in as_completed(futures):
                    future.result()
                    bar.update()
            except BaseException:
                pool.shutdown(cancel_futures=True)  # nothing new is begun
                raise
        return [future.result() for future in futures]

    def _reply(self, api: openai.OpenAI, request: Request) -> Reply:
        try:
            key = self.cache.key(request)
        except ValueError as error:
            return Reply(refusal=str(error))
        if cached := self.cache.get(key):
            return cached
        try:
            content = body(request, self.cache.settings)
        except ValueError as error:
            return Reply(refusal=str(error))
        try:
            reply = reply_of(self._ask(api, content))
        except openai.OpenAIError as error:
            status = getattr(error, "status_code", None)
            if status in REFUSALS and not refuses("temperature", status, error.message):
                return Reply(refusal=f"{status}: {clean(error.message)[:300]}")
            raise stopped(error, self.cache.folder) from error
        except ValueError as error:  # the SDK could not read the answer
            return Reply(text=f"<{clean(error)}>")
        return reply if reply.refusal == NO_CHOICE else self.cache.put(key, reply)

    def _ask(self, api: openai.OpenAI, content: Mapping[str, Any]) -> Any:
        """Ask; the first alone, until one is answered and the limit's name is known."""
        with self.lock:
            if not self.answered:
                return self._ask_by_name(api, content)
        return self._ask_by_name(api, content)

    def _ask_by_name(self, api: openai.OpenAI, content: Mapping[str, Any]) -> Any:
        most = self.cache.settings.most_tokens
        while True:
            name = limit_name(self.refused, most)
            try:
                completion = api.chat.completions.create(**content, **{name: most})
            except openai.APIStatusError as error:
                if not refuses(name, error.status_code, error.message):
                    raise
                self.refused[name] = clean(error.message)[:300]
            else:
                self.answered = True
                return completion


def limit_name(refused: Mapping[str, str], most: int) -> str:
    """Return the first name of a reply's limit that the endpoint hasn't refused.

    RuntimeError, with its reasons, where it has refused all.
    """
    for name in LIMITS:
        if name not in refused:
            return name
    raise RuntimeError(
        f"the endpoint takes no limit of {most} tokens: {'; '.join(refused.values())}."
        " Nothing more was asked; try another --max-tokens"
    )


def refuses(name: str, status: int | None, reason: object) -> bool:
    """Whether the endpoint refuses a request for what it sets under this name."""
    return status in REFUSALS and bool(re.search(rf"\b{name}\b", str(reason)))


def body(request: Request, settings: Settings) -> dict[str, Any]:
    """Return the request as the content of a chat completion, but for its limit.

    Instructions come first, then each photo after its number, then the question.
    ValueError naming a picture that can't be opened.
    """
    parts: list[dict[str, Any]] = []
    for number, reference in enumerate(request.images, 1):
        address = {"url": data_url(reference, settings.side)}
        parts.append({"type": "text", "text": f"Photo {number}:"})
        parts.append({"type": "image_url", "image_url": address})
    parts.append({"type": "text", "text": request.question})
    content = {
        "model": settings.model,
        "messages": [
            {"role": "system", "content": request.instructions},
            {"role": "user", "content": parts},
        ],
    }
    if settings.temperature is not None:
        content["temperature"] = settings.temperature
    return content


def data_url(reference: str, side: int) -> str:
    """Return the picture as a JPEG data URL, shrunk to a square of `side` pixels.

    Raises as `images.load`.
    """
    picture = images.load(reference, side)
    picture.thumbnail((side, side))
    return images.data_url(picture, QUALITY)


def reply_of(completion: Any) -> Reply:
    """Return the reply in a chat completion; one without a choice is refused."""
    usage = getattr(completion, "usage", None)
    tokens = [
        count if isinstance(count := getattr(usage, name, 0), int) else 0
        for name in ("prompt_tokens", "completion_tokens")
    ]
    try:
        choice = completion.choices[0]
        text, finish = choice.message.content or "", str(choice.finish_reason)
        refusal = getattr(choice.message, "refusal", None) or ""
    except (AttributeError, IndexError, TypeError):
        return Reply("", "stop", NO_CHOICE, *tokens)
    return Reply(clean(text), finish, clean(refusal), *tokens)


def clean(text: object) -> str:
    """Replace this user's key in the endpoint's text, and what UTF-8 can't write."""
    written = str(text).encode("utf-8", "backslashreplace").decode()
    key = os.environ.get(KEY, "").strip()
    return written.replace(key, f"[{KEY}]") if len(key) >= SHORTEST else written


def stopped(error: Exception, folder: Path) -> RuntimeError:
    """Make the error that ends a run, in one line that says how to go on."""
    status = getattr(error, "status_code", "")
    hints = {
        401: f"; check {KEY}",
        404: "; check the model's name and the base URL",
    }
    hint = hints.get(status, "")
    if refuses("temperature", status, error):
        hint = "; --temperature none sends none"
    return RuntimeError(
        f"the endpoint failed ({type(error).__name__} {status}:"
        f" {clean(error)[:300]}){hint}. Replies that came are kept in"
        f" {folder}; the same command goes on from there."
    )


def api_key(base_url: str | None) -> str:
    """Return the key from the environment, or "none" for a server of one's own.

    ValueError where there is neither a key nor an address.
    """
    key = os.environ.get(KEY, "").strip()
    if not key and not base_url and not os.environ.get("OPENAI_BASE_URL"):
        raise ValueError(
            f"no {KEY} in the environment and no base URL; set the key, or name an"
            " endpoint of your own"
        )
    return key or "none"  # the SDK wants one even where the server doesn't

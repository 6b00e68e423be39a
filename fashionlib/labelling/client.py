"""An OpenAI-compatible endpoint, spoken to through the official SDK, which must be
installed (`labels`).

The key is read from OPENAI_API_KEY and nowhere else; whatever the endpoint says is
cleaned of it before it is kept or told. The SDK itself waits and tries again on 408,
409, 429 and 5xx, timeouts and dropped connections: for as long as Retry-After asks, up
to two minutes, else 0.5, 1, 2, ... 8 seconds.
"""

from __future__ import annotations

import asyncio
import base64
import io
import os
from collections import deque
from collections.abc import Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import openai
from tqdm import tqdm

from fashionlib.data import images
from fashionlib.labelling.kept import Kept, Settings
from fashionlib.labelling.prompts import Request
from fashionlib.labelling.replies import Reply

KEY = "OPENAI_API_KEY"
QUALITY = 85  # of the JPEGs that are sent
REFUSALS = (
    400,
    413,
    422,
)  # statuses that are about this request alone, and that repeating won't help
NO_CHOICE = "the endpoint's answer holds no choice"
# characters of a key; a shorter one ("none", "EMPTY") is no secret, and may be an
# ordinary word
SHORTEST = 16


class Endpoint:
    """Asks requests, `concurrency` at a time; what was answered before is read from
    `folder`.

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
        self.kept = Kept(folder, settings)
        self.concurrency = concurrency
        self.options = {
            "api_key": api_key(base_url),
            "base_url": base_url,
            "timeout": timeout,
            "max_retries": retries,
        }

    def __call__(self, requests: Sequence[Request]) -> list[Reply]:
        """The replies in order, each kept as it comes.

        RuntimeError where the endpoint fails for good: replies that are under way are
        still waited for and kept.
        """
        return _run(self._ask(requests))

    async def _ask(self, requests: Sequence[Request]) -> list[Reply]:
        replies: dict[int, Reply] = {}
        waiting = deque(enumerate(requests))
        stage = requests[0].stage if requests else ""
        with tqdm(
            total=len(requests), desc=f"labels: {stage}", unit="request", disable=None
        ) as bar:
            async with openai.AsyncOpenAI(**self.options) as client:

                async def work() -> None:
                    while waiting:
                        place, request = waiting.popleft()
                        try:
                            replies[place] = await self._one(client, request)
                        except BaseException:
                            waiting.clear()  # nothing new is begun
                            raise
                        bar.update()

                done = await asyncio.gather(
                    *(work() for _ in range(self.concurrency)), return_exceptions=True
                )
        if failed := next(
            (error for error in done if isinstance(error, BaseException)), None
        ):
            raise failed
        return [replies[place] for place in range(len(requests))]

    async def _one(self, client: openai.AsyncOpenAI, request: Request) -> Reply:
        try:
            key = await asyncio.to_thread(self.kept.key, request)
        except ValueError as error:
            return Reply(refusal=str(error))
        if kept := self.kept.get(key):
            return kept
        try:
            asked = await asyncio.to_thread(body, request, self.kept.settings)
        except ValueError as error:
            return Reply(refusal=str(error))
        try:
            reply = reply_of(await client.chat.completions.create(**asked))
        except openai.APIStatusError as error:
            if error.status_code in REFUSALS:
                return Reply(
                    refusal=f"{error.status_code}: {clean(error.message)[:300]}"
                )
            raise stopped(error, self.kept.folder) from error
        except openai.OpenAIError as error:
            raise stopped(error, self.kept.folder) from error
        except ValueError as error:  # the SDK could not read the answer
            return Reply(text=f"<{clean(error)}>")
        return reply if reply.refusal == NO_CHOICE else self.kept.put(key, reply)


def body(request: Request, settings: Settings) -> dict[str, Any]:
    """The request as a chat completion's: instructions, then each photo after its
    number, then the question.

    ValueError naming a picture that can't be opened.
    """
    content: list[dict[str, Any]] = []
    for number, reference in enumerate(request.images, 1):
        content.append({"type": "text", "text": f"Photo {number}:"})
        content.append(
            {
                "type": "image_url",
                "image_url": {"url": data_url(reference, settings.side)},
            }
        )
    content.append({"type": "text", "text": request.question})
    warm = {} if settings.temperature is None else {"temperature": settings.temperature}
    messages = [
        {"role": "system", "content": request.instructions},
        {"role": "user", "content": content},
    ]
    return {
        "model": settings.model,
        "messages": messages,
        "max_completion_tokens": settings.most_tokens,
    } | warm


def data_url(reference: str, side: int) -> str:
    """The picture as a JPEG data address, shrunk to fit a square of `side` pixels;
    errors as `images.load`.
    """
    picture = images.load(reference, side)
    picture.thumbnail((side, side))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


def reply_of(completion: Any) -> Reply:
    """The reply in a chat completion of the SDK's; one without a choice is refused."""
    usage = getattr(completion, "usage", None)
    tokens = {
        "tokens_in": getattr(usage, "prompt_tokens", 0),
        "tokens_out": getattr(usage, "completion_tokens", 0),
    }
    tokens = {
        name: count if isinstance(count, int) else 0 for name, count in tokens.items()
    }
    try:
        choice = completion.choices[0]
        text, refusal, finish = (
            choice.message.content,
            getattr(choice.message, "refusal", None),
            choice.finish_reason,
        )
    except (AttributeError, IndexError, TypeError):
        return Reply(refusal=NO_CHOICE, **tokens)
    return Reply(clean(text or ""), str(finish), clean(refusal or ""), **tokens)


def clean(text: object) -> str:
    """Text of the endpoint's without this user's key, and such that it can be written
    as UTF-8.
    """
    written = str(text).encode("utf-8", "backslashreplace").decode()
    key = os.environ.get(KEY, "").strip()
    return written.replace(key, f"[{KEY}]") if len(key) >= SHORTEST else written


def stopped(error: Exception, folder: Path) -> RuntimeError:
    """What ends a run, in one line that says how to go on."""
    status = getattr(error, "status_code", "")
    hint = {
        401: f"; check {KEY}",
        404: "; check the model's name and the base URL",
    }.get(status, "")
    return RuntimeError(
        f"the endpoint failed ({type(error).__name__} {status}:"
        f" {clean(error)[:300]}){hint}. Replies that came are kept in {folder}; the"
        " same command goes on from there."
    )


def api_key(base_url: str | None) -> str:
    key = os.environ.get(KEY, "").strip()
    if not key and not base_url and not os.environ.get("OPENAI_BASE_URL"):
        raise ValueError(
            f"no {KEY} in the environment and no base URL; set the key, or name an"
            " endpoint of your own"
        )
    return key or "none"  # a server of one's own asks for none, the SDK does


def _run(work: Coroutine[Any, Any, list[Reply]]) -> list[Reply]:
    """Run to the end, in a thread of its own where this one has a loop already, as in a
    notebook.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()

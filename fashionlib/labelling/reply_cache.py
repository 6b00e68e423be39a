"""A cache of replies on disk: what was paid for once is read from there.

Each reply is on disk as soon as it came, so a killed run loses none.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from fashionlib.data import images
from fashionlib.data.files import write_json
from fashionlib.labelling.prompts import Request
from fashionlib.labelling.replies import Reply


@dataclass(frozen=True)
class Settings:
    """What decides a reply beside prompt and pictures."""

    model: str
    side: int = 512  # pixels: a larger picture is shrunk to fit this square
    temperature: float | None = 0.0  # None: not sent, as some models refuse any
    most_tokens: int = 4096  # of a reply, which one that came to its end doesn't show


class ReplyCache:
    """Replies to requests with these settings, one file each in `folder`/xx/."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.folder, self.settings = Path(folder), settings

    def key(self, request: Request) -> str:
        """Return the sha256 of settings, prompt, attempt and the pictures' bytes.

        The endpoint's address and the most tokens are no part of it. ValueError naming
        a picture that can't be read.
        """
        parts = [
            asdict(self.settings) | {"most_tokens": Settings.most_tokens},
            request.instructions,
            request.question,
            request.attempt,
        ]
        digest = hashlib.sha256(json.dumps(parts).encode())
        for reference in request.images:
            try:
                digest.update(hashlib.sha256(images.read(reference)).digest())
            except (OSError, IndexError, KeyError) as error:
                raise ValueError(
                    f"cannot read the picture {reference}: {error}"
                ) from error
        return digest.hexdigest()

    def get(self, key: str) -> Reply | None:
        """Return the reply; None where there is none yet, or one cut off earlier.

        ValueError where its file is spoilt.
        """
        path = self._path(key)
        if not path.is_file():
            return None
        try:
            entry = json.loads(path.read_text(encoding="utf-8"))
            reply = Reply(**entry["reply"])
            most = entry.get("most_tokens", Settings.most_tokens)
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f"{path} is no kept reply ({error}); delete it, and it is asked for"
                " again"
            ) from error
        cut_off = reply.finish == "length" and most < self.settings.most_tokens
        return None if cut_off else reply

    def put(self, key: str, reply: Reply) -> Reply:
        """Write the reply to disk and return it."""
        settings = self.settings
        entry = {"model": settings.model, "most_tokens": settings.most_tokens}
        entry["reply"] = asdict(reply)
        write_json(self._path(key), entry)
        return reply

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.json"

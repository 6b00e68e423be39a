"""Results that were computed of a text before, in one database of the cache folder."""

from __future__ import annotations

import hashlib
import logging
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from itertools import islice

from fashionlib.data.files import cache_folder

NAME = "texts.sqlite"
PORTION = 128  # results that are written together: what a killed run loses
TABLE = "results (recipe TEXT, text BLOB, result BLOB, PRIMARY KEY (recipe, text))"
FIND = "SELECT result FROM results WHERE recipe = ? AND text = ?"
ADD = "INSERT OR REPLACE INTO results VALUES (?, ?, ?)"
SECONDS = 60.0  # to wait while another process writes
log = logging.getLogger(__name__)


def remembered(
    recipe: str,
    texts: Iterable[str],
    compute: Callable[[list[str]], Iterable[bytes]],
) -> dict[str, bytes]:
    """Return the result of each distinct text; `compute` makes those of new ones.

    `recipe` names all that decides a result beside its text. `compute` gets the new
    texts, short ones first, and yields one result for each, in order. Where the
    database can't be used all are new, and a warning says so.
    """
    keys = {
        text: hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
        for text in texts
    }
    results = {}
    try:
        with closing(_database()) as database:
            for text, key in keys.items():
                if row := database.execute(FIND, (recipe, key)).fetchone():
                    results[text] = row[0]
    except (OSError, sqlite3.Error) as error:
        log.warning(
            "%s can't be used (%s): its texts are computed anew. Next step: delete it",
            cache_folder() / NAME,
            error,
        )
    new = sorted((text for text in keys if text not in results), key=len)
    made = zip(new, compute(new) if new else (), strict=True)
    while portion := dict(islice(made, PORTION)):
        results |= portion
        rows = [(recipe, keys[text], result) for text, result in portion.items()]
        with suppress(OSError, sqlite3.Error), closing(_database()) as database:
            database.executemany(ADD, rows)
            database.commit()
    return results


def _database() -> sqlite3.Connection:
    cache_folder().mkdir(parents=True, exist_ok=True)
    database = sqlite3.connect(cache_folder() / NAME, SECONDS)
    database.execute(f"CREATE TABLE IF NOT EXISTS {TABLE}")
    return database

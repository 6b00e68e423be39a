"""What `fashionlib app` does: it loads an index and captioners and serves them."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fashionlib.captioning.metrics import attributes

PUBLIC = (
    "--share: whoever has the link, which a server of Gradio's passes on, can search"
    " the index, see its pictures and captions, and send pictures to this machine. Many"
    " datasets' terms forbid to show their pictures.\n"
)


def serve(
    index: Path | None,
    captioners: Mapping[str, str],
    pool: Path | None,
    port: int,
    share: bool,
) -> None:
    """Serve the app on this machine's `port`, until it is interrupted.

    `captioners` maps names to folders or hub ids; with `share` there is a public link
    too. What is uploaded is deleted at the end. Raises as `search.Index.open`,
    `captioners.load`, `attributes.frozen` and `pages.create`; OSError where the port is
    taken.
    """
    # so that the uploads are deleted then too
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with tempfile.TemporaryDirectory(prefix="fashionlib-app-") as uploads:
        os.environ.update(GRADIO_TEMP_DIR=uploads, GRADIO_ANALYTICS_ENABLED="False")
        from fashionlib.app import pages  # gradio reads the environment at once

        page = pages.create(
            _index(index), _captioners(captioners), pool and attributes.frozen(pool)
        )
        if share:
            sys.stderr.write(PUBLIC)
        page.launch(server_port=port, share=share, quiet=True, prevent_thread_lock=True)
        sys.stdout.write(f"{page.local_url}  open it in a browser; Ctrl-C stops it\n")
        sys.stdout.flush()
        page.block_thread()


def _index(folder: Path | None) -> Any:
    if folder is None:
        return None
    from fashionlib.retrieval import search

    index = search.Index.open(folder)
    index.encoder  # noqa: B018  loaded now: a wrong model is told before anybody asks
    return index


def _captioners(checkpoints: Mapping[str, str]) -> dict[str, Any]:
    if not checkpoints:
        return {}
    from fashionlib.captioning import captioners

    return {name: captioners.load(folder) for name, folder in checkpoints.items()}

"""What `fashionlib app` does: it loads an index and captioners and serves them."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path

from fashionlib.captioning import captioners
from fashionlib.captioning.metrics import attributes
from fashionlib.retrieval import search

PUBLIC = (
    "--share: whoever has the link, which a server of Gradio's passes on, can search"
    " the index, see its pictures and captions, and send pictures to this machine. Many"
    " datasets' terms forbid to show their pictures.\n"
)


def serve(
    index: Path | None,
    checkpoints: Mapping[str, str],
    pool: Path | None,
    port: int,
    share: bool,
) -> None:
    """Serve the app on this machine's `port`, until it is interrupted.

    `checkpoints` maps captioners' names to folders or hub ids; with `share` there is
    a public link too. What is uploaded is deleted at the end. Raises as
    `search.Index.open`, `captioners.load`, `attributes.frozen` and `pages.create`;
    OSError where the port is taken.
    """
    # so that the uploads are deleted then too
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with tempfile.TemporaryDirectory(prefix="fashionlib-app-") as uploads:
        os.environ.update(GRADIO_TEMP_DIR=uploads, GRADIO_ANALYTICS_ENABLED="False")
        from fashionlib.app import pages  # gradio reads the environment at once

        opened = index and search.Index.open(index)
        if index:
            _ = opened.encoder  # a wrong model is refused now, before anybody asks
        loaded = {name: captioners.load(place) for name, place in checkpoints.items()}
        page = pages.create(opened, loaded, pool and attributes.frozen(pool))
        if share:
            sys.stderr.write(PUBLIC)
        page.launch(server_port=port, share=share, quiet=True, prevent_thread_lock=True)
        sys.stdout.write(f"{page.local_url}  open it in a browser; Ctrl-C stops it\n")
        sys.stdout.flush()
        try:
            threading.Event().wait()
        finally:
            page.close(verbose=False)

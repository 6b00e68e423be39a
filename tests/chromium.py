"""One way to start the browser, for the tests and for the screenshots."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox",  # which Chromium refuses to root, the user of a container
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def demand() -> None:
    """Skip the test where no browser can be started; in CI (`CI` is set) fail it."""
    end = pytest.fail if os.environ.get("CI") else pytest.skip
    if not any(map(shutil.which, NAMES)):
        end("no Chromium: apt-get install chromium")


@contextmanager
def chromium() -> Iterator[Any]:
    """Start a headless Chromium of this machine, and close it at the end."""
    from playwright.sync_api import sync_playwright

    path = next(filter(None, map(shutil.which, NAMES)))
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()

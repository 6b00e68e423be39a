"""Screenshots of the app for the book: Search and Captions of a run's index and captioners, with one of its photos.

Needs playwright and Chromium. The pictures must be ones that the book may show: the wardrobe's.

    python tests/app_screenshots.py INDEX PHOTO "WORDS" "REFERENCE" POOL NAME=CAPTIONER... --out book/screenshots
"""

from __future__ import annotations

import argparse
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def served(*arguments: str) -> Iterator[str]:
    """The address of `fashionlib app`, started with these arguments on a free port, and stopped at the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "fashionlib.cli", "app", *arguments, "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline()
            if "127.0.0.1" not in line:
                raise RuntimeError(f"fashionlib app said {line!r} in place of its address")
            yield line.split()[0]
        finally:
            process.terminate()


def main() -> None:
    from playwright.sync_api import expect, sync_playwright

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("index", "photo", "words", "reference", "pool"):
        parser.add_argument(name)
    parser.add_argument("captioners", nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    expect.set_options(timeout=120_000)
    given = [part for captioner in args.captioners for part in ("--captioner", captioner)]
    with served("--index", args.index, "--pool", args.pool, *given) as address, sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = chromium.new_page(viewport={"width": 1200, "height": 1000})
        page.goto(address)
        page.locator("input[type=file]").first.set_input_files(args.photo)
        expect(page.get_by_alt_text("Your photo; what the crop leaves out is dark")).to_be_visible()
        page.get_by_role("textbox", name="Words").fill(args.words)
        page.get_by_role("button", name="Search").click()
        expect(page.get_by_role("list", name="Results")).to_be_visible()
        page.wait_for_timeout(1000)  # until the answer has faded in
        args.out.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=args.out / "app_search.png")
        page.get_by_role("tab", name="Captions").click()
        page.get_by_role("textbox", name="Your own caption").fill(args.reference)
        page.get_by_role("button", name="Caption the photo").click()
        expect(page.get_by_role("article", name="Your photo")).to_be_visible()
        page.wait_for_timeout(1000)
        page.screenshot(path=args.out / "app_captions.png", full_page=True)
        chromium.close()


if __name__ == "__main__":
    main()

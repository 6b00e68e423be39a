"""Screenshots of the app for the book: Search and Captions of a run's index and
captioners, with one of its photos.

Needs playwright and Chromium. The pictures must be ones that the book may show: the
wardrobe's.

    PYTHONPATH=tests python tests/app/app_screenshots.py INDEX PHOTO "WORDS" \\
        "REFERENCE" POOL NAME=CAPTIONER... --crop 4,3,96,95 --out book/screenshots
"""

from __future__ import annotations

import argparse
import io
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from chromium import chromium
from PIL import Image


@contextmanager
def served(*arguments: str) -> Iterator[str]:
    """The address of `fashionlib app`, started with these arguments on a free port, and
    stopped at the end.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "fashionlib.commands",
        "app",
        *arguments,
        "--port",
        str(port),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline()
            if "127.0.0.1" not in line:
                raise RuntimeError(
                    f"fashionlib app said {line!r} in place of its address"
                )
            yield line.split()[0]
        finally:
            process.terminate()


def preview(page: Any) -> Any:
    """The photo as the page shows it."""
    return page.get_by_alt_text("Your photo; what the crop leaves out is dark")


def click(page: Any, across: float, down: float) -> None:
    """Click the photo at these percents of its width and height; it stands in the
    middle of its element.
    """
    photo, shown = preview(page), preview(page).bounding_box()
    width, height = photo.evaluate("one => [one.naturalWidth, one.naturalHeight]")
    scale = min(1, shown["width"] / width, shown["height"] / height)
    photo.click(
        position={
            "x": shown["width"] / 2 + (across / 100 - 0.5) * width * scale,
            "y": shown["height"] / 2 + (down / 100 - 0.5) * height * scale,
        }
    )


def kept(picture: bytes, place: Path) -> None:
    """Write the screenshot in 256 colours, a third of its size."""
    Image.open(io.BytesIO(picture)).convert("RGB").quantize(256).save(
        place, optimize=True
    )


def main() -> None:
    from playwright.sync_api import expect

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("index", "photo", "words", "reference", "pool"):
        parser.add_argument(name)
    parser.add_argument("captioners", nargs="+")
    parser.add_argument(
        "--crop", required=True, help="left,top,right,bottom in percent"
    )
    parser.add_argument("--weight", default="0.3", help="of the words")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    expect.set_options(timeout=120_000)
    given = [
        part for captioner in args.captioners for part in ("--captioner", captioner)
    ]
    with (
        served("--index", args.index, "--pool", args.pool, *given) as address,
        chromium() as browser,
    ):
        page = browser.new_page(viewport={"width": 1200, "height": 1000})
        page.goto(address)
        page.locator("input[type=file]").first.set_input_files(args.photo)
        expect(preview(page)).to_be_visible()
        left, top, right, bottom = map(float, args.crop.split(","))
        click(page, left, top)
        expect(page.get_by_text("Now click the opposite corner.")).to_be_visible()
        click(page, right, bottom)
        expect(page.get_by_label("number input for Left")).to_be_visible()
        page.get_by_role("textbox", name="Words").fill(args.words)
        page.get_by_label("number input for Weight").fill(args.weight)
        page.get_by_role("button", name="Search").click()
        expect(page.get_by_role("list", name="Results")).to_be_visible()
        page.wait_for_timeout(1000)  # until the answer has faded in
        args.out.mkdir(parents=True, exist_ok=True)
        kept(page.screenshot(), args.out / "app_search.png")
        page.get_by_role("tab", name="Captions").click()
        page.get_by_role("textbox", name="Your own caption").fill(args.reference)
        page.get_by_role("button", name="Caption the photo").click()
        expect(page.get_by_role("article", name="Your photo")).to_be_visible()
        page.wait_for_timeout(1000)
        kept(page.screenshot(full_page=True), args.out / "app_captions.png")


if __name__ == "__main__":
    main()

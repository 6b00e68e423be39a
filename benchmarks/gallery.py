"""Measure weight and speed of a gallery of 1,000 wardrobe articles. Prints JSON.

The gallery has three systems and ten scores. Measured are the bytes of the page besides
pictures, and the milliseconds from a change of a control to the laid-out articles in
headless Chromium (median of 9). Captions are shuffled and thinned true ones, scores
drawn. Needs playwright and Chromium.

    wardrobe ROOT --items 1000 --layout hm && python benchmarks/gallery.py ROOT
"""

import argparse
import json
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from playwright.sync_api import sync_playwright

from fashionlib.book import gallery
from fashionlib.captioning.metrics import attributes
from fashionlib.data.readers import layouts

METRICS = [
    "BLEU-1",
    "BLEU-2",
    "BLEU-3",
    "BLEU-4",
    "METEOR",
    "ROUGE-L",
    "CIDEr",
    "attribute precision",
    "attribute recall",
    "category accuracy",
]
TIMED = """() => {
  const root = document.querySelector(".fashion-gallery"), medians = {};
  const control = (name) => root.querySelector(`.controls [aria-label="${name}"]`);
  const changes = {
    "Search in captions and ids": ["linen", "belt", ""],
    "Order": ["-1", "1"],
    "Attributes": ["hit", "missed", "invented"],
  };
  for (const [name, values] of Object.entries(changes)) {
    const times = [];
    for (let n = 0; n < 9; n += 1) {
      const from = performance.now();
      control(name).value = values[n % values.length];
      control(name).dispatchEvent(new Event("input", {bubbles: true}));
      root.offsetHeight;  // waits for the layout
      times.push(performance.now() - from);
    }
    medians[name] = times.sort((a, b) => a - b)[4];
  }
  return medians;
}"""


def tables(
    root: Path,
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, list[str]], tuple[str, ...]]:
    items = layouts.items(root).set_index("item_id").dropna(subset=["image", "caption"])
    rng = np.random.default_rng(0)
    thinned = [
        " ".join(word for word in caption.split() if rng.random() > 0.15)
        for caption in items.caption
    ]
    systems = {
        "pretrained": rng.permutation(items.caption),
        "fine-tuned": thinned,
        "nearest photo": rng.permutation(thinned),
    }
    rows = {
        name: (
            pd.DataFrame(
                rng.random((len(items), len(METRICS))), items.index, METRICS
            ).assign(caption=captions, attributes=attributes.tagged(list(captions)))
        )
        for name, captions in systems.items()
    }
    lemmas = dict(zip(items.index, attributes.tagged(list(items.caption)), strict=True))
    return (
        items,
        pd.concat(rows, names=["system"]),
        lemmas,
        attributes.pool(lemmas.values()),
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("root", type=Path)
    data = tables(parser.parse_args().root)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        start = time.process_time()
        html = gallery.show(*data, METRICS, Path(folder) / "gallery").data
        seconds = time.process_time() - start
        page = Path(folder) / "notebooks" / "page.html"
        page.parent.mkdir()
        page.write_text(f"<!doctype html><meta charset=utf-8>{html}", encoding="utf-8")
        browser = driver.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        tab = browser.new_page()
        tab.goto(page.as_uri())
        times = {name: round(ms, 1) for name, ms in tab.evaluate(TIMED).items()}
        pictures = sum(
            path.stat().st_size for path in (Path(folder) / "gallery").iterdir()
        )
        print(
            json.dumps(
                {
                    "articles": len(data[0]),
                    "bytes": len(html.encode()),
                    "bytes of pictures": pictures,
                    "CPU seconds to make": round(seconds, 1),
                    "milliseconds": times,
                    "chromium": browser.version,
                },
                indent=1,
            )
        )
        browser.close()


if __name__ == "__main__":
    main()

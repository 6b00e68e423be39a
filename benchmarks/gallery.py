"""Measure weight and speed of a gallery of some 1,000 wardrobe articles.

The gallery has three systems and ten scores. Measured are the bytes of the page besides
pictures, and the milliseconds from a change of a control to the laid-out articles in
headless Chromium (median of 9, of the wall). Captions are shuffled and thinned true
ones, scores drawn. Needs playwright and Chromium.

    python -m benchmarks.gallery [--items 1000]
"""

import shutil
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from playwright.sync_api import sync_playwright

import wardrobe
from benchmarks.measuring import Figure, options, report, timed
from fashionlib.book import gallery
from fashionlib.captioning.metrics import attributes
from fashionlib.data.readers import hm

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
    items = hm.items(root).set_index("item_id").dropna(subset=["image", "caption"])
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
    given = options(__doc__, items=1000)
    with tempfile.TemporaryDirectory() as place, sync_playwright() as driver:
        folder = Path(place)
        wardrobe.write(folder / "w", given.items, shoppers=1, seed=0)
        data = tables(folder / "w")
        shown, seconds = timed(lambda: gallery.show(*data, METRICS, folder / "gallery"))
        page = folder / "notebooks" / "page.html"
        page.parent.mkdir()
        html = f"<!doctype html><meta charset=utf-8>{shown.data}"
        page.write_text(html, encoding="utf-8")
        browser = driver.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        tab = browser.new_page()
        tab.goto(page.as_uri())
        times = tab.evaluate(TIMED)
        pictures = sum(path.stat().st_size for path in folder.glob("gallery/*"))
        chromium = browser.version
        browser.close()
    count = len(data[0])
    figures = [
        Figure(f"a gallery of {count} articles, made", seconds),
        Figure("its page beside the pictures", len(html.encode()) / 1e6, "MB"),
        *(
            Figure(f"its control {name!r}, of the wall", ms, "ms")
            for name, ms in times.items()
        ),
    ]
    report(figures, {"MB of pictures": pictures / 1e6, "chromium": chromium})


if __name__ == "__main__":
    main()

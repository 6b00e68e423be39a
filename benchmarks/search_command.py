"""Time `fashionlib search` on a small index: whole processes, imports included.

The encoder is a BLIP-2 mini with random weights, so what is found means nothing.

    python -m benchmarks.search_command [--items 300] [--rounds 3]
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import wardrobe
from benchmarks.measuring import Figure, alternating, options, report
from fashionlib.captioning import captioners
from fashionlib.data.readers import hm
from fashionlib.retrieval import search


def main() -> None:
    given = options(__doc__, items=300, rounds=3)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        wardrobe.write(folder / "shop", given.items, shoppers=1, seed=0)
        items = hm.items(folder / "shop")
        texts = list(items["caption"].dropna())
        model = captioners.with_text(captioners.mini(texts, captioners.Vit()))
        captioners.save(model, folder / "model")
        encoder = search.load_encoder(folder / "model")
        search.build(items, encoder, folder / "index", folder / "shop")
        photo = items["image"].dropna().iloc[0]
        questions = {
            "by words": ["a red dress"],
            "by a picture": [photo],
            "by both": ["in red", "--image", photo],
        }
        start = [sys.executable, "-m", "fashionlib.commands", "search"]
        ways = {
            name: lambda words=words: subprocess.run(
                [*start, *words, "--index", folder / "index"],
                check=True,
                capture_output=True,
            )
            for name, words in questions.items()
        }
        _, seconds = alternating(ways, given.rounds)
    figures = [
        Figure(f"a whole `fashionlib search` {name}", took, goal=2)
        for name, took in seconds.items()
    ]
    report(figures, {"items": len(items)})


if __name__ == "__main__":
    main()

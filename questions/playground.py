"""The captions whose n-grams weigh in the page `book/playground.md`.

They are written again by
`python -m questions.playground > book/_static/playground_captions.js`.
"""

from __future__ import annotations

import json

from wardrobe import planting
from wardrobe.words import captions

STYLE, ARTICLES, SEED = "template", 200, 0


def script() -> str:
    """Return the script that gives the page its captions, all of drawn garments."""
    written = captions(STYLE, planting.articles(ARTICLES, SEED), SEED)
    return (
        f"// {ARTICLES} captions of drawn garments: `python -m questions.playground`\n"
        f"playground.captions = {json.dumps(written, indent=2)};\n"
    )


if __name__ == "__main__":
    print(script(), end="")

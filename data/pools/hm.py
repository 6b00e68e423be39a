"""Write hm.json beside this file: the attribute pool of H&M's training captions.

Paper A has 1,014 attributes by Stanza on 83,385 captions. ROOT holds H&M's full
articles.csv. Paper A's filter and published split, without the image check: 83,728
captions. Prints JSON: the sizes of the pool with our exceptions and as published,
without any.

    python data/pools/hm.py ROOT
"""

import json
import sys
from pathlib import Path

from fashionlib.captioning.metrics import attributes
from fashionlib.data.items import CAPTION, SPLIT, TRAIN, split_items
from fashionlib.data.readers import hm

MINIMUM = 10  # occurrences in the training captions; Paper A, section 3.2


def main(root: Path) -> None:
    """Write the pool of the table in `root`; print its sizes and differences."""
    rows, _ = hm.filter_captioned(hm.items(root, images=False), images=False)
    split = split_items(rows, by="article")
    captions = list(split.loc[split[SPLIT] == TRAIN, CAPTION])
    pools = {}
    for name, exceptions in (
        ("exceptions", attributes.EXCEPTIONS),
        ("as published", {}),
    ):
        tagged = attributes.tagged(captions, exceptions=exceptions)
        pools[name] = attributes.pool(tagged, MINIMUM)
    provenance = attributes.made_by() | {
        "captions": (
            f"H&M articles.csv, {len(rows):,} articles after Paper A's filter without"
            " the image check"
        ),
        "split": "article (published recipe), train",
        "train_captions": len(captions),
        "minimum": MINIMUM,
    }
    attributes.freeze(
        pools["exceptions"], Path(__file__).with_suffix(".json"), provenance
    )
    ours, theirs = set(pools["exceptions"]), set(pools["as published"])
    sizes = {name: len(pool) for name, pool in pools.items()}
    differences = {
        "only with exceptions": sorted(ours - theirs),
        "only as published": sorted(theirs - ours),
    }
    json.dump({"sizes": sizes} | differences, sys.stdout, indent=1, ensure_ascii=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

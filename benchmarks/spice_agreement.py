"""Compare SPICE-py with the official SPICE.

It needs CoreNLP 3.6.0's two jars and a Java 8 to 14. Both score the same raw captions
against the same raw references (of any form that `fashionlib score` reads). Per
category and for all tuples: Pearson's r and Kendall's tau-b of the items' F, and both
means. An item on which both are silent counts in "all" only. Run it on 500 captions at
least; SPICE's parser takes a few of them a second. Prints JSON.

    python benchmarks/spice_agreement.py --references R.json --captions C.json
        --models CORENLP --java /path/to/java8 [--out agreement.json]
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
from scipy.stats import kendalltau, pearsonr

from fashionlib.book import runs
from fashionlib.captioning.metrics import spice
from fashionlib.captioning.metrics.spice import cache, official
from fashionlib.data import provenance
from fashionlib.data.captions import read
from fashionlib.data.files import write_json


def agreement(ours: np.ndarray, theirs: np.ndarray) -> dict[str, float | int | None]:
    """Return Pearson, Kendall, both means and their absolute difference, of F (items,).

    None where one side is constant.
    """
    known = ~(np.isnan(ours) | np.isnan(theirs))
    a, b = ours[known], theirs[known]
    varied = len(a) > 1 and np.ptp(a) > 0 and np.ptp(b) > 0
    return {
        "items": len(a),
        "pearson": round(float(pearsonr(a, b).statistic), 4) if varied else None,
        "kendall": round(float(kendalltau(a, b).statistic), 4) if varied else None,
        "SPICE-py": round(float(a.mean()), 4) if len(a) else None,
        "SPICE": round(float(b.mean()), 4) if len(a) else None,
        "difference": round(abs(float(a.mean() - b.mean())), 4) if len(a) else None,
    }


def measured(
    references: dict[str, list[str]],
    captions: dict[str, str],
    models: Path,
    java: str | None,
) -> dict:
    """Return `agreement` by category, and both run times in seconds.

    SPICE-py's is the time for what its cache lacks.
    """
    official.check(models, java)
    rows, texts = [references[item] for item in captions], list(captions.values())
    started = time.monotonic()
    ours = spice.score(rows, texts)
    between = time.monotonic()
    theirs = official.score(rows, texts, models, java)
    seconds = {
        "SPICE-py": round(between - started, 1),
        "SPICE": round(time.monotonic() - between, 1),
    }
    columns = zip(
        spice.CATEGORIES, ours.by_category.T, theirs.by_category.T, strict=True
    )
    return {
        "all": agreement(ours.per_item, theirs.per_item),
        **{name: agreement(mine, other) for name, mine, other in columns},
        "seconds": seconds,
    }


def main() -> None:
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in ("--references", "--captions", "--models"):
        arguments.add_argument(name, type=Path, required=True)
    arguments.add_argument("--java", help="a Java 8 to 14; else the one at hand")
    arguments.add_argument("--out", type=Path)
    given = arguments.parse_args()
    try:
        references = read(given.references).texts
        captions = read(given.captions).texts
        missing = [item for item in captions if item not in references]
        if missing:
            raise ValueError(
                f"{given.references}: no references for {len(missing)} of"
                f" {len(captions)}: {missing[:3]}"
            )
        first = {item: texts[0] for item, texts in captions.items()}
        values = measured(references, first, given.models, given.java)
    except (OSError, RuntimeError, ValueError) as error:
        sys.exit(str(error))
    origin = {
        "commit": provenance.commit(runs.repository()),
        "data": {"name": given.captions.name},
        "parses": cache.recipe(),
        "hardware": provenance.hardware(),
        "versions": provenance.versions(),
    }
    content = {"provenance": origin, "values": values}
    if given.out:
        write_json(given.out, content)
    print(json.dumps(content, indent=1))


if __name__ == "__main__":
    main()

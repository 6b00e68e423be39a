"""Measure pictures per second of the wardrobe: each view drawn and encoded as JPEG.

Prints JSON with CPU seconds on one core; the first picture of each kind, which builds
the tiles of its cloth, is drawn before.

    python benchmarks/drawing.py [--pictures 225] [--width 160] [--height 240]
                                 [--rounds 3]
"""

import argparse
import io
import json
import statistics
import sys
import time

import numpy as np

from fashionlib.data import provenance
from fashionlib.labelling import attribute_schema
from wardrobe import catalogue, views

VIEWS = {
    "shop photo": views.flat,
    "detail": views.detail,
    "consumer photo": lambda *given: views.consumer(*given)[0],
}


def main() -> None:
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, default in (
        ("--pictures", 225),
        ("--width", 160),
        ("--height", 240),
        ("--rounds", 3),
    ):
        arguments.add_argument(name, type=int, default=default)
    given = arguments.parse_args()
    rng, size = np.random.default_rng(0), (given.width, given.height)
    kinds = catalogue.kinds(given.pictures, rng)
    drawn = [
        (
            catalogue.garment(kind, rng),
            str(rng.choice(attribute_schema.ATTRIBUTES["colour"])),
        )
        for kind in kinds
    ]
    rates: dict[str, list[float]] = {name: [] for name in VIEWS}
    for _ in range(given.rounds + 1):  # the first round builds the tiles
        for name, view in VIEWS.items():
            started = time.process_time()
            for number, (garment, colour) in enumerate(drawn):
                picture = view(garment, colour, np.random.default_rng(number), size)
                picture.save(io.BytesIO(), "JPEG", quality=88)
            rates[name].append(len(drawn) / (time.process_time() - started))
    per_second = {
        name: round(statistics.median(found[1:]), 1) for name, found in rates.items()
    }
    first = {name: round(found[0], 1) for name, found in rates.items()}
    json.dump(
        {
            "pictures_per_cpu_second": per_second,
            "with tiles to build": first,
            "size": size,
            "pictures": len(drawn),
            "hardware": provenance.hardware(),
            "versions": provenance.versions(),
        },
        sys.stdout,
        indent=1,
    )


if __name__ == "__main__":
    main()

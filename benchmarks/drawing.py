"""Measure the wardrobe's pictures: each view drawn and encoded as JPEG, one core.

The first round, which builds the tiles of the cloths, isn't counted.

    python -m benchmarks.drawing [--pictures 225] [--width 160] [--height 240]
                                 [--rounds 3]
"""

import io

import numpy as np

from benchmarks.measuring import Figure, alternating, options, report
from fashionlib.labelling import attribute_schema
from wardrobe import catalogue, views

VIEWS = {
    "shop photo": views.flat,
    "detail": views.detail,
    "consumer photo": lambda *given: views.consumer(*given)[0],
}


def main() -> None:
    given = options(__doc__, pictures=225, width=160, height=240, rounds=3)
    rng, size = np.random.default_rng(0), (given.width, given.height)
    colours = attribute_schema.ATTRIBUTES["colour"]
    drawn = [
        (catalogue.garment(kind, rng), str(rng.choice(colours)))
        for kind in catalogue.kinds(given.pictures, rng)
    ]

    def draw(name: str) -> None:
        for number, (garment, colour) in enumerate(drawn):
            chance = np.random.default_rng(number)
            picture = VIEWS[name](garment, colour, chance, size)
            picture.save(io.BytesIO(), "JPEG", quality=88)

    ways = {name: lambda name=name: draw(name) for name in VIEWS}
    _, seconds = alternating(ways, given.rounds, warm=True)
    figures = [
        Figure(f"a {name} of {size[0]} x {size[1]}", 1000 * took / len(drawn), "ms")
        for name, took in seconds.items()
    ]
    report(figures, {"size": size, "pictures": len(drawn)})


if __name__ == "__main__":
    main()

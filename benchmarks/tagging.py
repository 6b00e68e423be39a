"""Time the tagging behind `captioning.metrics.attributes`.

`tagged` stands beside one `nlp(text)` after another with the whole pipeline. The
captions are the wardrobe's, or those of a text file with a caption a line; equal ones
count once.

    python -m benchmarks.tagging [--count 2000] [--rounds 3]
    python -m benchmarks "tagging --captions path/to/captions.txt"
"""

import spacy

from benchmarks.measuring import Figure, alternating, options, report
from benchmarks.texts import captions
from fashionlib.captioning.metrics import attributes
from fashionlib.captioning.metrics.attributes import ATTRIBUTE_TAGS


def main() -> None:
    given = options(__doc__, captions="", count=2000, rounds=3)
    sample = list(dict.fromkeys(captions(given.captions, given.count)))
    whole = spacy.load(attributes.SPACY_MODEL)

    def naive() -> list[list[str]]:
        documents = [
            whole(" ".join(caption.lower().replace("-", " ").split()))
            for caption in sample
        ]
        return [
            [token.lemma_.lower() for token in document if token.pos_ in ATTRIBUTE_TAGS]
            for document in documents
        ]

    ways = {
        "ours": lambda: attributes.tagged(sample, exceptions={}),
        "one by one": naive,
    }
    found, seconds = alternating(ways, given.rounds)
    pairs = zip(*found.values(), strict=True)
    differ = sum(mine != other for mine, other in pairs)
    figure = Figure(
        f"attributes of {len(sample):,} captions",
        seconds["ours"],
        peer="spaCy's whole pipeline, one by one",
        theirs=seconds["one by one"],
        note=f"captions whose attributes differ: {differ}",
    )
    report([figure], {})


if __name__ == "__main__":
    main()

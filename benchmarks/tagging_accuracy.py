"""Measure the accuracy of the tagging behind `captioning.metrics.attributes`.

With its exceptions and without, on UD treebanks (UD/*.conllu, gold tokens; any text, so
the garment exceptions can only harm there) and on data/tagging/garment_words.csv.
Chapter 02 shows what is kept.

    # UD's English EWT and PUD, from universaldependencies.org
    python -m benchmarks "tagging_accuracy path/to/ud"
"""

import csv
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measuring import ROOT, Figure, report
from fashionlib.captioning.metrics import attributes
from fashionlib.captioning.metrics.attributes import ATTRIBUTE_TAGS, Exceptions, Word

GARMENT_WORDS = ROOT / "data" / "tagging" / "garment_words.csv"
SETTINGS: dict[str, Exceptions] = {
    "exceptions": attributes.EXCEPTIONS,
    "tagger alone": {},
}


def accuracies(
    found: list[list[Word]], true: list[list[Word]]
) -> dict[str, float | int]:
    """Return fractions of words with the right UPOS tag, the right lemma, and both.

    Lemmas are compared in lower case. Precision and recall are of attributes: per row
    the set of lemmas tagged NOUN, ADJ or PROPN; micro.
    """
    pairs = [
        pair
        for rows in zip(found, true, strict=True)
        for pair in zip(*rows, strict=True)
    ]
    sets = [
        [
            {lemma.lower() for _, lemma, tag in row if tag in ATTRIBUTE_TAGS}
            for row in rows
        ]
        for rows in (found, true)
    ]
    shared = sum(len(a & b) for a, b in zip(*sets, strict=True))
    right = [(a[2] == b[2], a[1].lower() == b[1].lower()) for a, b in pairs]
    return {
        "upos": round(sum(tag for tag, _ in right) / len(right), 4),
        "lemma": round(sum(lemma for _, lemma in right) / len(right), 4),
        "both": round(sum(tag and lemma for tag, lemma in right) / len(right), 4),
        "precision": round(shared / sum(map(len, sets[0])), 4),
        "recall": round(shared / sum(map(len, sets[1])), 4),
        "words": len(right),
    }


def garment_words() -> dict[str, dict[str, float | int]]:
    """`accuracies` on the words marked by hand, each within its phrase."""
    with GARMENT_WORDS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    true = [[(row["word"], row["lemma"], row["upos"])] for row in rows]
    result = {}
    for name, exceptions in SETTINGS.items():
        tagged = attributes.words(
            [row["phrase"] for row in rows], exceptions=exceptions
        )
        found = [
            [next(word for word in words if word[0] == row["word"])]
            for row, words in zip(rows, tagged, strict=True)
        ]
        result[name] = accuracies(found, true)
    return result


def sentences(path: Path) -> Iterator[list[Word]]:
    """Yield form, lemma and UPOS tag of each sentence's words.

    Multiword tokens and empty nodes are left out.
    """
    for block in path.read_text(encoding="utf-8").strip().split("\n\n"):
        rows = [
            line.split("\t") for line in block.splitlines() if not line.startswith("#")
        ]
        yield [(row[1], row[2], row[3]) for row in rows if row[0].isdigit()]


def treebank(path: Path) -> dict[str, dict[str, float | int]]:
    """`accuracies` of spaCy's model on the treebank's own tokens, its case kept.

    The library runs it without the parser, whose arcs tell auxiliaries, determiners and
    pronouns apart, no attributes.
    """
    true = list(sentences(path))
    alone, parsed = _tags(true, ["parser", "ner"]), _tags(true, ["ner"])
    result = {
        name: accuracies(
            [[attributes.corrected(word, exceptions) for word in row] for row in alone],
            true,
        )
        for name, exceptions in SETTINGS.items()
    }
    return result | {"tagger with parser": accuracies(parsed, true)}


def _tags(rows: list[list[Word]], exclude: list[str]) -> list[list[Word]]:
    import spacy
    from spacy.tokens import Doc

    nlp = spacy.load(attributes.SPACY_MODEL, exclude=exclude)
    documents = nlp.pipe(
        Doc(nlp.vocab, words=[form for form, _, _ in row]) for row in rows
    )
    return [
        [(token.text, token.lemma_, token.pos_) for token in document]
        for document in documents
    ]


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("ud")
    paths = sorted(folder.glob("*.conllu"))
    if not paths:
        step = "fetch UD's English EWT and PUD from universaldependencies.org"
        raise FileNotFoundError(f"no *.conllu in {folder}; {step}")
    result = {
        "treebanks": {path.stem: treebank(path) for path in paths},
        "garment words": garment_words(),
    }
    places = {"garment words": result["garment words"], **result["treebanks"]}
    figures = [
        Figure(
            f"{place}: words with another tag or lemma",
            100 * (1 - rows["exceptions"]["both"]),
            "%",
            "tagger alone",
            100 * (1 - rows["tagger alone"]["both"]),
        )
        for place, rows in places.items()
    ]
    report(figures, result | {"tagger": attributes.made_by()})


if __name__ == "__main__":
    main()

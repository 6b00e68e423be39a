"""An article of the gallery: an item, its picture, and captions with marked words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from fashionlib.book.gallery import marks
from fashionlib.book.gallery.marks import Piece, Span
from fashionlib.book.gallery.pictures import Picture

# Every value is escaped: captions, categories and ids come from anybody's data.
TEMPLATES = Environment(
    loader=PackageLoader(__package__), autoescape=True, undefined=StrictUndefined
)
# JSON without spaces; tojson also writes <, >, & and ' so that no HTML can begin.
TEMPLATES.policies["json.dumps_kwargs"] = {
    "allow_nan": False,
    "ensure_ascii": False,
    "separators": (",", ":"),
}


@dataclass(frozen=True)
class Caption:
    """A system's caption of an item.

    `spans` are its attributes, `scores` are times 100 (None: no score), `errors` are
    the types of error that it makes.
    """

    system: str
    text: str
    spans: list[Span]
    scores: list[float | None]
    errors: list[str]


@dataclass(frozen=True)
class Entry:
    """An item with its true caption, None where it has none, and every system's."""

    item: str
    category: str
    picture: Picture
    truth: str | None
    spans: list[Span]
    captions: list[Caption]

    @property
    def label(self) -> str:
        """Return the item's id and category, for those who can't see the picture."""
        return ", ".join(filter(None, (self.item, self.category)))

    def marked_truth(self) -> list[Piece]:
        """Cut the true caption into words that a system hit and words all missed."""
        named = {lemma for one in self.captions for *_, lemma in one.spans}
        return marks.pieces(self.truth or "", self.spans, named, "missed")

    def marked(self, caption: Caption) -> list[Piece]:
        """Cut a caption into hit and invented words; without a truth, named ones."""
        true = {lemma for *_, lemma in self.spans}
        otherwise = "named" if self.truth is None else "invented"
        return marks.pieces(caption.text, caption.spans, true, otherwise)

    def best(self, metric: int) -> float | None:
        """Return the metric's highest score, None where no two systems differ."""
        scores = [one.scores[metric] for one in self.captions]
        known = {score for score in scores if score is not None}
        return max(known) if len(known) > 1 else None


def article(entry: Entry, metrics: Sequence[str]) -> Markup:
    """Return the article as HTML, as `card` of gallery.js draws it."""
    macro = TEMPLATES.get_template("article.html").module.article
    return macro(entry, metrics, "")

"""Write the book's Markdown as HTML: roles, formulas and diagrams included."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.myst_role import myst_role_plugin
from pybtex.database import parse_file

SENTENCE = re.compile(r"(?<=[.?!])(?<!e\.g\.)\s+(?=[A-Z*\"“])")
SHORT = 8  # words
SHOWN = {"math_block", "bullet_list", "ordered_list", "fence"}  # below the sentence
DRAWING = re.compile(r"\{(diagram|figure)\} (\S+)")


class Section(NamedTuple):
    """The last section of a text cell, in HTML."""

    heading: str
    shown: str
    said: str


class Prose:
    """Texts of a book, whose roles name its chapters, pages and references."""

    def __init__(self, root: Path) -> None:
        self.pages = root / "book"
        self.references = parse_file(str(self.pages / "references.bib")).entries
        self.markdown = MarkdownIt().enable("table")
        self.markdown.use(dollarmath_plugin).use(myst_role_plugin)
        rules = self.markdown.renderer.rules
        self.plain_fence = rules["fence"]
        rules |= {"myst_role": self._role, "fence": self._fence}

    def html(self, text: str) -> str:
        """Write a text as HTML; a formula stays as TeX in an element `math`."""
        return self.markdown.render(text)

    def section(self, text: str) -> Section:
        """Return what a slide shows of a text cell's last section, and all its words.

        Shown are its first sentence, with the second where that is short, and its first
        formula, list or diagram; of a numbered list the first item, without what
        follows *Where:*; both sentences of *To take away*.
        """
        nodes = SyntaxTreeNode(self.markdown.parse(text)).children
        heads = [place for place, node in enumerate(nodes) if node.type == "heading"]
        heading = nodes[heads[-1]].children[0].content if heads else ""
        body = nodes[heads[-1] + 1 :] if heads else nodes
        shown = []
        for node in body:
            if node.type == "paragraph" and not shown:
                first, *more = SENTENCE.split(node.children[0].content)
                two = heading == "To take away" or len(first.split()) < SHORT
                shown = [self.html(sentence) for sentence in (first, *more[:two])]
            elif node.type in SHOWN:
                shown.append(self._further(node))
                break
        drawn = [n.type == "math_block" or DRAWING.match(n.info) for n in body]
        said = [self._render(n) for n, no in zip(body, drawn, strict=True) if not no]
        inline = self.markdown.renderInline(heading)
        return Section(inline, "".join(shown), "".join(said))

    def _further(self, node: SyntaxTreeNode) -> str:
        if node.type != "ordered_list":
            return self._render(node)
        first = node.children[0].children[0].children[0].content
        return self.html(first.partition("*Where:*")[0])

    def _render(self, node: SyntaxTreeNode) -> str:
        return self.markdown.renderer.render(
            node.to_tokens(), self.markdown.options, {}
        )

    def _role(self, tokens: Sequence[Token], place: int, *_: Any) -> str:
        name, content = tokens[place].meta["name"], tokens[place].content
        if name in ("doc", "ref"):
            given, target = re.fullmatch(r"(?:(.+) <)?([^>]+?)>?", content).groups()
            return escape(given or self.page(target))
        if name == "cite:p":
            return f"({'; '.join(self.citation(key) for key in content.split(','))})"
        if name == "sub":
            return f"<sub>{escape(content)}</sub>"
        raise ValueError(f"the role {name} has no form on a slide: {content}")

    def _fence(self, tokens: Sequence[Token], place: int, *rest: Any) -> str:
        """Set a diagram inline, with its caption; leave a page's screenshot out."""
        token = tokens[place]
        if not (drawn := DRAWING.match(token.info)):
            return self.plain_fence(tokens, place, *rest)
        if drawn[1] == "figure":
            return ""
        path = self.pages / "_static" / "diagrams" / f"{drawn[2]}.svg"
        words = self.markdown.renderInline(token.content.strip())
        caption = f"<figcaption>{words}</figcaption>"
        return f'<figure class="diagram">{path.read_text("utf-8")}{caption}</figure>'

    def page(self, target: str) -> str:
        """Return a chapter's number, or another page's title."""
        name = Path(target).stem
        if number := re.match(r"\d\d", name):
            return f"Chapter {int(number[0])}"
        text = (self.pages / f"{name}.md").read_text("utf-8")
        return re.search(r"^# (.+)", text, re.MULTILINE)[1]

    def citation(self, key: str) -> str:
        """Return authors and year of an entry of references.bib."""
        entry = self.references[key.strip()]
        authors = entry.persons["author"]
        names = [" ".join(map(str, one.rich_last_names)) for one in authors]
        names = f"{names[0]} et al." if names[2:] else " and ".join(names)
        return f"{escape(names)}, {entry.fields['year']}"

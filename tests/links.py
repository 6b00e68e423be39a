"""Follow the links of built pages, offline: python tests/links.py _build/html."""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

ADDRESSES = ("href", "xlink:href", "src", "data", "poster", "action")  # of any tag


class Tags(HTMLParser):
    """Read a page's tags: `found` lists each with its attributes."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep a tag."""
        self.found.append((tag, dict(attrs)))


def follow(html: Path) -> tuple[list[str], set[str]]:
    """Follow every address in the pages of `html`, without a network.

    Return "page: address" of those that lead to no file or anchor below `html`, and
    the addresses of other sites, which aren't followed.
    """
    html = html.resolve()
    pages = {
        path: [given for _, given in Tags(path).found]
        for path in sorted(html.rglob("*.html"))
        if not path.name.endswith("webpack-macros.html")  # templates of the theme
    }
    if not pages:
        sys.exit(f"no pages in {html}; make them first: make book")
    anchors = {
        path: {"", *(tag.get(name) for tag in tags for name in ("id", "name"))}
        for path, tags in pages.items()
    }
    nowhere, outside = [], set()
    for path, tags in pages.items():
        for address in {tag.get(name) for tag in tags for name in ADDRESSES} - {None}:
            parts = urlsplit(address)
            if parts.netloc:
                outside.add(address)
            elif parts.scheme not in ("data", "mailto"):
                target = (path.parent / unquote(parts.path or path.name)).resolve()
                fragment = unquote(parts.fragment)
                there = target.is_file() and target.is_relative_to(html)
                # only pages have anchors
                if not there or fragment not in anchors.get(target, {fragment}):
                    nowhere.append(f"{path.relative_to(html)}: {address}")
    return sorted(nowhere), outside


def main(html: Path) -> int:
    """Print the addresses that lead nowhere; 1 where there are any."""
    nowhere, outside = follow(html)
    print(*nowhere, f"{len(nowhere)} links lead nowhere", sep="\n")
    print(f"{len(outside)} addresses of other sites, which weren't followed")
    return int(bool(nowhere))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

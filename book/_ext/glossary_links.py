"""Link the first use of each glossary term on a page to its entry.

A term is found as a whole word, in any case, with a plural s, its words joined by
blanks or hyphens, its apostrophe straight or curled. Only prose of paragraphs is
linked: no title, code, link, table or output. Words that also mean something ordinary
are terms where a page sets them in italics. A word of a longer text in italics, as a
section's name, is no term.
"""

import re

from docutils import nodes

GLOSSARY = "book/glossary"
ORDINARY = {"companion", "fails", "holds", "hub", "mask", "open", "set aside"}
CLOSED = (nodes.citation, nodes.literal, nodes.reference, nodes.table)


def straight(text):
    """Return a text with straight apostrophes: pages have curled ones."""
    return text.replace("’", "'")


def pattern(terms):
    """Return the expression that finds any of the terms, the longest first."""
    longest = sorted(terms, key=len, reverse=True)
    words = ("[\\s-]+".join(map(re.escape, term.split())) for term in longest)
    return re.compile(rf"(?<![\w-])(?:{'|'.join(words)})s?(?![\w-])", re.IGNORECASE)


def term_of(found, terms):
    """Return the term that a piece of text is a form of."""
    name = " ".join(found.lower().split())
    forms = (name, name.removesuffix("s"), name.replace("-", " "))
    forms += (forms[2].removesuffix("s"),)
    return next(form for form in forms if form in terms)


def is_prose(text):
    """Return whether a text stands in a paragraph, and in nothing that is closed."""
    node, within = text.parent, False
    if not isinstance(node, nodes.paragraph | nodes.emphasis | nodes.strong):
        return False
    while node is not None:
        within |= isinstance(node, nodes.paragraph)
        if isinstance(node, CLOSED) or "cell_output" in node.get("classes", []):
            return False
        node = node.parent
    return within


def link_terms(document, terms):
    """Link each term's first use in a document; `terms` maps lower case to a URI."""
    terms = {straight(term): place for term, place in terms.items()}
    finder, left = pattern(terms), set(terms)
    for text in [text for text in document.findall(nodes.Text) if is_prose(text)]:
        words, parts, end = text.astext(), [], 0
        for found in finder.finditer(straight(words)):
            term = term_of(found[0], terms)
            italic = isinstance(text.parent, nodes.emphasis)
            fits = found[0] == straight(words) if italic else term not in ORDINARY
            if term in left and fits:
                left.remove(term)
                parts.append(nodes.Text(words[end : found.start()]))
                parts.append(
                    nodes.reference(
                        "",
                        words[found.start() : found.end()],
                        internal=True,
                        refuri=terms[term],
                    )
                )
                end = found.end()
        if parts:
            text.parent.replace(text, [*parts, nodes.Text(words[end:])])


def link_page(app, document, page):
    """Link the terms of a page; the glossary itself and pages without one stay."""
    if page == GLOSSARY or app.builder.format != "html":
        return
    entries = app.env.get_domain("std").objects.items()
    here = app.builder.get_relative_uri(page, GLOSSARY) + "#"
    terms = {
        name.lower(): here + label
        for (kind, name), (where, label) in entries
        if kind == "term" and where == GLOSSARY
    }
    if terms:
        link_terms(document, terms)


def watch_glossary(app, document):
    """Have a page built again when the glossary has changed."""
    app.env.note_dependency(app.env.doc2path(GLOSSARY))


def setup(app):
    """Register both steps with Sphinx."""
    app.connect("doctree-read", watch_glossary)
    app.connect("doctree-resolved", link_page)
    return {"version": "1", "parallel_read_safe": True}

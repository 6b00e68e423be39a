"""Mend what the theme and the tools write into finished pages, and make them lighter.

tests/book/test_accessibility.py runs axe-core on the pages: it says which of these
mends has become needless, or which new one a newer theme needs.
"""

import re
from html import escape
from pathlib import Path

import pydata_sphinx_theme
from fontTools import subset

from fashionlib import __version__

STATIC = "theme/pydata_sphinx_theme/static"
STYLES = "styles/pydata-sphinx-theme.css"
SCRIPTS = "scripts/pydata-sphinx-theme.js"  # draws an icon too
FONTS = "vendor/fontawesome/webfonts"
ICON = re.compile(r"\bfa-([a-z][a-z0-9-]*)")
RULE = re.compile(r'((?:\.fa-[\w-]+:before,?)+)\{content:"\\[^"]+"\}')
HEAD = re.compile(r"<th\b([^>]*)>((?:\s|&nbsp;|&#160;)*)</th>")

CITATION = """
<details class="cite d-print-none"><summary>Cite this page</summary>
<p>{said}<br><a href="{url}">{url}</a></p>
<div class="highlight"><pre>{entry}</pre></div>
</details>
"""
KAGGLE = "https://kaggle.com/kernels/welcome?src=https://github.com/"

MENDS = [
    # A header cell without a word heads nothing: it is a plain cell.
    (HEAD, r"<td\1>\2</td>"),
    # A label beside a text that says something else: the text is the name.
    (re.compile(r'<summary aria-label="Toggle hidden content">'), "<summary>"),
    (
        re.compile(r'(class="btn search-button-field[^>]*?) aria-label="Search"'),
        r"\1",
    ),
    (
        re.compile(r'(<span class="search-button__kbd-shortcut")>'),
        r'\1 aria-hidden="true">',
    ),
    (re.compile(r'(<i class="theme-switch [^>]*?)\s+title="[^"]*"'), r"\1"),
    # An icon's glyph is no word, and no part of a button's name.
    (re.compile(r'(<(?:i|span) class="fa[bs-][^"]*")>'), r'\1 aria-hidden="true">'),
    # The book's name above the menu is a way home, so a landmark.
    (
        re.compile(r'(?<!"Home">)<a class="navbar-brand logo".*?</a>', re.DOTALL),
        r'<nav aria-label="Home">\g<0></nav>',
    ),
    # DPUB-ARIA has given up the role of an entry; a list's children are its items.
    (re.compile(r'role="doc-biblioentry"'), 'role="listitem"'),
    # 1.5 MB of script that draws no icon: the theme's icons are a font.
    (re.compile(r"\s*<!-- So that users can add custom icons -->"), ""),
    (re.compile(r"\s*<script[^>]*/fontawesome\.js[^>]*></script>"), ""),
    # Only the page of results searches: the theme's search as you type is off.
    (
        re.compile(
            r'\s*<script src="\.\./(?:searchindex|_static/searchtools'
            r'|_static/language_data)\.js"></script>'
        ),
        "",
    ),
]


def drop_thebe(app, pagename, templatename, context, doctree):
    """Drop sphinx-thebe's files: no code runs in the page, and one came twice."""
    for kind in ("script_files", "css_files"):
        context[kind] = [
            file
            for file in context[kind]
            if "thebe" not in f"{file.filename} {file.attributes.get('body')}".lower()
        ]


def add_kaggle(app, pagename, templatename, context, doctree):
    """Put Kaggle beside the places that the theme can launch a notebook at."""
    for group in context["header_buttons"]:
        buttons = group.get("buttons", [])
        for colab in [one for one in buttons if one["text"] == "Colab"]:
            notebook = colab["url"].partition("/github/")[2]
            kaggle = {"text": "Kaggle", "tooltip": "Launch on Kaggle"}
            kaggle |= {"icon": "fab fa-kaggle", "url": KAGGLE + notebook}
            buttons.append(colab | kaggle)


def add_citation(app, pagename, templatename, context, doctree):
    """Say at the foot of each page, folded, how to cite it."""
    if doctree is None:  # the index and the search have no text of their own
        return
    options, config = app.config.html_theme_options, app.config
    source = pagename + Path(app.env.doc2path(pagename)).suffix
    given = {
        "author": f"{{{config.author}}}",
        "title": app.env.titles[pagename].astext(),
        "booktitle": config.html_title,
        "year": config.copyright,
        "note": f"Version {__version__}",
        "url": f"{options['repository_url']}/blob/main/{source}",
    }
    fields = ",\n".join(f"  {name} = {{{text}}}" for name, text in given.items())
    entry = f"@incollection{{fashion_captioned_{Path(pagename).name},\n{fields}\n}}"
    said = "{title} In: {booktitle}. {note}, {year}.".format(**given)
    context["body"] += CITATION.format(said=escape(said), entry=escape(entry), **given)


def mend_pages(app, error):
    """Mend each finished page once, then cut the theme's icons to those in use."""
    out = Path(app.outdir)
    if error or not (out / "_static" / STYLES).is_file():
        return
    used = set(ICON.findall((out / "_static" / SCRIPTS).read_text(encoding="utf-8")))
    for path in sorted(out.rglob("*.html")):
        text = mended = path.read_text(encoding="utf-8")
        for pattern, instead in MENDS:
            mended = pattern.sub(instead, mended)
        if mended != text:
            path.write_text(mended, encoding="utf-8")
        used.update(ICON.findall(mended))
    cut_icons(out / "_static", used)


def cut_icons(static, used):
    """Keep the glyphs and the rules of the icons `used`, and no script of icons."""
    theme = Path(pydata_sphinx_theme.__file__).parent / STATIC

    def keep(rule):
        return rule[0] if used.intersection(ICON.findall(rule[1])) else ""

    styles = RULE.sub(keep, (theme / STYLES).read_text(encoding="utf-8"))
    styles = re.sub(r'url\([^)]*\.woff2\) format\("woff2"\),', "", styles)
    (static / STYLES).write_text(styles, encoding="utf-8")
    glyphs = {int(code, 16) for code in re.findall(r'"\\([0-9a-f]{2,5})"', styles)}
    for font in (theme / FONTS).glob("*.ttf"):
        options = subset.Options()
        whole = subset.load_font(font, options)
        cut = subset.Subsetter(options)
        cut.populate(unicodes=glyphs)
        cut.subset(whole)
        subset.save_font(whole, static / FONTS / font.name, options)
    spare = (*static.glob(f"{FONTS}/*.woff2"), *static.glob("scripts/*.map"))
    for path in (*spare, *static.glob("scripts/fontawesome.js*")):
        path.unlink(missing_ok=True)


def setup(app):
    """Register all steps with Sphinx."""
    app.connect("html-page-context", drop_thebe)
    app.connect("html-page-context", add_kaggle, priority=502)  # the theme's are 501
    app.connect("html-page-context", add_citation)
    app.connect("build-finished", mend_pages)
    return {"version": "1", "parallel_read_safe": True}

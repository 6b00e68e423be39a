"""Mend what the theme and the tools write into finished pages, and make them lighter.

tests/book/test_accessibility.py runs axe-core on the pages: it says which of these
mends has become needless, or which new one a newer theme needs.
"""

import re
from pathlib import Path

import pydata_sphinx_theme
from fontTools import subset

STATIC = "theme/pydata_sphinx_theme/static"
STYLES = "styles/pydata-sphinx-theme.css"
SCRIPTS = "scripts/pydata-sphinx-theme.js"  # draws an icon too
FONTS = "vendor/fontawesome/webfonts"
ICON = re.compile(r"\bfa-([a-z][a-z0-9-]*)")
RULE = re.compile(r'((?:\.fa-[\w-]+:before,?)+)\{content:"\\[^"]+"\}')
HEAD = re.compile(r"<th\b([^>]*)>((?:\s|&nbsp;|&#160;)*)</th>")

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
    """Register both steps with Sphinx."""
    app.connect("html-page-context", drop_thebe)
    app.connect("build-finished", mend_pages)
    return {"version": "1", "parallel_read_safe": True}

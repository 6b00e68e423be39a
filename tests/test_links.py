"""Links of built pages: what leads nowhere is named, other sites are counted."""

import links
import pytest

GOOD = """<h1 id="top">Links</h1> <a name="old"></a> <a href="#top">up</a>
<a href="">here</a> <a href="two%20words.html?q=1#caf%C3%A9">there</a>
<a href="sub/picture.svg#any">see</a> <img src="data:image/gif;base64,R0">
<a href="mailto:a@b.c">write</a>
<a href="https://elsewhere.org/page">out</a> <script src="//cdn.org/x.js"></script>"""


@pytest.fixture
def pages(tmp_path):
    html = tmp_path / "_build" / "html"
    (html / "sub").mkdir(parents=True)
    (html / "index.html").write_text(GOOD)
    (html / "two words.html").write_text('<p id="café"><a href="index.html#old">back')
    (html / "sub" / "picture.svg").write_text("<svg/>")
    (tmp_path / "outside.html").write_text("not of the site")
    return html


def test_links_that_lead_somewhere_are_followed_and_other_sites_counted(pages):
    nowhere, outside = links.follow(pages)
    assert nowhere == []
    assert outside == {"https://elsewhere.org/page", "//cdn.org/x.js"}


@pytest.mark.parametrize(
    "tag",
    [
        '<a href="gone.html">',
        '<a href="#gone">',
        '<a href="two%20words.html#gone">',
        '<img src="gone.png">',
        '<script src="sub/gone.js">',
        '<svg><use xlink:href="#gone"/></svg>',
        '<a href="../../outside.html">',
        '<a href="/index.html">',
        '<a href="file:///gone">',
    ],
)
def test_a_link_that_leads_nowhere_is_named_with_its_page(pages, tag, capsys):
    (pages / "sub" / "page.html").write_text("<a href='../index.html'>" + tag)
    (pages / "index.html").write_text(GOOD + tag)
    assert links.main(pages) == 1
    out = capsys.readouterr().out
    address = tag.split('"')[1]
    assert f"index.html: {address}\n" in out and f"sub/page.html: {address}\n" in out
    assert "2 links lead nowhere" in out and "2 addresses of other sites" in out


def test_where_there_are_no_pages_the_next_step_is_said(tmp_path):
    with pytest.raises(SystemExit, match="make them first: make book"):
        links.follow(tmp_path)

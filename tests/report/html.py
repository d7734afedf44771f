"""Reads a page for tests: tags, attributes, text, faults in its nesting, and what no page may hold."""

import re
from html.parser import HTMLParser

from triptych.report.page import MAX_BYTES

PATH = r"[MLHVZahlqvz0-9. -]*"

VOID = {"meta", "col", "br", "link", "img", "input", "hr"}


class Page(HTMLParser):
    """Collects tags, attributes and text; checks that every element is closed in order."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.attributes, self.pieces, self.faults = [], [], [], [], []
        self.feed(html)
        self.close()
        self.faults += [f"never closed: {tag}" for tag in self.open]

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, key, value) for key, value in attrs]
        names = [key for key, _ in attrs]
        self.faults += [f"{tag} repeats {key}" for key in names if names.count(key) > 1]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, key, value) for key, value in attrs]

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"wrong end tag: {tag}")

    def handle_data(self, data):
        if "style" not in self.open:
            self.pieces.append(data)

    def handle_comment(self, data):
        self.faults.append(f"comment: {data[:40]}")

    @property
    def text(self):
        return " ".join(" ".join(self.pieces).split())


def inert(html):
    """The page of a report, which is well formed, bounded and runs and loads nothing, whatever it was made of."""
    page = Page(html)
    assert page.faults == []
    assert {"script", "iframe", "object", "embed", "link", "img", "base", "form"}.isdisjoint(page.tags)
    ids = [value for _, key, value in page.attributes if key == "id"]
    assert len(ids) == len(set(ids))
    for tag, key, value in page.attributes:
        assert not key.startswith("on"), (tag, key)
        assert key not in ("src", "srcset", "style", "xlink:href")
        assert key != "href" or value[1:] in ids
        if key in ("x", "y", "cx", "cy", "r", "width", "height"):
            assert re.fullmatch(r"-?\d+(\.\d+)?%?", value), (key, value)
        if key == "d":
            assert re.fullmatch(PATH, value), value[:80]
    style = re.search(r"<style>(.*?)</style>", html, re.DOTALL).group(1)
    assert not re.search(r"url\(|@import|\{%", style)
    assert "default-src 'none'" in html
    assert len(html.encode()) < MAX_BYTES
    assert not re.search(r"\b(?:nan|NaN|inf)\b|[:=] ?None", page.text)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]", html)
    drawings = [key for tag, key, _ in page.attributes if tag == "svg" and key in ("role", "aria-hidden")]
    assert len(drawings) >= page.tags.count("svg")
    return page

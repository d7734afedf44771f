"""Reads a page for tests: tags, attributes, text, faults in its nesting."""

from html.parser import HTMLParser

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
